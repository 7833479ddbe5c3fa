"""Bookings and packs whose money went back: what was booked by them and is still to come is given up. Of a booking
that was paid by itself a person says so: one may be refunded, and come all the same."""

from datetime import UTC, datetime

from tortoise.queryset import QuerySet

from models import Booking, BookingStatus, Lane, Order, OrderStatus, Pack
from services import cancellations
from services.outbox import job, later

REASON, REASON_OF_BOOKING = "Le forfait a été remboursé.", "La réservation a été remboursée."
AT_ONCE = 100  # bookings


async def promise(order: Order) -> None:
    """In the open transaction, which gave the money of the order back."""
    if await Pack.exists(access__order_id=order.id):
        await later(cancel_coming, order)


async def give_up(order: Order) -> None:
    """In the open transaction, which gives all that was paid for the order's own bookings back."""
    await later(cancel_booked, order)


@job(Lane.SYNC)
async def cancel_coming(order: Order) -> None:
    """Cancel what sessions of the order's packs were drawn for, unless it was paid again meanwhile. Clients are told,
    and it costs them nothing."""
    if order.status is OrderStatus.REFUNDED:
        await _cancel(Booking.filter(pack__access__order_id=order.id, draws_session=True), REASON)


@job(Lane.SYNC)
async def cancel_booked(order: Order) -> None:
    """Cancel what was booked by the order, likewise."""
    await _cancel(Booking.filter(order_id=order.id), REASON_OF_BOOKING)


async def _cancel(bookings: QuerySet[Booking], reason: str) -> None:
    coming = bookings.filter(status=BookingStatus.CONFIRMED, appointment__starts_at__gt=datetime.now(UTC))
    while found := await coming.order_by("id").limit(AT_ONCE):
        for booking in found:
            await cancellations.cancel(booking, reason, by_rules=False, by_id=None)
