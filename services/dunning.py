"""Renewals that could not be paid: who is told, with a link that works while Stripe tries again."""

from models import ClientSubscription, Lane, Order, OrderLine
from services import letters, post
from services.clients import short
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job, later
from services.periods import moment
from services.stripe_news import Object


async def hear(row: ClientSubscription, invoice: Object) -> None:
    """A renewal was refused, of a subscription that is locked: note why, and tell, once for each of Stripe's invoices.
    `invoice` comes with its PaymentIntent, and that with its charge."""
    intent = invoice["payment_intent"] or {}
    error, charge = intent.get("last_payment_error") or {}, intent.get("latest_charge") or {}
    row.hear_of_refusal(
        invoice["id"],
        pay_url=invoice["hosted_invoice_url"],
        at=moment(charge.get("created") or invoice["created"]),
        code=short(error.get("decline_code") or error.get("code"), 100),
        message=short(error.get("message"), 500),
    )
    if row.told_of != invoice["id"]:
        row.told_of = invoice["id"]
        await later(tell_client, row)
        await later(tell_staff, row)


@job(Lane.MAIL)
async def tell_client(row: ClientSubscription) -> None:
    """Tell the client where to pay, with the same card or another; unless it was paid since."""
    if row.pay_url is None:
        return
    await row.fetch_related("client", "organization")
    letter = letters.payment_failed(
        await _notice(row),
        reason=row.failure_code,
        canceled=False,
        pay_url=row.pay_url,
        renewal=True,
        envelope=post.envelope(row.client.email, message_id(f"renewal-{row.told_of}", row)),
    )
    await post.send(row.organization_id, letter)


@job(Lane.MAIL)
async def tell_staff(row: ClientSubscription) -> None:
    """Tell whoever looks after the client, else the organization."""
    if row.pay_url is None:
        return
    await row.fetch_related("client__consultant__user", "organization")
    consultant = row.client.consultant
    letter = letters.payment_failed_for_staff(
        await _notice(row),
        client_email=row.client.email,
        client_phone=row.client.phone,
        reason=row.failure_code,
        message=row.failure_message,
        canceled=False,
        renewal=True,
        envelope=post.envelope(
            consultant.user.email if consultant else row.organization.contact_email,
            message_id(f"renewal-staff-{row.told_of}", row),
        ),
    )
    await post.send(row.organization_id, letter)


@job(Lane.MAIL)
async def tell_end(row: ClientSubscription) -> None:
    """Tell the client that it ended, since nobody paid."""
    await row.fetch_related("client", "organization")
    letter = letters.subscription_ended(
        await _notice(row),
        envelope=post.envelope(row.client.email, message_id("subscription-ended", row)),
    )
    await post.send(row.organization_id, letter)


async def _notice(row: ClientSubscription) -> letters.Notice:
    """What is owed, of the order that was paid last."""
    order = await Order.filter(subscription_id=row.id).order_by("-number").first()
    lines = await OrderLine.filter(order_id=order.id) if order else []
    return letters.Notice(
        brand=brand(row.organization), name=row.client.name, order_number=order.number if order else 0,
        amount_cents=row.amount_cents, currency=row.currency, live=row.live,
        lines=tuple((line.description, line.quantity) for line in lines),
    )  # fmt: skip
