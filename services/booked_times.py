"""When that is which an order of bookings pays, as clients read it: on payment pages, at Stripe, on invoices, in
letters. By the clock of the organization's zone, as things stand at that moment."""

from zoneinfo import ZoneInfo

from models import Booking, BookingStatus, Language, Order, OrderKind, Organization
from services.wording import occasion

SHOWN_MOST = 4


async def of(order: Order, *, language: Language = Language.FR) -> str | None:
    """`lundi 30 mars 2026, de 10 h 30 à 11 h 30 (heure de Paris)`; of a few all of them, of many their number, the
    first and the last. What was given up for nothing is not paid, and not said. None for an order of anything else."""
    if order.kind is not OrderKind.BOOKING:
        return None
    zone = ZoneInfo((await Organization.get(id=order.organization_id)).time_zone)
    booked = await Booking.filter(order_id=order.id).order_by("appointment__starts_at").select_related("appointment")
    places = [place for place in booked if place.status is not BookingStatus.CANCELED or place.fee_cents] or booked
    times = [
        occasion(place.appointment.starts_at.astimezone(zone), place.appointment.ends_at, language=language)
        for place in places
    ]
    if len(times) <= SHOWN_MOST:
        return " ; ".join(times) or None
    if language is Language.EN:
        return f"{len(times)} times, first {times[0]}, last {times[-1]}"
    return f"{len(times)} dates, la première {times[0]}, la dernière {times[-1]}"


def named(description: str, times: str | None) -> str:
    """What was sold, with when it is held, where it is."""
    return f"{description} ({times})" if times else description
