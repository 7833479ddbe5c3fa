"""Who comes to an appointment, and who holds it, are told what happens to it: each once, as it is when the letter goes.

What was told last is kept with the row. So changes that follow each other fast are one letter, and the file for the
calendar always has the newest SEQUENCE.
"""

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tortoise.expressions import Q

from models import Appointment, Booking, BookingStatus, Client, Lane, Organization, Pack, Refund, RefundStatus, Staff
from services import appointment_letters as letters
from services import calendar_files, post
from services.appointment_letters import Ending, Guest, Occasion
from services.calendar_files import Entry, Party
from services.envelopes import Envelope
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job, later
from services.outside import outside

GUESTS_SHOWN = 50
EXPECTED = (BookingStatus.PENDING, BookingStatus.CONFIRMED)  # or may be yet


async def follow(appointment: Appointment, what: str) -> None:
    """Promise to tell those who do not know yet, in the transaction that changes an appointment."""
    known = Q(told_appointment_id=appointment.id, told_sequence__gte=appointment.sequence)
    unknown = Q(status=BookingStatus.CONFIRMED) & (Q(told_appointment_id__isnull=True) | ~known)
    left = Q(status=BookingStatus.CANCELED, told_appointment_id__isnull=False, cancel_told=False)
    for booking in await Booking.filter(unknown | left, appointment_id=appointment.id).order_by("id"):
        await later(tell_client, booking)
    await later(tell_staff, appointment)


@job(Lane.MAIL)
async def tell_client(booking: Booking) -> None:
    """Tell a client that they are expected, when instead, or not any more; nothing twice."""
    await _with_everything(booking)
    letter = await _news(booking)
    if letter is None:
        return
    await post.send(booking.organization_id, letter)
    await Booking.filter(id=booking.id).update(
        told_appointment_id=booking.appointment_id, told_sequence=booking.appointment.sequence,
        cancel_told=booking.status is BookingStatus.CANCELED,
    )  # fmt: skip


@job(Lane.MAIL)
async def tell_of_lapse(booking: Booking) -> None:
    """Tell a client that their place was not paid in time and is free again; unless they have it since."""
    if booking.status not in EXPECTED:
        await _tell_of_end(booking, paid_late=False)


@job(Lane.MAIL)
async def slot_lost(booking: Booking) -> None:
    """Tell a client that their payment came once the time was somebody else's, and that we will find a way."""
    if booking.status not in EXPECTED:
        await _tell_of_end(booking, paid_late=True)


@job(Lane.MAIL)
async def tell_staff(appointment: Appointment) -> None:
    """Tell the member who holds an appointment what became of it, and first who held it before that they do not any
    more; nobody where they do not sign in."""
    await appointment.fetch_related("service", "staff__membership__user", "organization")
    await _tell_who_held_it(appointment)
    membership = appointment.staff.membership
    expected = Booking.filter(appointment_id=appointment.id, status=BookingStatus.CONFIRMED).order_by("id")
    bookings = await expected.prefetch_related("client")
    digest = _digest(appointment, bookings)
    what = _what(appointment)
    if membership is None or not membership.active or appointment.staff_told == digest or what is None:
        return
    occasion = _occasion(appointment)
    user = membership.user
    letter = letters.for_staff(
        occasion, what, [_guest(booking) for booking in bookings[:GUESTS_SHOWN]], name=user.first_name,
        envelope=_envelope(user.email, message_id(f"staff-{digest[:16]}", appointment)),
    )  # fmt: skip
    _attach(letter, appointment, Party(appointment.staff.display_name, user.email), canceled=what == "CANCELED")
    await post.send(appointment.organization_id, letter)
    told = {"staff_told": digest, "staff_told_sequence": appointment.sequence, "staff_told_id": appointment.staff_id}
    await Appointment.filter(id=appointment.id).update(**told)


async def _tell_who_held_it(appointment: Appointment) -> None:
    """Take it out of the calendar of somebody who has it there and does not hold it any more."""
    if appointment.staff_told_sequence is None or appointment.staff_told_id in (None, appointment.staff_id):
        return
    before = await Staff.get(id=appointment.staff_told_id).prefetch_related("membership__user")
    if before.membership is not None and before.membership.active:
        user = before.membership.user
        letter = letters.for_staff(
            _occasion(appointment), "HANDED_OVER" if appointment.is_active else "CANCELED", [], name=user.first_name,
            envelope=_envelope(user.email, message_id(f"staff-before-{before.id}-{appointment.sequence}", appointment)),
        )  # fmt: skip
        _attach(letter, appointment, Party(before.display_name, user.email), canceled=True)
        await post.send(appointment.organization_id, letter)
    appointment.staff_told = appointment.staff_told_sequence = None
    await appointment.save(update_fields=["staff_told", "staff_told_sequence"])


async def reminder(booking: Booking, *, minutes_before: int) -> EmailMessage:
    """The letter that reminds a client, with the link to join where there is one."""
    await _with_everything(booking)
    appointment = booking.appointment
    return letters.reminder(
        _occasion(appointment, booking), name=booking.client.name,
        envelope=_to_client(booking, f"reminder-{appointment.sequence}-{minutes_before}"),
    )  # fmt: skip


def uid(appointment: Appointment) -> str:
    """By which every calendar knows an appointment, for its whole life (RFC 7986 5.3)."""
    return f"{appointment.id}@{urlsplit(outside().settings.app_url).hostname}"


async def _news(booking: Booking) -> EmailMessage | None:
    """The letter that tells what the client does not know yet; None where they know."""
    appointment, sequence = booking.appointment, booking.told_sequence
    occasion, name = _occasion(appointment, booking), booking.client.name
    envelope = _to_client(booking, f"{booking.status.value.lower()}-{appointment.id.hex}-{appointment.sequence}")
    if booking.status is BookingStatus.CANCELED and not booking.cancel_told:
        letter = letters.canceled(occasion, await _ending(booking), name=name, envelope=envelope)
        return letter if sequence is None else _attach(letter, appointment, _party(booking), canceled=True)
    if booking.status is not BookingStatus.CONFIRMED:
        return None
    if sequence is None:
        pack = await Pack.get_or_none(id=booking.pack_id) if booking.pack_id else None
        left = pack.remaining if pack else None
        letter = letters.confirmed(occasion, sessions_left=left, name=name, envelope=envelope)
    elif booking.told_appointment_id != appointment.id:
        letter = letters.moved(occasion, name=name, envelope=envelope)
        before = await Appointment.get(id=booking.told_appointment_id).prefetch_related("service", "organization")
        _attach(letter, before, _party(booking), canceled=True)
    elif sequence < appointment.sequence:
        letter = letters.moved(occasion, name=name, envelope=envelope)
    else:
        return None
    return _attach(letter, appointment, _party(booking))


async def _tell_of_end(booking: Booking, *, paid_late: bool) -> None:
    await _with_everything(booking)
    what = "paid-late" if paid_late else "lapsed"
    letter = letters.expired(
        _occasion(booking.appointment, booking), name=booking.client.name, paid_late=paid_late,
        envelope=_to_client(booking, what),
    )  # fmt: skip
    await post.send(booking.organization_id, letter)


async def _ending(booking: Booking) -> Ending:
    client: Client = booking.client
    refunds = Refund.filter(
        order_id=booking.order_id, status__in=(RefundStatus.PENDING, RefundStatus.SUCCEEDED),
        created_at__gte=booking.canceled_at,
    )  # fmt: skip
    amounts = [refund.amount_cents for refund in await refunds] if booking.order_id else []
    return Ending(
        by_client=booking.canceled_by_id is not None and booking.canceled_by_id == client.member_id,
        reason=booking.cancel_reason,
        fee_cents=booking.fee_cents,
        refund_cents=sum(amounts),
        session_back=booking.pack_id is not None and not booking.draws_session,
    )


async def _with_everything(booking: Booking) -> None:
    await booking.fetch_related("client", "order", "appointment__service", "appointment__staff", "organization")
    booking.appointment.organization = booking.organization


def _occasion(appointment: Appointment, booking: Booking | None = None) -> Occasion:
    zone = ZoneInfo(appointment.staff.time_zone)
    organization: Organization = appointment.organization
    order = booking.order if booking else None
    return Occasion(
        brand=brand(organization),
        live=order.live if order else outside().settings.live,
        service=appointment.service.name,
        staff=appointment.staff.display_name,
        starts_at=appointment.starts_at.astimezone(zone),
        ends_at=appointment.ends_at.astimezone(zone),
        place=appointment.location,
        meet_url=appointment.meet_url,
        price_cents=booking.price_cents if booking else 0,
        currency=booking.currency if booking else appointment.service.currency,
    )


def _attach(letter: EmailMessage, appointment: Appointment, who: Party, *, canceled: bool = False) -> EmailMessage:
    organization: Organization = appointment.organization
    entry = Entry(
        uid=uid(appointment), sequence=appointment.sequence, stamp=datetime.now(UTC),
        starts_at=appointment.starts_at, ends_at=appointment.ends_at,
        summary=f"{appointment.service.name} – {organization.brand_name}", location=appointment.location,
        meet_url=appointment.meet_url, organizer=Party(organization.brand_name, organization.contact_email),
        attendees=(who,),
    )  # fmt: skip
    if canceled:
        file = calendar_files.cancel(entry, goes_on=appointment.is_active)
        return letters.with_calendar(letter, file, "CANCEL")
    return letters.with_calendar(letter, calendar_files.request(entry), "REQUEST")


def _what(appointment: Appointment) -> str | None:
    known = appointment.staff_told_sequence
    if not appointment.is_active:
        return None if known is None else "CANCELED"
    if known is None:
        return "MADE" if appointment.staff_told_id is None else "ENTRUSTED"
    return "MOVED" if known < appointment.sequence else "ATTENDEES"


def _digest(appointment: Appointment, bookings: list[Booking]) -> str:
    """Of all that a letter to who holds it would say."""
    said = (appointment.status, appointment.sequence, appointment.staff_id, *(booking.id for booking in bookings))
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _guest(booking: Booking) -> Guest:
    client: Client = booking.client
    return Guest(client.name, client.email, client.phone, booking.client_notes)


def _party(booking: Booking) -> Party:
    return Party(booking.client.name, booking.client.email)


def _to_client(booking: Booking, what: str) -> Envelope:
    return _envelope(booking.client.email, message_id(f"booking-{what}", booking))


def _envelope(to: str, name: str) -> Envelope:
    return post.envelope(to, name)
