"""What Stripe tells of subscriptions, whoever brings it. Each paid invoice of Stripe's is one order of ours.

An event says that something happened; what is true now Stripe is asked, before the transaction. So events may come in
any order, and again: the last one finds what is, and an older answer changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import errors
from models import Client, ClientSubscription, Interval, Order, Organization, Product, states
from models import SubscriptionStatus as Status
from models.database import query
from providers.stripe import Stripe
from services import accesses, dunning, foreign_sales, periods, stripe_accounts
from services.foreign_sales import Outcome
from services.outbox import later
from services.stripe_news import News, NotYetKnown, Object, order_id_of
from telemetry.context import note

SUBSCRIBED = ("customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted")
BILLED = ("invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed")
"""The types of events about subscriptions, and about Stripe's own invoices."""
UNPAID_TO_THE_END = "payment_failed"
"""Why Stripe ended it (`cancellation_details`): a renewal that was never paid."""
UNPAID = (Status.PAST_DUE, Status.UNPAID)


@dataclass(frozen=True)
class Heard:
    """A subscription as Stripe told it, when it was asked; what it invoiced lately, and the session that began it."""

    told: Object
    asked_at: datetime
    invoices: Sequence[Object]
    session: Object | None = None


async def ask(news: News, event_type: str, named: Object) -> Heard | None:
    """Ask Stripe about the subscription that an event is about, outside any transaction; None where it is about none,
    or Stripe knows it no more."""
    if event_type in SUBSCRIBED:
        id, invoice = named["id"], None
    elif event_type in BILLED:
        id, invoice = named.get("subscription"), named
    elif event_type == "checkout.session.completed":
        id, invoice = named.get("subscription"), None
    else:
        return None
    try:
        return await look(await stripe_accounts.at(news.account, news.live), id, invoice) if id else None
    except errors.Gone:
        return None


async def look(stripe: Stripe, id: str, invoice: Object | None = None) -> Heard:
    """What Stripe says of a subscription now; `invoice` is one that came up. Raises Gone where there is none."""
    asked_at = await now()
    return await heard(stripe, (await stripe.subscription(id)).to_dict(), asked_at, invoice)


async def heard(stripe: Stripe, told: Object, asked_at: datetime, invoice: Object | None = None) -> Heard:
    """An answer of Stripe's with what else has to be known of it."""
    latest = told["latest_invoice"]
    invoices = [each for each in (invoice, latest) if each]
    if invoice and latest and invoice["id"] == latest["id"]:
        invoices = [latest]
    for each in invoices:
        if each["lines"]["has_more"]:
            each["lines"]["data"] = [line.to_dict() for line in await stripe.invoice_lines(each["id"])]
    sessions = []
    if any(each["billing_reason"] == periods.FIRST for each in invoices):
        sessions = await stripe.sessions_of_subscription(told["id"])
    return Heard(told, asked_at, invoices, sessions[0].to_dict() if sessions else None)


async def now() -> datetime:
    """The one clock of all processes: which answer is older is told by it."""
    (clock,) = await query("SELECT clock_timestamp() AS now")
    moment: datetime = clock["now"]
    return moment


async def take(news: News, heard: Heard) -> Outcome:
    """In a transaction: follow the subscription, and make an order of each of its invoices that is paid."""
    row = await _row(news, heard)
    if row is None:
        return await _flag(news, heard.told)
    note(subscription_id=row.id)
    await accesses.lock(row)
    if _follow(row, heard) and row.has_ended and heard.told["cancellation_details"]["reason"] == UNPAID_TO_THE_END:
        await later(dunning.tell_end, row)
    outcomes: list[str | None] = [
        await periods.take(news, row, invoice, heard.session)
        for invoice in heard.invoices
        if invoice["status"] == "paid"
    ]
    outcomes.append(await _dun(news, row, heard.told["latest_invoice"]))
    await row.save()
    await accesses.follow(row, await Organization.get(id=row.organization_id))
    return "; ".join([f"the subscription is {row.status}", *filter(None, outcomes)])[:500], None


async def names_nothing(news: News, named: Object) -> str:
    """An event that is about no subscription that Stripe knows."""
    return "about no subscription"


async def _row(news: News, heard: Heard) -> ClientSubscription | None:
    """The subscription, locked; made where it is new and of what we sell, None where it is of something else."""
    mine = {"stripe_account": news.account, "live": news.live, "stripe_id": heard.told["id"]}
    known = await ClientSubscription.select_for_update().get_or_none(**mine)
    if known:
        return known
    sold = await _sold(news, heard)
    if sold is None:
        return None
    client, product = sold
    made = ClientSubscription(
        organization_id=product.organization_id, client=client, product=product, asked_at=heard.asked_at,
        status=Status.INCOMPLETE, **mine,
    )  # fmt: skip
    made.update_from_dict(_facts(heard.told))
    made.status = Status(heard.told["status"].upper())
    await ClientSubscription.bulk_create([made], ignore_conflicts=True)
    return await ClientSubscription.select_for_update().get(**mine)


async def _sold(news: News, heard: Heard) -> tuple[Client, Product] | None:
    """Who subscribed to what: as the order says that it names, else by Stripe's product and customer."""
    order_id = order_id_of(heard.told)
    if order_id is not None:
        order = await Order.get_or_none(id=order_id, stripe_account=news.account, live=news.live).prefetch_related(
            "client", "lines__product"
        )
        if order is None:
            raise NotYetKnown(f"no order {order_id} in this Stripe account and mode")
        return order.client, order.lines[0].product
    named = [item["price"]["product"] for item in heard.told["items"]["data"]]
    products = await foreign_sales.known_products(news, named)
    if not named or set(named) - set(products) or len({each.organization_id for each in products.values()}) != 1:
        return None
    client = await foreign_sales.client_of(
        news, products[named[0]].organization_id, heard.told["customer"], _email(heard)
    )
    return (client, products[named[0]]) if client else None


def _email(heard: Heard) -> str | None:
    known = ((heard.session or {}).get("customer_details") or {}).get("email")
    return known or next((each["customer_email"] for each in heard.invoices if each["customer_email"]), None)


def _follow(row: ClientSubscription, heard: Heard) -> bool:
    """Take what was told for what is; False where something newer is known, or it has ended."""
    if heard.asked_at < row.asked_at or row.has_ended:
        return False
    row.asked_at = heard.asked_at
    row.update_from_dict(_facts(heard.told))
    row.status = states.SUBSCRIPTION.after(row.status, Status(heard.told["status"].upper()))
    return True


def _facts(told: Object) -> dict[str, Any]:
    """What a subscription says of itself, but for its status."""
    items = told["items"]["data"]
    recurring = items[0]["price"]["recurring"]
    ended = told["ended_at"] or (told["canceled_at"] if told["status"] in ("canceled", "incomplete_expired") else None)
    return {
        "quantity": items[0]["quantity"] or 1,
        "amount_cents": sum((item["price"]["unit_amount"] or 0) * (item["quantity"] or 1) for item in items),
        "currency": told["currency"].upper(),
        "interval": Interval(recurring["interval"].upper()),
        "interval_count": recurring["interval_count"],
        "current_period_start": periods.moment(told["current_period_start"]),
        "current_period_end": periods.moment(told["current_period_end"]),
        "cancel_at_period_end": told["cancel_at_period_end"],
        "canceled_at": periods.moment(told["canceled_at"]),
        "ended_at": periods.moment(ended),
    }


async def _dun(news: News, row: ClientSubscription, latest: Object | None) -> str | None:
    """A payment that was refused: what of, until when, and who has to be told of it."""
    is_open = latest is not None and latest["status"] == "open" and latest["attempted"]
    if latest is None or not is_open or row.has_ended:
        row.hear_of_no_debt()
        return None
    if row.status in UNPAID:
        await dunning.hear(row, latest)
        return "a payment was refused; Stripe tries again"
    return await periods.refused(news, latest) if row.status is Status.INCOMPLETE else None


async def _flag(news: News, told: Object) -> Outcome:
    """Of something that is not in the catalogue: a person looks."""
    named = [item["price"]["product"] for item in told["items"]["data"]]
    products = await foreign_sales.known_products(news, named)
    cents = sum((item["price"]["unit_amount"] or 0) * (item["quantity"] or 1) for item in told["items"]["data"])
    message = (
        f"Subscribed to at Stripe, not in the catalogue: {cents / 100:.2f} {told['currency'].upper()} each period. Make"
        " the product known, or end the subscription at Stripe."
    )
    return await foreign_sales.flag(news, told, message, products)
