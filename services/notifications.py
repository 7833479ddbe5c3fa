"""Telling partners: an order's notification, its three attempts, and sending it again.

The body and the policy are the partner guide's; the signature is Standard Webhooks' beside it.
"""

import logging
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from errors import Conflict
from models import (
    ATTEMPTS,
    Invoice,
    Lane,
    Notification,
    NotificationAttempt,
    NotificationStatus,
    Order,
    OrderLine,
    Partner,
)
from models.amounts import breakdown
from models.database import transaction
from providers.webhooks import Answer, signature
from services import files, invoices, vault
from services.invoice_content import sold
from services.outbox import Again, hasten, job, later, owes
from services.outside import outside

log = logging.getLogger("comptoir.notifications")

# How long to wait, by how many attempts are left after a failure (the partner guide: 5 min, then 30 min).
PAUSES = {2: timedelta(minutes=5), 1: timedelta(minutes=30)}
ANSWER_KEPT = 4096  # bytes


async def promise(order: Order, issued: Sequence[Invoice]) -> None:
    """Tell each partner of its own lines once its invoice is there. The order comes as for `invoices.issue`."""
    for partner, lines in _by_partner(order).items():
        if not partner.active or (order.is_free and not partner.tell_free_orders):
            continue
        invoice = _invoice_of(partner, lines, order, issued)
        payload = orjson.dumps(_payload(order, lines)).decode()
        notification = await Notification.create(
            organization_id=order.organization_id, partner=partner, order=order, invoice=invoice,
            event_type="order.created", event_id=order.event_id, payload=payload, live=order.live,
        )  # fmt: skip
        await later(deliver, notification, after=await invoices.rendering(invoice) if invoice else None)


@job(Lane.DELIVER, timeout=30)
async def deliver(notification: Notification) -> None:
    """One attempt, if one is due."""
    if notification.status is not NotificationStatus.PENDING:
        return
    if notification.next_attempt_at and notification.next_attempt_at > datetime.now(UTC):
        raise Again(notification.next_attempt_at, "the next attempt is not due yet")
    await notification.fetch_related("partner", "invoice", "organization")
    url, started = notification.partner.url(notification.live), datetime.now(UTC)
    answer = await _post(notification, url) if url else Answer(0, error=_no_address(notification), refused=True)
    await _record(notification, url or "", started, answer)
    if notification.status is NotificationStatus.PENDING and notification.next_attempt_at:
        raise Again(notification.next_attempt_at, answer.error or f"answered {answer.status}")


async def resend(notification: Notification) -> Notification:
    """A fresh round of attempts, from now, with the same ids. Raises Conflict while one is under way."""
    notification.status, notification.attempts_left = NotificationStatus.PENDING, ATTEMPTS
    notification.next_attempt_at = notification.delivered_at = None
    await notification.save()
    if await hasten(deliver, notification):
        return notification
    if await owes(deliver, notification):
        raise Conflict(
            "This notification is being sent at this moment, or waits for its invoice.", field="input.notification"
        )
    await notification.fetch_related("invoice")
    invoice = notification.invoice
    rendered = await later(invoices.render, invoice) if invoice and not invoice.is_rendered else None
    await later(deliver, notification, after=rendered)
    return notification


def _by_partner(order: Order) -> dict[Partner, list[OrderLine]]:
    told: dict[Partner, list[OrderLine]] = {}
    for line in order.lines:
        for partner in invoices.partners_of(line):
            told.setdefault(partner, []).append(line)
    return told


def _invoice_of(
    partner: Partner, lines: Sequence[OrderLine], order: Order, issued: Sequence[Invoice]
) -> Invoice | None:
    """The partner's own, else one of nothing but the partner's lines: an invoice of others is not theirs to see."""
    own = [invoice for invoice in issued if invoice.partner_id == partner.id]
    for invoice in own or issued:
        theirs = [line for line in order.lines if _brand_id(line) == invoice.partner_id]
        if all(line in lines for line in theirs):
            return invoice
    return None


def _brand_id(line: OrderLine) -> UUID | None:
    brand = invoices.brand_of(line)
    return brand.id if brand else None


def _payload(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """The guide's body but for the invoice, which is added at each attempt."""
    client, paid_at = order.client, _iso(order.paid_at)
    amounts = breakdown([sold(line) for line in lines])
    return {
        "event_type": "order.created",
        "event_id": order.event_id,
        "order_id": order.number,
        "timestamp": paid_at,
        "customer": {
            "first_name": client.first_name,
            "last_name": client.last_name,
            "email": client.email,
            "phone": client.phone,
        },
        "order": {
            "total_amount": _euros(amounts.gross_cents),
            "currency": order.currency,
            "payment_date": paid_at,
            "products": [
                {
                    "product_id": line.product.stripe_id or str(line.product_id),
                    "product_name": line.description,
                    "quantity": line.quantity,
                    "unit_price": _euros(amount.unit_price_net_cents),
                }
                for line, amount in zip(lines, amounts.lines, strict=True)
            ],
        },
    }


async def _post(notification: Notification, url: str) -> Answer:
    invoice = notification.invoice
    told = {"pdf_url": await files.direct_link(invoice), "number": invoice.number} if invoice else None
    body = orjson.dumps(orjson.loads(notification.payload) | {"invoice": told})
    return await outside().courier.post(url, body, await _headers(notification, body))


async def _headers(notification: Notification, body: bytes) -> dict[str, str]:
    partner, timestamp = notification.partner, int(datetime.now(UTC).timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"{_token(notification.organization.brand_name)}-Webhook/1.0",
        "webhook-id": notification.webhook_id,
        "webhook-timestamp": str(timestamp),
    }
    if secret := await vault.open(partner, "signing_secret", f"notification {notification.webhook_id}"):
        headers["webhook-signature"] = signature(secret, notification.webhook_id, timestamp, body)
    if api_key := await vault.open(partner, "api_key", f"notification {notification.webhook_id}"):
        headers["X-API-KEY"] = api_key
    return headers


async def _record(notification: Notification, url: str, started: datetime, answer: Answer) -> None:
    """Keep the attempt and what it means for the notification, at once."""
    async with transaction():
        locked = await Notification.select_for_update().get(id=notification.id)
        made = await NotificationAttempt.filter(notification_id=notification.id).count()
        await NotificationAttempt.create(
            organization_id=notification.organization_id, notification=notification, number=made + 1, url=url,
            started_at=started, duration_ms=answer.duration_ms, status_code=answer.status,
            error=answer.error, response=_kept(answer.body) if answer.status else None,
        )  # fmt: skip
        if locked.status is NotificationStatus.PENDING:
            _judge(locked, answer)
            await locked.save()
    notification.status, notification.next_attempt_at = locked.status, locked.next_attempt_at
    if locked.status is NotificationStatus.FAILED:
        log.error("partner %s was not told of %s: %s", notification.partner.slug, notification.event_id,
                  answer.error or f"answered {answer.status}")  # fmt: skip


def _judge(notification: Notification, answer: Answer) -> None:
    """What an answer means for a notification that is still to be delivered."""
    notification.attempts_left -= 1
    notification.next_attempt_at = None
    if answer.accepted:
        notification.status, notification.delivered_at = NotificationStatus.DELIVERED, datetime.now(UTC)
    elif answer.final or not notification.attempts_left:
        notification.status = NotificationStatus.FAILED
    else:
        notification.next_attempt_at = datetime.now(UTC) + PAUSES[notification.attempts_left]


def _kept(body: bytes) -> str:
    return body[:ANSWER_KEPT].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _no_address(notification: Notification) -> str:
    kind = "production" if notification.live else "staging"
    return f"the partner has no {kind} address: set one, then send again"


def _token(brand: str) -> str:
    """A brand as a product token of User-Agent (RFC 9110, section 10.1.5)."""
    plain = unicodedata.normalize("NFKD", brand).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]", "", plain) or "Comptoir"


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _euros(cents: int) -> float:
    return cents / 100
