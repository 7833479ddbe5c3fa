"""A month of mixed business: sales of every kind, played through the real services and Stripe's stand-in, after which
payments, invoices, credit notes and the books that the tax office takes agree to the cent.

The whole of it: `python -m tests.faults.month --orders 2000`.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self

import models
from sandbox.stripe_cards import DECLINED
from tests.shop import Shop

Order = dict[str, Any]
HANDS = ("TRANSFER", "CHEQUE", "CASH", "CPF")
RATES = (2000, 1000, 550, 210)
QUOTE = "mutation ($input: {0}Input!) {{ {1}(input: $input) {{ quote {{ id order {{ id }} }} }} }}"

PAYMENTS = "query ($id: ID!) { order(id: $id) { payments { id } } }"
REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }"
CREDIT = "mutation ($input: CreditNoteCreateInput!) { creditNoteCreate(input: $input) { invoice { number } } }"


@dataclass
class Month:
    """What was sold so far, and how often what happened."""

    shop: Shop
    random: Random
    products: list[str]
    subscribed: list[str]
    since: str | None  # the newest PaymentIntent at Stripe before
    happened: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[str] = field(default_factory=Counter)  # money recorded, by method, in minor units

    @classmethod
    async def open(cls, shop: Shop, seed: int) -> Self:
        """Products of every rate, of two partners and of none, at prices that no net price reaches."""
        random, partners = Random(seed), [await shop.partner("first"), await shop.partner("second")]
        products = [
            await shop.product(random.randint(199, 30_000), tuple(random.sample(partners, number % 3)),
                               vatRate=RATES[number % 4], name=f"Produit {number}")
            for number in range(12)
        ]  # fmt: skip
        monthly = [await shop.product(price, name="Suivi", interval="MONTH") for price in (1900, 4999)]
        await shop.code("MOIS", percent=1250)
        await _end_what_others_subscribed(shop)
        before = shop.sandbox.stripe.books.store.older("payment_intent", None, 1)
        return cls(shop, random, products, monthly, before[0]["id"] if before else None)

    async def play(self, orders: int) -> None:
        kinds, weights = zip(*KINDS, strict=True)
        for kind in self.random.choices(kinds, weights, k=orders):
            await kind(self)
            self.happened[kind.__name__] += 1

    async def end(self) -> None:
        """Subscriptions are renewed, or cannot be."""
        events = self.shop.sandbox.stripe.advance(months=1)
        known = {str(id) for id in await models.Order.all().values_list("id", flat=True)}
        await self.shop.tell(event for event in events if _order(event) in known | {None})

    def at_stripe(self) -> int:
        """What the stand-in took since and still has, by its own books, in minor units."""
        store, taken = self.shop.sandbox.stripe.books.store, 0
        page = store.newer("payment_intent", self.since, 100) if self.since else store.all("payment_intent")[:100]
        while page:
            taken += sum(intent["amount_received"] for intent in page)
            ours = {intent["id"] for intent in page}
            gone = [each for each in store.all("refund") if each["status"] == "succeeded"]
            gone += [each for each in store.all("dispute") if each["status"] == "lost"]
            taken -= sum(each["amount"] for each in gone if each["payment_intent"] in ours)
            page = store.newer("payment_intent", page[-1]["id"], 100)
        return taken

    # What is sold

    async def order(self, **input: Any) -> Order:
        lines = [self._line() for _ in range(self.random.choice((1, 1, 1, 2, 3, 7)))]
        less: dict[str, Any] = self.random.choice((
            {}, {}, {}, {"discount": {"percent": self.random.randint(1, 5000)}}, {"discount": {"amount": 99}},
            {"discountCode": "MOIS"},
        ))  # fmt: skip
        return await self.shop.order(lines=lines, **less, **input)

    def _line(self) -> dict[str, Any]:
        line = {"product": self.random.choice(self.products), "quantity": self.random.choice((1, 1, 1, 2, 3))}
        return line | self.random.choice(({}, {}, {"discount": {"percent": 1000}}, {"discount": {"amount": 50}}))

    async def record(self, order: Order, cents: int | None = None) -> Order:
        """Money that came by hand: all of the balance, or a part."""
        method = self.random.choice(HANDS)
        amount = {} if cents is None else {"amount": {"amount": cents, "currency": "EUR"}}
        before = (await self.shop.see(order))["balance"]["amount"]
        done = await self.shop.do("paymentRecord", order, method=method, **amount)
        self.by_hand[method] += before - done["balance"]["amount"]
        await self.shop.work_is_done()
        return done

    async def refund(self, payment: dict[str, Any], cents: int | None = None) -> None:
        amount = {} if cents is None else {"amount": {"amount": cents, "currency": "EUR"}}
        await self.shop(REFUND, input={"payment": payment["id"], "reason": "Séance annulée"} | amount)
        await self.shop.work_is_done()


def _order(event: dict[str, Any]) -> str | None:
    """The order that an event names: pages of other shops' orders end by the same clock."""
    named: str | None = (event["data"]["object"].get("metadata") or {}).get("order")
    return named


async def _end_what_others_subscribed(shop: Shop) -> None:
    """When the account's clock is advanced, what is left there of other shops would be renewed too."""
    for each in shop.sandbox.stripe.books.store.all("subscription"):
        if each["status"] not in ("canceled", "incomplete_expired"):
            await shop.dashboard.v1.subscriptions.cancel_async(each["id"])


async def paid_by_card(month: Month) -> None:
    await month.shop.pay(await month.order())


async def declined_then_paid(month: Month) -> None:
    order = await month.order()
    await month.shop.pay(order, card=DECLINED)
    await month.shop.pay(order)


async def declined_and_left(month: Month) -> None:
    await month.shop.pay(await month.order(), card=DECLINED)


async def paid_by_debit(month: Month) -> None:
    await month.shop.pay(await month.order(), iban="FR1420041010050500013M02606")
    for debit in month.shop.sandbox.stripe.debits():
        await month.shop.tell(month.shop.sandbox.stripe.settle_debit(debit["id"]))


async def recorded_by_hand(month: Month) -> None:
    await month.record(await month.order())


async def with_a_deposit(month: Month) -> None:
    order = await month.order(deposit={"percent": month.random.choice((1000, 3000, 5001))})
    await month.shop.pay(order)
    await (month.shop.pay(order) if month.random.random() < 0.5 else month.record(order))


async def with_a_deposit_alone(month: Month) -> None:
    await month.shop.pay(await month.order(deposit={"percent": 3000}))


async def invoiced_and_paid_in_parts(month: Month) -> None:
    order = await month.shop.do("orderInvoice", await month.order())
    await month.record(order, order["balance"]["amount"] // 3 + 1)
    await month.record(order)


async def invoiced_and_left(month: Month) -> None:
    await month.shop.do("orderInvoice", await month.order())
    await month.shop.work_is_done()


async def canceled(month: Month) -> None:
    await month.shop.do("orderCancel", await month.order())


async def quoted(month: Month) -> None:
    """Accepted, and paid; or refused."""
    shop, input = month.shop, {"client": await month.shop.client(), "lines": [month._line(), month._line()]}
    made = (await shop(_quote("quoteCreate"), input=input | {"deposit": {"percent": 2000}}))["quote"]
    await shop(_quote("quoteSend", "Quote"), input={"quote": made["id"]})
    if month.random.random() < 0.3:
        await shop(_quote("quoteRefuse"), input={"quote": made["id"]})
        return
    accepted = (await shop(_quote("quoteAccept"), input={"quote": made["id"], "name": "Marie"}))["quote"]
    await shop.pay(accepted["order"])
    await shop.pay(accepted["order"])


async def subscribed(month: Month) -> None:
    """Paid for the first time; the month's renewal comes at its end, and one in three is declined."""
    shop = month.shop
    made = await shop.order(month.random.choice(month.subscribed))
    await shop.tell(await shop.sandbox.stripe.pay(await shop.checkout(made)))
    if month.random.random() < 0.33:
        client = await shop.sql(
            "SELECT c.stripe_id FROM clients c JOIN orders o ON o.client_id = c.id WHERE o.number = $1", made["number"]
        )
        await shop.tell(shop.sandbox.stripe.replace_card(client[0]["stripe_id"], DECLINED))


# What comes back


async def refunded_whole(month: Month) -> None:
    _, payment = await _paid(month)
    await month.refund(payment)


async def refunded_in_parts(month: Month) -> None:
    """Some by us, some at Stripe's dashboard, and perhaps the rest."""
    _, payment = await _paid(month)
    left, stripe = payment["amount"]["amount"], month.shop.sandbox.stripe
    for part in (left // 3, 1):
        await month.refund(payment, part)
    await month.shop.tell(stripe.refund(payment["stripeId"], left // 5))
    if month.random.random() < 0.5:
        await month.refund(payment)


async def refunded_in_the_dashboard(month: Month) -> None:
    _, payment = await _paid(month)
    await month.shop.tell(month.shop.sandbox.stripe.refund(payment["stripeId"]))


async def refunded_by_hand(month: Month) -> None:
    order = await month.record(await month.order())
    (payment,) = (await month.shop.see(order))["payments"]
    cents = payment["amount"]["amount"] // month.random.choice((1, 2, 3))
    await month.refund({"id": await _payment(month, order)}, cents)
    month.by_hand[payment["method"]] -= cents


async def refunded_of_a_deposit(month: Month) -> None:
    order = await month.order(deposit={"percent": 4000})
    await month.shop.pay(order)
    await month.refund({"id": await _payment(month, order)})


async def disputed_and_won(month: Month) -> None:
    await _dispute(month, won=True)


async def disputed_and_lost(month: Month) -> None:
    """And written off, now and then."""
    order = await _dispute(month, won=False)
    if month.random.random() < 0.5:
        await _credit(month, order)


async def invoiced_and_credited(month: Month) -> None:
    """Before it is paid: a part, and then the rest is paid; or all."""
    order = await month.shop.do("orderInvoice", await month.order())
    if month.random.random() < 0.5:
        await _credit(month, order)
        return
    await _credit(month, order, order["invoices"][0]["total"]["amount"] // 4 + 1)
    if (await month.shop.see(order))["balance"]["amount"]:
        await month.record(order)


async def _paid(month: Month) -> tuple[Order, dict[str, Any]]:
    """An order that was paid by card, and its payment."""
    order = await month.shop.pay(await month.order())
    (payment,) = order["payments"]
    return order, payment | {"id": await _payment(month, order)}


async def _payment(month: Month, order: Order) -> str:
    (found,) = (await month.shop(PAYMENTS, id=order["id"]))["payments"]
    return str(found["id"])


async def _dispute(month: Month, *, won: bool) -> Order:
    order, payment = await _paid(month)
    events = month.shop.sandbox.stripe.dispute(payment["stripeId"])
    await month.shop.tell(events)
    await month.shop.tell(month.shop.sandbox.stripe.close_dispute(events[0]["data"]["object"]["id"], won=won))
    return order


async def _credit(month: Month, order: Order, cents: int | None = None) -> None:
    """So much of the first invoice, or all of all of them."""
    amount = {} if cents is None else {"amount": {"amount": cents, "currency": "EUR"}}
    for invoice in (await month.shop.see(order))["invoices"][: 1 if cents else None]:
        await month.shop(CREDIT, input={"invoice": invoice["id"], "reason": "Geste commercial"} | amount)
    await month.shop.work_is_done()


# (what happens, how often, relatively)
KINDS: list[tuple[Callable[[Month], Awaitable[None]], int]] = [
    (paid_by_card, 30), (declined_then_paid, 4), (declined_and_left, 3), (paid_by_debit, 4), (recorded_by_hand, 10),
    (with_a_deposit, 8), (with_a_deposit_alone, 3), (invoiced_and_paid_in_parts, 6), (invoiced_and_left, 4),
    (canceled, 3), (quoted, 6), (subscribed, 4), (refunded_whole, 4), (refunded_in_parts, 4),
    (refunded_in_the_dashboard, 2), (refunded_by_hand, 3), (refunded_of_a_deposit, 2), (disputed_and_won, 2),
    (disputed_and_lost, 3), (invoiced_and_credited, 4),
]  # fmt: skip


def _quote(action: str, input: str | None = None) -> str:
    return QUOTE.format(input or action[0].upper() + action[1:], action)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.month", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    os.environ["MONTH"] = str(parser.parse_args().orders)
    return subprocess.call([sys.executable, "-m", "pytest", Path(__file__).parent / "test_month.py", "-x", "-s"])


if __name__ == "__main__":
    sys.exit(main())
