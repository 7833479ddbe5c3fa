"""The words of invoices, in French and in English. In English ones what the law calls a thing stands beside, in French:
a reader in France has to recognize it."""

from collections.abc import Mapping

from models.language import Language

# name: (French, English)
_WORDS = {
    "invoice": ("Facture", "Invoice"),
    "deposit_invoice": ("Facture d’acompte", "Deposit invoice"),
    "credit_note": ("Avoir", "Credit note"),
    "quote": ("Devis", "Quote"),
    "quoted_on": ("Date du devis", "Quote date"),
    "valid_until": ("Valable jusqu’au", "Valid until"),
    "included": ("inclus", "included"),
    "agreed": ("Bon pour accord", "Agreed (Bon pour accord)"),
    "sign": (
        "Date, nom et signature du client, précédés de la mention manuscrite « Bon pour accord »",
        "Date, name and signature of the client, below the handwritten words “Bon pour accord”",
    ),
    "deposit_at_order": ("Acompte à la commande", "Deposit, with the order"),
    "balance_later": ("Solde", "Balance"),
    "preview": ("APERÇU", "PREVIEW"),
    "test": ("Document de test, sans valeur", "Test document, of no value"),
    "preview_note": ("Aperçu, sans valeur", "Preview, of no value"),
    "capital": ("au capital de", "with a share capital (capital social) of"),
    "vat_number_in_full": ("TVA intracommunautaire", "VAT number (TVA intracommunautaire)"),
    "vat_number": ("N° TVA", "VAT no. (N° TVA)"),
    "terms": ("Conditions générales de vente", "Terms of sale (CGV)"),
    "seller": ("Vendeur", "Seller"),
    "buyer": ("Facturé à", "Billed to"),
    "client": ("Client", "Client"),
    "deliver_to": ("Livré à", "Delivered to"),
    "number": ("N°", "No."),
    "issued_on": ("Date de facture", "Invoice date"),
    "credited_on": ("Date de l’avoir", "Credit note date"),
    "operation_on": ("Date de l’opération", "Date of supply"),
    "due_on": ("Échéance", "Due date"),
    "order": ("Commande", "Order"),
    "corrects": ("Facture corrigée", "Corrects invoice"),
    "of_day": ("du", "of"),
    "description": ("Désignation", "Description"),
    "quantity": ("Qté", "Qty"),
    "unit_price": ("Prix unitaire HT", "Unit price excl. VAT"),
    "vat": ("TVA", "VAT"),
    "line_total": ("Total HT", "Total excl. VAT"),
    "discount": ("Remise", "Discount"),
    "net": ("HT", "excl. VAT"),
    "per": ("les", "per"),
    "exempt": ("exonéré", "exempt"),
    "carried": ("À reporter", "Carried forward"),
    "brought": ("Report", "Brought forward"),
    "subtotal": ("Sous-total HT", "Subtotal excl. VAT (HT)"),
    "total_net": ("Total HT", "Total excl. VAT (HT)"),
    "at_rate": ("à", "at"),
    "vat_at": ("TVA", "VAT (TVA)"),
    "vat_exempt": ("Exonéré de TVA", "Exempt from VAT (TVA)"),
    "of_base": ("sur", "on"),
    "total_gross": ("Total TTC", "Total incl. VAT (TTC)"),
    "deposit_of": ("Acompte, facture", "Deposit, invoice"),
    "deposit": ("d’acompte", "deposit"),
    "paid": ("Payé", "Paid"),
    "paid_in_full": ("acquittée", "– paid in full"),
    "paid_amount": ("payés", "paid"),
    "and": ("et", "and"),
    "on_day": ("le", "on"),
    "due": ("Reste à payer", "Balance due"),
    "refunded": ("remboursés", "refunded"),
    "to_be_deducted": ("À déduire de la facture", "To be deducted from invoice"),
    "reason": ("Motif", "Reason"),
    "pay_before": ("À régler avant le", "To be paid by"),
    "pay_online": ("Payer en ligne", "Pay online"),
    "secured": ("Paiement sécurisé sur", "Secure payment on"),
    "by_transfer": ("Par virement", "By bank transfer"),
    "or_by_transfer": ("ou par virement", "or by bank transfer"),
    "reference": ("Référence à indiquer", "Reference to quote"),
}

WORDS: Mapping[Language, Mapping[str, str]] = {
    language: {name: words[place] for name, words in _WORDS.items()}
    for place, language in enumerate((Language.FR, Language.EN))
}
