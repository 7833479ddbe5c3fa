"""Paying an order."""

from typing import Any

import models
from errors import Invalid
from policy import Permission
from resolvers.orders import items
from schema.base import given
from schema.context import Info, actor
from schema.orders import (
    CheckoutResult,
    CheckoutStarted,
    CheckoutStartInput,
    Order,
    OrderCompleted,
    PaymentConfirmInput,
    PaymentIntentResult,
    PaymentIntentStarted,
    PaymentIntentStartInput,
    PaymentRecordInput,
)
from schema.roots import exchange, mutation
from schema.scalars import CurrencyCode, Money
from services import checkout, payments, sales, stripe_accounts


@exchange(CheckoutResult, requires=Permission.CHECKOUT_START, idempotent=True)
async def checkout_start(info: Info, input: CheckoutStartInput) -> Any:
    """Give an order its Stripe payment page, the same while it can be used. From a storefront the order is made first,
    for whoever the address belongs to. A free order completes at once."""
    given(input)
    order: Any = await _order_to_pay(info, input)
    attempt: Any = await checkout.start(order, success_url=input.success_url, cancel_url=input.cancel_url or None)
    if attempt is None:
        return OrderCompleted(order=order, order_number=order.number)
    return CheckoutStarted(
        order=order,
        order_number=order.number,
        amount=_money(attempt, order),
        url=attempt.url,
        expires_at=attempt.expires_at,
    )


@exchange(PaymentIntentResult, requires=Permission.ORDERS_PAY, idempotent=True)
async def payment_intent_start(info: Info, input: PaymentIntentStartInput) -> Any:
    """Give an order its PaymentIntent, for a payment form of the front end's own (Stripe.js); the same while it can be
    used. A free order completes at once."""
    order: Any = await actor(info).get(models.Order, input.order, field="input.order")
    started = await checkout.start_intent(order)
    if started is None:
        return OrderCompleted(order=order, order_number=order.number)
    attempt, client_secret = started
    return PaymentIntentStarted(
        order=order,
        amount=_money(attempt, order),
        client_secret=client_secret,
        publishable_key=await stripe_accounts.publishable_key(attempt.stripe_account, attempt.live),
    )


@exchange(Order, requires=Permission.ORDERS_PAY)
async def payment_confirm(info: Info, input: PaymentConfirmInput) -> models.Order:
    """Ask Stripe what came of an order's payment, instead of waiting for its event."""
    order = await actor(info).get(models.Order, input.order, field="input.order")
    await payments.confirm(order)
    return order


@mutation(Order, requires=Permission.PAYMENTS_WRITE, idempotent=True)
async def payment_record(info: Info, input: PaymentRecordInput) -> models.Order:
    """Record money that came outside Stripe, in full or in part. The last part makes the order paid."""
    values = given(input)
    order = await actor(info).get(models.Order, input.order, field="input.order", for_update=True)
    await payments.record(
        order,
        input.method,
        amount_cents=input.amount.amount if input.amount else None,
        currency=input.amount.currency if input.amount else order.currency,
        paid_at=values.get("paid_at"),
        reference=values.get("reference"),
        by_id=actor(info).membership_id,
    )
    return order


async def _order_to_pay(info: Info, input: CheckoutStartInput) -> models.Order:
    """The order that is named, or, at a storefront, the one of an address and what it buys."""
    caller = actor(info)
    if not caller.is_storefront:
        if not input.order:
            raise Invalid("Name the order to pay.", field="input.order")
        return await caller.get(models.Order, input.order, field="input.order")
    if input.order:
        raise Invalid("A storefront names an e-mail address and lines instead of an order.", field="input.order")
    if not input.email:
        raise Invalid("Give the client's e-mail address.", field="input.email")
    if not input.lines:
        raise Invalid("Give 1 to 100 lines.", field="input.lines")
    if any(line.discount for line in input.lines):
        raise Invalid("A storefront gives no discounts but by a code.", field="input.lines")
    known = {name: value for name, value in given(input).items() if name in ("first_name", "last_name", "phone")}
    checkout.check_return(input.success_url, "input.successUrl")
    checkout.check_return(input.cancel_url or None, "input.cancelUrl")
    return await sales.create_at_storefront(
        caller.organization_id,
        input.email,
        await items(caller, input.lines),
        code=input.discount_code or None,
        known=known,
    )


def _money(attempt: models.Attempt, order: models.Order) -> Money:
    return Money(amount=attempt.amount_cents or order.due_cents, currency=CurrencyCode(order.currency))
