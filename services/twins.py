"""The twins of our rows at Stripe: a client's customer, a product's product. Made once in each account and mode, and
known for ever: what was begun in an account goes on in it.

A row has the twin that was made last; those of its other accounts are in the attempts that made them.
"""

from collections.abc import Sequence
from typing import Any

import stripe

from models import Attempt, AttemptStatus, Client, Operation, Order, Product
from services import stripe_accounts
from services.exchange import Exchange, attempt_for, carry_out
from services.stripe_accounts import Place

MADE_BY: dict[type[Client] | type[Product], Operation] = {
    Client: Operation.CREATE_CUSTOMER,
    Product: Operation.CREATE_PRODUCT,
}


async def make(order: Order) -> None:
    """The twins that an order's payment names; the order comes with its client, and lines with their products."""
    place = Place.of(order)
    await make_customer(order.client, place)
    for product in {line.product_id: line.product for line in order.lines}.values():
        await make_product(product, place)


async def make_customer(client: Client, place: Place) -> str:
    """The id of a client's twin, made where there is none yet."""
    return str((await carry_out(_CreateCustomer(client, place))).stripe_id)


async def make_product(product: Product, place: Place) -> str:
    """The id of a product's twin, made where there is none yet, and the price of one that recurs."""
    made = await carry_out(_CreateProduct(product, place))
    if product.recurs:
        await make_price(product, place)
    return str(made.stripe_id)


async def make_price(product: Product, place: Place) -> str:
    """The id of a recurring product's price at Stripe, made where its price or periods are new. What was subscribed to
    at another price keeps it; nothing more is sold at it."""
    made = await carry_out(_CreatePrice(product, place))
    stripe = await stripe_accounts.at(place.account, place.live)
    for old in await _prices(product, place).exclude(stripe_id=made.stripe_id):
        await stripe.update_product(made.request["product"], {"default_price": made.stripe_id})
        await stripe.update_price(str(old.stripe_id), {"active": False})
        await Attempt.filter(id=old.id).update(status=AttemptStatus.EXPIRED)
    return str(made.stripe_id)


async def known(row: Client | Product, place: Place) -> str | None:
    """The id of a row's twin in an account and mode."""
    if row.known_at(place.account, place.live):
        return row.stripe_id
    made = await _made(row, place).order_by("-number").first()
    return made.stripe_id if made else None


async def products(account: str, live: bool, ids: Sequence[str]) -> dict[str, Product]:
    """Those that Stripe's ids in an account name, by these."""
    found = await Product.filter(stripe_account=account, stripe_live=live, stripe_id__in=list(ids))
    by_id = {str(product.stripe_id): product for product in found}
    if others := set(ids) - set(by_id):
        for made in await _named(Operation.CREATE_PRODUCT, account, live, others).prefetch_related("product"):
            if made.product:
                by_id[str(made.stripe_id)] = made.product
    return by_id


async def client(account: str, live: bool, id: str) -> Client | None:
    """Whom Stripe's id of a customer in an account names."""
    known = await Client.get_or_none(stripe_account=account, stripe_live=live, stripe_id=id)
    made = (
        None
        if known
        else await _named(Operation.CREATE_CUSTOMER, account, live, [id]).prefetch_related("client").first()
    )
    return known or (made.client if made else None)


async def forget(order: Order) -> None:
    """Somebody deleted one at Stripe, or the order's coupon: the next try makes new ones."""
    place = Place.of(order)
    await forget_customer(order.client, place)
    for line in order.lines:
        await forget_product(line.product, place)
    coupons = Attempt.filter(order_id=order.id, operation=Operation.CREATE_COUPON, status=AttemptStatus.COMPLETED)
    await coupons.update(status=AttemptStatus.EXPIRED)


async def forget_customer(client: Client, place: Place) -> None:
    """Somebody deleted a client's twin."""
    await _forget(client, place)


async def forget_product(product: Product, place: Place) -> None:
    """Somebody deleted its twin, and its prices with it."""
    await _forget(product, place)
    await _prices(product, place).update(status=AttemptStatus.EXPIRED)


def product_request(product: Product) -> dict[str, Any]:
    """What Stripe is to know of a product, which comes with its partners. Empty strings unset what it knew."""
    partners = ",".join(link.partner.slug for link in sorted(product.partner_links, key=lambda link: link.id))
    return {
        "name": product.name,
        "description": product.description or "",
        "metadata": {"product": str(product.id), "partners": partners},
    }


def _made(row: Client | Product, place: Place) -> Any:
    kind = type(row)
    return Attempt.filter(
        **{f"{kind.__name__.lower()}_id": row.id}, operation=MADE_BY[kind], status=AttemptStatus.COMPLETED,
        stripe_account=place.account, live=place.live,
    )  # fmt: skip


def _named(operation: Operation, account: str, live: bool, ids: Any) -> Any:
    return Attempt.filter(
        operation=operation, status=AttemptStatus.COMPLETED, stripe_account=account, live=live, stripe_id__in=list(ids)
    )


def _prices(product: Product, place: Place) -> Any:
    return Attempt.filter(
        product_id=product.id, operation=Operation.CREATE_PRICE, status=AttemptStatus.COMPLETED,
        stripe_account=place.account, live=place.live,
    )  # fmt: skip


async def _forget(row: Client | Product, place: Place) -> None:
    of_row = type(row).filter(id=row.id, stripe_account=place.account, stripe_live=place.live)
    await of_row.update(stripe_id=None)
    await _made(row, place).update(status=AttemptStatus.EXPIRED)


class _CreateTwin(Exchange[Any]):
    """The Stripe object of a row."""

    def __init__(self, row: Client | Product, place: Place) -> None:
        self.row, self.place = row, place

    async def intend(self) -> Attempt:
        kind = type(self.row)
        row: Any = await kind.select_for_update().get(id=self.row.id)
        if id := await known(row, self.place):
            return Attempt(status=AttemptStatus.COMPLETED, stripe_id=id)
        return await attempt_for(
            row, MADE_BY[kind], self.request(row), account=self.place.account, live=self.place.live
        )

    async def conclude(self, attempt: Attempt, answer: Any) -> None:
        attempt.grant(answer.id)
        await (
            type(self.row)
            .filter(id=self.row.id)
            .update(stripe_id=answer.id, stripe_account=self.place.account, stripe_live=self.place.live)
        )

    def request(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError


class _CreateCustomer(_CreateTwin):
    async def call(self, attempt: Attempt) -> stripe.Customer:
        asked = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        return await asked.create_customer(attempt.request, attempt.idempotency_key)

    def request(self, row: Client) -> dict[str, Any]:
        given = {"email": row.email, "name": row.name if row.name != row.email else None, "phone": row.phone}
        return {"metadata": {"client": str(row.id)}} | {name: value for name, value in given.items() if value}


class _CreateProduct(_CreateTwin):
    async def call(self, attempt: Attempt) -> stripe.Product:
        asked = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        return await asked.create_product(attempt.request, attempt.idempotency_key)

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

    def __init__(self, product: Product, place: Place) -> None:
        self.product, self.place = product, place

    async def intend(self) -> Attempt:
        product = await Product.select_for_update().get(id=self.product.id)
        assert product.interval is not None
        request = {
            "product": await known(product, self.place),
            "currency": product.currency.lower(),
            "unit_amount": product.price_cents,
            "recurring": {"interval": product.interval.lower(), "interval_count": product.interval_count},
            "metadata": {"product": str(product.id)},
        }
        last = await _prices(product, self.place).order_by("-number").first()
        if last and last.request == request:
            return last  # type: ignore[no-any-return]
        return await attempt_for(
            product, Operation.CREATE_PRICE, request, account=self.place.account, live=self.place.live
        )

    async def call(self, attempt: Attempt) -> stripe.Price:
        asked = await stripe_accounts.at(attempt.stripe_account, attempt.live)
        return await asked.create_price(attempt.request, attempt.idempotency_key)

    async def conclude(self, attempt: Attempt, answer: stripe.Price) -> None:
        attempt.grant(answer.id)
