"""Packs whose money went back: what was booked by them and is still to come is given up."""

from datetime import UTC, datetime

from models import Booking, BookingStatus, Lane, Order, OrderStatus, Pack
from services import cancellations
from services.outbox import job, later

REASON = "Le forfait a été remboursé."
AT_ONCE = 100  # bookings


async def promise(order: Order) -> None:
    """In the open transaction, which gave the money of the order back."""
    if await Pack.exists(access__order_id=order.id):
        await later(cancel_coming, order)


@job(Lane.SYNC)
async def cancel_coming(order: Order) -> None:
    """Cancel what sessions of the order's packs were drawn for, unless it was paid again meanwhile. Clients are told,
    and it costs them nothing."""
    if order.status is not OrderStatus.REFUNDED:
        return
    coming = Booking.filter(
        pack__access__order_id=order.id, draws_session=True, status=BookingStatus.CONFIRMED,
        appointment__starts_at__gt=datetime.now(UTC),
    )  # fmt: skip
    while found := await coming.order_by("id").limit(AT_ONCE):
        for booking in found:
            await cancellations.cancel(booking, REASON, by_rules=False, by_id=None)
