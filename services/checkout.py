"""Asking a client for what is due: a Checkout Session of Stripe's, or a PaymentIntent for the front end's own form."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import errors
from models import Attempt, Opportunity, Order, OrderKind, OrderStatus
from models.database import transaction
from services import asking, discounts, holds, organizations, settlement, stripe_accounts, twins
from services.checkout_requests import (
    AskForMoney,
    CreateCoupon,
    OpenIntent,
    OpenSession,
    OpenSubscription,
    changed,
    shown_discount,
)
from services.exchange import carry_out
from services.outside import outside

log = logging.getLogger("comptoir.checkout")

TRIES = 3  # the order may change while Stripe is asked


async def start(order: Order, *, success_url: str, cancel_url: str | None) -> Attempt | None:
    """The order's payment page, for what is due now; None where the order was free and is now complete.

    Raises Conflict (nothing to pay), Invalid (return addresses), NotConfigured (no key) or what Stripe said.
    """
    for field, url in (("input.successUrl", success_url), ("input.cancelUrl", cancel_url)):
        check_return(url, field)
    with _alarming(order):
        return await _ask(order, lambda: _session_of(order, success_url, cancel_url))


async def start_intent(order: Order) -> tuple[Attempt, str] | None:
    """The order's PaymentIntent for what is due now, and its client secret; None where the order was free and is now
    complete. Raises like `start`."""
    order.must_be_sold_once()
    with _alarming(order):
        attempt = await _ask(order, lambda: _intent_of(order))
        if attempt is None:
            return None
        assert attempt.stripe_id is not None
        stripe = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        intent = await stripe.payment_intent(attempt.stripe_id)
    assert intent.client_secret is not None
    return attempt, intent.client_secret


def check_return(url: str | None, field: str) -> None:
    """Clients are sent back to our own front ends only. Raises Invalid."""
    settings = outside().settings
    ours = {_origin(place) for place in (settings.app_url, settings.sandbox_url, *settings.allowed_origins) if place}
    if url is not None and _origin(url) not in ours:
        raise errors.Invalid(
            "This address is not one of your front ends. Add its origin to ALLOWED_ORIGINS.", field=field
        )


@contextmanager
def _alarming(order: Order) -> Iterator[None]:
    """A payment that cannot be created is an alert: a client wants to pay, and cannot."""
    try:
        yield
    except (errors.ProviderError, errors.NotConfigured) as error:
        log.error("order %s: no payment could be created: %s", order.id, error)
        raise


async def _ask(order: Order, exchange: Callable[[], Awaitable[AskForMoney]]) -> Attempt | None:
    if order.is_free and order.status is OrderStatus.PAID:
        return None  # asked before, by somebody whom the answer did not reach
    order.must_be_open()
    if not await stripe_accounts.serves(order.stripe_account, order.live):
        raise errors.Conflict(
            "This order was made in an account or mode of Stripe's that is not connected now. Create a new order.",
            field="input.order",
        )
    async with transaction():
        locked = await Order.select_for_update().get(id=order.id)
        locked.must_be_open()
        order.client_id = locked.client_id  # they may have been merged into another since
        await _must_be_wanted(locked)
        await holds.hold_again(locked)
        await discounts.hold_again(locked)
        if locked.is_free:
            await settlement.complete_free(locked)
            return None
        await organizations.must_be_complete(locked.organization_id)
    await order.fetch_related("client", "lines__product")
    try:
        await twins.make(order)
        for _ in range(TRIES):
            await order.refresh_from_db()
            asked = await exchange()
            await asking.take_back(order, keep=asked.operation)
            attempt = await carry_out(asked)
            await asking.must_be_the_last(attempt)
            await order.refresh_from_db()
            now = datetime.now(UTC)
            if order.is_open and await asking.can_be_used(order, attempt, asked.operation, now):
                await asking.take_back(order, keep=asked.operation)
                return attempt
    except errors.Gone:
        await twins.forget(order)
        raise
    await asking.take_back(order)
    order.must_be_open()
    raise changed()


async def _must_be_wanted(order: Order) -> None:
    """Raises Conflict for an opportunity that is not won any more: a worker is about to give its order up."""
    if order.kind is OrderKind.OPPORTUNITY and not await Opportunity.exists(order_id=order.id, won_at__isnull=False):
        raise errors.Conflict(
            f"What order {order.number} is for is not agreed any more: it is being given up.", field="input.order"
        )


async def _session_of(order: Order, success_url: str, cancel_url: str | None) -> OpenSession:
    """With the coupon that it shows, made before it."""
    coupon = await carry_out(CreateCoupon(order)) if shown_discount(order) else None
    opens = OpenSubscription if order.kind is OrderKind.SUBSCRIPTION else OpenSession
    return opens(order, success_url, cancel_url, coupon)


async def _intent_of(order: Order) -> OpenIntent:
    return OpenIntent(order)


def _origin(url: str) -> tuple[str, str]:
    at = urlsplit(url)
    return at.scheme, at.netloc
