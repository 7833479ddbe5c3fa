"""What tests of sales begun at Stripe do there: products, links and sessions that no order of ours asked for."""

from typing import Any

from models.base import parse_global_id
from tests.shop import Shop

MARIE = "marie@example.com"


async def twin(shop: Shop, product: str) -> str:
    """The product's id at Stripe, where it is made with the product."""
    await shop.work_is_done()
    (row,) = await shop.sql("SELECT stripe_id FROM products WHERE id = $1", str((parse_global_id(product) or "")[1]))
    return str(row["stripe_id"])


async def foreign_product(shop: Shop, name: str) -> str:
    """One that somebody made in the dashboard."""
    return str((await shop.dashboard.v1.products.create_async({"name": name})).id)


async def opened(shop: Shop, product: str, amount: int, quantity: int = 1, **link: Any) -> dict[str, Any]:
    """The Checkout Session that opening a payment link of a product makes."""
    price = await shop.dashboard.v1.prices.create_async({"currency": "eur", "unit_amount": amount, "product": product})
    items: Any = [{"price": price.id, "quantity": quantity}]
    made = await shop.dashboard.v1.payment_links.create_async({"line_items": items, **link})
    return dict(shop.sandbox.stripe.open_link(made.id))


async def session_of(shop: Shop, *items: Any, **more: Any) -> dict[str, Any]:
    """A Checkout Session that another program opens in the same account."""
    session = await shop.dashboard.v1.checkout.sessions.create_async(
        {"mode": "payment", "line_items": list(items), "success_url": "https://elsewhere.example/", **more}
    )
    return dict(shop.sandbox.stripe.session(session.id))


def with_tax(shop: Shop, session: dict[str, Any], tax: int) -> None:
    """As Stripe Tax does: added to the line and the total."""
    books = shop.sandbox.stripe.books
    plan = books.plan(session)
    (item,) = plan["line_items"]
    taxed = item | {"amount_tax": tax, "amount_total": item["amount_total"] + tax}
    books.store.put("checkout.plan", session["id"], plan | {"line_items": [taxed]})
    books.keep(session | {"amount_total": session["amount_total"] + tax})


async def paid(shop: Shop, session: dict[str, Any], **how: Any) -> list[dict[str, Any]]:
    """Paid by Marie, and told; the events."""
    events = await shop.sandbox.stripe.pay(session["id"], email=MARIE, **how)
    await shop.tell(events)
    return events


def intent_of(shop: Shop, session: dict[str, Any]) -> str:
    return str(shop.sandbox.stripe.session(session["id"])["payment_intent"])


async def orders(shop: Shop) -> list[dict[str, Any]]:
    found = await shop("{ orders { nodes { id } } }")
    return [await shop.see(order) for order in found["nodes"]]


async def open_conflicts(shop: Shop) -> list[dict[str, Any]]:
    found = await shop(
        "{ conflicts(filter: { resolved: false }) { nodes { id kind message proposal order { number } } } }"
    )
    return list(found["nodes"])
