"""Accounting, signatures, administration and infrastructure, to come."""

from providers.announced._fields import address, announced, secret, text
from providers.offers import Category, Feature, Words

OFFICE = (
    announced(
        "pennylane", "Pennylane", Category.ACCOUNTING,
        does=Words("Clients, factures, paiements et devis en comptabilité ; rapprochement, TVA, FEC.",
                   "Customers, invoices, payments and quotes in the books; reconciliation, VAT, FEC."),
        needs=Words("Un abonnement Pennylane avec accès à l'API.", "A Pennylane plan with API access."),
        opens=(Feature.ACCOUNTING_SYNC, Feature.BANK_RECONCILIATION),
        api_key=secret("Jeton d'entreprise", "Company token", "Pennylane → Paramètres → Connectivité → Développeurs",
                       "Pennylane → Settings → Connectivity → Developers"),
    ),
    announced(
        "quickbooks", "QuickBooks Online", Category.ACCOUNTING,
        does=Words("Clients, factures et paiements en comptabilité.", "Customers, invoices and payments in the books."),
        needs=Words("Une entreprise QuickBooks Online.", "A QuickBooks Online company."),
        opens=(Feature.ACCOUNTING_SYNC,),
        client_id=text("Identifiant client", "Client ID", "Demande votre accord.", "Asks for your consent.",
                       "developer.intuit.com → Keys & credentials", "developer.intuit.com → Keys & credentials"),
        client_secret=secret("Secret client", "Client secret", "À côté de l'identifiant", "Beside the client ID"),
        realm_id=text("Numéro d'entreprise", "Company ID", "L'entreprise concernée.", "The company it is about.",
                      "QuickBooks → Paramètres → Informations supplémentaires",
                      "QuickBooks → Settings → Additional info"),
    ),
    announced(
        "dolibarr", "Dolibarr", Category.ACCOUNTING,
        does=Words("Clients et commandes dans les deux sens, factures et paiements.",
                   "Customers and orders both ways, invoices and payments."),
        needs=Words("Une installation dont le module API REST est activé.",
                    "An installation with its REST API switched on."),
        opens=(Feature.ACCOUNTING_SYNC, Feature.CUSTOMER_SYNC),
        url=address("Dolibarr", "L'adresse de votre Dolibarr", "Your Dolibarr's address"),
        api_key=secret("Clé d'API", "API key", "Fiche de l'utilisateur → Clé API", "User card → API key"),
    ),
    announced(
        "yousign", "Yousign", Category.SIGNATURE,
        does=Words("Faire signer devis, consentements et conditions.", "Quotes, consents and terms signed."),
        needs=Words("Un abonnement Yousign avec accès à l'API.", "A Yousign plan with API access."),
        opens=(Feature.SIGNATURES,),
        api_key=secret("Clé d'API", "API key", "Yousign → Développeurs → Clés d'API",
                       "Yousign → Developers → API keys"),
    ),
    announced(
        "docusign", "DocuSign", Category.SIGNATURE,
        does=Words("Faire signer devis, consentements et conditions.", "Quotes, consents and terms signed."),
        needs=Words("Un compte DocuSign eSignature.", "A DocuSign eSignature account."),
        opens=(Feature.SIGNATURES,),
        integration_key=text("Clé d'intégration", "Integration key", "Désigne l'application.", "Names the application.",
                             "DocuSign Admin → Applications et clés", "DocuSign Admin → Apps and Keys"),
        user_id=text("Identifiant d'utilisateur", "User ID", "Pour qui l'on envoie.", "For whom it is sent.",
                     "Au même endroit : API Username", "In the same place: API Username"),
        private_key=secret("Clé privée RSA", "RSA private key", "Application → Service Integration",
                           "App → Service Integration"),
    ),
    announced(
        "wedof", "Wedof", Category.ADMINISTRATION,
        does=Words("Dossiers de formation, documents, suivi, preuves Qualiopi.",
                   "Training files, documents, follow-up, evidence for Qualiopi."),
        needs=Words("Un compte Wedof relié à EDOF.", "A Wedof account linked to EDOF."),
        opens=(Feature.TRAINING_FILES, Feature.QUALIOPI),
        api_key=secret("Clé d'API", "API key", "Wedof → Mon profil → Jeton d'API", "Wedof → My profile → API token"),
    ),
    announced(
        "sentry", "Sentry", Category.INFRASTRUCTURE,
        does=Words("Vos alertes d'erreurs dans votre propre projet.", "Your alerts of errors in your own project."),
        needs=Words("Un projet Sentry.", "A Sentry project."),
        opens=(Feature.ERROR_ALERTS,),
        dsn=secret("DSN", "DSN", "Sentry → Projet → Paramètres → Client Keys (DSN)",
                   "Sentry → Project → Settings → Client Keys (DSN)"),
    ),
)  # fmt: skip
