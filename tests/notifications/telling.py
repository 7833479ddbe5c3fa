"""What tests of notifications do to partners: set, disable, send again, and have very many due."""

from typing import Any

from tests.shop import Shop

UPDATE = "mutation ($input: PartnerUpdateInput!) { partnerUpdate(input: $input) { partner { id } } }"
RESEND = """mutation ($input: NotificationResendInput!) {
  notificationResend(input: $input) { notification { status attemptsLeft nextAttemptAt } }
}"""
ENDPOINTS = """query ($id: ID!) { partner(id: $id) { endpoints {
  id live failures breaker heldUntil openedAt disabledAt disabledReason
} } }"""
NOTIFICATIONS = """query ($filter: NotificationFilter) { notifications(first: 100, filter: $filter) { nodes {
  id status attemptsLeft nextAttemptAt attempts { number statusCode error response startedAt }
} } }"""


async def told_partner(shop: Shop, slug: str = "fiscalis", **values: Any) -> tuple[dict[str, Any], str]:
    """A partner, set so, and a product of which they are told."""
    partner = await shop.partner(slug)
    if values:
        await shop(UPDATE, input={"partner": partner["id"]} | values)
    return partner, await shop.product(partners=(partner,))


async def endpoint(shop: Shop, partner: dict[str, Any]) -> dict[str, Any]:
    """The staging one, as the API shows it."""
    (found,) = [each for each in (await shop(ENDPOINTS, id=partner["id"]))["endpoints"] if not each["live"]]
    return dict(found)


async def notifications(shop: Shop, partner: dict[str, Any]) -> list[dict[str, Any]]:
    """What a partner was and will be told, oldest first."""
    found = await shop(NOTIFICATIONS, filter={"partner": partner["id"]})
    return list(found["nodes"])[::-1]


async def many(shop: Shop, slug: str, count: int, status: str = "PENDING") -> None:
    """As many more notifications like the one that a partner was told, due now, or failed."""
    await shop.sql(
        "INSERT INTO notifications (id, created_at, organization_id, partner_id, order_id, invoice_id, event_type,"
        " event_id, payload, live, status, attempts_left, next_attempt_at)"
        " SELECT gen_random_uuid(), now(), n.organization_id, n.partner_id, n.order_id, n.invoice_id,"
        " 'order.created.' || more, n.event_id, n.payload, n.live, $2::varchar, 3,"
        " CASE WHEN $2::varchar = 'PENDING' THEN now() END"
        " FROM notifications n JOIN partners p ON p.id = n.partner_id, generate_series(1, $3) AS more"
        " WHERE p.slug = $1 AND n.event_type = 'order.created'",
        slug, status, count,
    )  # fmt: skip
