"""What happens in a bilan: its phases in order, their appointments, booked or recorded by hand, and attendance.

A booking that is moved, cancelled or completed elsewhere is followed by the database (`bookings_of_bilans`). Locks in
the order of `services/bilans.py`.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Conflict, Invalid
from models import (
    Attendance,
    Bilan,
    BilanFunding,
    BilanNews,
    BilanPhase,
    BilanSession,
    Booking,
    BookingStatus,
    Client,
    PhaseKind,
    Service,
    ServiceStaff,
)
from models.database import transaction
from services import bilan_funding, bilan_hours, bilan_rules, bilan_steps, bookings, cancellations, surveys

LONGEST = timedelta(hours=12)  # of a session
AHEAD_MOST = timedelta(days=730)


async def book(
    bilan: Bilan, phase: BilanPhase, service: Service, starts_at: datetime, staff_id: UUID | None
) -> BilanSession:
    """An appointment of a phase, in the time of who holds the bilan unless told otherwise; the bilan pays it.

    Raises Conflict before the bilan is funded or out of the phases' order, and like `bookings.book`.
    """
    if service.price_cents:
        raise Invalid("The bilan pays its appointments: choose a service without a price.", field="input.service")
    client = await Client.select_for_update(no_key=True).get(id=bilan.client_id)
    locked = await _funded(bilan)
    staff_id = staff_id or await _holder(locked, service)
    ends_at = starts_at + timedelta(minutes=service.duration_minutes)
    await _must_be_in_order(phase, starts_at, ends_at)
    booking = await bookings.book(client, bookings.Wanted(service, starts_at, staff_id, by_rules=False))
    return await _write(locked, phase, starts_at, ends_at, booking)


async def record(bilan: Bilan, phase: BilanPhase, starts_at: datetime, ends_at: datetime) -> BilanSession:
    """An appointment of a phase that no calendar here has, to come or held already. Raises Conflict like `book`, and
    Invalid for times that cannot be, naming the field."""
    if not timedelta() < ends_at - starts_at <= LONGEST:
        raise Invalid(f"A session ends after it begins, within {LONGEST.seconds // 3600} hours.", field="input.endsAt")
    if starts_at > datetime.now(UTC) + AHEAD_MOST:
        raise Invalid(f"A session is within {AHEAD_MOST.days} days.", field="input.startsAt")
    locked = await _funded(bilan)
    await _must_be_in_order(phase, starts_at, ends_at)
    return await _write(locked, phase, starts_at, ends_at, None)


async def attend(session: BilanSession, attendance: Attendance, minutes: int | None, by_id: UUID) -> BilanSession:
    """Note whether the beneficiary was there, and for how long: all of the session unless told. Hours beyond what was
    agreed or the law allows are counted as they were, and warned of.

    Raises Conflict before it began, where its booking says otherwise or the bilan is over, and Invalid for minutes that
    cannot be.
    """
    if attendance is Attendance.EXPECTED:
        raise Invalid("Say what came of it: ATTENDED, ABSENT or CANCELED.", field="input.attendance")
    if session.booking_id:
        await _follow_booking(session, attendance, by_id)
    bilan = await Bilan.select_for_update(no_key=True).get(id=session.bilan_id)
    bilan.must_be_under_way()
    locked = await BilanSession.select_for_update(no_key=True).get(id=session.id)
    now = datetime.now(UTC)
    if attendance is not Attendance.CANCELED and locked.starts_at > now:
        raise Conflict("This session has not begun yet.", field="input.bilanSession")
    locked.attendance, locked.minutes = attendance, _minutes(locked, attendance, minutes)
    locked.noted_at, locked.noted_by_id = now, by_id
    await locked.save()
    await bilan_hours.note(bilan, locked)
    return locked


async def complete(phase: BilanPhase) -> BilanPhase:
    """A phase is over: all of its sessions are noted, and the beneficiary was at one. With the last one the bilan is,
    and the beneficiary is asked what they think of it.

    Raises Conflict where one before it is not completed, and where sessions are left to be held or noted.
    """
    bilan = await _funded(await Bilan.get(id=phase.bilan_id))
    locked = await BilanPhase.get(id=phase.id)
    field = "input.bilanPhase"
    if locked.completed_at:
        raise Conflict("This phase is completed already.", field=field)
    if await BilanPhase.exists(bilan_id=bilan.id, position__lt=locked.position, completed_at=None):
        raise Conflict("A phase before it is not completed: phases follow each other.", field=field)
    sessions = await BilanSession.filter(phase_id=locked.id)
    if any(each.attendance is Attendance.EXPECTED for each in sessions):
        raise Conflict("Sessions of this phase are still to be held or noted (bilanSessionAttend).", field=field)
    if not any(each.attendance is Attendance.ATTENDED for each in sessions):
        raise Conflict("The beneficiary has been to no session of this phase.", field=field)
    locked.completed_at = datetime.now(UTC)
    await locked.save()
    if locked.kind is PhaseKind.CONCLUSION:
        await bilan_steps.move(bilan, BilanNews.ENDED, at=locked.completed_at)
        await surveys.promise(bilan)
    return locked


async def give_up(bilan: Bilan, reason: str | None, by_id: UUID | None) -> Bilan:
    """Give a bilan up: its bookings to come are cancelled, and who was to pay is asked for nothing any more. What was
    paid stays until a person gives it back.

    Raises Conflict where it is over, an order of it is invoiced or a payment is under way; what was done by then
    stands, and it may be asked again.
    """
    bilan.must_be_under_way()
    for funding in await BilanFunding.filter(bilan_id=bilan.id, status__in=bilan_funding.UNPAID).order_by("id"):
        await bilan_funding.withdraw(funding, reason)
    booked = BilanSession.filter(bilan_id=bilan.id, attendance=Attendance.EXPECTED, booking_id__isnull=False)
    for session in await booked.order_by("id").prefetch_related("booking"):
        if session.booking.is_live:
            await cancellations.cancel(session.booking, reason, by_rules=False, by_id=by_id)
    async with transaction():
        locked = await Bilan.select_for_update(no_key=True).get(id=bilan.id)
        locked.must_be_under_way()
        expected = BilanSession.filter(bilan_id=bilan.id, attendance=Attendance.EXPECTED)
        planned = BilanFunding.filter(bilan_id=bilan.id, status__in=bilan_funding.UNPAID)
        if await planned.exists() or await expected.filter(booking_id__isnull=False).exists():
            raise Conflict("Something was planned at this moment. Try again.", field="input.bilan")
        for session in await expected.select_for_update(no_key=True):
            session.attendance = Attendance.CANCELED
            await session.save()
        locked.cancel_reason = reason
        await bilan_steps.move(locked, BilanNews.GIVEN_UP, at=datetime.now(UTC), by_id=by_id)
        return locked


async def _funded(bilan: Bilan) -> Bilan:
    locked = await Bilan.select_for_update(no_key=True).get(id=bilan.id)
    locked.must_be_funded()
    return locked


async def _must_be_in_order(phase: BilanPhase, starts_at: datetime, ends_at: datetime) -> None:
    """A session comes after all of the phases before its own, and before all of those after it. The bilan is locked."""
    phases = await BilanPhase.filter(bilan_id=phase.bilan_id).order_by("position")
    if next(each for each in phases if each.id == phase.id).completed_at:
        raise Conflict("This phase is completed.", field="input.phase")
    live = await BilanSession.filter(bilan_id=phase.bilan_id).exclude(attendance=Attendance.CANCELED)
    for other in phases:
        held = [each for each in live if each.phase_id == other.id]
        if other.position < phase.position:
            if not held:
                raise Conflict(f"Plan a session of {other.kind} first: phases follow each other.", field="input.phase")
            if max(each.ends_at for each in held) > starts_at:
                raise Conflict(f"This is before a session of {other.kind} has ended.", field="input.startsAt")
        elif other.position > phase.position and held and min(each.starts_at for each in held) < ends_at:
            raise Conflict(f"This is after a session of {other.kind} begins.", field="input.startsAt")


async def _holder(bilan: Bilan, service: Service) -> UUID | None:
    """The person who gives a service and holds the bilan, where they do."""
    if bilan.consultant_id is None:
        return None
    gives = ServiceStaff.filter(service_id=service.id, staff__membership_id=bilan.consultant_id, staff__active=True)
    link = await gives.order_by("id").first()
    return link.staff_id if link else None


async def _write(
    bilan: Bilan, phase: BilanPhase, starts_at: datetime, ends_at: datetime, booking: Booking | None
) -> BilanSession:
    made = await BilanSession.create(
        organization_id=phase.organization_id, bilan=bilan, phase=phase, booking=booking, starts_at=starts_at,
        ends_at=ends_at,
    )  # fmt: skip
    await bilan_rules.note(bilan)
    return made


async def _follow_booking(session: BilanSession, attendance: Attendance, by_id: UUID) -> None:
    """The booking comes to the same; whoever noted it there first has done so."""
    booking = await Booking.get(id=session.booking_id)
    if not booking.is_expected:
        if attendance is not _CAME_OF.get(booking.status, Attendance.CANCELED):
            raise Conflict(f"This session is booked, and the booking is {booking.status}.", field="input.attendance")
    elif attendance is Attendance.CANCELED:
        raise Conflict("This session is booked: cancel the booking (bookingCancel).", field="input.attendance")
    elif attendance is Attendance.ATTENDED:
        await bookings.came(await Booking.select_for_update(no_key=True).get(id=booking.id))
    else:
        await cancellations.no_show(booking, by_id=by_id)


_CAME_OF = {BookingStatus.COMPLETED: Attendance.ATTENDED, BookingStatus.NO_SHOW: Attendance.ABSENT}


def _minutes(session: BilanSession, attendance: Attendance, minutes: int | None) -> int:
    if attendance is not Attendance.ATTENDED:
        if minutes:
            raise Invalid("Minutes are of a session that the beneficiary was at.", field="input.minutes")
        return 0
    if minutes is None:
        return (session.ends_at - session.starts_at) // timedelta(minutes=1)
    if not 0 < minutes <= LONGEST // timedelta(minutes=1):
        raise Invalid(f"A session lasts 1 to {LONGEST // timedelta(minutes=1)} minutes.", field="input.minutes")
    return minutes
