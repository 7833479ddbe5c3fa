"""Endpoints disabled and enabled, secrets that overlap, a test that is sent, a request that is shown."""

import asyncio
import json
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from models import SecretOpening
from providers.webhooks import signature
from services.partners import OVERLAP_MOST
from tests.notifications.telling import endpoint, many, notifications, told_partner
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

API_KEY = "a-key-of-thirty-two-characters-or-more"
DISABLE = """mutation ($input: PartnerEndpointDisableInput!) {
  partnerEndpointDisable(input: $input) { partnerEndpoint { disabledAt disabledReason } }
}"""
ENABLE = """mutation ($input: PartnerEndpointEnableInput!) {
  partnerEndpointEnable(input: $input) { partnerEndpoint { disabledAt failures } }
}"""
ROTATE = "mutation ($input: PartnerSecretRotateInput!) { partnerSecretRotate(input: $input) { signingSecret } }"
TEST = """mutation ($input: PartnerTestInput!) { partnerTest(input: $input) {
  accepted statusCode error response request { url body headers { name value } }
} }"""
PREVIEW = """mutation ($input: NotificationPreviewInput!) { notificationPreview(input: $input) {
  request { url body headers { name value } }
} }"""


# Disabled and enabled


async def disabled(shop: Shop) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """(a partner with one notification delivered and two that they missed, the product, the endpoint)."""
    partner, product = await told_partner(shop)
    await shop.sell(product)
    found = await endpoint(shop, partner)
    await shop(DISABLE, input={"endpoint": found["id"], "disabledReason": "they move house"})
    for _ in range(2):
        await shop.sell(product)
    return partner, product, found


async def test_a_disabled_endpoint_is_told_nothing_and_what_it_misses_is_kept(shop: Shop) -> None:
    partner, _, _ = await disabled(shop)

    assert len(shop.told()) == 1
    assert (await endpoint(shop, partner))["disabledReason"] == "they move house"
    assert [(each["status"], each["attemptsLeft"]) for each in await notifications(shop, partner)] == [
        ("DELIVERED", 2), ("PENDING", 3), ("PENDING", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(("missed", "told", "status"), [("TELL", 3, "DELIVERED"), ("SKIP", 1, "SKIPPED")])
async def test_what_it_missed_is_told_when_it_is_enabled_or_skipped(
    shop: Shop, missed: str, told: int, status: str
) -> None:
    partner, product, found = await disabled(shop)

    await shop(ENABLE, input={"endpoint": found["id"], "missed": missed})
    await shop.work_is_done()

    assert len(shop.told()) == told
    assert [each["status"] for each in await notifications(shop, partner)] == ["DELIVERED", status, status]
    await shop.sell(product)
    assert len(shop.told()) == told + 1


async def test_disabling_twice_and_enabling_what_is_enabled_is_refused(shop: Shop) -> None:
    _, _, found = await disabled(shop)

    async with nothing_changes(shop):
        again = await shop.refused(DISABLE, input={"endpoint": found["id"]})
    await shop(ENABLE, input={"endpoint": found["id"], "missed": "SKIP"})
    async with nothing_changes(shop):
        enabled = await shop.refused(ENABLE, input={"endpoint": found["id"], "missed": "TELL"})

    assert again == ("CONFLICT", "input.endpoint", "This endpoint is disabled already.")
    assert enabled == ("CONFLICT", "input.endpoint", "This endpoint is not disabled.")


# Secrets that overlap


def verified(received: Any, secret: str) -> bool:
    try:
        Webhook(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_during_a_rotation_both_secrets_sign_and_the_old_one_ends_on_time(shop: Shop) -> None:
    partner, product = await told_partner(shop)
    new = (await shop(ROTATE, input={"partner": partner["id"], "overlapHours": 24}))["signingSecret"]

    seen = []
    for hours in (0, 23, 1):
        await shop.time_passes(hours=hours)
        await shop.sell(product)
        received = shop.told()[-1]
        signatures = len(received.headers["webhook-signature"].split())
        seen.append((verified(received, partner["secret"]), verified(received, new), signatures))

    assert seen == [(True, True, 2), (True, True, 2), (False, True, 1)]


async def test_secrets_rotated_under_load_fail_nobody(shop: Shop) -> None:
    """A partner who knows the old secret, then the new one, verifies all: told while the secret changes, twice."""
    partner, product = await told_partner(shop)
    await shop.sell(product)
    secrets = [partner["secret"]]
    for _ in range(2):
        await many_more(shop, 150)
        _, rotated = await asyncio.gather(
            shop.work_is_done(), shop(ROTATE, input={"partner": partner["id"], "overlapHours": 1})
        )
        secrets.append(rotated["signingSecret"])

    assert {each["status"] for each in await shop.sql("SELECT status FROM notifications")} == {"DELIVERED"}
    for received in shop.told():
        known = [verified(received, secret) for secret in secrets]
        assert any(known[:2]) or any(known[1:])
        assert True in known


async def many_more(shop: Shop, count: int) -> None:
    await shop.sql("DELETE FROM notification_attempts a USING notifications n WHERE n.id = a.notification_id"
                   " AND n.event_type <> 'order.created'")  # fmt: skip
    await shop.sql("DELETE FROM notifications WHERE event_type <> 'order.created'")
    await many(shop, "fiscalis", count)


@pytest.mark.parametrize("hours", [-1, OVERLAP_MOST + 1])
async def test_an_overlap_is_a_week_at_most(shop: Shop, hours: int) -> None:
    partner = await shop.partner()

    async with nothing_changes(shop):
        code, field, message = await shop.refused(ROTATE, input={"partner": partner["id"], "overlapHours": hours})

    assert (code, field, message) == ("INVALID", "input.overlapHours", "Both secrets sign for 0 to 168 hours.")


# A test, and a request that is shown


async def test_a_test_is_signed_and_shown_with_its_answer_and_counts_for_nothing(shop: Shop) -> None:
    partner = await shop.partner(apiKey=API_KEY)
    shop.sandbox.partner.answer(418)

    tested = await shop(TEST, input={"partner": partner["id"]})

    (received,) = shop.told()
    assert received.json["event_type"] == "test"
    assert verified(received, partner["secret"])
    assert received.headers["x-api-key"] == API_KEY
    assert (tested["accepted"], tested["statusCode"], tested["response"]) == (False, 418, '{"received":false}')
    assert tested["request"]["url"] == f"{shop.sandbox.url}/partner/fiscalis"
    assert tested["request"]["body"].encode() == received.body
    headers = {header["name"].lower(): header["value"] for header in tested["request"]["headers"]}
    assert headers == {name: received.headers[name] for name in headers} | {"x-api-key": "…more"}
    assert await shop.count("notification_attempts") == 0
    assert await shop.count("audit_entries", "action = 'partnerTest' AND operation = 'NOTE'") == 1


async def test_a_partner_without_a_staging_address_cannot_be_tested(shop: Shop) -> None:
    partner = await shop.partner(stagingUrl=None)

    assert (await shop.refused(TEST, input={"partner": partner["id"]}))[:2] == ("CONFLICT", "input.partner")


async def test_a_request_is_shown_to_the_byte_and_nothing_is_sent(shop: Shop) -> None:
    partner, product = await told_partner(shop, apiKey=API_KEY)
    await shop.sell(product)
    (received,), (row,) = shop.told(), await notifications(shop, partner)

    request = (await shop(PREVIEW, input={"notification": row["id"]}))["request"]

    assert len(shop.told()) == 1
    assert request["url"] == f"{shop.sandbox.url}/partner/fiscalis"
    headers = {header["name"]: header["value"] for header in request["headers"]}
    assert headers["X-API-KEY"] == "…more"
    assert headers["webhook-id"] == received.headers["webhook-id"]
    at, body = int(headers["webhook-timestamp"]), request["body"].encode()
    assert headers["webhook-signature"] == signature(partner["secret"], headers["webhook-id"], at, body)
    for told in (received.body, body):
        assert told.partition(b'"pdf_url":')[0] == body.partition(b'"pdf_url":')[0]
    purposes = await SecretOpening.filter(purpose__startswith="a preview").values_list("purpose", flat=True)
    assert set(purposes) == {f"a preview of notification {headers['webhook-id']}"}


async def test_a_request_of_an_order_is_shown_before_the_partner_is_ever_told(shop: Shop) -> None:
    partner, product = await told_partner(shop, active=False)
    order = await shop.sell(product)
    other, unpaid = await shop.partner("other"), await shop.order(product)

    request = (await shop(PREVIEW, input={"order": order["id"], "partner": partner["id"]}))["request"]

    body = json.loads(request["body"])
    assert (body["order_id"], body["event_type"]) == (order["number"], "order.created")
    assert body["invoice"]["number"] == order["invoices"][0]["number"]
    assert await shop.count("notifications") == 0
    for given, blamed in (
        ({"order": unpaid["id"], "partner": partner["id"]}, "input.order"),
        ({"order": order["id"], "partner": other["id"]}, "input.partner"),
        ({"order": order["id"]}, "input.notification"),
    ):
        assert (await shop.refused(PREVIEW, input=given))[1] == blamed


async def test_secrets_are_opened_once_for_a_round_and_the_log_says_for_how_many(shop: Shop) -> None:
    _, product = await told_partner(shop)
    await shop.sell(product)
    await many(shop, "fiscalis", 50)
    await SecretOpening.all().delete()

    await shop.work_is_done()

    openings = await SecretOpening.all()
    assert [opening.field for opening in openings] == ["signing_secret"]
    assert openings[0].purpose.startswith("50 notifications, from msg_")
