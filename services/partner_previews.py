"""What a partner would be sent, shown and not sent; and a test that is sent and not kept."""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from uuid_utils.compat import uuid7

from errors import Conflict
from models import Notification, Order, Partner, PartnerEvent
from models.database import transaction
from providers.webhooks import Answer
from services import audit, notifications
from services.outside import outside
from services.partner_requests import Request, Writer

TEST = "test"  # the event_type of a test


@dataclass(frozen=True, slots=True)
class Preview:
    """A request, their API key hidden. `body` is to be read as UTF-8, which it is to the byte."""

    url: str | None
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Tested:
    """A test, and what came back."""

    sent: Preview
    answer: Answer


async def of_notification(notification: Notification) -> Preview:
    """What would be sent if it were due now: really signed, its link good for 24 hours."""
    await notification.fetch_related("partner__organization", "invoice")
    return await _preview(notification, notification.partner, field="input.notification")


async def of_order(order: Order, partner: Partner) -> Preview:
    """What would be sent of a paid order, whether or not the partner was told of it; where not, under an id that no
    notification has. Raises Conflict for an order that is not paid, or has no line of the partner's."""
    event = PartnerEvent.ORDER_CREATED.value
    if made := await Notification.get_or_none(order_id=order.id, partner_id=partner.id, event_type=event):
        return await of_notification(made)
    await partner.fetch_related("organization")
    return await _preview(await notifications.draft(order, partner), partner, field="input.order")


async def _preview(notification: Notification, partner: Partner, *, field: str) -> Preview:
    invoice = notification.invoice
    if invoice and not invoice.is_rendered:
        raise Conflict("Its invoice is being made: ask again in a moment.", field=field)
    writer = await Writer.of(partner, f"a preview of notification {notification.webhook_id}")
    request = await writer.notification(notification.webhook_id, notification.payload, invoice)
    return _shown(partner, partner.url(notification.live), request)


async def send_test(partner: Partner) -> Tested:
    """Send a signed event `test` to the staging address, at once; nothing is counted or repeated. Raises Conflict
    without an address."""
    if partner.staging_url is None:
        raise Conflict("The partner has no staging address: set one (partnerUpdate).", field="input.partner")
    await partner.fetch_related("organization")
    async with transaction():
        writer = await Writer.of(partner, "a test")
        await audit.note("partnerTest", organization_id=partner.organization_id, subject=partner)
    id, now = uuid7().hex, datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"event_type": TEST, "event_id": f"test_{id}", "timestamp": now, "partner": partner.slug}
    request = writer.request(f"msg_{id}", orjson.dumps(body))
    answer = await outside().courier.post(partner.staging_url, request.body, request.headers)
    return Tested(_shown(partner, partner.staging_url, request), answer)


def _shown(partner: Partner, url: str | None, request: Request) -> Preview:
    hidden = {"X-API-KEY": f"…{partner.api_key_last4}"} if "X-API-KEY" in request.headers else {}
    return Preview(url, request.headers | hidden, request.body.decode())
