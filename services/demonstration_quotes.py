"""The demonstration's quotes: one in each state in which a quote can be, but for one that was accepted: the newcomer
accepts that which was sent, and has the first order."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from models import Client, Organization, Product, Quote, QuoteStatus
from services import quotes
from services.pricing import Item, Part
from services.quotes import Offer

REASON = "Nous avons choisi une autre date."


async def seed(organization: Organization, client: Client) -> None:
    """Made where there is none; in the open transaction."""
    if await Quote.exists(organization_id=organization.id):
        return
    product = await Product.filter(organization_id=organization.id, price_cents__gt=0).order_by("-price_cents").first()
    assert product
    for number, come_to in enumerate(_STATES.values(), 1):
        offer = Offer([Item(product, number)], deposit=Part(percent=3000), note="Suite à notre échange, notre offre.")
        await come_to(await quotes.create(client, offer))


async def _stay(quote: Quote) -> None:
    """A draft."""


async def _send(quote: Quote) -> None:
    await quotes.send(quote)


async def _refuse(quote: Quote) -> None:
    await quotes.refuse(await quotes.send(quote), REASON)


async def _expire(quote: Quote) -> None:
    await quotes.send(quote, at=datetime.now(UTC) - timedelta(days=60))


async def _supersede(quote: Quote) -> None:
    await quotes.send(await quotes.revise(await quotes.send(quote)))


async def _cancel(quote: Quote) -> None:
    await quotes.cancel(await quotes.send(quote))


_STATES: dict[QuoteStatus, Callable[[Quote], Awaitable[Any]]] = {
    QuoteStatus.DRAFT: _stay,
    QuoteStatus.SENT: _send,
    QuoteStatus.REFUSED: _refuse,
    QuoteStatus.EXPIRED: _expire,
    QuoteStatus.SUPERSEDED: _supersede,
    QuoteStatus.CANCELED: _cancel,
}
