"""Asking a client for what is due: a Checkout Session of Stripe's, or a PaymentIntent for the front end's own form."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import stripe

import errors
from models import (
    Attempt,
    AttemptStatus,
    Client,
    Operation,
    Opportunity,
    Order,
    OrderKind,
    OrderLine,
    OrderSource,
    OrderStatus,
)
from models.database import transaction
from services import asking, booked_times, discounts, holds, organizations, settlement, stripe_accounts, twins
from services.exchange import Exchange, attempt_for, carry_out
from services.outside import outside
from services.stripe_accounts import Place

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


@contextmanager
def _alarming(order: Order) -> Iterator[None]:
    """A payment that cannot be created is an alert: a client wants to pay, and cannot."""
    try:
        yield
    except (errors.ProviderError, errors.NotConfigured) as error:
        log.error("order %s: no payment could be created: %s", order.id, error)
        raise


async def _ask(order: Order, exchange: Callable[[], Awaitable["_AskForMoney"]]) -> Attempt | None:
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
    raise _changed()


async def _must_be_wanted(order: Order) -> None:
    """Raises Conflict for an opportunity that is not won any more: a worker is about to give its order up."""
    if order.kind is OrderKind.OPPORTUNITY and not await Opportunity.exists(order_id=order.id, won_at__isnull=False):
        raise errors.Conflict(
            f"What order {order.number} is for is not agreed any more: it is being given up.", field="input.order"
        )


async def _session_of(order: Order, success_url: str, cancel_url: str | None) -> "_OpenSession":
    """With the coupon that it shows, made before it."""
    coupon = await carry_out(_CreateCoupon(order)) if _shown_discount(order) else None
    opens = _OpenSubscription if order.kind is OrderKind.SUBSCRIPTION else _OpenSession
    return opens(order, success_url, cancel_url, coupon)


async def _intent_of(order: Order) -> "_OpenIntent":
    return _OpenIntent(order)


def _shown_discount(order: Order) -> int:
    """What the payment page takes off the lines: nothing of a part, which is one line."""
    return order.discount_cents if order.due_cents == order.total_cents else 0


def _changed() -> errors.Conflict:
    return errors.Conflict("The order has changed at this moment. Try again.", field="input.order")


class _AskForMoney(asking.Asked):
    """What a client pays an order by. One at a time: while one can be used, it is the answer."""

    operation: Operation

    def __init__(self, order: Order) -> None:
        self.order = order

    async def intend(self) -> Attempt:
        order = await Order.select_for_update().get(id=self.order.id)
        usable = await asking.usable(order, self.operation)
        if usable:
            return usable
        attempt = await attempt_for(
            order, self.operation, await self._request(order), account=order.stripe_account, live=order.live
        )
        if attempt.amount_cents is None:
            attempt.amount_cents = order.due_cents
            await attempt.save(update_fields=["amount_cents"])
        return attempt

    async def _request(self, order: Order) -> dict[str, Any]:
        raise NotImplementedError


class _OpenSession(_AskForMoney):
    """The order's Checkout Session (https://docs.stripe.com/api/checkout/sessions/create)."""

    operation = Operation.CHECKOUT

    def __init__(self, order: Order, success_url: str, cancel_url: str | None, coupon: Attempt | None) -> None:
        super().__init__(order)
        self.success_url, self.cancel_url, self.coupon = success_url, cancel_url, coupon

    async def _request(self, order: Order) -> dict[str, Any]:
        """Amounts come from the order itself, never from Stripe's prices or the caller."""
        client = await Client.get(id=order.client_id)
        request: dict[str, Any] = {
            "customer": await twins.known(client, Place.of(order)),
            "client_reference_id": str(order.number),
            "metadata": {"order": str(order.id)},
            "success_url": self.success_url,
            "locale": "fr",
            "phone_number_collection": {"enabled": True},
            "billing_address_collection": "auto" if client.address else "required",  # it stands on the invoice
        }
        request |= await self._mode(order)
        if _shown_discount(order) != (self.coupon.request["amount_off"] if self.coupon else 0):
            raise _changed()  # since the coupon was made
        if self.coupon:
            request["discounts"] = [{"coupon": self.coupon.stripe_id}]
        return request | ({"cancel_url": self.cancel_url} if self.cancel_url else {})

    async def _mode(self, order: Order) -> dict[str, Any]:
        return (
            {
                "mode": "payment",
                # `via`: what the client types is in the session, so the session tells of the payment.
                "payment_intent_data": {"metadata": {"order": str(order.id), "via": "checkout"}},
                "line_items": await self._items(order),
            }
            | await _ends(order)
            | _methods(order)
        )

    async def _items(self, order: Order) -> list[dict[str, Any]]:
        """The lines as they were sold, or in one line what is due of an order that is paid in parts."""
        currency, times = order.currency.lower(), await booked_times.of(order)
        if order.due_cents != order.total_cents:
            part = "Acompte" if order.paid_cents < order.deposit_cents else "Solde"
            named = {"name": f"{part} de la commande n° {order.number}"} | _held(times)
            price = {"currency": currency, "product_data": named, "unit_amount": order.due_cents}
            return [{"quantity": 1, "price_data": price}]
        lines = await order.lines.all().prefetch_related("product")
        if order.kind is OrderKind.OPPORTUNITY and order.source is not OrderSource.QUOTE:
            # Called as it was agreed, which the product that stands for it is not.
            return [_item(line, None, currency, times) for line in lines]
        return [_item(line, await twins.known(line.product, Place.of(order)), currency, times) for line in lines]


class _OpenSubscription(_OpenSession):
    """The Checkout Session that begins a subscription. By card: of a debit that takes days, each period, nobody would
    know whether it is paid for."""

    async def _mode(self, order: Order) -> dict[str, Any]:
        return {
            "mode": "subscription",
            "subscription_data": {"metadata": {"order": str(order.id)}},
            "line_items": await self._items(order),
            "payment_method_types": ["card"],
        }


class _CreateCoupon(Exchange[stripe.Coupon]):
    """The discount on the whole, so that the payment page shows it (https://docs.stripe.com/api/coupons/create)."""

    def __init__(self, order: Order) -> None:
        self.order = order

    async def intend(self) -> Attempt:
        order = await Order.select_for_update().get(id=self.order.id)
        request = {
            "amount_off": order.discount_cents,
            "currency": order.currency.lower(),
            "duration": "once",
            "name": (order.discount_reason or "Remise")[:40],
            "metadata": {"order": str(order.id)},
        }
        made = Attempt.filter(order_id=order.id, operation=Operation.CREATE_COUPON, status=AttemptStatus.COMPLETED)
        known = await made.order_by("-number").first()
        if known and known.request == request:
            return known
        return await attempt_for(order, Operation.CREATE_COUPON, request, account=order.stripe_account, live=order.live)

    async def call(self, attempt: Attempt) -> stripe.Coupon:
        stripe = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        return await stripe.create_coupon(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: stripe.Coupon) -> None:
        attempt.grant(answer.id)


class _OpenIntent(_AskForMoney):
    """A PaymentIntent (https://docs.stripe.com/api/payment_intents/create)."""

    operation = Operation.PAYMENT_INTENT

    async def _request(self, order: Order) -> dict[str, Any]:
        client = await Client.get(id=order.client_id)
        return {
            "amount": order.due_cents,
            "currency": order.currency.lower(),
            "customer": await twins.known(client, Place.of(order)),
            "description": booked_times.named(f"Commande n° {order.number}", await booked_times.of(order)),
            "metadata": {"order": str(order.id)},
        } | (_methods(order) or {"automatic_payment_methods": {"enabled": True}})


def _item(line: OrderLine, product: str | None, currency: str, times: str | None) -> dict[str, Any]:
    """A line at its price; with a discount of its own one price of the whole, since Stripe has none of a line. `times`
    are said of what is booked, which is no product of the catalogue then; nor is what has no `product`."""
    if not line.discount_cents:
        once = {"product_data": {"name": line.description} | _held(times)}
        sold = once if times or product is None else {"product": product}
        plain: dict[str, Any] = {"currency": currency, "unit_amount": line.unit_price_cents} | sold
        if line.interval:
            plain["recurring"] = {"interval": line.interval.lower(), "interval_count": line.interval_count}
        return {"quantity": line.quantity, "price_data": plain}
    count = f"{line.quantity} × " if line.quantity > 1 else ""
    named = {"name": f"{count}{line.description}, remise déduite"} | _held(times)
    price: dict[str, Any] = {"currency": currency, "product_data": named, "unit_amount": line.total_cents}
    return {"quantity": 1, "price_data": price}


def _held(times: str | None) -> dict[str, str]:
    """What Stripe shows under the name of what is sold."""
    return {"description": times} if times else {}


async def _ends(order: Order) -> dict[str, Any]:
    """A page by which a place is paid is good for as long as that is held, where it is."""
    ends_at = await holds.page_ends_at(order)
    return {"expires_at": int(ends_at.timestamp())} if ends_at else {}


def _methods(order: Order) -> dict[str, Any]:
    """Those of the settings; left out, those that are switched on at Stripe. A SEPA debit is in euros only. A place is
    paid by card: nobody holds it for the days that a debit takes."""
    if order.kind is OrderKind.BOOKING:
        return {"payment_method_types": ["card"]}
    methods = [
        each for each in outside().settings.stripe_payment_methods if each != "sepa_debit" or order.currency == "EUR"
    ]
    return {"payment_method_types": methods} if methods else {}


def check_return(url: str | None, field: str) -> None:
    """Clients are sent back to our own front ends only. Raises Invalid."""
    settings = outside().settings
    ours = {_origin(place) for place in (settings.app_url, settings.sandbox_url, *settings.allowed_origins) if place}
    if url is not None and _origin(url) not in ours:
        raise errors.Invalid(
            "This address is not one of your front ends. Add its origin to ALLOWED_ORIGINS.", field=field
        )


def _origin(url: str) -> tuple[str, str]:
    at = urlsplit(url)
    return at.scheme, at.netloc
