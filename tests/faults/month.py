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

from sandbox.stripe_cards import DECLINED
from tests.shop import Shop

Order = dict[str, Any]
HANDS = ("TRANSFER", "CHEQUE", "CASH", "CPF")
RATES = (2000, 1000, 550, 210)
QUOTE = "mutation ($input: {0}Input!) {{ {1}(input: $input) {{ quote {{ id order {{ id }} }} }} }}"


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
        before = shop.sandbox.stripe.books.store.older("payment_intent", None, 1)
        return cls(shop, random, products, monthly, before[0]["id"] if before else None)

    async def play(self, orders: int) -> None:
        kinds, weights = zip(*KINDS, strict=True)
        for kind in self.random.choices(kinds, weights, k=orders):
            await kind(self)
            self.happened[kind.__name__] += 1
        await self.shop.tell(self.shop.sandbox.stripe.advance(months=1))  # subscriptions are renewed, or cannot be

    def at_stripe(self) -> int:
        """What the stand-in took since, by its own books, in minor units."""
        store, taken = self.shop.sandbox.stripe.books.store, 0
        page = store.newer("payment_intent", self.since, 100) if self.since else store.all("payment_intent")[:100]
        while page:
            taken += sum(intent["amount_received"] for intent in page)
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


# (what happens, how often, relatively)
KINDS: list[tuple[Callable[[Month], Awaitable[None]], int]] = [
    (paid_by_card, 30), (declined_then_paid, 4), (declined_and_left, 3), (paid_by_debit, 4), (recorded_by_hand, 10),
    (with_a_deposit, 8), (with_a_deposit_alone, 3), (invoiced_and_paid_in_parts, 6), (invoiced_and_left, 4),
    (canceled, 3), (quoted, 6), (subscribed, 4),
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
