"""What people do in their calendar to our events: followed where the rules allow, else a conflict with choices."""

from datetime import UTC, datetime, timedelta

import pytest

from errors import Conflict, Invalid
from models import (
    AppointmentStatus,
    CalendarChoice,
    CalendarConflict,
    CalendarConflictKind,
)
from models.database import transaction
from providers.capabilities import EventStatus
from services import calendar_choices, calendar_push
from tests.calendars.scenes import Scene, at


async def chosen(scene: Scene, choice: CalendarChoice) -> None:
    (conflict,) = await scene.conflicts()
    async with transaction():
        await calendar_choices.resolve(conflict, choice, None)
    await scene.settled()


async def test_an_event_that_is_moved_moves_its_appointment_and_clients_are_told(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()

    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    await scene.settled()

    now = await scene.now(made)
    assert (now.starts_at, now.occupied_from, now.sequence) == (at(2), at(2), 1)
    (event,) = scene.memory.shown("camille")
    assert (event.starts_at, event.sequence) == (at(2), 1)
    assert await scene.conflicts() == []


async def test_our_own_changes_coming_back_change_nothing_and_cost_nothing(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    asked = {name: scene.memory.asked[name] for name in ("event", "insert", "patch")}

    await scene.moved(made, at(4))
    await scene.settled()
    await scene.settled()

    assert (await scene.now(made)).sequence == 1
    assert {name: scene.memory.asked[name] - asked[name] for name in asked} == {"event": 0, "insert": 0, "patch": 1}


async def test_hours_do_not_bind_who_moves_their_own_appointment(scene: Scene) -> None:
    await scene.shop.sql("DELETE FROM weekly_hours")
    made = await scene.booked(at(0))
    await scene.settled()

    scene.memory.move("camille", made.id.hex, timedelta(hours=12))
    await scene.settled()

    assert (await scene.now(made)).starts_at == at(12)


@pytest.mark.parametrize(
    ("hours", "minutes", "why"),
    [
        (2, 60, "Another appointment of theirs lies there."),
        (2.5, 60, "Another appointment of theirs lies there."),
        (6, 60, "Another event of theirs lies there."),
        (-24 * 14, 60, "This is in the past."),
        (4, 90, "It lasts as long as was agreed, and the event does not."),
    ],
)
async def test_where_the_appointment_cannot_follow_it_stands_and_a_person_chooses(
    scene: Scene, hours: float, minutes: int, why: str
) -> None:
    made, _ = await scene.booked(at(0)), await scene.booked(at(2))
    scene.memory.add("camille", "dentist", at(6))
    await scene.settled()

    scene.memory.change("camille", made.id.hex, starts_at=at(hours), ends_at=at(hours) + timedelta(minutes=minutes))
    await scene.settled()

    assert ((await scene.now(made)).starts_at, (await scene.now(made)).sequence) == (at(0), 0)
    (conflict,) = await scene.conflicts()
    assert (conflict.kind, conflict.starts_at, conflict.appointment_id) == (
        CalendarConflictKind.MOVED, at(hours), made.id,
    )  # fmt: skip
    assert conflict.message.endswith(why)
    assert scene.memory.book("camille").events[made.id.hex].starts_at == at(hours)  # until somebody chooses

    await chosen(scene, CalendarChoice.KEEP_OURS)
    assert scene.memory.book("camille").events[made.id.hex].starts_at == at(0)
    assert await scene.conflicts() == []


async def test_theirs_may_be_accepted_where_no_appointment_lies(scene: Scene) -> None:
    made, in_the_way = await scene.booked(at(0)), await scene.booked(at(2))
    await scene.settled()
    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    await scene.settled()

    with pytest.raises(Conflict):
        await chosen(scene, CalendarChoice.ACCEPT_THEIRS)
    await scene.canceled(in_the_way)
    await chosen(scene, CalendarChoice.ACCEPT_THEIRS)

    assert (await scene.now(made)).starts_at == at(2)
    assert [event.starts_at for event in scene.memory.shown("camille")] == [at(2)]


async def test_an_event_that_lasts_longer_is_accepted_by_its_beginning(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    scene.memory.change("camille", made.id.hex, starts_at=at(3), ends_at=at(5))
    await scene.settled()

    await chosen(scene, CalendarChoice.ACCEPT_THEIRS)

    (event,) = scene.memory.shown("camille")
    assert (event.starts_at, event.ends_at) == (at(3), at(4))


async def test_an_event_that_is_put_back_settles_its_conflict(scene: Scene) -> None:
    made, _ = await scene.booked(at(0)), await scene.booked(at(2))
    await scene.settled()
    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    await scene.settled()
    assert len(await scene.conflicts()) == 1

    scene.memory.move("camille", made.id.hex, timedelta(hours=-2))
    await scene.settled()

    assert await scene.conflicts() == []
    assert (await CalendarConflict.get()).resolution is CalendarChoice.OUTDATED


async def test_a_move_of_ours_settles_a_conflict_about_where_it_was(scene: Scene) -> None:
    made, _ = await scene.booked(at(0)), await scene.booked(at(2))
    await scene.settled()
    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    await scene.settled()

    await scene.moved(made, at(8))
    await scene.settled()

    assert await scene.conflicts() == []
    assert scene.memory.book("camille").events[made.id.hex].starts_at == at(8)


async def test_an_event_that_is_deleted_cancels_an_appointment_that_nobody_paid(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()

    scene.memory.delete("camille", made.id.hex)
    await scene.settled()

    assert (await scene.now(made)).status is AppointmentStatus.CANCELED
    assert await scene.conflicts() == []


async def test_one_that_is_paid_stands_and_may_be_put_back_or_cancelled(scene: Scene) -> None:
    kept, given_up = await scene.booked(at(0)), await scene.booked(at(2))
    for appointment in (kept, given_up):
        await scene.paid(appointment)
    await scene.settled()
    for appointment in (kept, given_up):
        scene.memory.delete("camille", appointment.id.hex)
    await scene.settled()
    conflicts = {conflict.appointment_id: conflict for conflict in await scene.conflicts()}
    assert {conflict.kind for conflict in conflicts.values()} == {CalendarConflictKind.DELETED}

    async with transaction():
        await calendar_choices.resolve(conflicts[kept.id], CalendarChoice.KEEP_OURS, None)
        await calendar_choices.resolve(conflicts[given_up.id], CalendarChoice.CANCEL, None)
    await scene.settled()

    assert [event.id for event in scene.memory.shown("camille")] == [kept.id.hex]
    assert (await scene.now(given_up)).status is AppointmentStatus.CANCELED


async def test_an_event_that_vanished_while_a_token_expired_counts_as_deleted(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()

    book = scene.memory.book("camille")
    del book.events[made.id.hex], book.changed[made.id.hex]
    scene.memory.forget("camille")
    await scene.settled()

    assert (await scene.now(made)).status is AppointmentStatus.CANCELED


async def test_deleting_what_is_over_changes_nothing(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    past = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=3)
    await scene.shop.sql(
        "UPDATE appointments SET starts_at = $1, ends_at = $2, occupied_from = $1, occupied_until = $2",
        past, past + timedelta(hours=1),
    )  # fmt: skip

    scene.memory.delete("camille", made.id.hex)
    await scene.settled()

    assert (await scene.now(made)).status is AppointmentStatus.ACTIVE
    assert await scene.conflicts() == []


async def test_moved_here_and_there_at_once_ours_stands_and_a_person_chooses(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()

    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    await scene.moved(made, at(5))
    await scene.settled()

    assert (await scene.now(made)).starts_at == at(5)
    (conflict,) = await scene.conflicts()
    assert (conflict.kind, conflict.starts_at) == (CalendarConflictKind.MOVED, at(2))

    await chosen(scene, CalendarChoice.KEEP_OURS)
    assert scene.memory.book("camille").events[made.id.hex].starts_at == at(5)


async def test_an_event_over_a_booking_is_a_conflict_and_the_booking_stands(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()

    scene.memory.add("camille", "dentist", at(0.5))
    await scene.settled()

    (conflict,) = await scene.conflicts()
    assert (conflict.kind, conflict.title, conflict.starts_at) == (CalendarConflictKind.OVERLAP, "Dentiste", at(0.5))
    assert (await scene.now(made)).status is AppointmentStatus.ACTIVE
    with pytest.raises(Invalid):
        await chosen(scene, CalendarChoice.ACCEPT_THEIRS)

    await chosen(scene, CalendarChoice.KEEP_OURS)
    assert await scene.conflicts() == []

    scene.memory.move("camille", "dentist", timedelta(minutes=10))  # it is another matter now
    await scene.settled()
    assert len(await scene.conflicts()) == 1
    scene.memory.move("camille", "dentist", timedelta(hours=10))
    await scene.settled()
    assert await scene.conflicts() == []


async def test_an_appointment_that_comes_to_lie_under_an_event_is_the_same_conflict(scene: Scene) -> None:
    scene.memory.add("camille", "dentist", at(0))
    await scene.settled()

    await scene.booked(at(0))
    await scene.shop.work_is_done()

    assert [conflict.kind for conflict in await scene.conflicts()] == [CalendarConflictKind.OVERLAP]
    await chosen(scene, CalendarChoice.CANCEL)
    assert await scene.conflicts() == []
    assert [event.id for event in scene.memory.shown("camille")] == ["dentist"]


async def test_an_event_that_somebody_restores_after_we_cancelled_is_taken_out_again(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    await scene.canceled(made)
    await scene.settled()

    scene.memory.change("camille", made.id.hex, status=EventStatus.CONFIRMED)
    await scene.settled()

    assert scene.memory.shown("camille") == []


async def test_a_push_meets_a_change_that_was_not_read_yet_and_follows_it(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.settled()
    scene.memory.move("camille", made.id.hex, timedelta(hours=2))
    scene.service.name = "Entretien"
    await scene.service.save()

    await calendar_push.push(made)
    await scene.settled()

    (event,) = scene.memory.shown("camille")
    assert (event.title, event.starts_at) == ("Entretien – Ana Roux", at(2))
    assert (await scene.now(made)).starts_at == at(2)
