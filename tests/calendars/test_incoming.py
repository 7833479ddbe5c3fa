"""What people's calendars say they are busy with comes in."""

import asyncio
from contextvars import Context
from datetime import timedelta
from zoneinfo import ZoneInfo

from errors import Refused, Unavailable
from models import BusyBlock, CalendarStatus, Staff
from models.database import query, transaction
from providers.capabilities import EventStatus
from services import calendar_polling
from services.calendar_access import Access
from tests.calendars.scenes import MORNING, Scene, at

PARIS = ZoneInfo("Europe/Paris")
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_events_are_busy_times_and_go_when_they_are_cancelled_moved_or_made_free(scene: Scene) -> None:
    for number in range(4):
        scene.memory.add("camille", f"event{number}", at(number * 2))
    await scene.poll()
    assert await scene.busy() == [(at(number * 2), at(number * 2 + 1)) for number in range(4)]
    assert {block.title for block in await BusyBlock.all()} == {"Dentiste"}

    scene.memory.delete("camille", "event0")
    scene.memory.move("camille", "event1", timedelta(hours=20))
    scene.memory.change("camille", "event2", transparent=True)
    scene.memory.change("camille", "event3", declined=True)
    await scene.poll()

    assert await scene.busy() == [(at(22), at(23))]


async def test_an_unchanged_calendar_costs_one_request(scene: Scene) -> None:
    scene.memory.add("camille", "event", at(0))
    await scene.poll()
    before = scene.memory.asked["changes"], scene.memory.asked.total() - scene.memory.asked["opened"]

    await scene.poll()

    after = scene.memory.asked["changes"], scene.memory.asked.total() - scene.memory.asked["opened"]
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


async def test_a_first_reading_goes_page_by_page_and_other_calendars_have_their_turn(scene: Scene) -> None:
    scene.memory.page_size = 10
    for number in range(105):
        scene.memory.add("camille", f"event{number:03}", at(number))

    await scene.poll()

    assert len(await scene.busy()) == 105
    assert scene.memory.asked["changes"] == 11


async def test_a_reading_that_was_broken_off_goes_on_from_its_last_page(scene: Scene) -> None:
    scene.memory.page_size = 10
    for number in range(95):
        scene.memory.add("camille", f"event{number:03}", at(number))
    await query("UPDATE calendars SET next_poll_at = now() + interval '1 day'")
    await query("UPDATE calendars SET next_poll_at = now()")
    (leased,) = await calendar_polling.claim(1)
    assert await calendar_polling.poll(leased, scene.memory)  # eight pages, then it is another's turn
    assert len(await scene.busy()) == 80

    await scene.poll()
    assert len(await scene.busy()) == 95
    assert scene.memory.asked["changes"] == 10


async def test_when_a_token_expired_all_is_read_anew_and_nothing_is_lost_or_doubled(scene: Scene) -> None:
    for number in range(30):
        scene.memory.add("camille", f"event{number:02}", at(number * 2))
    await scene.poll()
    known = {block.external_id: block.id for block in await BusyBlock.all()}

    scene.memory.delete("camille", "event00")  # and its news are lost with the token
    scene.memory.forget("camille")
    del scene.memory.book("camille").events["event01"], scene.memory.book("camille").changed["event01"]
    await scene.poll()

    left = {block.external_id: block.id for block in await BusyBlock.all()}
    assert left == {name: id for name, id in known.items() if name not in ("event00", "event01")}


async def test_all_day_events_are_days_of_the_calendars_own_zone(scene: Scene) -> None:
    day = MORNING.date()
    scene.memory.add_days("camille", "leave", day, day + timedelta(days=2))

    await scene.poll()

    ((starts_at, ends_at),) = await scene.busy()
    assert (starts_at.astimezone(PARIS).isoformat()[:16], ends_at - starts_at) == (
        f"{day.isoformat()}T00:00", timedelta(days=2),
    )  # fmt: skip


async def test_events_of_no_length_or_that_are_tentative(scene: Scene) -> None:
    scene.memory.add("camille", "none", at(0), minutes=0)
    scene.memory.add("camille", "maybe", at(2))
    scene.memory.change("camille", "maybe", status=EventStatus.TENTATIVE)

    await scene.poll()

    assert await scene.busy() == [(at(2), at(3))]


async def test_our_own_events_are_not_busy_times_wherever_they_come_back(scene: Scene) -> None:
    await scene.connected(scene.shop, scene.staff, "invited", outgoing=False)
    made = await scene.booked(at(0))
    await scene.shop.work_is_done()
    copy = scene.memory.book("camille").events[made.id.hex]
    scene.memory.book("invited").put(copy)

    await scene.settled()

    assert await scene.busy() == []
    assert await scene.conflicts() == []
    assert (await scene.now(made)).sequence == 0


async def test_several_calendars_make_one_person_busy_and_one_that_is_not_read_does_not(scene: Scene) -> None:
    await scene.connected(scene.shop, scene.staff, "private", outgoing=False)
    await scene.connected(scene.shop, scene.staff, "shown", outgoing=False, incoming=False)
    for number, name in enumerate(("camille", "private", "shown")):
        scene.memory.add(name, "event", at(number * 2))

    await scene.poll()

    assert await scene.busy() == [(at(0), at(1)), (at(2), at(3))]


async def test_a_calendar_that_does_not_answer_waits_longer_each_time_and_says_why(scene: Scene) -> None:
    scene.memory.fails = Unavailable("Google: 503")
    pauses = []
    for _ in range(4):
        await scene.poll()
        (row,) = await query("SELECT extract(epoch FROM next_poll_at - now()) AS seconds FROM calendars")
        pauses.append(float(row["seconds"]))
    await scene.calendar.refresh_from_db()
    assert pauses[0] <= 60 < pauses[3] <= 480
    assert (scene.calendar.status, scene.calendar.status_reason) == (CalendarStatus.ERROR, "Google: 503")

    scene.memory.fails = None
    await scene.poll()
    await scene.calendar.refresh_from_db()
    assert (scene.calendar.status, scene.calendar.status_reason) == (CalendarStatus.CONNECTED, None)


async def test_a_quota_that_is_used_up_holds_all_calendars_of_that_access(scene: Scene) -> None:
    others = [await scene.connected(scene.shop, scene.staff, f"other{n}", outgoing=False) for n in range(3)]
    scene.memory.fails = Unavailable("Google: 429", retry_after=300)

    await scene.poll()

    assert scene.memory.asked["changes"] == 1
    held = await query("SELECT count(*) AS n FROM calendars WHERE next_poll_at > now() + interval '290 seconds'")
    assert held[0]["n"] == 1 + len(others)


async def test_a_calendar_that_is_gone_says_so_and_is_asked_seldom(scene: Scene) -> None:
    scene.memory.fails = Refused("Google: 404 Not Found")

    await scene.poll()

    await scene.calendar.refresh_from_db()
    assert (scene.calendar.status, scene.calendar.status_reason) == (CalendarStatus.ERROR, "Google: 404 Not Found")


async def test_two_workers_read_a_calendar_once(scene: Scene) -> None:
    claimed = [await calendar_polling.claim(10) for _ in range(2)]

    assert sorted(map(len, claimed)) == [0, 1]


async def test_a_calendar_that_somebody_writes_to_holds_up_no_other(scene: Scene) -> None:
    other = await scene.connected(scene.shop, scene.staff, "other", outgoing=False)
    locked, done = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with transaction():
            await query("SELECT 1 FROM calendars WHERE id = $1 FOR UPDATE", scene.calendar.id)
            locked.set()
            await done.wait()

    writing = asyncio.create_task(write())
    await locked.wait()
    try:
        async with asyncio.timeout(10):
            claimed = await calendar_polling.claim(10)
    finally:
        done.set()
        await writing

    assert [each.id for each in claimed] == [other.id]


async def test_who_reads_a_calendar_waits_for_who_books_its_person_and_sees_what_they_booked(scene: Scene) -> None:
    scene.memory.add("camille", "dentist", at(0))
    async with transaction():
        await Staff.select_for_update(no_key=True).get(id=scene.staff.id)
        reading = asyncio.create_task(scene.poll(), context=Context())
        while not (reading.done() or await query(WAITING)):
            await asyncio.sleep(0.01)
        await scene.book(at(0.5))
    await reading

    assert [conflict.kind for conflict in await scene.conflicts()] == ["OVERLAP"]


async def test_who_lost_the_lease_writes_nothing_down(scene: Scene) -> None:
    (late,) = await calendar_polling.claim(10)
    await query("UPDATE calendars SET lease_until = now() - interval '1 second'")
    (now,) = await calendar_polling.claim(10)
    scene.memory.add("camille", "event", at(0))
    await calendar_polling.poll_all(Access.of(late), [late])
    assert await scene.busy() == []

    await calendar_polling.poll_all(Access.of(now), [now])
    assert await scene.busy() == [(at(0), at(1))]
