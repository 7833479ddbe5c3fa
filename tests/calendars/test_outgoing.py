"""Our appointments go out to their people's calendars."""

from datetime import timedelta

from errors import Disconnected, Unavailable
from models import CalendarStatus, Staff
from models.database import transaction
from services import calendar_push
from services.outbox import later
from tests.calendars.scenes import Scene, at


async def test_an_appointment_stands_in_the_calendar_with_its_client(scene: Scene) -> None:
    made = await scene.booked(at(0))

    await scene.shop.work_is_done()

    (event,) = scene.memory.shown("camille")
    assert (event.id, event.title, event.appointment_id) == (made.id.hex, "Bilan – Ana Roux", made.id)
    assert (event.starts_at, event.ends_at) == (at(0), at(1))
    assert [(each.email, each.name) for each in event.attendees] == [("ana1@example.com", "Ana Roux")]


async def test_what_is_pushed_twice_is_there_once_and_costs_nothing_the_second_time(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()
    asked = scene.memory.asked.total()

    async with transaction():
        await later(calendar_push.push, made)
    await scene.shop.work_is_done()

    assert len(scene.memory.shown("camille")) == 1
    assert scene.memory.asked.total() == asked


async def test_a_push_that_was_done_and_not_written_down_is_found_to_be_done(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()
    await scene.shop.sql("UPDATE calendar_events SET etag = NULL, pushed_hash = NULL")

    await calendar_push.push(made)

    assert len(scene.memory.shown("camille")) == 1
    assert (await scene.known(made)).etag == scene.memory.book("camille").events[made.id.hex].etag


async def test_a_link_to_meet_is_asked_for_and_written_to_the_appointment(scene: Scene) -> None:
    scene.service.online = True
    await scene.service.save()
    made = await scene.booked(at(0))

    await scene.shop.work_is_done()

    assert (await scene.now(made)).meet_url == f"https://meet.google.com/{made.id.hex[:10]}"


async def test_a_link_to_meet_that_takes_its_time_is_asked_after(scene: Scene) -> None:
    scene.service.online, scene.memory.makes_meet_at_once = True, False
    await scene.service.save()
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()
    assert (await scene.now(made)).meet_url is None

    scene.memory.change("camille", made.id.hex, meet_url="https://meet.google.com/abc", meet_pending=False)
    await scene.shop.time_passes(seconds=10)
    await scene.shop.work_is_done()

    assert (await scene.now(made)).meet_url == "https://meet.google.com/abc"
    assert await scene.conflicts() == []


async def test_moves_and_cancellations_are_pushed(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()

    await scene.moved(made, at(3))
    await scene.shop.work_is_done()
    (event,) = scene.memory.shown("camille")
    assert (event.starts_at, event.sequence) == (at(3), 1)

    await scene.canceled(made)
    await scene.shop.work_is_done()
    assert scene.memory.shown("camille") == []


async def test_promises_kept_late_and_in_any_order_push_what_is_true_by_then(scene: Scene) -> None:
    made = await scene.booked(at(0))
    for hours in (3, 5, 2):
        await scene.moved(made, at(hours))

    await scene.shop.work_is_done()

    (event,) = scene.memory.shown("camille")
    assert (event.starts_at, event.sequence) == (at(2), 3)
    assert (scene.memory.asked["insert"], scene.memory.asked["patch"]) == (1, 0)


async def test_an_appointment_that_somebody_else_holds_by_now_is_in_their_calendar_alone(scene: Scene) -> None:
    dominique = await Staff.create(organization=scene.shop.organization, display_name="Dominique")
    await scene.connected(scene.shop, dominique, "dominique")
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()

    await scene.moved(made, at(1), dominique)
    await scene.settled()
    assert [len(scene.memory.shown(name)) for name in ("camille", "dominique")] == [0, 1]

    await scene.moved(await scene.now(made), at(2), scene.staff)
    await scene.settled()
    assert [len(scene.memory.shown(name)) for name in ("camille", "dominique")] == [1, 0]
    assert scene.memory.shown("camille")[0].starts_at == at(2)


async def test_a_calendar_that_does_not_answer_is_pushed_to_later(scene: Scene) -> None:
    scene.memory.fails = Unavailable("Google: 503", retry_after=30)
    await scene.booked(at(0))
    await scene.shop.work_is_done()

    scene.memory.fails = None
    await scene.shop.time_passes(minutes=2)
    await scene.shop.work_is_done()

    assert len(scene.memory.shown("camille")) == 1


async def test_after_access_was_withdrawn_nothing_is_asked_any_more_and_it_is_told_once(scene: Scene) -> None:
    scene.memory.fails = Disconnected("Google: invalid_grant")
    for hours in range(3):
        await scene.booked(at(hours * 2))
    await scene.shop.work_is_done()
    await scene.poll()
    assert scene.memory.asked.total() - scene.memory.asked["opened"] == 1

    await scene.calendar.refresh_from_db()
    assert (scene.calendar.status, scene.calendar.status_reason) == (
        CalendarStatus.DISCONNECTED, "Google: invalid_grant",
    )  # fmt: skip
    await scene.shop.time_passes(hours=2)
    await scene.shop.work_is_done()
    address = scene.shop.organization.contact_email
    assert scene.shop.subjects(address) == ["Un agenda n’est plus synchronisé"]


async def test_an_appointment_whose_event_was_deleted_for_good_is_put_there_anew(scene: Scene) -> None:
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()
    del scene.memory.book("camille").events[made.id.hex]

    await scene.moved(made, at(0) + timedelta(minutes=30))
    await scene.shop.work_is_done()

    assert [event.starts_at for event in scene.memory.shown("camille")] == [at(0.5)]
