"""Letters, messages and social networks, to come."""

from providers.announced._fields import announced, secret, text
from providers.offers import Category, Feature, Words

SPEAKING = (
    announced(
        "brevo", "Brevo", Category.COMMUNICATION,
        does=Words("E-mails et SMS, listes de contacts, campagnes, suivi des envois.",
                   "E-mail and SMS, lists of contacts, campaigns, delivery followed."),
        needs=Words("Un compte Brevo et un expéditeur validé.", "A Brevo account and a verified sender."),
        opens=(Feature.EMAIL_DELIVERY, Feature.EMAIL_MARKETING, Feature.SMS),
        api_key=secret("Clé d'API", "API key", "Brevo → SMTP et API → Clés d'API", "Brevo → SMTP & API → API keys"),
    ),
    announced(
        "sendgrid", "SendGrid", Category.COMMUNICATION,
        does=Words("E-mails suivis, listes de contacts, campagnes.", "E-mail followed, lists of contacts, campaigns."),
        needs=Words("Un compte SendGrid et un domaine authentifié.", "A SendGrid account and an authenticated domain."),
        opens=(Feature.EMAIL_DELIVERY, Feature.EMAIL_MARKETING),
        api_key=secret("Clé d'API", "API key", "SendGrid → Settings → API Keys", "SendGrid → Settings → API Keys"),
    ),
    announced(
        "twilio", "Twilio", Category.COMMUNICATION,
        does=Words("Rappels et messages par SMS et WhatsApp.", "Reminders and messages by SMS and WhatsApp."),
        needs=Words("Un compte Twilio et un numéro ou un expéditeur.", "A Twilio account and a number or a sender."),
        opens=(Feature.SMS, Feature.WHATSAPP),
        account_sid=text("Account SID", "Account SID", "Désigne votre compte.", "Names your account.",
                         "Console Twilio → Account Info : AC…", "Twilio Console → Account Info: AC…"),
        auth_token=secret("Auth Token", "Auth token", "Console Twilio → Account Info", "Twilio Console → Account Info"),
        sender=text("Expéditeur", "Sender", "Numéro +33…, ou nom.", "A number +33…, or a name.",
                    "Console Twilio → Phone Numbers", "Twilio Console → Phone Numbers"),
    ),
    announced(
        "meta", "Instagram et Facebook", Category.SOCIAL,
        does=Words("Publier, lire les commentaires et y répondre.", "Publish, read comments and answer them."),
        needs=Words("Une page Facebook, un compte Instagram professionnel relié.",
                    "A Facebook page, with a professional Instagram account linked to it."),
        opens=(Feature.SOCIAL_POSTS, Feature.SOCIAL_COMMENTS),
        app_id=text("Identifiant de l'application", "App ID", "Demande votre accord.", "Asks for your consent.",
                    "developers.facebook.com → Mes applications", "developers.facebook.com → My apps"),
        app_secret=secret("Clé secrète", "App secret", "Application → Paramètres → Général", "App → Settings → Basic"),
    ),
    announced(
        "tiktok", "TikTok", Category.SOCIAL,
        does=Words("Publier des vidéos.", "Publish videos."),
        needs=Words("Une application que TikTok a vérifiée.", "An application that TikTok has audited."),
        opens=(Feature.SOCIAL_POSTS,),
        client_key=text("Clé client", "Client key", "Demande votre accord.", "Asks for your consent.",
                        "developers.tiktok.com → Manage apps", "developers.tiktok.com → Manage apps"),
        client_secret=secret("Secret client", "Client secret", "À côté de la clé", "Beside the client key"),
    ),
)  # fmt: skip
