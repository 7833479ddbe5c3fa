"""Letters about an order that carry no invoice: a payment that failed, a welcome."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from models import Access, Dispute, Lane, Order, OrderLine, Payment, PaymentStatus, Refund, RefundStatus
from services import booked_times, letters, links, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import hasten, job, later, owes

# Whose card was declined is still looking at the page, and mostly tries another one.
PATIENCE = timedelta(minutes=15)

FAILED = (PaymentStatus.FAILED, PaymentStatus.CANCELED)


async def of_failure(payment: Payment, *, at_once: bool) -> None:
    """Promise to tell the client and the person in charge of a payment that failed or was cancelled; once a payment."""
    if payment.told_at is not None:
        return
    at = datetime.now(UTC) + (timedelta() if at_once else PATIENCE)
    for letter in (client_of_failure, staff_of_failure):
        if not await owes(letter, payment):
            await later(letter, payment, at=at)
        elif at_once:
            await hasten(letter, payment)


@job(Lane.MAIL)
async def client_of_failure(payment: Payment) -> None:
    """Tell the client, with a link to try again; unless the order was paid, or is being paid, since."""
    order = await _still_unpaid(payment)
    if order is None or payment.told_at is not None:
        return
    await post.send(
        payment.organization_id,
        letters.payment_failed(
            await notice(order, payment.amount_cents),
            reason=payment.failure_code,
            canceled=payment.status is PaymentStatus.CANCELED,
            pay_url=links.pay_link(order),
            envelope=post.envelope(order.client.email, message_id("failed", payment)),
        ),
    )
    await Payment.filter(id=payment.id).update(told_at=datetime.now(UTC))


@job(Lane.MAIL)
async def staff_of_failure(payment: Payment) -> None:
    """Tell whoever looks after the client, else the organization."""
    order = await _still_unpaid(payment)
    if order is None:
        return
    await post.send(
        payment.organization_id,
        letters.payment_failed_for_staff(
            await notice(order, payment.amount_cents),
            client_email=order.client.email,
            client_phone=order.client.phone,
            reason=payment.failure_code,
            message=payment.failure_message,
            canceled=payment.status is PaymentStatus.CANCELED,
            envelope=post.envelope(_in_charge(order), message_id("failed-staff", payment)),
        ),
    )


@job(Lane.MAIL)
async def welcome(order: Order) -> None:
    """Welcome a client to the first thing that they may use."""
    if order.welcomed_at is not None:
        return
    await order.fetch_related("client", "organization")
    accesses = await Access.filter(order_id=order.id).order_by("id").prefetch_related("product")
    await post.send(
        order.organization_id,
        letters.welcome(
            await notice(order, order.total_cents),
            products=[access.product.name for access in accesses],
            envelope=post.envelope(order.client.email, message_id("welcome", order)),
        ),
    )
    await Order.filter(id=order.id).update(welcomed_at=datetime.now(UTC))


@job(Lane.MAIL)
async def client_of_refund(refund: Refund) -> None:
    """Tell a client of money that went back without a credit note, since it was never invoiced."""
    if refund.status is not RefundStatus.SUCCEEDED:
        return
    order = await Order.get(id=refund.order_id).prefetch_related("client", "organization")
    await post.send(
        refund.organization_id,
        letters.refunded(
            await notice(order, refund.amount_cents),
            method=refund.method,
            envelope=post.envelope(order.client.email, message_id("refund", refund)),
        ),
    )


@job(Lane.MAIL)
async def staff_of_dispute(dispute: Dispute) -> None:
    """Tell whoever looks after the client, else the organization, that a payment is disputed, or what the bank said."""
    order = await Order.get(id=dispute.order_id).prefetch_related("client__consultant__user", "organization")
    due = dispute.evidence_due_at
    await post.send(
        dispute.organization_id,
        letters.dispute_for_staff(
            await notice(order, dispute.amount_cents),
            status=dispute.status,
            reason=dispute.reason,
            evidence_due_on=due.astimezone(ZoneInfo(order.organization.time_zone)).date() if due else None,
            client_email=order.client.email,
            client_phone=order.client.phone,
            envelope=post.envelope(_in_charge(order), message_id(f"dispute-{dispute.status.value.lower()}", dispute)),
        ),
    )


async def notice(order: Order, amount_cents: int) -> letters.Notice:
    """What a letter says of an order, which comes with its client and its organization."""
    lines, times = await OrderLine.filter(order_id=order.id), await booked_times.of(order)
    return letters.Notice(
        brand=brand(order.organization), name=order.client.name, order_number=order.number, amount_cents=amount_cents,
        currency=order.currency, live=order.live, 
        lines=tuple((booked_times.named(line.description, times), line.quantity) for line in lines),
    )  # fmt: skip


def _in_charge(order: Order) -> str:
    consultant = order.client.consultant
    return str(consultant.user.email if consultant else order.organization.contact_email)


async def _still_unpaid(payment: Payment) -> Order | None:
    """The order of a payment that failed, while nothing else pays it."""
    if payment.status not in FAILED:
        return None
    order = await Order.get(id=payment.order_id).prefetch_related("client__consultant__user", "organization")
    paid_since = Payment.filter(
        order_id=order.id,
        status__in=(PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED),
        created_at__gt=payment.created_at,
    )
    return order if order.is_open and not await paid_since.exists() else None
