"""What happened with a client, in a line: for those who look after them."""

from collections.abc import Callable
from typing import Any

from babel.numbers import format_currency

from models import BilanStatus, Language, OpportunityStage, TimelineKind

Said = dict[str, Any]
Words = tuple[Callable[[Said], str], Callable[[Said], str]]  # in French, in English


def summary(kind: TimelineKind, said: Said, language: Language) -> str:
    """Of an event of that kind, with what is said of it."""
    fr, en = _WORDS[kind]
    return fr(said) if language is Language.FR else en(said)


def _money(said: Said, locale: str) -> str:
    return str(format_currency(said["amount_cents"] / 100, said["currency"], locale=locale))


def _words(fr: str, en: str) -> Words:
    """Of texts that name what is said; `{money}` is the amount."""

    def fill(text: str, locale: str) -> Callable[[Said], str]:
        with_money = "{money}" in text
        return lambda said: text.format_map(said | {"money": _money(said, locale)} if with_money else said)

    return fill(fr, "fr_FR"), fill(en, "en_GB")


def _of_reply(client: str, staff: str) -> Callable[[Said], str]:
    return lambda said: (client if said["from_client"] else staff).format_map(said)


def _of_email(word: str, without: str) -> Callable[[Said], str]:
    return lambda said: f"{word}{said['subject'] or without}"


_STEPS: dict[str, tuple[str, str]] = {
    OpportunityStage.LEAD: ("piste", "lead"),
    OpportunityStage.QUALIFIED: ("qualifiée", "qualified"),
    OpportunityStage.PROPOSAL: ("proposition faite", "proposal made"),
    OpportunityStage.NEGOTIATION: ("en négociation", "in negotiation"),
    OpportunityStage.WON: ("gagnée", "won"),
    OpportunityStage.LOST: ("perdue", "lost"),
    BilanStatus.AWAITING_FUNDING: ("en attente de financement", "awaiting funding"),
    BilanStatus.FUNDED: ("financé", "funded"),
    BilanStatus.IN_PROGRESS: ("en cours", "in progress"),
    BilanStatus.COMPLETED: ("terminé", "completed"),
    BilanStatus.CANCELED: ("abandonné", "given up"),
}


def _of_step(fr: str, en: str) -> Words:
    """Of texts that name the `title` of what moved, and the `{step}` that it came to."""

    def fill(text: str, language: int) -> Callable[[Said], str]:
        return lambda said: text.format_map(said | {"step": _STEPS[said["to_step"]][language]})

    return fill(fr, 0), fill(en, 1)


_WORDS: dict[TimelineKind, Words] = {
    TimelineKind.CLIENT_EMAIL: (_of_email("E-mail : ", "(sans objet)"), _of_email("E-mail: ", "(no subject)")),
    TimelineKind.PAYMENT_RECEIVED: _words(
        "Paiement de {money} reçu, commande {order_number}", "Payment of {money} received, order {order_number}"
    ),
    TimelineKind.PAYMENT_FLAGGED: _words(
        "Paiement de {money} à vérifier, commande {order_number}",
        "Payment of {money} to look into, order {order_number}",
    ),
    TimelineKind.PAYMENT_REFUNDED: _words(
        "{money} remboursés, commande {order_number}", "{money} refunded, order {order_number}"
    ),
    TimelineKind.QUOTE_SENT: _words("Devis {number} envoyé, {money}", "Quote {number} sent, {money}"),
    TimelineKind.QUOTE_ACCEPTED: _words("Devis {number} accepté, {money}", "Quote {number} accepted, {money}"),
    TimelineKind.QUOTE_REFUSED: _words("Devis {number} refusé", "Quote {number} refused"),
    TimelineKind.BOOKING_CONFIRMED: _words(
        "Rendez-vous confirmé : {service}, avec {staff}", "Booking confirmed: {service}, with {staff}"
    ),
    TimelineKind.BOOKING_MOVED: _words(
        "Rendez-vous déplacé : {service}, avec {staff}", "Booking moved: {service}, with {staff}"
    ),
    TimelineKind.BOOKING_CANCELED: _words(
        "Rendez-vous annulé : {service}, avec {staff}", "Booking cancelled: {service}, with {staff}"
    ),
    TimelineKind.TICKET_OPENED: _words("Ticket {number} ouvert : {subject}", "Ticket {number} opened: {subject}"),
    TimelineKind.TICKET_REPLIED: (
        _of_reply("Le client a écrit, ticket {number} : {subject}", "Réponse au client, ticket {number} : {subject}"),
        _of_reply(
            "The client wrote, ticket {number}: {subject}", "The client was answered, ticket {number}: {subject}"
        ),
    ),
    TimelineKind.TICKET_RESOLVED: _words("Ticket {number} résolu : {subject}", "Ticket {number} resolved: {subject}"),
    TimelineKind.OPPORTUNITY_MOVED: _of_step("Opportunité « {title} » : {step}", "Opportunity “{title}”: {step}"),
    TimelineKind.BILAN_MOVED: _of_step("Bilan « {title} » : {step}", "Bilan “{title}”: {step}"),
}
