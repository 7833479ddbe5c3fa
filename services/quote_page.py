"""What the page of a quote's link shows, and what the client answers there."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from errors import Conflict, DomainError
from models import Order, Quote, QuoteStatus
from models.content import QuoteContent
from models.database import transaction
from services import files, limits, links, quotes
from services.opportunities import Settled
from services.pages import QuoteState, QuoteView
from services.quotes import NAME_MOST

log = logging.getLogger("comptoir.quote_page")

Answer = tuple[int, QuoteView]  # status, and what to show
GONE: Answer = (404, QuoteView(QuoteState.GONE))
REASON_MOST = 500  # characters

_STATES = {
    QuoteStatus.SENT: QuoteState.OPEN,
    QuoteStatus.ACCEPTED: QuoteState.ACCEPTED,
    QuoteStatus.REFUSED: QuoteState.REFUSED,
    QuoteStatus.EXPIRED: QuoteState.OVER,
    QuoteStatus.SUPERSEDED: QuoteState.SUPERSEDED,
    QuoteStatus.CANCELED: QuoteState.CANCELED,
}


async def show(token: str) -> Answer:
    """The page of a link."""
    quote = await links.quote_of_link(token)
    return (200, await _view(quote)) if quote else GONE


async def answer(token: str, form: Mapping[str, str], address: str | None) -> Answer:
    """The page once the client accepted (`answer=accept`, with `name` and `agreed`) or refused (`answer=refuse`, with a
    `reason`); with what stands in the way instead."""
    quote = await links.quote_of_link(token)
    if quote is None:
        return GONE
    if problem := _problem(form):
        return 422, await _view(quote, problem, form)
    try:
        async with transaction():
            locked = await Quote.select_for_update().get(id=quote.id)
            if form["answer"] == "accept":
                await quotes.accept(locked, form["name"], address=limits.place(address))
            else:
                await quotes.refuse(locked, form.get("reason"))
    except Settled as refusal:
        log.warning("quote %s: not accepted by its link: %s", quote.id, refusal)
        return 409, await _view(quote, "Cette prestation est déjà réglée ou facturée : écrivez-nous.", form)
    except Conflict as refusal:  # answered, superseded or over just now: the page says which
        log.info("quote %s: not answered by its link: %s", quote.id, refusal)
        return 409, await _view(await Quote.get(id=quote.id))
    except DomainError as refusal:
        log.warning("quote %s: not answered by its link: %s", quote.id, refusal)
        return 422, await _view(quote, "Votre réponse n’a pas pu être enregistrée : écrivez-nous.", form)
    return 200, await _view(locked)


def _problem(form: Mapping[str, str]) -> str | None:
    """What is missing of an answer, in French."""
    if any("\x00" in value for value in form.values()):
        return "Votre réponse contient un caractère qui n’est pas du texte."
    if form.get("answer") == "accept":
        if not form.get("name", "").strip():
            return "Indiquez votre nom et votre prénom."
        if len(form["name"]) > NAME_MOST:
            return f"Le nom comporte {NAME_MOST} caractères au plus."
        return None if form.get("agreed") else "Cochez « Bon pour accord » pour accepter le devis."
    if form.get("answer") == "refuse":
        too_long = len(form.get("reason", "")) > REASON_MOST
        return f"Le motif comporte {REASON_MOST} caractères au plus." if too_long else None
    return "Choisissez d’accepter ou de refuser le devis."


async def _view(quote: Quote, problem: str | None = None, given: Mapping[str, str] | None = None) -> QuoteView:
    content = QuoteContent.model_validate(quote.content)
    over = quote.status is QuoteStatus.SENT and quote.is_over(datetime.now(UTC))
    organization = await quote.organization
    accepted = None
    if quote.accepted_at and quote.accepted_name:
        accepted = quote.accepted_name, quote.accepted_at.astimezone(ZoneInfo(organization.time_zone)).date()
    return QuoteView(
        state=QuoteState.OVER if over else _STATES[quote.status],
        brand=content.brand,
        content=content,
        pdf_url=files.quote_link(quote) if quote.is_rendered else None,
        pay_url=await _pay_url(quote),
        accepted=accepted,
        live=quote.live,
        problem=problem,
        given=given or {},
    )


async def _pay_url(quote: Quote) -> str | None:
    order = await Order.get(id=quote.order_id) if quote.order_id else None
    return links.pay_link(order, links.SHOWN) if order and order.is_open else None
