"""Stripe's events on their way into the database, many at once: each is answered for itself, and 200 means stored."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import Response
from redis.asyncio import Redis

from models import Lane
from services import inbox, keeping
from services.outside import outside
from services.stripe_accounts import PLATFORM
from settings import Settings
from tests.faults.absence import away
from tests.shop import Shop

MANY = 40


@pytest.fixture
async def events(shop: Shop) -> list[dict[str, Any]]:
    """Distinct ones, of an order paid at Stripe."""
    (*_, event) = await shop.sandbox.stripe.pay(await shop.checkout(await shop.order()))
    return [event | {"id": f"evt_{number:024}"} for number in range(MANY)]


async def deliver(shop: Shop, events: list[dict[str, Any]]) -> list[Response]:
    return await asyncio.gather(*(shop.deliver(event) for event in events))


async def test_many_at_once_are_stored_and_promised_once_each_whatever_is_repeated(
    shop: Shop, events: list[dict[str, Any]]
) -> None:
    told = events * 3
    random.Random(1).shuffle(told)

    answers = await deliver(shop, told)

    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["new"] for answer in answers) == MANY
    assert await shop.count("stripe_events") == MANY
    promised = await shop.sql("SELECT DISTINCT subject_id FROM outbox WHERE job = 'inbox.handle' AND due_at <= now()")
    assert len(promised) == MANY == await shop.count("outbox", "job = 'inbox.handle'")


@pytest.mark.parametrize("data", [{}, {"object": []}, {"object": None}, {"object": {"metadata": [1], "id": "\x00"}}])
async def test_one_that_says_nothing_of_an_object_is_stored_and_changes_nothing(
    shop: Shop, events: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    answer = await shop.deliver(events[0] | {"type": "radar.early_fraud_warning.created", "data": data})

    assert answer.status_code == 200
    assert await shop.count("stripe_events", "handled_at IS NOT NULL") == 1


async def test_one_that_the_database_refuses_is_sent_again_and_costs_no_other(
    shop: Shop, events: list[dict[str, Any]], refusing: None
) -> None:
    answers = await deliver(shop, events)

    assert [number for number, answer in enumerate(answers) if answer.status_code != 200] == [7]
    assert answers[7].status_code == 503
    assert await shop.count("stripe_events") == await shop.count("outbox", "job = 'inbox.handle'") == MANY - 1


@pytest.fixture
async def refusing(shop: Shop) -> AsyncIterator[None]:
    """The database refuses the promise of the eighth event, after the event was stored."""
    await shop.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT FROM stripe_events WHERE id = NEW.subject_id AND stripe_id LIKE 'evt_%07')"
        " THEN RAISE 'refused, to try what follows'; END IF; RETURN NULL; END $$"
    )
    await shop.sql("CREATE TRIGGER refuse AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()")
    yield
    await shop.sql("DROP FUNCTION refuse CASCADE")


async def test_while_postgresql_is_away_each_is_to_be_sent_again_and_nothing_is_half_done(
    shop: Shop, events: list[dict[str, Any]], settings: Settings
) -> None:
    async with away(settings.database_url):
        answers = await deliver(shop, events)

    assert [answer.status_code for answer in answers] == [503] * MANY
    assert await shop.count("stripe_events") == await shop.count("outbox", "job = 'inbox.handle'") == 0
    answers = await deliver(shop, events)
    assert [answer.json() for answer in answers] == [{"received": True, "new": True}] * MANY
    assert await shop.count("outbox", "job = 'inbox.handle'") == MANY


async def test_processes_that_are_sent_the_same_in_another_order_do_not_wait_for_each_other(
    shop: Shop, events: list[dict[str, Any]]
) -> None:
    """Each as a process that has gathered all: PostgreSQL would end one of two that wait for one another."""
    read = [inbox.read(PLATFORM, json.dumps(event).encode()) for event in events]

    stored = await asyncio.gather(*(inbox.store(random.Random(seed).sample(read, MANY)) for seed in range(10)))

    assert sum(map(sum, stored)) == MANY == await shop.count("stripe_events")


async def test_many_that_come_together_wake_the_workers_once(shop: Shop, events: list[dict[str, Any]]) -> None:
    async with Redis.from_url(outside().settings.redis_url) as redis:
        await outside().wake.told()
        await redis.delete("arq:queue")

        await deliver(shop, events)
        await outside().wake.told()

        assert 1 <= await redis.zcard("arq:queue") <= 5  # not forty
    assert len(await keeping.claim(Lane.EVENTS, MANY)) == MANY
