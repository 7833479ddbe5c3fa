"""What a client sees by their private link: what is theirs, and nothing else. No table is open to a link."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tortoise.expressions import Q, RawSQL, Subquery

from models import (
    AuditEntry,
    Booking,
    BookingStatus,
    Client,
    Invoice,
    Opportunity,
    OpportunityStage,
    Order,
    OrderKind,
    OrderStatus,
    Pack,
    PortalToken,
    Quote,
    QuoteStatus,
    Storefront,
)
from models.database import transaction
from models.opportunity import PAYMENT
from policy import Actor
from services import audit, packs, portal_bookings, portal_tickets, portal_tokens
from services.access_keys import NOTED_EVERY
from services.portal_bookings import Offered
from services.portal_tickets import Thread

SHOWN_MOST = 100  # of each: the latest
ADDRESSES_MOST = 50  # noted an hour

_INVOICE = ("id", "number", "type", "issued_at", "due_on", "settled_at", "currency", "total_cents", "file_key")


@dataclass(frozen=True, slots=True)
class Portal:
    """Whose client they are; what they were offered, agreed to, ordered and paid, and were invoiced, newest first; when
    they are expected, soonest first; what they paid for ahead; what they asked; and what they can book, by name."""

    storefront: Storefront
    client: Client
    quotes: Sequence[Quote]
    opportunities: Sequence[Opportunity]  # won, with their order and `payment`
    orders: Sequence[Order]
    invoices: Sequence[Invoice]
    bookings: Sequence[Booking]
    packs: Sequence[Pack]
    tickets: Sequence[Thread]
    services: Sequence[Offered]


async def opened(actor: Actor, address: str | None, user_agent: str | None) -> Portal:
    """The portal of the client whose link it is, noted. Raises Unauthenticated where it was withdrawn just now."""
    client, now = await came(actor, address, user_agent), datetime.now(UTC)
    here = {"organization_id": client.organization_id}
    orders = Order.filter(**here, client_id=client.id)
    won = Opportunity.filter(**here, client_id=client.id, stage=OpportunityStage.WON)
    # The order of an opportunity that is not won any more is about to be given up: nobody is to pay it meanwhile.
    agreed = ~Q(kind=OrderKind.OPPORTUNITY) | Q(
        id__in=Subquery(won.filter(order_id__not_isnull=True).values("order_id"))
    )
    shown = Q(status__in=(OrderStatus.PAID, OrderStatus.REFUNDED)) | Q(agreed, status=OrderStatus.OPEN)
    quotes = Quote.filter(**here, client_id=client.id, status=QuoteStatus.SENT, expires_at__gt=now)
    bookings = Booking.filter(
        **here, client_id=client.id, status__in=(BookingStatus.PENDING, BookingStatus.CONFIRMED),
        appointment__ends_at__gt=now,
    )  # fmt: skip
    return Portal(
        await Storefront.get(id=client.organization_id),
        client,
        await quotes.order_by("-id").limit(SHOWN_MOST).prefetch_related("lines"),
        await won.annotate(payment=RawSQL(PAYMENT)).order_by("-won_at", "-id").limit(SHOWN_MOST)
        .prefetch_related("order"),
        await orders.filter(shown).order_by("-id").limit(SHOWN_MOST).prefetch_related("lines"),
        await Invoice.filter(**here, order_id__in=Subquery(orders.values("id")))
        .order_by("-id").limit(SHOWN_MOST).only(*_INVOICE),
        await bookings.order_by("appointment__starts_at", "id").limit(SHOWN_MOST)
        .prefetch_related("order", "appointment__service", "appointment__staff"),
        await packs.lasting(client, now).order_by("-id").limit(SHOWN_MOST)
        .prefetch_related("access__product__service_links"),
        await portal_tickets.latest(client),
        await portal_bookings.services(client.organization_id),
    )  # fmt: skip


async def came(actor: Actor, address: str | None, user_agent: str | None) -> Client:
    """Whose link it is. That it was used is noted once an hour of each address: what changes rows is in the log by
    itself, and this for what does not. Raises like `opened`."""
    link = await portal_tokens.link_of(actor)
    with audit.acting("portal", actor, address=address, user_agent=user_agent):
        await _note(link, address)
    return link.client


async def _note(link: PortalToken, address: str | None) -> None:
    """In the log, once an hour of each address however many ask at once: a link that came into other hands shows."""
    if await _is_noted(link, address):
        return
    async with transaction():
        await PortalToken.select_for_update(no_key=True).get(id=link.id)
        if not await _is_noted(link, address):  # somebody else may have noted it just now
            await PortalToken.filter(id=link.id).update(last_used_at=datetime.now(UTC))
            await audit.note("portalOpened", organization_id=link.organization_id, subject=link)


async def _is_noted(link: PortalToken, address: str | None) -> bool:
    """Whether enough is known: this address within the hour, or many others."""
    noted = AuditEntry.filter(
        organization_id=link.organization_id, subject_type="PortalToken", subject_id=link.id, action="portalOpened",
        created_at__gte=datetime.now(UTC) - NOTED_EVERY,
    )  # fmt: skip
    seen = [entry.address for entry in await noted.limit(ADDRESSES_MOST).only("id", "address")]
    return address in seen or len(seen) >= ADDRESSES_MOST
