"""Attendance is noted: the bilan began with the first session that was attended, and what its hours break is warned of
at once, wherever they were noted."""

from uuid import UUID

from models import Attendance, Bilan, BilanNews, BilanSession, Booking
from services import bilan_rules, bilan_steps


async def follow(booking: Booking, by_id: UUID | None) -> None:
    """A booking, locked, was held or missed: the database has noted it of the session that it is, if of any."""
    session = await BilanSession.get_or_none(booking_id=booking.id)
    if session is None:
        return
    bilan = await Bilan.select_for_update(no_key=True).get(id=session.bilan_id)
    session.noted_by_id = by_id
    await session.save(update_fields=["noted_by_id"])
    await note(bilan, session)


async def note(bilan: Bilan, session: BilanSession) -> None:
    """What the attendance of a session, saved, means for the bilan, which is locked."""
    await bilan.refresh_from_db(("minutes_done",))
    if session.attendance is Attendance.ATTENDED:
        await bilan_steps.move(bilan, BilanNews.BEGAN, at=session.starts_at, by_id=session.noted_by_id)
    await bilan_rules.note(bilan)
