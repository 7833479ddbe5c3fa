"""The twins of our rows at Stripe: a client's customer, a product's product. Made once in each account and mode."""

from typing import Any

import stripe

from models import Attempt, AttemptStatus, Client, Operation, Order, Product
from services.exchange import Exchange, attempt_for, carry_out
from services.outside import outside

PLATFORM = "platform"  # the Stripe account of the installation


async def make(order: Order) -> None:
    """The twins that an order's payment names; the order comes with its client, and lines with their products."""
    await make_customer(order.client, order.stripe_account, order.live)
    for product in {line.product_id: line.product for line in order.lines}.values():
        await make_product(product, order.stripe_account, order.live)


async def make_customer(client: Client, account: str, live: bool) -> str:
    """The id of a client's twin, made where there is none yet."""
    return str((await carry_out(_CreateCustomer(client, account, live))).stripe_id)


async def make_product(product: Product, account: str, live: bool) -> None:
    """A product's twin, where there is none yet, and the price of one that recurs."""
    await carry_out(_CreateProduct(product, account, live))
    if product.recurs:
        await make_price(product, account, live)


async def make_price(product: Product, account: str, live: bool) -> str:
    """The id of a recurring product's price at Stripe, made where its price or periods are new. What was subscribed to
    at another price keeps it; nothing more is sold at it."""
    made = await carry_out(_CreatePrice(product, account, live))
    stripe = outside().stripe
    of_product = Attempt.filter(
        product_id=product.id, operation=Operation.CREATE_PRICE, status=AttemptStatus.COMPLETED,
        stripe_account=account, live=live,
    )  # fmt: skip
    for old in await of_product.exclude(stripe_id=made.stripe_id):
        await stripe.update_product(made.request["product"], {"default_price": made.stripe_id})
        await stripe.update_price(str(old.stripe_id), {"active": False})
        await Attempt.filter(id=old.id).update(status=AttemptStatus.EXPIRED)
    return str(made.stripe_id)


async def forget(order: Order) -> None:
    """Somebody deleted one at Stripe, or the order's coupon: the next try makes new ones."""
    await Client.filter(id=order.client_id).update(stripe_id=None)
    for line in order.lines:
        await forget_product(line.product)
    coupons = Attempt.filter(order_id=order.id, operation=Operation.CREATE_COUPON, status=AttemptStatus.COMPLETED)
    await coupons.update(status=AttemptStatus.EXPIRED)


async def forget_product(product: Product) -> None:
    """Somebody deleted its twin, and its prices with it."""
    await Product.filter(id=product.id).update(stripe_id=None)
    prices = Attempt.filter(product_id=product.id, operation=Operation.CREATE_PRICE, status=AttemptStatus.COMPLETED)
    await prices.update(status=AttemptStatus.EXPIRED)


def product_request(product: Product) -> dict[str, Any]:
    """What Stripe is to know of a product, which comes with its partners. Empty strings unset what it knew."""
    partners = ",".join(link.partner.slug for link in sorted(product.partner_links, key=lambda link: link.id))
    return {
        "name": product.name,
        "description": product.description or "",
        "metadata": {"product": str(product.id), "partners": partners},
    }


class _CreateTwin(Exchange[Any]):
    """The Stripe object of a row."""

    operation: Operation

    def __init__(self, row: Client | Product, account: str, live: bool) -> None:
        self.row, self.account, self.live = row, account, live

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
        asked = product_request(self.row)  # type: ignore[arg-type]
        # At creation there is nothing to unset.
        metadata = {key: value for key, value in asked["metadata"].items() if value}
        return {"name": asked["name"], "metadata": metadata} | (
            {"description": asked["description"]} if asked["description"] else {}
        )


class _CreatePrice(Exchange[stripe.Price]):
    """What a recurring product costs each period (https://docs.stripe.com/api/prices/create)."""

    def __init__(self, product: Product, account: str, live: bool) -> None:
        self.product, self.account, self.live = product, account, live

    async def intend(self) -> Attempt:
        product = await Product.select_for_update().get(id=self.product.id)
        assert product.interval is not None
        request = {
            "product": product.stripe_id,
            "currency": product.currency.lower(),
            "unit_amount": product.price_cents,
            "recurring": {"interval": product.interval.lower(), "interval_count": product.interval_count},
            "metadata": {"product": str(product.id)},
        }
        made = Attempt.filter(
            product_id=product.id, operation=Operation.CREATE_PRICE, status=AttemptStatus.COMPLETED,
            stripe_account=self.account, live=self.live,
        )  # fmt: skip
        known = await made.order_by("-number").first()
        if known and known.request == request:
            return known
        return await attempt_for(product, Operation.CREATE_PRICE, request, account=self.account, live=self.live)

    async def call(self, attempt: Attempt) -> stripe.Price:
        return await outside().stripe.create_price(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: stripe.Price) -> None:
        attempt.grant(answer.id)
