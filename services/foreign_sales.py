"""Sales that began at Stripe itself: a payment link, a product's page. Of what we know they become orders; any other
is left for a person."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models import (
    Client,
    Conflict,
    ConflictKind,
    Order,
    OrderLine,
    OrderSource,
    Organization,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Product,
)
from models.organization import can_be_invoiced
from services import clients, sales, settlement, stripe_accounts, twins
from services.pricing import QUANTITY_MOST, TOTAL_MOST
from services.stripe_accounts import Place
from services.stripe_news import News, Object, order_id_of

log = logging.getLogger("comptoir.foreign_sales")

SESSIONS = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
Outcome = tuple[str, datetime | None]  # in words, and when it was flagged for an operator


@dataclass(frozen=True)
class Sale:
    """A Checkout Session that names no order of ours, with its line items; or a PaymentIntent without a session."""

    paid: Object
    items: Sequence[Object] | None = None


async def ask(news: News, event_type: str, named: Object) -> Sale | None:
    """Ask Stripe what was sold, outside any transaction; None for what is no such sale."""
    if order_id_of(named) is not None:
        return None
    if event_type in SESSIONS and named["mode"] == "payment" and named["payment_status"] == "paid":
        stripe = await stripe_accounts.at(news.account, news.live)
        return Sale(named, [item.to_dict() for item in await stripe.line_items(named["id"])])
    if event_type == "payment_intent.succeeded" and not named.get("invoice"):
        stripe = await stripe_accounts.at(news.account, news.live)
        of_session = await stripe.sessions_of_intent(named["id"])
        return None if of_session else Sale(named)
    return None


async def take(news: News, sale: Sale) -> Outcome:
    """An order, paid, of a sale of what we know; a row for a person, or an alert, of any other."""
    products = await _products(news, sale)
    lines = _lines(sale, products)
    email = (sale.paid.get("customer_details") or {}).get("email")
    if lines and email and len({product.organization_id for product in products.values()}) == 1:
        return await _order(news, sale, lines, email), None
    return await _flag(news, sale, products)


async def known_products(news: News, named: Sequence[str]) -> dict[str, Product]:
    """Those that we know, by Stripe's id."""
    return await twins.products(news.account, news.live, named)


async def client_of(news: News, organization_id: UUID, customer: str, email: str | None) -> Client | None:
    """Who a customer of Stripe's is, by id or else by address, made where new; None where no address is known."""
    known = await twins.client(news.account, news.live, customer)
    if known and known.organization_id != organization_id:
        known = None
    return known or (await clients.find_or_make(organization_id, email) if email else None)


def may_be_invoiced(items: Sequence[Object], products: Mapping[str, Product]) -> bool:
    """Whether their VAT can be told in the currency that they were paid in; a person settles any other."""
    return all(can_be_invoiced(products[item["price"]["product"]].vat_rate, item["currency"].upper()) for item in items)


def line(item: Object, product: Product, place: int) -> OrderLine:
    """A line of an order at Stripe's own price, unsaved. `item`: its price, quantity, currency and `amount_total`."""
    quantity, total = item["quantity"], item["amount_total"]
    unit, name = item["price"]["unit_amount"], product.name
    if unit is None or quantity > QUANTITY_MOST or unit * quantity < total:  # taxes on top, a price of tiers
        quantity, unit, name = 1, total, f"{quantity} × {product.name}"[:200] if quantity > 1 else product.name
    return OrderLine(
        position=place, product=product, description=name, quantity=quantity, unit_price_cents=unit,
        discount_cents=unit * quantity - total, currency=item["currency"].upper(), vat_rate=product.vat_rate,
        total_cents=total,
    )  # fmt: skip


async def flag(news: News, sold: Object, message: str, products: dict[str, Product]) -> Outcome:
    """Leave what was sold at Stripe for a person: a row of the organization whose it seems, else an alert."""
    organization_id = await _organization(news, sold, products)
    if organization_id is None:
        log.error("event %s: %s Nobody's client or product is named.", news.event_id, message)
        return "flagged for an operator: nobody's client or product is named", datetime.now(UTC)
    await note_unknown(news, organization_id, sold["id"], message, sold["currency"])
    return "flagged: sold at Stripe, not in the catalogue", None


async def note_unknown(news: News, organization_id: UUID, reference: str, message: str, currency: str) -> None:
    """A row for a person, once for each thing that was sold."""
    level = logging.ERROR if news.account == stripe_accounts.PLATFORM else logging.WARNING  # theirs signs what it likes
    log.log(level, "organization %s, event %s: %s", organization_id, news.event_id, message)
    await Conflict.get_or_create(
        organization_id=organization_id, order_id=None, kind=ConflictKind.UNKNOWN_SALE, reference=reference,
        defaults={"message": message[:500], "currency": currency.upper()},
    )  # fmt: skip


async def _products(news: News, sale: Sale) -> dict[str, Product]:
    return await known_products(news, [item["price"]["product"] for item in sale.items or () if item.get("price")])


def _lines(sale: Sale, products: dict[str, Product]) -> list[OrderLine]:
    """What was sold at Stripe's own prices, unsaved; none where some of it is unknown, or it does not add up."""
    items = sale.items
    if items is None:  # a payment without a session
        return []
    if any(not item.get("price") or item["price"]["product"] not in products for item in items):
        return []
    if any(products[item["price"]["product"]].stands_for for item in items):
        return []
    if sum(item["amount_total"] for item in items) != sale.paid["amount_total"]:  # shipping, say
        return []
    if not may_be_invoiced(items, products):
        return []
    return [line(item, products[item["price"]["product"]], place) for place, item in enumerate(items, start=1)]


async def _order(news: News, sale: Sale, lines: Sequence[OrderLine], email: str) -> str:
    intent = sale.paid["payment_intent"] or sale.paid["id"]
    if sale.paid["amount_total"] == 0:
        return "nothing was paid"
    if await Payment.exists(stripe_account=news.account, live=news.live, stripe_id=intent):
        return "this payment is known"
    organization_id = lines[0].product.organization_id
    client = await clients.find_or_make(organization_id, email)
    await clients.learn(client.id, sale.paid.get("customer_details") or {})
    order = await sales.record(client, lines, source=OrderSource.STRIPE, place=Place(news.account, news.live))
    order = await Order.select_for_update().get(id=order.id)
    payment = await Payment.create(
        organization_id=organization_id, order=order, method=PaymentMethod.STRIPE, status=PaymentStatus.SUCCEEDED,
        amount_cents=sale.paid["amount_total"], currency=order.currency, stripe_account=news.account, live=news.live,
        stripe_id=intent, event_id=news.event_id, paid_at=news.at,
    )  # fmt: skip
    return await settlement.receive(order, payment, asked_cents=None, event_id=news.event_id)


async def _flag(news: News, sale: Sale, products: dict[str, Product]) -> Outcome:
    cents = min(sale.paid.get("amount_total") or sale.paid.get("amount") or 0, TOTAL_MOST)
    message = (
        f"Sold at Stripe, not in the catalogue or not in its currency: {_named(sale)}, {cents / 100:.2f}"
        f" {sale.paid['currency'].upper()}. Make the product known and the order by hand, or refund it."
    )
    return await flag(news, sale.paid, message, products)


async def _organization(news: News, sold: Object, products: dict[str, Product]) -> UUID | None:
    """Whose sale it was: whose account, else by a product, by the customer, else of the only one that there is."""
    if owner := await stripe_accounts.owner(news.account, news.live):
        return owner
    for product in products.values():
        return product.organization_id
    customer: Any = sold.get("customer")
    if customer:
        client = await twins.client(news.account, news.live, customer)
        if client:
            return client.organization_id
    organizations = await Organization.all().limit(2)
    return organizations[0].id if len(organizations) == 1 else None


def _named(sale: Sale) -> str:
    names = [clients.short(item.get("description"), 60) or "?" for item in sale.items or ()]
    return ", ".join(names[:3]) or (clients.short(sale.paid.get("description"), 60) or "a payment")
