"""How often each may ask, counted by root field: people, keys, and who is not signed in by address."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

import models
from errors import Limited
from models import ApiScope, Role
from policy import KINDS, Actor, Key, Permission, Scoped
from schema.roots import MUTATIONS, PERMISSIONS
from services import outside
from services.buckets import AWAY, Buckets, Charge, Leases, LocalBuckets, Rate
from services.limits import GUARDED, LIMITS, Root, Use, Whose, spend, whose
from tests.security.surroundings import coming_from, installed_with, nothing_changes
from tests.security.test_keys import server, storefront
from tests.shop import Shop

TWENTY = "{" + " ".join(f"a{n}: products(first: 1) {{ totalCount }}" for n in range(20)) + "}"
ONE = "{ products { totalCount } }"
ME = "{" + " ".join(f"a{n}: me {{ role }}" for n in range(20)) + "}"
MOST = 200  # operations that a test sends, each of twenty root fields
CHECKOUT = Root("checkoutStart", Permission.CHECKOUT_START, writes=True)
READ = Root("products", Permission.CATALOGUE_READ, writes=False)
WRITE = Root("productCreate", Permission.CATALOGUE_WRITE, writes=True)
SIGN_IN = Root("signIn", Permission.PUBLIC, writes=True)


def sign_ins(number: int) -> str:
    tries = (f'a{n}: signIn(input: {{ email: "a{n}@b.fr", password: "x" }}) {{ __typename }}' for n in range(number))
    return f"mutation {{ {' '.join(tries)} }}"


SIGN_INS, ONE_SIGN_IN = sign_ins(20), sign_ins(1)


@pytest.fixture(autouse=True)
async def strictly(shop: Shop) -> AsyncIterator[None]:
    """The rates that hold where nobody sets another factor."""
    async with installed_with(shop, rate_factor=1):
        yield


async def test_twenty_aliases_are_twenty_and_who_asks_too_often_is_told_when_to_come_back(shop: Shop) -> None:
    page = await storefront(shop)
    async with coming_from(page, "192.0.2.1") as busy:
        served, refusal = await until_refused(busy, TWENTY)

    assert_nearly(served, 600 // 20)
    assert refusal["data"] is None
    (error,) = refusal["errors"]
    assert error["extensions"]["code"] == "LIMITED"
    assert 1 <= error["extensions"]["retryAfter"] <= 2  # twenty are given back in two seconds
    assert error["message"] == f"Too many requests. Try again in {error['extensions']['retryAfter']} s."
    async with coming_from(page, "192.0.2.2") as calm:
        assert (await calm(ONE))["totalCount"] == 0


async def test_when_to_come_back_is_a_header_too(shop: Shop) -> None:
    shop.token = ""
    async with coming_from(shop, "192.0.2.1") as busy:
        await until_refused(busy, SIGN_INS)
        response = await busy.http.post("/graphql", json={"query": SIGN_INS})

    assert int(response.headers["retry-after"]) == response.json()["errors"][0]["extensions"]["retryAfter"]
    assert "retry-after" not in (await shop.http.post("/graphql", json={"query": "{ __typename }"})).headers


async def test_a_hundred_aliased_sign_ins_are_no_document_and_twenty_are_twenty(shop: Shop) -> None:
    hundred = sign_ins(100)

    async with coming_from(shop, "192.0.2.1") as busy:
        too_many = await busy.post(hundred, {})
        first, second = await busy.post(SIGN_INS, {}), await busy.post(SIGN_INS, {})

    assert "data" not in too_many
    assert {error["extensions"]["code"] for error in first["errors"]} == {"UNAUTHENTICATED"}
    (error,) = second["errors"]  # of thirty in a minute ten are left
    assert (second["data"], error["extensions"]["code"]) == (None, "LIMITED")


async def test_a_person_may_ask_so_often_wherever_they_are(shop: Shop) -> None:
    other = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    caller = await person(shop)

    async with coming_from(shop, "192.0.2.4") as elsewhere:
        await spend(caller, "192.0.2.1", (READ,) * 3000)
        assert (await elsewhere.refused(ME))[0] == "LIMITED"
    assert "errors" not in await other.post(ME, {})
    await spend(caller, "192.0.2.1", (WRITE,) * 300)
    with pytest.raises(Limited):
        await spend(caller, "192.0.2.1", (WRITE,) * 20)


async def test_a_server_may_ask_so_often_with_each_key(shop: Shop) -> None:
    one = await server(shop, ApiScope.CATALOGUE_READ)
    other = await server(shop, ApiScope.CATALOGUE_READ, ApiScope.CLIENTS_READ)
    (caller,) = [actor for actor in await servers(shop) if len(actor.kind.scopes) == 1]  # type: ignore[union-attr]
    await spend(caller, "192.0.2.1", (READ,) * 6000)

    assert (await one.refused(TWENTY))[0] == "LIMITED"
    assert "errors" not in await other.post(TWENTY, {})


async def test_who_is_not_signed_in_is_counted_by_address(shop: Shop) -> None:
    shop.token = ""
    async with coming_from(shop, "192.0.2.6") as busy:
        served, _ = await until_refused(busy, "{" + " ".join(f"a{n}: __typename" for n in range(20)) + "}")

    assert_nearly(served, 300 // 20)
    async with coming_from(shop, "192.0.2.7") as calm:
        assert (await calm.post("{ __typename }", {}))["data"] == {"__typename": "Query"}


async def test_what_is_behind_no_password_is_counted_by_address_whoever_asks(shop: Shop) -> None:
    callers = [await person(shop), Actor(Key.STOREFRONT, uuid4(), uuid4()), None]
    for caller in callers:
        await spend(caller, "198.51.100.1", (SIGN_IN,) * 10)

    for caller in callers:
        with pytest.raises(Limited) as refused:
            await spend(caller, "198.51.100.1", (SIGN_IN,))
        assert 1 <= (refused.value.retry_after or 0) <= 2
        await spend(caller, "198.51.100.2", (SIGN_IN,))


async def test_what_is_refused_and_what_fragments_ask_counts_too(shop: Shop) -> None:
    page = await storefront(shop)
    creates = (f'a{n}: clientCreate(input: {{ email: "a{n}@b.fr" }}) {{ client {{ id }} }}' for n in range(20))
    forbidden = f"mutation {{ {' '.join(creates)} }}"
    spread = "{ ...all } fragment all on Query " + TWENTY

    async with coming_from(page, "192.0.2.3") as busy, nothing_changes(shop):
        written, _ = await until_refused(busy, forbidden)
        read, _ = await until_refused(busy, spread)

    assert_nearly(written, 60 // 20)
    assert_nearly(read, 600 // 20)


async def test_a_checkout_counts_by_address_and_by_key(shop: Shop) -> None:
    actor, elsewhere = Actor(Key.STOREFRONT, uuid4(), uuid4()), Actor(Key.STOREFRONT, uuid4(), uuid4())
    for _ in range(10):
        await spend(actor, "198.51.100.1", (CHECKOUT,))

    for caller in (actor, elsewhere):
        with pytest.raises(Limited) as refused:
            await spend(caller, "198.51.100.1", (CHECKOUT,))
        assert 1 <= (refused.value.retry_after or 0) <= 6
    await spend(actor, "198.51.100.1", (READ,))
    await spend(elsewhere, "198.51.100.99", (CHECKOUT,))
    with pytest.raises(Limited):
        for number in range(2, 99):
            await spend(actor, f"198.51.100.{number}", (CHECKOUT,) * 10)
    assert number > 12  # 120, each address 10 of them
    await spend(elsewhere, f"198.51.100.{number}", (CHECKOUT,))


async def test_nobody_keeps_stripe_too_busy_for_those_who_pay(shop: Shop) -> None:
    client = await shop.client()
    asked = " ".join(f"a{n}: paymentMethods(client: $client) {{ id }}" for n in range(20))
    document = f"query ($client: ID!) {{ {asked} }}"

    for _ in range(3):
        assert "errors" not in await shop.post(document, {"client": client})

    assert (await shop.refused(document, client=client))[0] == "LIMITED"
    assert await shop(ONE)


async def test_of_a_refused_operation_nothing_is_counted(shop: Shop) -> None:
    actor = Actor(Key.STOREFRONT, uuid4(), uuid4())
    await spend(actor, "198.51.100.101", (CHECKOUT,) * 9 + (READ,) * 599)
    for _ in range(20):
        with pytest.raises(Limited):
            await spend(actor, "198.51.100.101", (CHECKOUT, CHECKOUT, READ))

    await spend(actor, "198.51.100.101", (CHECKOUT, READ))


async def test_more_than_a_rate_ever_allows_is_refused_without_a_time_to_come_back(shop: Shop) -> None:
    with pytest.raises(Limited, match="ask for 10 of these at most") as refused:
        await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), "198.51.100.102", (CHECKOUT,) * 11)

    assert "retryAfter" not in refused.value.extensions


async def test_an_operator_may_set_a_factor(shop: Shop) -> None:
    async with installed_with(shop, rate_factor=2.5):
        await spend(None, "198.51.100.103", (SIGN_IN,) * 75)
        with pytest.raises(Limited):
            await spend(None, "198.51.100.103", (SIGN_IN,))


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
    await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), address, (CHECKOUT,) * 10)
    try:
        await spend(Actor(Key.STOREFRONT, uuid4(), uuid4()), neighbour, (CHECKOUT,))
        refused = False
    except Limited:
        refused = True

    assert refused == same


def test_no_caller_and_no_root_field_is_without_a_limit() -> None:
    public = {name for name in MUTATIONS if PERMISSIONS[name] is Permission.PUBLIC}

    assert set(LIMITS) == {whose(kind) for kind in (*KINDS, Scoped(frozenset()), None)} == set(Whose)
    assert all(set(Use) <= set(of_kind) for of_kind in LIMITS.values())
    assert public <= set(GUARDED)
    for rates in GUARDED.values():
        assert rates.address
        assert all(rate.lease == 1 for rate in rates.address)  # exact


@pytest.mark.parametrize(
    ("forwarded", "counted_as"),
    [
        ({}, "10.0.0.5"),
        ({"X-Forwarded-For": "192.0.2.9"}, "192.0.2.9"),
        ({"X-Forwarded-For": "198.51.100.200, 192.0.2.9"}, "192.0.2.9"),  # what a client says itself comes before
        ({"X-Forwarded-For": "198.51.100.200, 192.0.2.9, 10.0.1.1"}, "192.0.2.9"),  # through two proxies of ours
        ({"Forwarded": "for=198.51.100.200", "X-Real-IP": "198.51.100.200"}, "10.0.0.5"),
    ],
)
async def test_behind_a_proxy_the_address_is_what_the_last_trusted_proxy_says(
    shop: Shop, forwarded: dict[str, str], counted_as: str
) -> None:
    async with installed_with(shop, rate_factor=1, forwarded_allow_ips=("10.0.0.5", "10.0.1.0/24")):
        await spend(None, counted_as, (SIGN_IN,) * 30)
        async with coming_from(shop, "10.0.0.5") as proxied:
            response = await proxied.http.post("/graphql", json={"query": ONE_SIGN_IN}, headers=forwarded)

    assert response.json()["errors"][0]["extensions"]["code"] == "LIMITED"


async def test_who_is_no_proxy_of_ours_is_not_believed(shop: Shop) -> None:
    async with coming_from(shop, "192.0.2.66") as liar:
        codes = [
            (await liar.http.post("/graphql", json={"query": SIGN_INS}, headers={"X-Forwarded-For": f"198.51.100.{n}"}))
            .json()["errors"][0]["extensions"]["code"]
            for n in range(2)
        ]  # fmt: skip

    assert codes == ["UNAUTHENTICATED", "LIMITED"]


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


async def test_of_a_rate_with_a_lease_processes_together_let_in_no_more_than_the_rate_at_once(redis_url: str) -> None:
    processes, charge = [Buckets(redis_url) for _ in range(3)], Charge(uuid4().hex, Rate(100, 3600, lease=8), 1)
    try:
        let_in = [await processes[turn % 3].take([charge]) == 0 for turn in range(130)]
    finally:
        for each in processes:
            await each.close()

    assert sum(let_in) == 100  # all that was leased is spent in the end


async def test_what_is_leased_is_spent_without_asking_redis_and_not_for_longer_than_the_rates_span(
    redis_url: str,
) -> None:
    buckets, charge = Buckets(redis_url), Charge(uuid4().hex, Rate(100, 3600, lease=8), 1)
    try:
        await buckets.take([charge])
        redis = buckets._take.registered_client
        first = await redis.get(charge.bucket)
        assert [await buckets.take([charge]) for _ in range(7)] == [0] * 7
        assert await redis.get(charge.bucket) == first
        await buckets.take([charge])
        assert await redis.get(charge.bucket) != first
    finally:
        await buckets.close()
    leases = Leases()
    leases.put(charge, 7, now=0.0)
    assert leases.draw(charge, now=3599.0) == 1
    assert leases.draw(charge, now=3600.0) == 0


async def test_of_a_refusal_what_was_leased_stays(redis_url: str) -> None:
    buckets, name = Buckets(redis_url), uuid4().hex
    leased, exact = Charge(name, Rate(8, 3600, lease=8), 1), Charge(f"{name}2", Rate(1, 3600), 1)
    try:
        await buckets.take([leased, exact])
        assert [await buckets.take([leased, exact]) > 0 for _ in range(20)] == [True] * 20
        assert [await buckets.take([leased]) > 0 for _ in range(8)] == [False] * 7 + [True]
    finally:
        await buckets.close()


async def test_what_is_given_back_can_be_asked_again(redis_url: str) -> None:
    shared, alone, rate, name = Buckets(redis_url), LocalBuckets(), Rate(3, 3600), uuid4().hex
    try:
        for number, refused in ((3, False), (1, True), (-1, False), (1, False), (1, True), (-3, False), (3, False)):
            charges = [Charge(name, rate, number)]
            assert (await shared.take(charges) > 0, alone.take(charges, 0.0) > 0) == (refused, refused)
        await shared.take([Charge(name, rate, -3)])
        await shared.take([Charge(name, rate, -3)])  # more than there was
        assert not await shared._take.registered_client.exists(name)
    finally:
        await shared.close()


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


def assert_nearly(served: int, allowed: int) -> None:
    """As many were let in as are allowed, and the few that are given back while they are asked."""
    assert allowed <= served <= allowed + allowed // 3


async def person(shop: Shop) -> Actor:
    """The owner."""
    (membership,) = await models.Membership.filter(organization=shop.organization, role=Role.OWNER)
    return Actor(Role.OWNER, shop.organization.id, membership.id)


async def servers(shop: Shop) -> list[Actor]:
    keys = await models.ApiKey.filter(organization=shop.organization)
    return [Actor(Scoped(frozenset(key.scope_list)), shop.organization.id, key.id) for key in keys]
