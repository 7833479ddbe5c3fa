"""All that failed within a time, sent again: in parts, each once, no faster than it is taken."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services import replays
from tests.notifications.telling import endpoint, many, told_partner
from tests.notifications.test_endpoints import DISABLE
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

REPLAY = """mutation ($input: NotificationsReplayInput!) {
  notificationsReplay(input: $input) { notificationReplay { id total replayed finishedAt } }
}"""
PROGRESS = "query ($id: ID!) { notificationReplay(id: $id) { total replayed finishedAt live partner { slug } } }"


def within(partner: dict[str, Any], **changes: Any) -> dict[str, Any]:
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    return {"partner": partner["id"], "live": False, "since": since} | changes


async def failed(shop: Shop, count: int) -> dict[str, Any]:
    """A partner who was told of one order, and of whose notifications so many failed."""
    partner, product = await told_partner(shop)
    await shop.sell(product)
    await many(shop, "fiscalis", count, "FAILED")
    return partner


async def test_what_failed_is_sent_again_once_and_its_progress_is_shown(shop: Shop) -> None:
    partner = await failed(shop, 250)
    replay = (await shop(REPLAY, input=within(partner)))["notificationReplay"]
    assert (replay["total"], replay["replayed"], replay["finishedAt"]) == (250, 0, None)

    seen = []
    for _ in range(4):
        await shop.work_is_done()
        seen.append((await shop(PROGRESS, id=replay["id"]))["replayed"])
        await shop.time_passes(seconds=1)

    assert seen == [100, 200, 250, 250]
    progress = await shop(PROGRESS, id=replay["id"])
    assert progress["finishedAt"]
    assert (progress["live"], progress["partner"]["slug"]) == (False, "fiscalis")
    assert await shop.count("notifications", "status = 'DELIVERED'") == 251
    assert await shop.count("notification_attempts") == 251


async def test_what_fails_again_is_not_sent_a_third_time(shop: Shop) -> None:
    partner = await failed(shop, 150)
    shop.sandbox.partner.answer(400)
    await shop(REPLAY, input=within(partner))

    for _ in range(4):
        await shop.work_is_done()
        await shop.time_passes(seconds=1)

    assert await shop.count("notification_attempts") == 151
    assert await shop.count("notification_replays", "finished_at IS NOT NULL AND replayed = 150") == 1


async def test_a_replay_goes_no_faster_than_the_partners_pace(shop: Shop) -> None:
    partner = await failed(shop, 250)
    await shop("mutation ($input: PartnerUpdateInput!) { partnerUpdate(input: $input) { partner { id } } }",
               input={"partner": partner["id"], "maxPerMinute": 60})  # fmt: skip
    await shop(REPLAY, input=within(partner))

    for _ in range(3):
        await shop.work_is_done()
        await shop.time_passes(seconds=1)

    assert await shop.count("notification_attempts") == 1 + 3
    assert await shop.count("notifications", "status = 'PENDING'") < 2 * replays.AT_ONCE


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"since": "2030-01-01T00:00:00Z"}, "INVALID", "input.since"),
        ({"until": "2020-01-01T00:00:00Z"}, "INVALID", "input.since"),
        ({"live": True}, "INVALID", "input.since"),
    ],
)
async def test_a_replay_of_nothing_is_refused(shop: Shop, changes: dict[str, Any], code: str, field: str) -> None:
    partner = await failed(shop, 1)

    async with nothing_changes(shop):
        assert (await shop.refused(REPLAY, input=within(partner, **changes)))[:2] == (code, field)


async def test_a_second_replay_waits_for_the_first_and_a_disabled_endpoint_has_none(shop: Shop) -> None:
    partner = await failed(shop, 1)
    await shop(REPLAY, input=within(partner))
    assert (await shop.refused(REPLAY, input=within(partner)))[:2] == ("CONFLICT", "input.partner")
    await shop.work_is_done()

    await shop(DISABLE, input={"endpoint": (await endpoint(shop, partner))["id"]})

    code, field, message = await shop.refused(REPLAY, input=within(partner))
    assert (code, field) == ("CONFLICT", "input.partner")
    assert "partnerEndpointEnable" in message


async def test_more_than_ten_thousand_are_refused(shop: Shop) -> None:
    partner = await failed(shop, replays.MOST + 1)

    code, field, message = await shop.refused(REPLAY, input=within(partner))

    assert (code, field, message) == (
        "INVALID", "input.since", "More than 10,000 failed in this time: take a shorter one.",
    )  # fmt: skip
