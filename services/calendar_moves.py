"""Appointments moved and cancelled by whoever holds them, in their own calendar.

Neither hours nor a service's notice bind them. But an appointment lies in time to come, lasts as long as was agreed,
and nobody is in two places at once. Rows are locked in the order of `services/holds.py`.
"""

from datetime import UTC, datetime

from tortoise.exceptions import IntegrityError

from errors import Conflict, Invalid
from models import Appointment, Booking, BusyBlock, Order, Resource, Staff
from models.database import savepoint
from providers.capabilities import Period
from services import appointment_news, cancellations, moves, slots

SAID = "Supprimé de l'agenda Google"


async def move(appointment: Appointment, period: Period, *, over_busy_times: bool = False) -> None:
    """To that time, in the open transaction. Raises Invalid and Conflict."""
    _must_fit(appointment, period)
    await Staff.select_for_update(no_key=True).get(id=appointment.staff_id)
    if appointment.resource_id:
        await Resource.select_for_update(no_key=True).get(id=appointment.resource_id)
    locked = await slots.locked(appointment.id)
    if locked.sequence != appointment.sequence or not locked.is_active:
        raise Conflict("It was changed here at the same moment.")
    if not over_busy_times and await _is_busy(appointment, period):
        raise Conflict("Another event of theirs lies there.")
    by = period.starts_at - locked.starts_at
    locked.starts_at, locked.ends_at = period
    locked.occupied_from, locked.occupied_until = locked.occupied_from + by, locked.occupied_until + by
    locked.sequence += 1
    try:
        async with savepoint():
            await locked.save()
    except IntegrityError as error:
        constraint = getattr(error.__cause__, "constraint_name", "")
        if constraint == "appointments_staff":
            raise Conflict("Another appointment of theirs lies there.") from error
        if constraint == "appointments_resource":
            raise Conflict("What it is held with is taken then.") from error
        raise
    await appointment_news.changed(locked, appointment_news.What.MOVED)
    await moves.ask_anew(locked)


async def cancel_unpaid(appointment: Appointment) -> None:
    """Where that costs nobody anything: money goes back by a person's hand, not by an event that was deleted. In the
    open transaction. Raises Conflict."""
    orders = await Booking.filter(appointment_id=appointment.id, order_id__isnull=False).values_list(
        "order_id", flat=True
    )
    if await Order.exists(id__in=list(orders), paid_cents__gt=0):
        raise Conflict("It is paid: cancelling it gives the money back.")
    await cancellations.cancel_appointment(appointment, SAID, by_id=None)


def _must_fit(appointment: Appointment, period: Period) -> None:
    if period.starts_at <= datetime.now(UTC):
        raise Invalid("This is in the past.")
    if period.starts_at.second or period.starts_at.microsecond:
        raise Invalid("An appointment begins at a whole minute.")
    if period.ends_at - period.starts_at != appointment.ends_at - appointment.starts_at:
        raise Invalid("It lasts as long as was agreed, and the event does not.")


async def _is_busy(appointment: Appointment, period: Period) -> bool:
    return await BusyBlock.exists(
        staff_id=appointment.staff_id, starts_at__lt=period.ends_at, ends_at__gt=period.starts_at
    )
