"""Hashing: in turn, no more than so many waiting, behind everything else."""

import asyncio
import os
import sys
import threading

import pytest

from errors import Limited
from services import hashing
from services.hashing import AT_ONCE, NICENESS, PASSWORD_MOST, WAITING_MOST, hashed, matches
from tests.security.surroundings import coming_from, installed_with
from tests.security.test_lockout import ELSEWHERE, SIGN_IN, TRIES
from tests.shop import CHEAP_HASH, PASSWORD, Shop


async def test_a_password_matches_its_own_hash_and_nobodys_is_nothing() -> None:
    kept = await hashed(PASSWORD)

    assert kept.startswith("$argon2id$")
    assert await matches(kept, PASSWORD)
    assert not await matches(kept, PASSWORD + " ")
    assert not await matches(None, "nobody")  # though it is what the hash for nobody was made of
    assert not await matches(CHEAP_HASH, "x" * (PASSWORD_MOST + 1))
    assert not await matches("no hash", PASSWORD)


def test_what_nobody_is_checked_against_takes_as_long_as_what_is_hashed_today() -> None:
    assert not hashing.STRONG.check_needs_rehash(hashing.NOBODYS)
    assert hashing.STRONG.memory_cost == 64 * 1024  # RFC 9106, 4: the second recommended option
    assert hashing.STRONG.time_cost == 3


async def test_only_so_many_are_hashed_at_once_and_the_loop_goes_on() -> None:
    running, most, ticks = 0, 0, 0
    lock = threading.Lock()

    def slow(_: str) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    tasks = [asyncio.create_task(hashing._in_turn(slow, "")) for _ in range(4 * AT_ONCE)]
    while not all(task.done() for task in tasks):
        ticks += 1
        await asyncio.sleep(0)

    assert most == AT_ONCE
    assert ticks > len(tasks)


async def test_more_than_may_wait_are_told_to_come_back_and_nothing_is_held_against_them(shop: Shop) -> None:
    go = threading.Event()
    waiting = [asyncio.create_task(hashing._in_turn(lambda _: go.wait(60), "")) for _ in range(WAITING_MOST)]
    await asyncio.sleep(0)
    try:
        with pytest.raises(Limited):
            await hashed(PASSWORD)
        async with installed_with(shop), coming_from(shop, ELSEWHERE) as caller:
            given = {"email": shop.email, "password": PASSWORD}
            for _ in range(TRIES + 1):
                refusal = await caller.refused(SIGN_IN, input=given)
                assert refusal == ("LIMITED", None, "Too many people are signing in. Try again in 10 s.")
            go.set()
            await asyncio.gather(*waiting)
            assert (await caller(SIGN_IN, input=given))["accessToken"]
    finally:
        go.set()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_the_threads_that_hash_give_way() -> None:
    def niceness(_: str) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await hashing._in_turn(niceness, "") == NICENESS
    assert niceness("") < NICENESS
