"""What Stripe is asked for so that a client can pay an order: a Checkout Session with its coupon, a PaymentIntent."""

from typing import Any

import stripe

import errors
from models import Attempt, AttemptStatus, Client, Operation, Order, OrderKind, OrderLine, OrderSource
from services import asking, booked_times, holds, stripe_accounts, twins
from services.exchange import Exchange, attempt_for
from services.outside import outside
from services.stripe_accounts import Place


class AskForMoney(asking.Asked):
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


class OpenSession(AskForMoney):
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
        if shown_discount(order) != (self.coupon.request["amount_off"] if self.coupon else 0):
            raise changed()  # since the coupon was made
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


class OpenSubscription(OpenSession):
    """The Checkout Session that begins a subscription. By card: of a debit that takes days, each period, nobody would
    know whether it is paid for."""

    async def _mode(self, order: Order) -> dict[str, Any]:
        return {
            "mode": "subscription",
            "subscription_data": {"metadata": {"order": str(order.id)}},
            "line_items": await self._items(order),
            "payment_method_types": ["card"],
        }


class CreateCoupon(Exchange[stripe.Coupon]):
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


class OpenIntent(AskForMoney):
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


def shown_discount(order: Order) -> int:
    """What the payment page takes off the lines: nothing of a part, which is one line."""
    return order.discount_cents if order.due_cents == order.total_cents else 0


def changed() -> errors.Conflict:
    """What the order is asked for is not what it was a moment ago."""
    return errors.Conflict("The order has changed at this moment. Try again.", field="input.order")


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
