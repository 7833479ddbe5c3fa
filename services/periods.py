"""A period of a subscription that is paid, or could not be: Stripe's invoice of it, and our order."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, overload

from models import Attempt, AttemptStatus, ClientSubscription, Operation, Order, OrderKind, OrderLine, OrderSource
from services import foreign_sales, sales, settlement
from services import stripe_news as news_of_payments
from services.stripe_accounts import Place
from services.stripe_news import News, Object, order_id_of

FIRST = "subscription_create"
"""The `billing_reason` of the invoice that begins a subscription."""


async def take(news: News, row: ClientSubscription, invoice: Object, session: Object | None) -> str:
    """Make an order of a paid invoice, once; or settle the order that its subscription was begun by. The subscription
    is locked. Says what came of it."""
    mine = {"stripe_account": news.account, "live": news.live, "stripe_invoice_id": invoice["id"]}
    if await Order.exists(**mine):
        return "this period's order is known"
    begun = await _begun(row, invoice)
    if begun:
        await _fill(begun, invoice)
        order, attempt = begun, await _attempt(begun)
    else:
        lines = await _lines(news, invoice)
        if lines is None:
            return await _flag(news, row, invoice)
        order, attempt = await _renewal(row, invoice, lines), None
    order.update_from_dict({"subscription_id": row.id, "stripe_invoice_id": invoice["id"]})
    await order.save(update_fields=["subscription_id", "stripe_invoice_id"])
    if session and invoice["billing_reason"] == FIRST:
        await order.fetch_related("client")
        await news_of_payments.learn(order, session)
    if order.is_free:
        await settlement.complete_free(order)
        return f"order {order.number} is free"
    paid_by = _id(invoice["payment_intent"]) or invoice["id"]
    return await news_of_payments.money_came(news, order, attempt, paid_by, invoice["amount_paid"], invoice["currency"])


async def refused(news: News, invoice: Object) -> str | None:
    """The first payment was refused: told like that of any order, since the client may still be at the page."""
    intent = invoice["payment_intent"]
    if order_id_of(invoice["subscription_details"]) is None or not intent or not intent["last_payment_error"]:
        return None
    order = {"order": str(order_id_of(invoice["subscription_details"])), "via": "checkout"}
    return await news_of_payments.intent_failed(news, intent | {"metadata": order})


@overload
def moment(seconds: int) -> datetime: ...
@overload
def moment(seconds: None) -> None: ...
def moment(seconds: int | None) -> datetime | None:
    """Stripe's unix seconds as a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


async def _begun(row: ClientSubscription, invoice: Object) -> Order | None:
    """The order that began the subscription, locked, where it is this invoice that pays it."""
    order_id = order_id_of(invoice["subscription_details"]) if invoice["billing_reason"] == FIRST else None
    if order_id is None:
        return None
    order = await Order.select_for_update().get_or_none(
        id=order_id, stripe_account=row.stripe_account, live=row.live, kind=OrderKind.SUBSCRIPTION
    )
    return order if order and order.subscription_id is None else None


async def _fill(order: Order, invoice: Object) -> None:
    """The lines of the order learn for which period they are."""
    period = next((line["period"] for line in invoice["lines"]["data"] if line["type"] == "subscription"), None)
    if period:
        await OrderLine.filter(order_id=order.id).update(**_period(period))


async def _attempt(order: Order) -> Attempt | None:
    """The newest session that the order was to be paid by, locked."""
    return (
        await Attempt.filter(order_id=order.id, operation=Operation.CHECKOUT)
        .exclude(status=AttemptStatus.FAILED)
        .order_by("-number")
        .select_for_update()
        .first()
    )


async def _renewal(row: ClientSubscription, invoice: Object, lines: Sequence[OrderLine]) -> Order:
    source = OrderSource.STRIPE if invoice["billing_reason"] == FIRST else OrderSource.RENEWAL
    await row.fetch_related("client")
    order = await sales.record(row.client, lines, source=source, place=Place(row.stripe_account, row.live))
    return await Order.select_for_update().get(id=order.id)


async def _lines(news: News, invoice: Object) -> list[OrderLine] | None:
    """What was invoiced, at Stripe's own prices; None where some of it is unknown, a credit, or does not add up, or
    nothing is of a period."""
    billed = invoice["lines"]["data"]
    named = [line["price"]["product"] for line in billed if line.get("price")]
    products = await foreign_sales.known_products(news, named)
    if len(named) != len(billed) or set(named) - set(products) or any(line["amount"] < 0 for line in billed):
        return None
    if not foreign_sales.may_be_invoiced(billed, products):
        return None
    if not any(line["type"] == "subscription" and line["price"]["recurring"] for line in billed):  # of no period
        return None
    items = [line | {"amount_total": line["amount"] - _off(line)} for line in billed]
    if sum(item["amount_total"] for item in items) != invoice["total"] or invoice["amount_paid"] != invoice["total"]:
        return None
    return [
        _with_period(foreign_sales.line(item, products[item["price"]["product"]], place), item)
        for place, item in enumerate(items, start=1)
    ]


def _off(line: Object) -> int:
    return sum(each["amount"] for each in line["discount_amounts"])


def _with_period(line: OrderLine, billed: Object) -> OrderLine:
    recurring = billed["price"]["recurring"]
    if billed["type"] == "subscription" and recurring:
        line.update_from_dict(_period(billed["period"]))
        line.interval, line.interval_count = recurring["interval"].upper(), recurring["interval_count"]
    return line


def _period(period: Object) -> dict[str, Any]:
    return {"period_start": moment(period["start"]), "period_end": moment(period["end"])}


def _id(named: Object | str | None) -> str | None:
    """The id of what may have been told whole."""
    return str(named["id"]) if isinstance(named, dict) else named


async def _flag(news: News, row: ClientSubscription, invoice: Object) -> str:
    """An invoice that makes no order by itself."""
    total = f"{invoice['total'] / 100:.2f} {invoice['currency'].upper()}"
    message = (
        f"Stripe's invoice {invoice['number']} of a subscription, {total}, has lines that we do not know, credits, no"
        " period, VAT in another currency than euros, or was not paid through Stripe. Make the order by hand."
    )
    await foreign_sales.note_unknown(news, row.organization_id, invoice["id"], message, invoice["currency"])
    return "flagged: an invoice that makes no order by itself"
