"""The accounts that sales and money are entered in."""

from models.fields import Coded


class AccountUse(Coded):
    """What an account is for. Numbers are those of the French chart (plan comptable général, règlement ANC 2014-03)
    unless the organization has its own."""

    CLIENTS = "CLIENTS", "What clients owe"
    DEPOSITS = "DEPOSITS", "Deposits taken before the sale"
    SERVICES = "SERVICES", "Services sold"
    GOODS = "GOODS", "Goods sold"
    VAT_20 = "VAT_20", "VAT collected at 20 %"
    VAT_10 = "VAT_10", "VAT collected at 10 %"
    VAT_5_5 = "VAT_5_5", "VAT collected at 5.5 %"
    VAT_2_1 = "VAT_2_1", "VAT collected at 2.1 %"
    VAT_OTHER = "VAT_OTHER", "VAT collected at any other rate"
    STRIPE = "STRIPE", "Money at Stripe, before it is paid out"
    PAYPAL = "PAYPAL", "Money at PayPal"
    BANK = "BANK", "The bank account"
    CHEQUES = "CHEQUES", "Cheques to be cashed"
    CASH = "CASH", "The till"


# (number, its name as books in French have it)
ACCOUNTS: dict[AccountUse, tuple[str, str]] = {
    AccountUse.CLIENTS: ("411000", "Clients"),
    AccountUse.DEPOSITS: ("419100", "Clients - acomptes reçus"),
    AccountUse.SERVICES: ("706000", "Prestations de services"),
    AccountUse.GOODS: ("707000", "Ventes de marchandises"),
    AccountUse.VAT_20: ("445711", "TVA collectée 20 %"),
    AccountUse.VAT_10: ("445712", "TVA collectée 10 %"),
    AccountUse.VAT_5_5: ("445713", "TVA collectée 5,5 %"),
    AccountUse.VAT_2_1: ("445714", "TVA collectée 2,1 %"),
    AccountUse.VAT_OTHER: ("445710", "TVA collectée, autres taux"),
    AccountUse.STRIPE: ("511500", "Encaissements Stripe"),
    AccountUse.PAYPAL: ("511600", "Encaissements PayPal"),
    AccountUse.BANK: ("512000", "Banque"),
    AccountUse.CHEQUES: ("511200", "Chèques à encaisser"),
    AccountUse.CASH: ("530000", "Caisse"),
}
NUMBER_PATTERN = r"[1-7][0-9]{2,11}[A-Z0-9]{0,8}"  # the first three figures are the chart's
