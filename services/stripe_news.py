"""What Stripe tells of a payment, whoever brings it: an event, or our own question. Right in whatever order it comes.

Each function runs in a transaction, locks the order that the object names, and says in words what came of it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models import (
    Attempt,
    AttemptStatus,
    Client,
    Operation,
    Order,
    Payment,
    PaymentMethod,
    PaymentNews,
    PaymentStatus,
    rows,
)
from models.database import savepoint
from services import asking, clients, discounts, settlement, telling
from services.asking import TO_PAY
from services.outbox import NotYet
from telemetry.context import note

log = logging.getLogger("comptoir.news")

Object = dict[str, Any]
NOT_OURS = "names no order of ours"

_LOCKED = """
orders JOIN clients ON clients.id = orders.client_id
WHERE orders.id = $1 AND orders.stripe_account = $2 AND orders.live = $3 FOR UPDATE OF orders
"""
_ASKED = "order_id = $1 AND operation = ANY($2::text[]) FOR UPDATE"
_TOLD = "stripe_account = $1 AND live = $2 AND stripe_id = $3"


class NotYetKnown(NotYet):
    """It names an order that is not there (yet): it is kept and tried again, and in the end a person is told."""


@dataclass(frozen=True)
class News:
    """Where and when something was told; `event_id` is Stripe's, or a stable one of ours, `key` the idempotency key of
    the request behind it."""

    account: str
    live: bool
    at: datetime
    event_id: str
    key: str | None = None


async def session_completed(news: News, session: Object) -> str:
    """The client has been through the payment page: paid, or a debit that takes days is under way."""
    if session["mode"] == "subscription":
        return "its subscription tells of it"
    order = await _order_of(news, session)
    if order is None:
        return NOT_OURS
    attempt = await _attempt_of(order, session["id"], Operation.CHECKOUT)
    if session["payment_status"] == "paid":
        return await _session_paid(news, session, order, attempt)
    if attempt:
        attempt.process()
        await attempt.save()
    await learn(order, session)
    payment = await _payment_of(news, order, session["payment_intent"] or session["id"])
    if not payment.hears(PaymentNews.STARTED) or _is_older(news, payment):
        return "what came of this payment is known"
    return await _under_way(news, payment, session["amount_total"], session["currency"])


async def session_settled(news: News, session: Object) -> str:
    """A debit that took days has come."""
    order = await _order_of(news, session)
    if order is None:
        return NOT_OURS
    return await _session_paid(news, session, order, await _attempt_of(order, session["id"], Operation.CHECKOUT))


async def session_failed(news: News, session: Object) -> str:
    """A debit that took days has failed: nothing was given for it, and the client may pay again."""
    order = await _order_of(news, session)
    if order is None:
        return NOT_OURS
    attempt = await _attempt_of(order, session["id"], Operation.CHECKOUT)
    if attempt:
        attempt.fail()
        await attempt.save()
    payment = await _payment_of(news, order, session["payment_intent"] or session["id"])
    if not payment.hears(PaymentNews.DECLINED):
        return "what came of this payment is known"
    payment.amount_cents, payment.currency = session["amount_total"], session["currency"].upper()
    payment.hear(PaymentNews.DECLINED)
    payment.news_at = news.at
    payment.event_id = payment.event_id or news.event_id
    await payment.save()
    await telling.of_failure(payment, at_once=True)
    return "the debit failed; the client may try again"


async def session_expired(news: News, session: Object) -> str:
    """The client did not pay in time. What they left at a storefront holds no code any longer."""
    order = await _order_of(news, session)
    attempt = await _attempt_of(order, session["id"], Operation.CHECKOUT) if order else None
    if order is None or attempt is None:
        return "names no checkout of ours"
    attempt.expire()
    await attempt.save()
    await discounts.release_if_left(order)
    return "the checkout expired; the order can be paid by another"


async def intent_succeeded(news: News, intent: Object) -> str:
    """Money came by a PaymentIntent."""
    if _is_of_a_page(intent):
        return "its Checkout Session tells of it"
    order = await _order_of(news, intent)
    if order is None:
        return NOT_OURS
    attempt = await _form_of(order, intent)
    return await money_came(news, order, attempt, intent["id"], intent["amount_received"], intent["currency"])


async def intent_processing(news: News, intent: Object) -> str:
    """A debit that takes days is under way."""
    order = await _order_of(news, intent)
    if order is None:
        return NOT_OURS
    attempt = await _form_of(order, intent)
    payment = await _payment_of(news, order, intent["id"])
    if not payment.hears(PaymentNews.STARTED) or _is_older(news, payment):
        return "what came of this payment is known"
    outcome = await _under_way(news, payment, intent["amount"], intent["currency"])
    if attempt and payment.status is PaymentStatus.PROCESSING:
        attempt.process()
        await attempt.save()
    return outcome


async def intent_failed(news: News, intent: Object) -> str:
    """A try at paying was refused. The same PaymentIntent can be tried again."""
    order = await _order_of(news, intent)
    if order is None:
        return NOT_OURS
    payment = await _payment_of(news, order, intent["id"])
    if payment.status is PaymentStatus.SUCCEEDED:
        return "this payment succeeded since"
    if not payment.hears(PaymentNews.DECLINED) or _is_older(news, payment):
        return "later news of this payment are known"
    attempt = await _form_of(order, intent)
    if attempt and attempt.status is AttemptStatus.PROCESSING:
        attempt.status = AttemptStatus.OPEN  # a front end's form may be filled in again
        await attempt.save()
        await asking.forget_what_is_stale(order)  # unless what it asks for came by another way
    was_under_way = payment.status is PaymentStatus.PROCESSING
    await _failed(payment, PaymentNews.DECLINED, news, intent)
    await telling.of_failure(payment, at_once=was_under_way)
    return "the payment was declined; the client may try again"


async def intent_canceled(news: News, intent: Object) -> str:
    """A PaymentIntent was given up: by us, which is nothing to tell, or at Stripe."""
    order = await _order_of(news, intent)
    if order is None:
        return NOT_OURS
    attempt = await _form_of(order, intent)
    by_us = (news.key or "").startswith(f"order:{order.id}:") or (attempt and attempt.status is AttemptStatus.CLOSED)
    if attempt:
        attempt.close()
        await attempt.save()
    payment = await _payment_of(news, order, intent["id"])
    if not payment.hears(PaymentNews.GIVEN_UP):
        return "this payment succeeded"
    await _failed(payment, PaymentNews.GIVEN_UP, news, intent)
    if by_us or not order.is_open:
        return "cancelled by us"
    await telling.of_failure(payment, at_once=True)
    return "cancelled at Stripe; the client may try again"


async def money_came(
    news: News, order: Order, attempt: Attempt | None, stripe_id: str, cents: int, currency: str
) -> str:
    """Money came for an order, locked, by a PaymentIntent: counted once. `attempt` asked for it, where one did."""
    if attempt:
        attempt.complete()
        await rows.update(attempt, "status", "stripe_id")
    payment = await _payment_of(news, order, stripe_id)
    if not payment.hears(PaymentNews.PAID):
        return "this payment is known"
    payment.hear(PaymentNews.PAID)
    payment.event_id = news.event_id
    payment.paid_at = payment.news_at = news.at
    payment.amount_cents, payment.currency = cents, currency.upper()
    payment.failure_code = payment.failure_message = None
    asked = attempt.amount_cents if attempt else None
    return await settlement.receive(order, payment, asked_cents=asked, event_id=news.event_id)


async def learn(order: Order, session: Object) -> None:
    """Nice to know; never in the way of the payment. The order comes with its client."""
    told = session.get("customer_details") or {}
    try:
        if not clients.knows(order.client, told):
            async with savepoint():
                await clients.learn(order.client_id, told)
    except Exception:
        log.exception("order %s: what the client typed could not be kept", order.id)


async def _session_paid(news: News, session: Object, order: Order, attempt: Attempt | None) -> str:
    await learn(order, session)
    intent = session["payment_intent"] or session["id"]
    return await money_came(news, order, attempt, intent, session["amount_total"], session["currency"])


async def _failed(payment: Payment, what: PaymentNews, news: News, intent: Object) -> None:
    """As the PaymentIntent says it, which remembers why its last try was refused."""
    reason = intent.get("last_payment_error") or {}
    payment.hear(what)
    payment.event_id, payment.news_at = news.event_id, news.at
    payment.amount_cents, payment.currency = intent["amount"], intent["currency"].upper()
    payment.failure_code = clients.short(reason.get("decline_code") or reason.get("code"), 100)
    payment.failure_message = clients.short(reason.get("message"), 500)
    await payment.save()


async def _under_way(news: News, payment: Payment, cents: int, currency: str) -> str:
    # Stripe counts in whole seconds, and a failure follows what it fails.
    if payment.status is PaymentStatus.FAILED and payment.news_at and payment.news_at >= news.at:
        return "what came of this payment is known"
    payment.hear(PaymentNews.STARTED)
    payment.event_id, payment.news_at = news.event_id, news.at
    payment.amount_cents, payment.currency = cents, currency.upper()
    payment.failure_code = payment.failure_message = None
    await payment.save()
    return "a debit is under way: paid when Stripe says so"


async def _order_of(news: News, named: Object) -> Order | None:
    """The order that Stripe's metadata names, locked, with its client, who is not; None where it names none.

    Raises NotYetKnown.
    """
    order_id = order_id_of(named)
    if order_id is None:
        return None
    found = await rows.find_together((Order, Client), _LOCKED, order_id, news.account, news.live)
    if not found:
        raise NotYetKnown(f"no order {order_id} in this Stripe account and mode")
    order: Order
    ((order, order.client),) = found
    note(order_id=order.id)
    return order


def order_id_of(named: Object) -> UUID | None:
    """The order that an object's metadata names; None where it names none."""
    try:
        return UUID((named.get("metadata") or {}).get("order", ""))
    except ValueError:
        return None


async def _form_of(order: Order, intent: Object) -> Attempt | None:
    """The attempt that asked for a PaymentIntent; None for a page's, which its Checkout Session tells of."""
    return None if _is_of_a_page(intent) else await _attempt_of(order, intent["id"], Operation.PAYMENT_INTENT)


def _is_of_a_page(intent: Object) -> bool:
    return (intent.get("metadata") or {}).get("via") == "checkout"


async def _attempt_of(order: Order, stripe_id: str, operation: Operation) -> Attempt | None:
    """The attempt that asked for it, locked. One that waits for Stripe's answer learns here what it was given."""
    attempts = await rows.find(Attempt, _ASKED, order.id, TO_PAY)
    order.attempts._set_result_for_query(attempts)
    known = next((attempt for attempt in attempts if attempt.stripe_id == stripe_id), None)
    pending = next(
        (each for each in attempts if (each.status, each.operation) == (AttemptStatus.PENDING, operation)), None
    )
    if known is None and pending is not None:
        pending.stripe_id = stripe_id
    return known or pending


async def _payment_of(news: News, order: Order, stripe_id: str) -> Payment:
    """The payment of a PaymentIntent: one row, whatever is told of it and in what order."""
    known = await rows.find_one(Payment, _TOLD, news.account, news.live, stripe_id)
    return known or Payment(
        organization_id=order.organization_id, order_id=order.id, method=PaymentMethod.STRIPE,
        status=PaymentStatus.FAILED, stripe_account=news.account, live=news.live, stripe_id=stripe_id,
    )  # fmt: skip


def _is_older(news: News, payment: Payment) -> bool:
    """Whether we know of something that Stripe said of the payment after this."""
    return payment.news_at is not None and news.at < payment.news_at
