"""Bookings: a client's place in somebody's time, made by a person, a client or a server; what came of it.

What it costs is paid by an order (`OrderKind.BOOKING`), and the place is held meanwhile (`services/holds.py`); what is
free, or is paid later, is confirmed at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from errors import Conflict, Invalid
from models import (
    Appointment,
    Booking,
    BookingNews,
    BookingStatus,
    Client,
    Order,
    OrderKind,
    OrderLine,
    OrderSource,
    Product,
    Service,
    StandIn,
)
from services import bilan_hours, clients, holds, organizations, packs, sales, slots, stand_ins, stripe_accounts
from services.outbox import later

HELD = timedelta(minutes=30)  # for a client to begin to pay
HELD_BY_STAFF = timedelta(hours=24)  # for a client to whom a person sends the link
HELD_MOST = 5  # at once, of one client
NOTES_MOST = 2000  # characters


@dataclass(frozen=True)
class Wanted:
    """A time of a service: with somebody, or with anybody. `by_rules`: asked by a client, whom the service's notice
    binds; else by the organization. `pays_later`: confirmed although not paid. `pack_id`: by a session of a pack."""

    service: Service
    starts_at: datetime
    staff_id: UUID | None = None
    client_notes: str | None = None
    by_rules: bool = True
    pays_later: bool = False
    pack_id: UUID | None = None
    source: OrderSource = OrderSource.BACK_OFFICE

    @property
    def asked(self) -> slots.Asked:
        return slots.Asked(self.service, self.starts_at, self.staff_id)


async def book(client: Client, wanted: Wanted) -> Booking:
    """A place for the client, in the open transaction. What a client asks for twice while they have not paid is one.

    Raises SlotTaken, Invalid, NotFound and Conflict, naming the part of the input.
    """
    check_notes(wanted.client_notes)
    slots.check(wanted.asked, by_rules=wanted.by_rules)
    # One at a time for a client: two clicks at once must not take two places.
    client = await Client.select_for_update(no_key=True).get(id=client.id)
    client.must_not_be_erased()
    if wanted.by_rules:
        if same := await _same(client, wanted):
            return same
        await _must_hold_few(client)
    if wanted.pack_id:
        await packs.draw(wanted.pack_id, client, wanted.service, wanted.starts_at, field="input.pack")
    sold = wanted.service.price_cents and not wanted.pack_id
    product = await product_of(wanted.service) if sold else None
    appointment = await take(client, wanted.asked, field="input.client")
    (booking,) = await write(client, wanted, product, [appointment])
    return booking


async def book_at_storefront(
    organization_id: UUID, email: str, wanted: Wanted, known: dict[str, str | None]
) -> Booking:
    """A place for a client known by an address alone, found or made. Raises like `book`."""
    return await book(await clients.find_or_make(organization_id, email, known), wanted)


async def take(client: Client, asked: slots.Asked, *, field: str) -> Appointment:
    """A place for a client, locked, who has none there yet. Raises SlotTaken, Invalid, NotFound and Conflict."""
    seat = await slots.seat(asked)
    if seat.joins and await slots.has_a_place(client.id, seat.joins):
        raise Conflict("The client has a place in this appointment already.", field=field)
    return await slots.sit(asked, seat)


async def complete(booking: Booking, *, by_id: UUID | None) -> Booking:
    """The client of a booking, locked, came; a bilan that it is a session of follows. Raises like `came`."""
    await came(booking)
    await bilan_hours.follow(booking, by_id)
    return booking


async def came(booking: Booking) -> Booking:
    """The client of a booking, locked, came. Raises Conflict before it began, or where it is past that."""
    await must_have_begun(booking)
    booking.must_hear(BookingNews.CAME)
    await booking.save()
    return booking


async def note(booking: Booking, notes: str | None) -> Booking:
    """What the organization notes of a booking, locked."""
    check_notes(notes, field="input.notes")
    booking.notes = notes  # type: ignore[assignment]  # the column may be null
    await booking.save(update_fields=["notes"])
    return booking


def check_notes(text: str | None, field: str = "input.clientNotes") -> None:
    if text and ("\x00" in text or len(text) > NOTES_MOST):
        raise Invalid(f"Notes are text of {NOTES_MOST} characters at most.", field=field)


async def must_have_begun(booking: Booking) -> None:
    appointment = await Appointment.get(id=booking.appointment_id)
    if appointment.starts_at > datetime.now(UTC):
        raise Conflict("This appointment has not begun yet.", field="input.booking")


async def product_of(service: Service) -> Product:
    """What stands for a service on orders."""
    locked = await Service.select_for_update(no_key=True).get(id=service.id)
    return await stand_ins.product_of(locked, StandIn.SERVICE, locked.name, locked.price_cents)


async def write(
    client: Client, wanted: Wanted, product: Product | None, appointments: Sequence[Appointment]
) -> list[Booking]:  # fmt: skip
    """The bookings of places that were taken, held until their order is paid, or confirmed. Numbers come last."""
    order = await _sell(client, wanted, product, len(appointments)) if product else None
    held = order is not None and not wanted.pays_later
    until = datetime.now(UTC) + (HELD if wanted.by_rules else HELD_BY_STAFF)
    bookings = [
        Booking(
            organization_id=client.organization_id, appointment=appointment, client=client, attendee_name=client.name,
            hold_expires_at=min(until, appointment.starts_at) if held else None, order=order,
            price_cents=0 if wanted.pack_id else wanted.service.price_cents, currency=wanted.service.currency,
            pack_id=wanted.pack_id, draws_session=wanted.pack_id is not None,
            client_notes=wanted.client_notes or None,
        )
        for appointment in appointments
    ]  # fmt: skip
    for booking in bookings:
        await booking.save()
        if booking.hold_expires_at:
            await later(holds.lapse, booking, at=booking.hold_expires_at)
        else:
            await holds.expect(booking)
    return bookings


async def _sell(client: Client, wanted: Wanted, product: Product, count: int) -> Order:
    service = wanted.service
    await organizations.must_be_complete(client.organization_id, field="input.service")
    line = OrderLine(
        position=1, product=product, description=service.name, quantity=count, unit_price_cents=service.price_cents,
        discount_cents=0, currency=service.currency, vat_rate=service.vat_rate,
        total_cents=service.price_cents * count,
    )  # fmt: skip
    deposit = service.deposit_cents if service.deposit_cents < service.price_cents else 0
    place = await stripe_accounts.of(client.organization_id)
    return await sales.record(
        client, [line], source=wanted.source, place=place, kind=OrderKind.BOOKING, deposit_cents=deposit * count
    )


async def _same(client: Client, wanted: Wanted) -> Booking | None:
    """What this client holds already, of the same service at the same time."""
    held = Booking.filter(
        client_id=client.id, status=BookingStatus.PENDING, appointment__service_id=wanted.service.id,
        appointment__starts_at=wanted.starts_at,
    )  # fmt: skip
    if wanted.staff_id:
        held = held.filter(appointment__staff_id=wanted.staff_id)
    return await held.order_by("id").first()


async def _must_hold_few(client: Client) -> None:
    """At a storefront anybody may give anybody's address: what is not paid blocks it for as long as it is held."""
    now = datetime.now(UTC)
    held = Booking.filter(client_id=client.id, status=BookingStatus.PENDING, hold_expires_at__gt=now)
    ends = await held.order_by("hold_expires_at").values_list("hold_expires_at", flat=True)
    if len(ends) >= HELD_MOST:
        minutes = ceil((ends[-HELD_MOST] - now).total_seconds() / 60)  # type: ignore[operator]
        raise Conflict(
            f"{len(ends)} bookings of this client wait to be paid: pay for them, cancel some, or book again in"
            f" {minutes} minutes, when one is free again.",
            field="input.startsAt",
        )
