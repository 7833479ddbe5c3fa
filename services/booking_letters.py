"""Letters about bookings that no calendar file goes with."""

from zoneinfo import ZoneInfo

from models import Appointment, Booking, Lane, Order
from services import letters, telling
from services.links import message_id
from services.outbox import job
from services.outside import outside


@job(Lane.MAIL)
async def slot_lost(booking: Booking) -> None:
    """Tell a client who paid after their hold had ended that the time is taken; a person finds another, or refunds."""
    if booking.is_live or booking.order_id is None:
        return  # a place was found since
    order = await Order.get(id=booking.order_id).prefetch_related("client", "organization")
    appointment = await Appointment.get(id=booking.appointment_id).prefetch_related("service", "staff")
    await outside().mailer.send(
        letters.slot_lost(
            await telling.notice(order, booking.price_cents),
            service=appointment.service.name,
            begins=appointment.starts_at.astimezone(ZoneInfo(appointment.staff.time_zone)),
            to=order.client.email,
            message_id=message_id("slot-lost", booking),
            sender=outside().settings.required("smtp_from"),
        )
    )
