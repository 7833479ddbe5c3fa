"""What comes after each answer: by the partner guide, to the minute, and by Standard Webhooks; pace and breaker."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from models import PartnerEndpoint, RetryPolicy
from services import deliveries, tokens
from tests.notifications.telling import RESEND, endpoint, many, notifications, told_partner
from tests.shop import Shop

STANDARD = {"retryPolicy": "STANDARD"}


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def waits(notification: dict[str, Any]) -> float:
    """Seconds between the last attempt and the next."""
    started = when(notification["attempts"][-1]["startedAt"])
    return (when(notification["nextAttemptAt"]) - started).total_seconds()


# The partner guide's, which is everybody's unless told otherwise


async def test_by_the_guide_there_are_three_attempts_at_once_after_5_and_after_30_minutes(shop: Shop) -> None:
    partner, product = await told_partner(shop)
    shop.sandbox.partner.answer(503, headers={"Retry-After": "7200"})  # which the guide does not know
    await shop.sell(product)

    for minutes, left in ((5, 2), (30, 1)):
        (waiting,) = await notifications(shop, partner)
        assert (waiting["status"], waiting["attemptsLeft"]) == ("PENDING", left)
        assert minutes * 60 <= waits(waiting) < minutes * 60 + 10
        await shop.time_passes(minutes=minutes - 1)
        await shop.work_is_done()
        assert len(shop.told()) == 3 - left
        await shop.time_passes(minutes=1)
        await shop.work_is_done()

    (failed,) = await notifications(shop, partner)
    assert (failed["status"], failed["attemptsLeft"], failed["nextAttemptAt"]) == ("FAILED", 0, None)
    assert [attempt["number"] for attempt in failed["attempts"]] == [1, 2, 3]
    assert len({told.headers["webhook-id"] for told in shop.told()}) == 1


async def test_the_link_to_the_pdf_is_made_anew_at_each_attempt_and_good_for_24_hours_from_then(shop: Shop) -> None:
    _, product = await told_partner(shop)
    shop.sandbox.partner.answer(503)
    await shop.sell(product)
    await asyncio.sleep(1.1)  # a link's end is told in seconds
    await shop.time_passes(minutes=5)
    await shop.work_is_done()

    first, second = (urlsplit(told.json["invoice"]["pdf_url"]).path.split("/") for told in shop.told())
    ends = [next(filter(None, (tokens.read(tokens.FILE, part) for part in path)))["exp"] for path in (first, second)]
    assert ends[1] > ends[0]
    assert 0 <= datetime.now(UTC).timestamp() + 86_400 - ends[1] < 30


@pytest.mark.parametrize("status", [302, 400, 404, 410, 429])
async def test_by_the_guide_a_redirect_and_a_4xx_are_final_and_disable_nothing(shop: Shop, status: int) -> None:
    partner, product = await told_partner(shop)
    shop.sandbox.partner.answer(status, headers={"Location": "https://partner.example/"})

    await shop.sell(product)

    (failed,) = await notifications(shop, partner)
    assert (failed["status"], len(failed["attempts"])) == ("FAILED", 1)
    assert (await endpoint(shop, partner))["disabledAt"] is None


# Standard Webhooks'


async def test_by_the_standard_there_are_ten_attempts_over_75_hours_and_more_each_a_little_apart(shop: Shop) -> None:
    partner, product = await told_partner(shop, **STANDARD)
    shop.sandbox.partner.answer(404)
    await shop.sell(product)
    pauses = [pause.total_seconds() for pause in RetryPolicy.STANDARD.pauses]
    assert timedelta(hours=75) <= timedelta(seconds=sum(pauses)) < timedelta(hours=76)

    for pause in pauses:
        (waiting,) = await notifications(shop, partner)
        assert pause <= waits(waiting) < pause * 1.2 + 10
        await shop.time_passes(seconds=round(waits(waiting)) + 1)
        await shop.work_is_done()

    (failed,) = await notifications(shop, partner)
    assert (failed["status"], len(failed["attempts"])) == ("FAILED", 10)


async def test_by_the_standard_their_wish_to_wait_is_honoured_within_a_day(shop: Shop) -> None:
    partner, product = await told_partner(shop, **STANDARD)

    for asked, given in (("120", 120), ("1", 5), ("99999999", 86_400), ("soon", 5)):
        shop.sandbox.partner.answer(503, headers={"Retry-After": asked})
        await shop.sell(product)
        waiting = (await notifications(shop, partner))[-1]
        assert given <= waits(waiting) <= given * 1.2 + 10, asked
        assert (await endpoint(shop, partner))["heldUntil"] is None  # of 503 it is one notification that waits


async def test_by_the_standard_429_makes_all_wait(shop: Shop) -> None:
    partner, product = await told_partner(shop, **STANDARD)
    shop.sandbox.partner.answer(429, headers={"Retry-After": "90"}, times=1)
    await shop.sell(product)

    await shop.sell(product)

    assert len(shop.told()) == 1
    assert (await endpoint(shop, partner))["heldUntil"] is not None
    await shop.time_passes(seconds=91)
    await shop.work_is_done()
    assert [each["status"] for each in await notifications(shop, partner)] == ["DELIVERED", "DELIVERED"]


async def test_by_the_standard_410_disables_the_endpoint_and_what_is_due_is_kept(shop: Shop) -> None:
    partner, product = await told_partner(shop, **STANDARD)
    shop.sandbox.partner.answer(410)
    await shop.sell(product)
    await shop.sell(product)

    found = await endpoint(shop, partner)
    assert found["disabledReason"] == "it answered 410 Gone"
    assert [(each["status"], len(each["attempts"])) for each in await notifications(shop, partner)] == [
        ("PENDING", 1), ("PENDING", 0),
    ]  # fmt: skip
    code, field, message = await shop.refused(
        RESEND, input={"notification": (await notifications(shop, partner))[0]["id"]}
    )
    assert (code, field) == ("CONFLICT", "input.notification")
    assert "enable it first" in message


# Pace and breaker, for who asks for them


async def test_a_pace_is_kept_and_uses_up_no_attempt(shop: Shop) -> None:
    partner, product = await told_partner(shop, maxPerMinute=30)
    await shop.sell(product)
    await many(shop, "fiscalis", 3)

    for sent in (1, 2, 3, 4):
        await shop.work_is_done()
        assert len(shop.told()) == sent
        await shop.time_passes(seconds=2)

    assert {each["attemptsLeft"] for each in await notifications(shop, partner)} == {2}


async def test_a_breaker_opens_after_so_many_failures_and_closes_when_a_probe_is_accepted(shop: Shop) -> None:
    partner, product = await told_partner(shop, breakerThreshold=3)
    shop.sandbox.partner.answer(500)
    for _ in range(3):
        await shop.sell(product)
    assert len(shop.told()) == 3
    assert (await endpoint(shop, partner))["breaker"] == "OPEN"

    await shop.sell(product)
    await many(shop, "fiscalis", 2)  # of each
    await shop.work_is_done()
    assert len(shop.told()) == 3  # all wait, and lose no attempt
    assert sorted(each["attemptsLeft"] for each in await notifications(shop, partner)) == [2, 2, 2, *[3] * 9]

    await shop.time_passes(minutes=1)
    assert (await endpoint(shop, partner))["breaker"] == "HALF_OPEN"
    await shop.work_is_done()
    assert len(shop.told()) == 4  # one probe, which fails: twice as long until the next
    await shop.time_passes(minutes=1)
    await shop.work_is_done()
    assert len(shop.told()) == 4

    shop.sandbox.partner.answer(200)
    await shop.time_passes(minutes=1)
    await shop.work_is_done()
    found = await endpoint(shop, partner)
    assert (found["breaker"], found["failures"], found["openedAt"]) == ("CLOSED", 0, None)
    assert len(shop.told()) > 10


async def test_a_4xx_is_an_answer_and_opens_no_breaker(shop: Shop) -> None:
    partner, product = await told_partner(shop, breakerThreshold=1)
    shop.sandbox.partner.answer(400)

    await shop.sell(product)

    assert (await endpoint(shop, partner))["breaker"] == "CLOSED"


async def test_a_breaker_waits_longer_after_each_probe_up_to_a_quarter_of_an_hour(shop: Shop) -> None:
    partner, product = await told_partner(shop, breakerThreshold=1)
    shop.sandbox.partner.answer(500)
    await shop.sell(product)
    await many(shop, "fiscalis", 6)
    pauses = []
    for _ in range(6):
        row = await PartnerEndpoint.get(live=False)
        assert row.held_until is not None
        assert row.told_at is not None
        pauses.append(round((row.held_until - row.told_at).total_seconds() / 60))
        await shop.time_passes(minutes=16)
        (leased,) = await deliveries.claim(20)
        await deliveries.tell(leased)

    assert pauses == [1, 2, 4, 8, 15, 15]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"maxPerMinute": 0}, "input.maxPerMinute"),
        ({"maxPerMinute": 6001}, "input.maxPerMinute"),
        ({"breakerThreshold": -1}, "input.breakerThreshold"),
        ({"breakerThreshold": 1001}, "input.breakerThreshold"),
        ({"retryPolicy": None}, "input.retryPolicy"),
    ],
)
async def test_a_setting_that_cannot_be_is_refused(shop: Shop, given: dict[str, Any], field: str) -> None:
    partner = await shop.partner()

    code, blamed, _ = await shop.refused(
        "mutation ($input: PartnerUpdateInput!) { partnerUpdate(input: $input) { partner { id } } }",
        input={"partner": partner["id"]} | given,
    )

    assert (code, blamed) == ("INVALID", field)
