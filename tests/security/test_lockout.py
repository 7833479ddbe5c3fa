"""Guessing passwords: slowed down where it comes from, and nobody is locked out by another's guesses."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from errors import Limited
from models import KnownPlace
from services import lockout, outside, retention
from services.buckets import Buckets
from services.lockout import ACCOUNT, PASSWORD, PLACE
from tests.identity.accounts import FORGOT, OTHER_PASSWORD, RESET, token_in_letter
from tests.security.surroundings import coming_from, installed_with
from tests.shop import PASSWORD as RIGHT
from tests.shop import Shop

SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken } } }"
HOME, ELSEWHERE = "192.0.2.10", "198.51.100.20"
NOBODY = "nobody@shop.test"
TRIES = 5  # of a place at an account, at once


@pytest.fixture
async def owner(shop: Shop) -> AsyncIterator[Shop]:
    """Who signed in from home a while ago."""
    shop.token = ""
    async with installed_with(shop), coming_from(shop, HOME) as at_home:
        assert (await sign_in(at_home))["data"]
        yield at_home


async def test_after_five_wrong_passwords_a_place_waits_and_others_do_not(owner: Shop) -> None:
    async with coming_from(owner, ELSEWHERE) as attacker:
        codes = [code(await sign_in(attacker, "wrong")) for _ in range(TRIES + 1)]
        assert codes == ["UNAUTHENTICATED"] * TRIES + ["LIMITED"]
        refusal = await sign_in(attacker, RIGHT)  # the right one does not help now

    assert 170 <= refusal["errors"][0]["extensions"]["retryAfter"] <= 180
    assert (await sign_in(owner))["data"]
    async with coming_from(owner, "203.0.113.30") as on_the_road:
        assert (await sign_in(on_the_road))["data"]


async def test_the_longer_a_place_tries_the_longer_it_waits(owner: Shop) -> None:
    waits = []
    for _ in range(30):
        with pytest.raises(Limited) as refused:
            while True:
                await lockout.check(PASSWORD, owner.email, ELSEWHERE)
        waits.append(refused.value.retry_after or 0)
        await a_time_passes(waits[-1])

    assert waits == sorted(waits)
    assert {3, 12, 72} <= {round(wait / 60) for wait in waits}


async def test_an_account_that_is_not_there_waits_just_the_same(owner: Shop) -> None:
    async with coming_from(owner, ELSEWHERE) as one, coming_from(owner, "198.51.100.21") as other:
        there = [await sign_in(one, "wrong") for _ in range(TRIES + 2)]
        not_there = [await sign_in(other, "wrong", NOBODY) for _ in range(TRIES + 2)]

    assert [timeless(answer) for answer in there] == [timeless(answer) for answer in not_there]


async def test_as_much_is_hashed_for_an_account_that_is_not_there(owner: Shop) -> None:
    async with coming_from(owner, ELSEWHERE) as attacker:
        for email in (owner.email, NOBODY):
            before = hashes()
            for _ in range(TRIES + 3):
                await sign_in(attacker, "wrong", email)
            assert hashes() - before == TRIES, email


async def test_while_everybody_else_guesses_the_owner_gets_in_from_where_they_did_before(owner: Shop) -> None:
    at_work = "192.0.2.11"
    async with coming_from(owner, at_work) as work:
        assert (await sign_in(work))["data"]
    refused = await guessed_by_many(owner.email, ACCOUNT.number + 10)

    assert refused == 10
    for place in (HOME, at_work):
        async with coming_from(owner, place) as known:
            assert code(await sign_in(known, "wrong")) == "UNAUTHENTICATED"
            assert (await sign_in(known))["data"]
    async with coming_from(owner, "203.0.113.31") as new:
        assert code(await sign_in(new)) == "LIMITED"  # though it is the right one
    assert await guessed_by_many(NOBODY, ACCOUNT.number + 10) == 10


async def test_who_chose_another_password_by_a_letter_is_let_in_from_there(owner: Shop) -> None:
    await guessed_by_many(owner.email, ACCOUNT.number)
    async with coming_from(owner, ELSEWHERE) as on_the_road:
        assert code(await sign_in(on_the_road)) == "LIMITED"
        await on_the_road(FORGOT, input={"email": owner.email})
        token = await token_in_letter(on_the_road, owner.email, "password")
        await on_the_road(RESET, input={"token": token, "password": OTHER_PASSWORD})

        assert (await sign_in(on_the_road, OTHER_PASSWORD))["data"]


async def test_who_guesses_at_everybody_from_a_place_does_not_keep_those_out_who_are_known_there(owner: Shop) -> None:
    with pytest.raises(Limited):
        for number in range(PLACE.number + 1):
            await lockout.check(PASSWORD, f"person{number}@shop.test", HOME)
    assert number == PLACE.number

    assert (await sign_in(owner))["data"]
    assert code(await sign_in(owner, "wrong", NOBODY)) == "LIMITED"


async def test_many_attempts_at_once_are_many(owner: Shop) -> None:
    before = hashes()
    async with coming_from(owner, ELSEWHERE) as attacker:
        answers = await asyncio.gather(*(sign_in(attacker, str(number)) for number in range(20)))

    assert hashes() - before == TRIES
    assert sorted(map(code, answers)) == ["LIMITED"] * (20 - TRIES) + ["UNAUTHENTICATED"] * TRIES


async def test_what_succeeds_is_not_held_against_anybody(owner: Shop) -> None:
    for _ in range(3):
        for _ in range(TRIES - 1):
            assert code(await sign_in(owner, "wrong")) == "UNAUTHENTICATED"
        assert (await sign_in(owner))["data"]
    for number in range(ACCOUNT.number + 10):  # a person on the move
        await lockout.check(PASSWORD, owner.email, f"10.0.{number}.1")
        await lockout.succeeded(PASSWORD, owner.email, f"10.0.{number}.1")


async def test_codes_are_counted_apart_from_passwords(owner: Shop) -> None:
    for _ in range(TRIES):
        await lockout.check("code", owner.email, HOME)
        await lockout.failed("code", owner.email, HOME)

    with pytest.raises(Limited):
        await lockout.check("code", owner.email, HOME)
    assert (await sign_in(owner))["data"]
    with pytest.raises(Limited):  # a password that was right is no code
        await lockout.check("code", owner.email, HOME)


async def test_what_could_not_be_looked_at_is_not_counted(owner: Shop) -> None:
    for _ in range(TRIES * 3):
        await lockout.check(PASSWORD, owner.email, ELSEWHERE)
        await lockout.untried(PASSWORD, owner.email, ELSEWHERE)

    assert await guessed_by_many(owner.email, ACCOUNT.number) == 0


async def test_a_place_is_known_for_thirty_days_and_kept_as_no_one_can_read_it(owner: Shop) -> None:
    for known in await KnownPlace.all():
        assert owner.email not in str(vars(known))
        assert HOME not in str(vars(known))
    await KnownPlace.all().update(seen_at=known.seen_at - timedelta(days=30, minutes=1))
    await guessed_by_many(owner.email, ACCOUNT.number)
    assert code(await sign_in(owner)) == "LIMITED"

    async with coming_from(owner, ELSEWHERE) as other, coming_from(owner, HOME) as known_again:
        await lockout.succeeded(PASSWORD, owner.email, ELSEWHERE)
        await retention.forget()
        assert await KnownPlace.all().count() == 1
        assert (await sign_in(other))["data"]
        await guessed_by_many(owner.email, 1)  # what was given back
        assert code(await sign_in(known_again)) == "LIMITED"


async def test_a_master_key_that_is_replaced_forgets_no_place(owner: Shop) -> None:
    older = outside.outside().settings.comptoir_master_keys
    newer = type(older)("k2:" + "bmV3" * 10 + "bmU=," + older.get_secret_value())

    async with installed_with(owner, comptoir_master_keys=newer):
        await guessed_by_many(owner.email, ACCOUNT.number)
        async with coming_from(owner, HOME) as at_home:
            assert (await sign_in(at_home))["data"]


async def test_while_redis_is_away_guesses_are_counted_by_the_process(owner: Shop) -> None:
    usual, alone = outside.outside(), Buckets("redis://127.0.0.1:1/0")
    outside.use(replace(usual, buckets=alone))
    try:
        async with coming_from(owner, ELSEWHERE) as attacker:
            codes = [code(await sign_in(attacker, "wrong")) for _ in range(TRIES + 1)]
        refused = await guessed_by_many(owner.email, ACCOUNT.number)
        assert (await sign_in(owner))["data"]
    finally:
        outside.use(usual)
        await alone.close()

    assert codes == ["UNAUTHENTICATED"] * TRIES + ["LIMITED"]
    assert refused == TRIES  # with those before


async def sign_in(caller: Shop, password: str = RIGHT, email: str = "") -> dict[str, Any]:
    return await caller.post(SIGN_IN, {"input": {"email": email or caller.email, "password": password}})


def timeless(answer: dict[str, Any]) -> str:
    """An answer without the time that is left."""
    return re.sub(r"(retryAfter.*?|again in )\d+", r"\1", str(answer))


def code(answer: dict[str, Any]) -> str:
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


async def guessed_by_many(email: str, number: int) -> int:
    """How many were refused, of so many who each guess once from a place of their own."""
    refused = 0
    for each in range(number):
        try:
            await lockout.check(PASSWORD, email, f"10.1.{each}.1")
        except Limited:
            refused += 1
    return refused


async def a_time_passes(seconds: float) -> None:
    """Every bucket is emptier by so much."""
    redis = outside.outside().buckets._take.registered_client
    for bucket in await redis.keys("lockout:*"):
        at, left = int(await redis.get(bucket)), await redis.pttl(bucket)
        later = left - round(seconds * 1000)
        await (redis.set(bucket, at - round(seconds * 1e6), px=later) if later > 0 else redis.delete(bucket))


def hashes() -> int:
    return int(REGISTRY.get_sample_value("comptoir_password_hashes_total") or 0)
