"""Whoever has a Stripe account of their own signs what they please: it costs others nothing, and raises no alerts."""

import json
import logging
from typing import Any

import pytest

from models import Conflict, StripeAccount, StripeEvent
from services import limits, own_events
from services.outside import outside
from tests.own_accounts import connect, post
from tests.security.surroundings import installed_with
from tests.shop import Shop

NOBODY = "00000000-0000-4000-8000-000000000000"


async def events(shop: Shop, account: Any, *changes: dict[str, Any]) -> list[int]:
    """Post events that say a payment of an order, each changed a little; what each is answered."""
    event = next(each for each in await paid(shop, account) if each["type"] == "checkout.session.completed")
    (target, *_) = account.targets(event)
    answers = []
    for number, change in enumerate(changes):
        told = json.loads(json.dumps(event))
        told["id"] = f"evt_signed_{number}"
        told["data"]["object"].update(change)
        answers.append((await post(shop, account, told, target.url, target.secret)).status_code)
    return answers


async def paid(shop: Shop, account: Any) -> list[dict[str, Any]]:
    return list(await account.pay(await shop.checkout(await shop.order())))


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_events_of_orders_that_are_not_here_are_one_matter_for_a_person(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    account = await connect(shop)
    await events(shop, account, *[{"metadata": {"order": NOBODY}}] * 4, {"metadata": 7})

    await shop.work_is_done()
    at_first = (await Conflict.all().count(), alerts(caplog))
    for _ in range(3):
        await shop.time_passes(minutes=16)
        await shop.work_is_done()

    assert at_first == (0, [])
    (row,) = await Conflict.all()
    assert row.message.startswith("Events of your Stripe account acct_alpha could not be handled")
    assert len(row.message) < 500
    assert len(alerts(caplog)) == 1
    left = await StripeEvent.filter(stripe_id__startswith="evt_signed_")
    assert {event.outcome for event in left} == {own_events.OUTCOME}
    assert {event.flagged_at for event in left} == {None}
    assert await shop.count("outbox", "job = 'inbox.handle' AND done_at IS NULL") == 0


async def test_what_was_left_to_a_person_and_settled_may_come_again(shop: Shop) -> None:
    account = await connect(shop)
    for turn in range(2):
        await shop.sql("UPDATE stripe_events SET stripe_id = stripe_id || '_before' WHERE stripe_id LIKE 'evt_signed%'")
        await events(shop, account, {"metadata": {"order": NOBODY}})
        await shop.work_is_done()
        await shop.time_passes(minutes=16)
        await shop.work_is_done()
        await shop.sql(
            f"UPDATE conflicts SET resolved_at = now(), resolution = 'x', reference = reference || '_before_{turn}'"
        )

    assert await Conflict.all().count() == 2


async def test_an_account_that_tells_too_much_is_asked_to_come_again(shop: Shop) -> None:
    account = await connect(shop)
    event = (await paid(shop, account))[-1]
    (target, *_) = account.targets(event)
    async with installed_with(shop, rate_factor=2 / limits.EVENTS.number) as installed:
        answers = [
            await post(installed, account, event | {"id": f"evt_{number}"}, target.url, target.secret)
            for number in range(3)
        ]
        unsigned = await post(installed, account, event, target.url, "whsec_wrong")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert unsigned.status_code == 400
    assert await StripeEvent.filter(stripe_id="evt_2").count() == 0


async def test_a_webhook_secret_that_was_altered_is_one_alarm_however_many_post(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    account = await connect(shop)
    event = (await paid(shop, account))[-1]
    (target, *_) = account.targets(event)
    row: Any = await StripeAccount.get()
    await StripeAccount.all().update(webhook_secrets=row.secret_key, version=row.version + 1)
    own = outside().own_accounts
    own.read_at = None

    answers = []
    for number in range(6):
        if number % 3 == 2:  # it is looked again
            own.closed.get(row.id, row.version + 1).__dict__["seen_at"] = 0.0
        answers.append((await post(shop, account, event, target.url, "whsec_wrong")).status_code)

    assert answers == [503] * 6
    assert len(alerts(caplog)) == 1
    assert await shop.count("secret_openings", "NOT opened") == 1
    await StripeAccount.all().update(webhook_secrets=row.webhook_secrets)  # put right by hand
    own.closed.get(row.id, row.version + 1).__dict__["seen_at"] = 0.0
    assert (await post(shop, account, event, target.url, target.secret)).status_code == 200
