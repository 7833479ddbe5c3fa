"""Many book at once: nobody's time is taken twice, and nobody pays for nothing.

More: `python -m tests.faults.bookings`.
"""

import os
from random import Random

import pytest

from tests.bookings.desk import Desk
from tests.faults.bookings import Crowd, must_hold, rush
from tests.shop import Shop

CASES = int(os.environ.get("CASES", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "2"))
AT_ONCE = int(os.environ.get("AT_ONCE", "30"))

pytestmark = pytest.mark.usefixtures("printer")


async def test_of_many_who_want_one_slot_one_has_it_and_the_others_are_told_so(shop: Shop) -> None:
    desk = await Desk.open(shop)

    for number in range(ROUNDS):
        assert await rush(desk, number, AT_ONCE) == {"BOOKED": 1, "SLOT_TAKEN": AT_ONCE - 1}
    await must_hold(desk)


async def test_a_group_takes_no_more_than_it_has_places(shop: Shop) -> None:
    desk = await Desk.open(shop, capacity=5)

    assert await rush(desk, 1, AT_ONCE) == {"BOOKED": 5, "SLOT_TAKEN": AT_ONCE - 5}
    await must_hold(desk)


async def test_of_two_people_each_is_booked_once(shop: Shop) -> None:
    desk = await Desk.open(shop, "Alix", "Basile")

    assert await rush(desk, 1, AT_ONCE) == {"BOOKED": 2, "SLOT_TAKEN": AT_ONCE - 2}
    await must_hold(desk)


@pytest.mark.parametrize("seed", range(CASES))
async def test_no_history_takes_a_time_twice_or_keeps_money_for_nothing(shop: Shop, seed: int) -> None:
    random = Random(seed)
    alone = await Desk.open(shop, "Alix", "Basile", price_cents=6000, deposit_cents=random.choice((0, 2000)),
                            late_cancel_percent=3000, free_cancel_hours=100)  # fmt: skip
    room = await alone.room("Seine")
    group = await Desk.open(shop, "Chloé", capacity=2, price_cents=random.choice((0, 2500)), duration_minutes=90)
    await group.uses(room)
    crowd = Crowd([alone, group], random)

    await crowd.act(8)
    await crowd.end()

    await must_hold(alone)
