"""Starting a checkout: the client and the products get their twins at Stripe, the order its Checkout Session."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import stripe

import errors
from models import Attempt, AttemptStatus, Client, Operation, Order, Product
from models.database import transaction
from services import sales
from services.exchange import Exchange, attempt_for, carry_out
from services.outside import outside


async def start(order: Order, *, success_url: str, cancel_url: str | None) -> Attempt | None:
    """The order's payment page, the live one where there is one; None where the order was free and is now complete.

    Raises Conflict (already paid), Invalid (return addresses), NotConfigured (no key) or what Stripe said.
    """
    order.must_be_open()
    if order.live != outside().settings.live:
        raise errors.Conflict("This order was made in Stripe's other mode. Create a new order.", field="input.order")
    for field, url in (("input.successUrl", success_url), ("input.cancelUrl", cancel_url)):
        _check_return(url, field)
    if order.is_free:
        async with transaction():
            await sales.complete_free(await Order.select_for_update().get(id=order.id))
        return None
    await order.fetch_related("client", "lines__product")
    products = {line.product_id: line.product for line in order.lines}
    await carry_out(_CreateCustomer(order.client, order))
    for product in products.values():
        await carry_out(_CreateProduct(product, order))
    try:
        return await carry_out(_OpenSession(order, success_url, cancel_url))
    except errors.Gone:
        # Somebody deleted a twin at Stripe: the next try makes new ones.
        await Client.filter(id=order.client_id).update(stripe_id=None)
        await Product.filter(id__in=list(products)).update(stripe_id=None)
        raise


class _CreateTwin(Exchange[Any]):
    """The Stripe object of a row, made once in each account and mode."""

    operation: Operation

    def __init__(self, row: Client | Product, order: Order) -> None:
        self.row, self.account, self.live = row, order.stripe_account, order.live

    async def intend(self) -> Attempt:
        row: Any = await type(self.row).select_for_update().get(id=self.row.id)
        if row.known_at(self.account, self.live):
            return Attempt(status=AttemptStatus.COMPLETED, stripe_id=row.stripe_id)
        return await attempt_for(row, self.operation, self.request(row), account=self.account, live=self.live)

    async def conclude(self, attempt: Attempt, answer: Any) -> None:
        attempt.grant(answer.id)
        await (
            type(self.row)
            .filter(id=self.row.id)
            .update(stripe_id=answer.id, stripe_account=self.account, stripe_live=self.live)
        )

    def request(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError


class _CreateCustomer(_CreateTwin):
    operation = Operation.CREATE_CUSTOMER

    async def call(self, attempt: Attempt) -> stripe.Customer:
        return await outside().stripe.create_customer(attempt.request, attempt.idempotency_key)

    def request(self, row: Client) -> dict[str, Any]:
        given = {"email": row.email, "name": row.name if row.name != row.email else None, "phone": row.phone}
        return {"metadata": {"client": str(row.id)}} | {name: value for name, value in given.items() if value}


class _CreateProduct(_CreateTwin):
    operation = Operation.CREATE_PRODUCT

    async def call(self, attempt: Attempt) -> stripe.Product:
        return await outside().stripe.create_product(attempt.request, attempt.idempotency_key)

    async def intend(self) -> Attempt:
        await self.row.fetch_related("partner_links__partner")
        return await super().intend()

    def request(self, row: Product) -> dict[str, Any]:
        partners = ",".join(link.partner.slug for link in self.row.partner_links)  # type: ignore[union-attr]
        metadata = {"product": str(row.id)} | ({"partners": partners} if partners else {})
        return {"name": row.name, "metadata": metadata} | ({"description": row.description} if row.description else {})


class _OpenSession(Exchange[stripe.checkout.Session]):
    """The order's Checkout Session. One live session an order: while one can be used, it is the answer."""

    def __init__(self, order: Order, success_url: str, cancel_url: str | None) -> None:
        self.order, self.success_url, self.cancel_url = order, success_url, cancel_url

    async def intend(self) -> Attempt:
        order = await Order.select_for_update().get(id=self.order.id)
        order.must_be_open()
        # Locked: one concluded between two reads would be neither usable in the first nor pending in the second.
        earlier = await Attempt.filter(order_id=order.id, operation=Operation.CHECKOUT).select_for_update()
        if any(attempt.status is AttemptStatus.COMPLETED for attempt in earlier):
            raise errors.Conflict(
                f"A payment of order {order.number} is under way, or looked at by a person.", field="input.order"
            )
        now = datetime.now(UTC)
        usable = [
            attempt for attempt in earlier if attempt.status is AttemptStatus.OPEN and (attempt.expires_at or now) > now
        ]
        return (
            usable[0]
            if usable
            else await attempt_for(
                order, Operation.CHECKOUT, await self._request(), account=order.stripe_account, live=order.live
            )
        )

    async def call(self, attempt: Attempt) -> stripe.checkout.Session:
        return await outside().stripe.create_checkout_session(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: stripe.checkout.Session) -> None:
        attempt.grant(answer.id, answer.url, datetime.fromtimestamp(answer.expires_at, UTC))

    async def _request(self) -> dict[str, Any]:
        """Amounts come from the order's own lines, never from Stripe's prices or the caller."""
        client = await Client.get(id=self.order.client_id)
        lines = await self.order.lines.all().prefetch_related("product")
        named = {"order": str(self.order.id)}
        request: dict[str, Any] = {
            "mode": "payment",
            "payment_method_types": ["card"],
            "customer": client.stripe_id,
            "client_reference_id": str(self.order.number),
            "metadata": named,
            "payment_intent_data": {"metadata": named},
            "line_items": [
                {
                    "quantity": line.quantity,
                    "price_data": {
                        "currency": line.currency.lower(),
                        "product": line.product.stripe_id,
                        "unit_amount": line.unit_price_cents,
                    },
                }
                for line in lines
            ],
            "success_url": self.success_url,
            "locale": "fr",
            "phone_number_collection": {"enabled": True},
            "billing_address_collection": "auto" if client.address else "required",  # it stands on the invoice
        }
        return request | ({"cancel_url": self.cancel_url} if self.cancel_url else {})


def _check_return(url: str | None, field: str) -> None:
    """Clients are sent back to our own front ends only."""
    settings = outside().settings
    ours = {_origin(place) for place in (settings.app_url, settings.sandbox_url, *settings.allowed_origins) if place}
    if url is not None and _origin(url) not in ours:
        raise errors.Invalid(
            "This address is not one of your front ends. Add its origin to ALLOWED_ORIGINS.", field=field
        )


def _origin(url: str) -> tuple[str, str]:
    at = urlsplit(url)
    return at.scheme, at.netloc
