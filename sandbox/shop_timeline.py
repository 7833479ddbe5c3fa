"""The steps of a sale, as the shop's page shows them."""

from datetime import datetime
from typing import Any

from sandbox.render import moment

Step = dict[str, Any]
"""`{title, detail, done, failed, url, link}`"""


def timeline(order: dict[str, Any]) -> list[Step]:
    """What has come of an order and what is to come, in order."""
    steps = [_made(order), _paid(order)]
    to_come = [{"number": None, "pdfUrl": None, "emailedAt": None}] if order["total"]["amount"] else []
    for invoice in order["invoices"] or to_come:
        number, pdf = invoice["number"], invoice["pdfUrl"]
        made = f"n° {number}" if number else "à venir"
        steps.append(_step("Facture", made, bool(pdf), url=pdf, link="Ouvrir le PDF"))
        sent = "envoyé, facture jointe" if invoice["emailedAt"] else "à venir"
        steps.append(_step("E-mail au client", sent, bool(invoice["emailedAt"]), url="/mail", link="Lire l’e-mail"))
    return steps + [_told(notification) for notification in order["notifications"]]


def is_under_way(order: dict[str, Any]) -> bool:
    """Whether a payment is on its way, which may take days."""
    return any(payment["status"] == "PROCESSING" for payment in order["payments"])


def _made(order: dict[str, Any]) -> Step:
    total, discount = order["total"]["formatted"], order["discount"]
    off = f", remise de {discount['formatted']} déduite ({order['discountReason']})" if discount["amount"] else ""
    return _step(f"Commande n° {order['number']} enregistrée", f"{total}{off}", True)


def _paid(order: dict[str, Any]) -> Step:
    if not order["total"]["amount"]:
        return _step("Rien à payer", "commande gratuite", True)
    if order["status"] == "PAID":
        return _step("Paiement", "reçu", True)
    if order["status"] == "CANCELED":
        return _step("Commande annulée", "rien n’est à payer", True) | {"failed": True}
    if is_under_way(order):
        return _step("Paiement", "prélèvement SEPA en cours : quelques jours dans la vie, quelques secondes ici", False)
    refused = any(payment["status"] == "FAILED" for payment in order["payments"])
    return _step("Paiement", "refusé, à recommencer" if refused else "en attente", False)


def _told(notification: dict[str, Any]) -> Step:
    """What a partner was told. Once tried, the step leads to what they received, whatever they answered."""
    status, tries, again = notification["status"], len(notification["attempts"]), notification["nextAttemptAt"]
    tried = f"après {tries} tentative{'s' if tries > 1 else ''}"
    if status == "DELIVERED":
        detail = "prévenu"
    elif status == "FAILED":
        detail = f"pas prévenu, {tried}"
    elif again:
        detail = f"nouvel essai le {moment(datetime.fromisoformat(again).timestamp(), 'fr')}, {tried}"
    else:
        detail = "à prévenir"
    step = _step(
        f"Partenaire {notification['partner']['name']}", detail, status != "PENDING", link="Voir ce qu’il a reçu"
    )
    return step | {"failed": status == "FAILED", "url": "/partner" if tries else None}


def _step(title: str, detail: str, done: bool, url: str | None = None, link: str | None = None) -> Step:
    return {"title": title, "detail": detail, "done": done, "failed": False, "url": url if done else None, "link": link}
