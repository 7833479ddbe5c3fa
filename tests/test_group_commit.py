"""Writes that come at the same time go together; each caller hears of its own, whatever becomes of the others."""

import asyncio
from collections.abc import Sequence

import pytest

from services.group_commit import GroupCommit, NotWritten


class Table:
    """Where numbers are written: what went together, what is refused, and a gate that holds every write up."""

    def __init__(self) -> None:
        self.writes: list[list[int]] = []
        self.refused: set[int] = set()
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self, numbers: Sequence[int]) -> list[str]:
        self.writes.append(list(numbers))
        await self.gate.wait()
        if self.away:
            raise ConnectionRefusedError("nobody is there")
        if wrong := self.refused.intersection(numbers):
            raise ValueError(f"refused: {wrong}")
        return [f"row {number}" for number in numbers]

    @property
    def rows(self) -> list[int]:
        return [number for together in self.writes for number in together]


@pytest.fixture
def table() -> Table:
    return Table()


async def all_of(written: GroupCommit[int, str], count: int) -> list[str | BaseException]:
    return await asyncio.gather(*(written(number) for number in range(count)), return_exceptions=True)


async def test_what_comes_at_the_same_time_goes_together_and_each_hears_of_its_own(table: Table) -> None:
    answers = await all_of(GroupCommit(table.write), 50)

    assert answers == [f"row {number}" for number in range(50)]
    assert table.writes == [list(range(50))]


async def test_what_comes_while_others_are_written_goes_together_next(table: Table) -> None:
    written = GroupCommit(table.write)
    table.gate.clear()
    first = asyncio.create_task(written(0))
    await asyncio.sleep(0.01)

    others = asyncio.gather(*(written(number) for number in range(1, 6)))
    await asyncio.sleep(0.01)
    assert not first.done()  # nobody is told before it is written
    table.gate.set()

    assert [await first, *await others] == [f"row {number}" for number in range(6)]
    assert table.writes == [[0], [1, 2, 3, 4, 5]]


async def test_no_more_go_together_than_may(table: Table) -> None:
    await all_of(GroupCommit(table.write, together_most=20), 50)

    assert [len(together) for together in table.writes] == [20, 20, 10]


async def test_a_bad_one_costs_no_other(table: Table) -> None:
    table.refused = {3, 7}

    answers = await all_of(GroupCommit(table.write), 10)

    assert [number for number, answer in enumerate(answers) if isinstance(answer, NotWritten)] == [3, 7]
    assert sum(isinstance(answer, str) for answer in answers) == 8


async def test_a_database_that_is_away_is_asked_once_for_all(table: Table) -> None:
    table.away = True
    written = GroupCommit(table.write)

    answers = await all_of(written, 10)

    assert [type(answer) for answer in answers] == [NotWritten] * 10
    assert len(table.writes) == 1
    table.away = False
    assert await written(1) == "row 1"


async def test_a_database_that_leaves_while_each_is_tried_by_itself_is_asked_no_more(table: Table) -> None:
    table.refused = {0}

    async def leave(numbers: Sequence[int]) -> list[str]:
        table.away = len(table.writes) == 3
        return await table.write(numbers)

    answers = await all_of(GroupCommit(leave), 10)

    assert [isinstance(answer, str) for answer in answers] == [False, True, *[False] * 8]
    assert len(table.writes) == 4


async def test_who_finds_too_many_waiting_is_told_at_once(table: Table) -> None:
    written = GroupCommit(table.write, waiting_most=3, size=lambda number: number, size_most=100)
    table.gate.clear()
    first = asyncio.create_task(written(1))
    await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(written(number)) for number in (2, 50)]
    await asyncio.sleep(0.01)

    with pytest.raises(NotWritten, match="too much"):
        await written(60)  # with what waits, it is more than may wait
    waiting.append(asyncio.create_task(written(3)))
    await asyncio.sleep(0.01)
    with pytest.raises(NotWritten, match="too much"):
        await written(4)

    table.gate.set()
    assert [await each for each in (first, *waiting)] == ["row 1", "row 2", "row 50", "row 3"]
    assert await written(60) == "row 60"


async def test_who_waits_too_long_is_told_so_and_the_next_finds_room(table: Table) -> None:
    written = GroupCommit(table.write, seconds_most=0.05)
    table.gate.clear()

    answers = await all_of(written, 3)

    assert [type(answer) for answer in answers] == [NotWritten] * 3
    table.gate.set()
    assert await written(9) == "row 9"


async def test_who_leaves_takes_nothing_from_the_others(table: Table) -> None:
    written = GroupCommit(table.write)
    table.gate.clear()
    first = asyncio.create_task(written(0))
    await asyncio.sleep(0.01)
    second, third = (asyncio.create_task(written(number)) for number in (1, 2))
    await asyncio.sleep(0.01)

    first.cancel()
    second.cancel()
    table.gate.set()

    assert await third == "row 2"
    assert (first.cancelled() or first.cancelling(), second.cancelled() or second.cancelling()) == (True, True)
    assert table.rows == [0, 1, 2]  # what had come is written all the same
