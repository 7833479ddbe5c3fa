"""How often a storefront may ask, counted by root field, by key and by address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from errors import Limited
from main import create_app
from models import Role
from policy import Actor, Key, Permission
from services import outside
from services.buckets import AWAY, Buckets, Charge, LocalBuckets, Rate
from services.limits import LIMITS, spend
from tests.security.surroundings import nothing_changes
from tests.security.test_keys import storefront
from tests.shop import Shop

TWENTY = "{" + " ".join(f"a{n}: products(first: 1) {{ totalCount }}" for n in range(20)) + "}"
ONE = "{ products { totalCount } }"
MOST = 200  # operations that a test sends, each of twenty root fields
CHECKOUT = Permission.CHECKOUT_START


async def test_twenty_aliases_are_twenty_and_who_asks_too_often_is_told_when_to_come_back(shop: Shop) -> None:
    page = await storefront(shop)
    async with coming_from(page, "192.0.2.1") as busy:
        served, refusal = await until_refused(busy, TWENTY)

    assert served >= 600 // 20
    assert refusal["data"] is None
    (error,) = refusal["errors"]
    assert error["extensions"]["code"] == "LIMITED"
    assert 1 <= error["extensions"]["retryAfter"] <= 2  # twenty are given back in two seconds
    assert error["message"] == f"Too many requests. Try again in {error['extensions']['retryAfter']} s."
    async with coming_from(page, "192.0.2.2") as calm:
        assert (await calm(ONE))["totalCount"] == 0


async def test_what_is_refused_and_what_fragments_ask_counts_too(shop: Shop) -> None:
    page = await storefront(shop)
    creates = (f'a{n}: clientCreate(input: {{ email: "a{n}@b.fr" }}) {{ client {{ id }} }}' for n in range(20))
    forbidden = f"mutation {{ {' '.join(creates)} }}"
    spread = "{ ...all } fragment all on Query " + TWENTY

    async with coming_from(page, "192.0.2.3") as busy, nothing_changes(shop):
        served, _ = await until_refused(busy, forbidden, spread)

    assert 30 <= served < MOST


async def test_people_are_not_limited_yet(shop: Shop) -> None:
    async with coming_from(shop, "192.0.2.4") as busy:
        for _ in range(31):
            assert "errors" not in await busy.post(TWENTY, {})


async def test_a_checkout_counts_by_address_and_by_key(shop: Shop) -> None:
    actor, elsewhere = Actor(Key.STOREFRONT, uuid4(), uuid4()), Actor(Key.STOREFRONT, uuid4(), uuid4())
    for _ in range(10):
        await spend(actor, "198.51.100.1", [CHECKOUT])

    for caller in (actor, elsewhere):
        with pytest.raises(Limited) as refused:
            await spend(caller, "198.51.100.1", [CHECKOUT])
        assert 1 <= (refused.value.retry_after or 0) <= 6
    await spend(actor, "198.51.100.1", [Permission.CATALOGUE_READ])
    await spend(elsewhere, "198.51.100.99", [CHECKOUT])
    with pytest.raises(Limited):
        for number in range(2, 99):
            await spend(actor, f"198.51.100.{number}", [CHECKOUT] * 10)
    assert number > 12  # 120, each address 10 of them
    await spend(elsewhere, f"198.51.100.{number}", [CHECKOUT])


async def test_of_a_refused_operation_nothing_is_counted(shop: Shop) -> None:
    actor = Actor(Key.STOREFRONT, uuid4(), uuid4())
    await spend(actor, "198.51.100.101", [CHECKOUT] * 9)
    for _ in range(20):
        with pytest.raises(Limited):
            await spend(actor, "198.51.100.101", [CHECKOUT, CHECKOUT, Permission.CATALOGUE_READ])

    await spend(actor, "198.51.100.101", [CHECKOUT])


async def test_more_than_a_rate_ever_allows_is_refused_without_a_time_to_come_back(shop: Shop) -> None:
    with pytest.raises(Limited, match="ask for 10 of these at most") as refused:
        await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), "198.51.100.102", [CHECKOUT] * 11)

    assert "retryAfter" not in refused.value.extensions


@pytest.mark.parametrize(
    ("address", "neighbour", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:3::1", "2001:db8:1:4::1", False),
        ("198.51.100.103", "::ffff:198.51.100.103", True),
        ("198.51.100.104", "198.51.100.105", False),
        (None, "nonsense", True),
    ],
)
async def test_an_address_of_ipv6_is_its_network(shop: Shop, address: str, neighbour: str, same: bool) -> None:
    await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), address, [CHECKOUT] * 10)
    try:
        await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), neighbour, [CHECKOUT])
        refused = False
    except Limited:
        refused = True

    assert refused == same


async def test_only_kinds_with_limits_are_counted(shop: Shop) -> None:
    person = Actor(Role.BENEFICIARY, uuid4(), uuid4())

    await spend(person, "198.51.100.106", [CHECKOUT] * 500)

    assert set(LIMITS) == {Key.STOREFRONT}
    assert all(None in of_kind for of_kind in LIMITS.values())  # no root field is without a limit


# Buckets


HOURLY, DAILY = Rate(10, 3600), Rate(40, 86_400)


def test_a_bucket_gives_back_with_time_and_never_more_than_it_holds() -> None:
    buckets, charge = LocalBuckets(), Charge("a", Rate(10, 60), 1)

    assert [buckets.take([charge], 0.0) for _ in range(10)] == [0] * 10
    assert buckets.take([charge], 0.0) == pytest.approx(6)
    assert buckets.take([charge], 5.9) == pytest.approx(0.1)
    assert buckets.take([charge], 6.0) == 0
    assert buckets.take([charge], 6.0) == pytest.approx(6)
    assert [buckets.take([charge], 9999.0) > 0 for _ in range(11)] == [False] * 10 + [True]


def test_only_so_many_buckets_are_kept_and_those_in_use_stay() -> None:
    buckets, busy = LocalBuckets(most=100), Charge("busy", Rate(1, 60), 1)
    buckets.take([busy], 0.0)

    for number in range(1000):
        buckets.take([Charge(str(number), Rate(1, 60), 1)], 0.0)
        assert buckets.take([Charge("key", Rate(10**6, 60), 1)], 0.0) == 0
    assert len(buckets._empty_at) == 100
    assert "key" in buckets._empty_at


async def test_redis_and_a_process_alone_count_alike(redis_url: str) -> None:
    shared, alone = Buckets(redis_url), LocalBuckets()
    name = uuid4().hex
    try:
        for numbers in [(1, 3), (4, 9), (2, 2), (4, 1), (3, 30), (2, 20), (1, 1), (0, 4), (1, 1)]:
            charges = [Charge(f"{name}:a", HOURLY, numbers[0]), Charge(f"{name}:b", DAILY, numbers[1])]
            assert await shared.take(charges) == pytest.approx(alone.take(charges, 0.0), abs=5), numbers
        assert await shared.take([]) == 0
    finally:
        await shared.close()


async def test_what_redis_keeps_of_a_bucket_goes_by_itself(redis_url: str) -> None:
    shared = Buckets(redis_url)
    try:
        await shared.take([Charge(name := uuid4().hex, Rate(10, 60), 3)])
        left = await shared._take.registered_client.pttl(name)
    finally:
        await shared.close()

    assert 0 < left <= 18_000


async def test_while_redis_is_away_a_process_counts_by_itself(shop: Shop) -> None:
    page, usual = await storefront(shop), outside.outside()
    alone = Buckets("redis://127.0.0.1:1/0")
    outside.use(replace(usual, buckets=alone))
    try:
        async with coming_from(page, "192.0.2.5") as busy:
            served, _ = await until_refused(busy, TWENTY)
    finally:
        outside.use(usual)
        await alone.close()

    assert 30 <= served < MOST


async def test_a_redis_that_says_nothing_is_not_asked_at_each_request() -> None:
    asked = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    buckets = Buckets(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    try:
        waits = [await buckets.take([Charge("a", Rate(3, 60), 1)]) for _ in range(4)]
        assert [wait > 0 for wait in waits] == [False, False, False, True]
        assert len(asked) == 1
        assert AWAY > 1
    finally:
        await buckets.close()
        server.close()


async def until_refused(busy: Shop, *documents: str) -> tuple[int, dict[str, Any]]:
    """(how many operations were let in, the refusal of the next): as many of the documents in turn as it takes."""
    for served in range(MOST):
        answer = await busy.post(documents[served % len(documents)], {})
        if any(error["extensions"]["code"] == "LIMITED" for error in answer.get("errors", ())):
            return served, answer
    raise AssertionError(f"{MOST} operations were let in")


@asynccontextmanager
async def coming_from(shop: Shop, address: str) -> AsyncIterator[Shop]:
    """The same caller, at another address."""
    transport = httpx.ASGITransport(create_app(outside.outside().settings), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://comptoir.test") as client:
        yield replace(shop, http=client)
