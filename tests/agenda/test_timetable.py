"""The rules of slots: daylight saving, exceptions, buffers, groups; and that a naive, slow oracle says the same."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timetable import (
    Exceptional,
    Group,
    Minutes,
    Person,
    Slot,
    SlotReason,
    Span,
    Taken,
    Terms,
    day_of,
    slots,
    working,
)

PARIS, CAYENNE = ZoneInfo("Europe/Paris"), ZoneInfo("America/Cayenne")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clock is put back by half an hour
FOREVER = 2**40
HOUR = 3600


def person(*hours: Minutes, zone: ZoneInfo = PARIS, **known: Any) -> Person:
    return Person(zone, dict.fromkeys(range(1, 8), hours), **known)


def terms(minutes: int = 60, step: int = 30, **more: int) -> Terms:
    return Terms(minutes * 60, step * 60, **{"earliest": 0, "latest": FOREVER} | more)


def window(first: date, days: int = 1, zone: ZoneInfo = PARIS) -> Span:
    begins = datetime(first.year, first.month, first.day, tzinfo=zone)
    ends = begins + timedelta(days=days)
    return int(begins.timestamp()), int(ends.timestamp())


def walls(found: Sequence[Slot], zone: ZoneInfo = PARIS) -> list[str]:
    return [f"{datetime.fromtimestamp(slot.begins, zone):%H:%M%z}" for slot in found]


def reasons(found: Sequence[Slot]) -> list[SlotReason | None]:
    return [slot.reason for slot in found]


SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)  # 2:00 is 3:00; 3:00 is 2:00


def test_where_the_clock_is_put_forward_nothing_begins_in_the_hour_that_is_skipped() -> None:
    found = slots(person((60, 300)), terms(), 1, window(SPRING), None)

    assert walls(found) == ["01:00+0100", "01:30+0100", "03:00+0200", "03:30+0200", "04:00+0200"]
    assert all(slot.ends - slot.begins == HOUR for slot in found)  # 1:30 to 3:30 by the wall clock


def test_hours_within_the_skipped_hour_are_not_worked() -> None:
    assert slots(person((120, 180)), terms(30), 1, window(SPRING), None) == []


def test_where_the_clock_is_put_back_what_begins_in_the_doubled_hour_is_there_for_each_moment() -> None:
    found = slots(person((60, 240)), terms(), 1, window(AUTUMN), None)

    assert walls(found) == [
        "01:00+0200", "01:30+0200", "02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100", "03:00+0100",
    ]  # fmt: skip
    assert len({slot.begins for slot in found}) == 7


def test_hours_that_end_within_the_doubled_hour_are_worked_both_times_it_is_that_time() -> None:
    found = slots(person((60, 150)), terms(30), 1, window(AUTUMN), None)

    assert walls(found) == ["01:00+0200", "01:30+0200", "02:00+0200", "02:00+0100"]


def test_a_clock_that_is_put_back_by_half_an_hour_doubles_half_an_hour() -> None:
    found = slots(person((60, 180), zone=LORD_HOWE), terms(30), 1, window(date(2027, 4, 4), zone=LORD_HOWE), None)

    assert walls(found, LORD_HOWE) == ["01:00+1100", "01:30+1100", "01:30+1030", "02:00+1030", "02:30+1030"]


def test_steps_are_counted_from_the_beginning_of_the_hours_wherever_the_window_begins() -> None:
    day = window(date(2027, 6, 1))
    since_ten_past_nine = day[0] + 9 * HOUR + 600, day[1]

    assert walls(slots(person((540, 720)), terms(60, 60), 1, since_ten_past_nine, None)) == ["10:00+0200", "11:00+0200"]


def test_steps_are_those_of_the_clock_after_it_was_put_back_too() -> None:
    found = slots(person((60, 240), zone=LORD_HOWE), terms(60, 60), 1, window(date(2027, 4, 4), zone=LORD_HOWE), None)

    assert walls(found, LORD_HOWE) == ["01:00+1100", "02:00+1030", "03:00+1030"]


def test_hours_are_said_by_the_clock_of_the_persons_own_zone() -> None:
    found = slots(person((540, 660), zone=CAYENNE), terms(), 1, window(SPRING), None)

    assert walls(found, CAYENNE) == ["09:00-0300", "09:30-0300", "10:00-0300"]
    assert walls(found) == ["14:00+0200", "14:30+0200", "15:00+0200"]


def test_hours_that_meet_at_midnight_are_one() -> None:
    found = slots(person((0, 60), (1380, 1440)), terms(120, 60), 1, window(date(2027, 6, 1)), None)

    assert walls(found) == ["23:00+0200"]


def test_the_most_particular_exception_counts_alone() -> None:
    day = date(2027, 5, 1)
    house, own = Exceptional(day, day, None), Exceptional(day, day, (600, 660))
    known = person((540, 720), holidays=frozenset({day}))

    assert day_of(known, day) == (((540, 720),), SlotReason.HOLIDAY)
    known.house = [house]
    assert day_of(known, day) == (((540, 720),), SlotReason.CLOSED)
    known.own = [own]
    assert day_of(known, day) == ([(600, 660)], None)
    assert reasons(slots(known, terms(), 1, window(day), None)) == [None]


def test_of_a_closed_day_the_weekly_hours_are_listed_as_taken() -> None:
    day = date(2027, 5, 1)
    closed = person((540, 660), house=[Exceptional(day, day, None)])

    found = slots(closed, terms(), 1, window(day), None)

    assert walls(found) == ["09:00+0200", "09:30+0200", "10:00+0200"]
    assert set(reasons(found)) == {SlotReason.CLOSED}
    assert not working(closed, window(day)).begins


def test_buffers_are_kept_free_and_may_lie_outside_of_the_hours() -> None:
    day = window(date(2027, 6, 1))
    nine = day[0] + 9 * HOUR
    booked = person((540, 780), booked=Taken([(nine + 2 * HOUR, nine + 3 * HOUR)]))

    found = slots(booked, terms(60, 60, before=1800, after=1800), 1, day, None)

    assert reasons(found) == [None, SlotReason.BOOKED, SlotReason.BOOKED, SlotReason.BOOKED]


def test_a_group_has_places_until_it_is_full_and_is_there_off_the_grid_too() -> None:
    day = window(date(2027, 6, 1))
    nine = day[0] + 9 * HOUR
    full, left = Group(nine + HOUR, 0), Group(nine + 9000, 3)
    known = person(
        (540, 720), booked=Taken([(nine, nine + HOUR), (nine + 5400, nine + 9000)]),
        groups={nine: full, nine + 5400: left},
    )  # fmt: skip

    found = slots(known, terms(60, 60), 8, day, None)

    assert walls(found) == ["09:00+0200", "10:00+0200", "10:30+0200", "11:00+0200"]
    assert reasons(found) == [SlotReason.FULL, SlotReason.BOOKED, None, SlotReason.BOOKED]
    assert [slot.places for slot in found] == [0, 0, 3, 0]


def test_one_room_that_is_free_will_do() -> None:
    day = window(date(2027, 6, 1))
    nine = day[0] + 9 * HOUR
    rooms = [Taken([(nine, nine + 2 * HOUR)]), Taken([(nine + HOUR, nine + 3 * HOUR)])]

    found = slots(person((540, 720)), terms(60, 60), 1, day, rooms)

    assert reasons(found) == [None, SlotReason.RESOURCE_TAKEN, None]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"earliest": 10 * HOUR}, [SlotReason.TOO_SOON, None, None]),
        ({"latest": 10 * HOUR}, [None, None, SlotReason.TOO_FAR]),
    ],
)
def test_what_is_too_soon_or_too_far_says_so(limits: dict[str, int], expected: list[SlotReason | None]) -> None:
    day = window(date(2027, 6, 1))
    bounds = {name: day[0] + at for name, at in limits.items()}

    assert reasons(slots(person((540, 720)), terms(60, 60, **bounds), 1, day, None)) == expected


# What is said above, minute by minute.

ZONES = (PARIS, CAYENNE, LORD_HOWE)
DAYS = (SPRING, AUTUMN, date(2027, 4, 4), date(2027, 10, 3), date(2027, 6, 1))
minutes = st.tuples(st.integers(0, 47), st.integers(1, 24)).map(
    lambda at: (at[0] * 30, min(1440, (at[0] + at[1]) * 30))
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Person, Terms, Span, list[Taken] | None]:
    zone, day = draw(st.sampled_from(ZONES)), draw(st.sampled_from(DAYS))
    begins, ends = window(day, draw(st.integers(1, 2)), zone)
    spans = st.lists(
        st.tuples(st.integers(-4, 100), st.integers(1, 8)).map(
            lambda at: (begins + at[0] * 900, begins + (at[0] + at[1]) * 900)
        ),
        max_size=6,
    ).map(Taken)
    exceptions = st.lists(
        st.tuples(st.integers(-1, 1), st.none() | minutes).map(
            lambda given: Exceptional(day + timedelta(days=given[0]), day + timedelta(days=1), given[1])
        ),
        max_size=2,
    )
    known = Person(
        zone,
        {weekday: draw(st.lists(minutes, max_size=2)) for weekday in range(1, 8)},
        draw(exceptions), draw(exceptions), draw(st.sampled_from([frozenset(), frozenset({day})])),
        draw(spans), draw(spans),
    )  # fmt: skip
    asked = Terms(
        draw(st.sampled_from((30, 45, 60, 90))) * 60, draw(st.sampled_from((15, 30, 60))) * 60,
        begins + draw(st.integers(-8, 8)) * HOUR, ends - draw(st.integers(-8, 8)) * HOUR,
        draw(st.sampled_from((0, 900))), draw(st.sampled_from((0, 900))),
    )  # fmt: skip
    return known, asked, (begins, ends), draw(st.none() | st.lists(spans, min_size=1, max_size=2))


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_a_naive_oracle_that_looks_at_each_quarter_of_an_hour_says_the_same(
    world: tuple[Person, Terms, Span, list[Taken] | None],
) -> None:
    known, asked, span, rooms = world

    assert [(slot.begins, slot.reason) for slot in slots(known, asked, 1, span, rooms)] == list(oracle(*world))


def oracle(known: Person, asked: Terms, span: Span, rooms: list[Taken] | None) -> Any:
    """At each quarter of an hour the wall clock is asked whether it is one of the hours, and a step of them."""
    for at in range(span[0], span[1], 900):
        begun = {reason for reason, on_step in shown(known, at, asked.step) if on_step}
        for reason in (None, SlotReason.CLOSED, SlotReason.HOLIDAY):
            every = range(at, at + asked.duration, 900)
            if reason in begun and all(reason in {why for why, _ in shown(known, each, 900)} for each in every):
                yield at, why_not(known, asked, at, reason, rooms)
                break


def shown(known: Person, at: int, step: int) -> Any:
    """(why not worked, whether it is a step) of each of the hours that the clock shows at a moment."""
    wall = datetime.fromtimestamp(at, UTC).astimezone(known.zone)
    now = wall.hour * 60 + wall.minute
    hours, reason = day_of(known, wall.date())
    return [(reason, (now - begins) * 60 % step == 0) for begins, ends in hours if begins <= now < ends]


def why_not(
    known: Person, asked: Terms, at: int, closed: SlotReason | None, rooms: list[Taken] | None
) -> SlotReason | None:
    if at < asked.earliest:
        return SlotReason.TOO_SOON
    if at > asked.latest:
        return SlotReason.TOO_FAR
    if closed:
        return closed
    every = range(at - asked.before, at + asked.duration + asked.after, 900)
    if any(within(known.booked, each) for each in every):
        return SlotReason.BOOKED
    if any(within(known.busy, each) for each in every):
        return SlotReason.BUSY
    if rooms is not None and all(any(within(room, each) for each in every) for room in rooms):
        return SlotReason.RESOURCE_TAKEN
    return None


def within(taken: Taken, at: int) -> bool:
    return any(begin <= at < end for begin, end in zip(taken.begins, taken.ends, strict=True))
