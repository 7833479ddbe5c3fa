"""What a client sees by their private link: what is theirs, and nothing else. No table is open to a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tortoise.expressions import Q, Subquery

from models import (
    Booking,
    BookingStatus,
    Client,
    Invoice,
    Order,
    OrderStatus,
    PortalToken,
    Quote,
    QuoteStatus,
    Storefront,
)
from models.database import transaction
from policy import Actor
from services import audit, portal_bookings, portal_tokens
from services.access_keys import NOTED_EVERY
from services.portal_bookings import Offered

SHOWN_MOST = 100  # of each: the latest

_INVOICE = ("id", "number", "type", "issued_at", "due_on", "settled_at", "currency", "total_cents", "file_key")


@dataclass(frozen=True, slots=True)
class Portal:
    """Whose client they are; what they were offered, ordered and paid, and were invoiced, newest first; when they are
    expected, soonest first; and what they can book, by name."""

    storefront: Storefront
    client: Client
    quotes: Sequence[Quote]
    orders: Sequence[Order]
    invoices: Sequence[Invoice]
    bookings: Sequence[Booking]
    services: Sequence[Offered]


async def opened(actor: Actor, address: str | None, user_agent: str | None) -> Portal:
    """The portal of the client whose link it is. That it was opened, and from where, is noted once an hour.

    Raises Unauthenticated where the link was withdrawn just now.
    """
    link = await portal_tokens.link_of(actor)
    with audit.acting("portal", actor, address=address, user_agent=user_agent):
        await _note(link)
    client, now = link.client, datetime.now(UTC)
    here = {"organization_id": client.organization_id}
    orders = Order.filter(**here, client_id=client.id)
    quotes = Quote.filter(**here, client_id=client.id, status=QuoteStatus.SENT, expires_at__gt=now)
    bookings = Booking.filter(
        **here, client_id=client.id, status__in=(BookingStatus.PENDING, BookingStatus.CONFIRMED),
        appointment__ends_at__gt=now,
    )  # fmt: skip
    return Portal(
        await Storefront.get(id=client.organization_id),
        client,
        await quotes.order_by("-id").limit(SHOWN_MOST),
        await orders.filter(status__in=(OrderStatus.OPEN, OrderStatus.PAID)).order_by("-id").limit(SHOWN_MOST),
        await Invoice.filter(**here, order_id__in=Subquery(orders.values("id")))
        .order_by("-id").limit(SHOWN_MOST).only(*_INVOICE),
        await bookings.order_by("appointment__starts_at", "id").limit(SHOWN_MOST)
        .prefetch_related("order", "appointment__service", "appointment__staff"),
        await portal_bookings.services(client.organization_id),
    )  # fmt: skip


async def _note(token: PortalToken) -> None:
    """In the log, once an hour however many ask at once."""
    now = datetime.now(UTC)
    last = now - NOTED_EVERY
    if token.last_used_at and token.last_used_at >= last:
        return
    async with transaction():
        due = Q(last_used_at=None) | Q(last_used_at__lt=last)  # somebody else may have noted it just now
        if await PortalToken.filter(due, id=token.id).update(last_used_at=now):
            await audit.note("portalOpened", organization_id=token.organization_id, subject=token)
