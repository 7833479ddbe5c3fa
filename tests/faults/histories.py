"""Histories of one order: what its client, the organization and Stripe do to it, in any order and any number of times.

More of them: `python -m tests.faults.histories --cases 5000`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

from hypothesis import strategies as st

from models import Lane, Payment
from models.base import global_id_of, parse_global_id
from models.database import in_a_transaction
from sandbox import stripe_cards as cards
from sandbox import stripe_intents, stripe_sepa
from sandbox.stripe_account import StripeAccount
from sandbox.stripe_books import Call
from sandbox.stripe_errors import StripeError
from sandbox.stripe_payment import NotOpen
from services import keeping, stripe_accounts
from tests import own_accounts
from tests.shop import CHECKOUT, INTENT, GraphQLErrors, Shop

Event = dict[str, Any]
TYPED = {"SLOT_TAKEN", "CONFLICT", "INVALID", "UNAVAILABLE"}  # how a history may be refused a step
PART = {"percent": 2500}, {"amount": 1}, {"amount": 501}, {"percent": 10000}
HANDS = ("TRANSFER", "CHEQUE", "CASH", "CPF")
TRIES_MOST = 12
REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }"


@dataclass(frozen=True)
class Sale:
    """What is sold: `lines` are (which product, how many, which discount or None); the rest picks of `PART`."""

    lines: tuple[tuple[int, int, int | None], ...]
    discount: int | None = None
    code: int | None = None
    deposit: int | None = None
    storefront: bool = False


@dataclass(frozen=True)
class Step:
    """Something that happens, `which` picking among the ways in which it may."""

    what: str
    which: int = 0


STARTS = ("checkout", "intent")
TRIES = ("declined", "declined", "refused_at_the_bank", "card", "card", "sepa", "sepa", "expire", "give_up")
OUTCOMES = ("settle", "bounce")
OFFICE = ("record", "record", "invoice", "discount", "cancel", "confirm", "resolve")
BACK = ("give_back", "give_back", "dashboard", "dashboard", "bank", "bank", "dispute", "decide")
NEWS = ("deliver", "deliver", "all_at_once", "work", "wait", "weeks")


def _steps(*chunks: st.SearchStrategy[list[Step]]) -> st.SearchStrategy[list[Step]]:
    """Mostly sensible ones: who pays was asked to."""
    return st.lists(st.one_of(*chunks), min_size=1, max_size=7).map(
        lambda lists: [step for list in lists for step in list]
    )


which = st.sampled_from((0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7))
sales = st.builds(
    Sale,
    lines=st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 3), st.sampled_from((None, None, 0, 1, 2, 3))),
        min_size=1,
        max_size=4,
    ).map(tuple),
    discount=st.sampled_from((None, None, None, 0, 1, 2)),
    code=st.sampled_from((None, 0, 0, 2, 3)),
    deposit=st.sampled_from((None, None, 0, 1, 2)),
    storefront=st.booleans(),
)
paying = st.builds(
    lambda start, tries, outcome: [start, *tries, *outcome],
    st.builds(Step, st.sampled_from(STARTS), which),
    st.lists(st.builds(Step, st.sampled_from(TRIES), which), min_size=1, max_size=3),
    st.lists(st.builds(Step, st.sampled_from(OUTCOMES)), max_size=1),
)
office = st.builds(lambda *steps: [*steps], st.builds(Step, st.sampled_from(OFFICE), which))
news = st.builds(lambda *steps: [*steps], st.builds(Step, st.sampled_from(NEWS), which))
going_back = st.lists(st.builds(Step, st.sampled_from(BACK), which), min_size=1, max_size=3)
switching = st.builds(lambda step: [step], st.builds(Step, st.just("switch")))
switched = _steps(paying, paying, switching, going_back, news)
actions = _steps(paying, office, going_back)  # nothing is told before the end
steps = _steps(paying, paying, office, going_back, news)


@dataclass
class Catalogue:
    """Products of two rates and of both partners, one of them, or none; one is free."""

    shop: Shop = field(repr=False)
    products: list[str] = field(repr=False)
    account: StripeAccount | None = field(default=None, repr=False)  # the shop's own, where it has one

    @classmethod
    async def open(cls, shop: Shop) -> Self:
        first, second = await shop.partner("first"), await shop.partner("second")
        kinds: tuple[tuple[int, int, tuple[Any, ...]], ...] = (
            (9999, 2000, (first,)), (1450, 550, (second,)), (3333, 2000, ()), (707, 550, (second, first)),
            (0, 2000, ()),
        )  # fmt: skip
        products = [
            await shop.product(price, partners, vatRate=rate, name=f"Produit {place}")
            for place, (price, rate, partners) in enumerate(kinds)
        ]
        return cls(shop, products)

    async def code(self, part: int) -> str:
        """A new code, for one order."""
        code = uuid4().hex[:12].upper()
        gives = {"amount": {"amount": PART[part]["amount"]}} if "amount" in PART[part] else PART[part]
        await self.shop(
            "mutation ($input: DiscountCodeCreateInput!) { discountCodeCreate(input: $input) { discountCode { id } } }",
            input={"code": code, "redemptionsMost": 1, "perClientMost": 1} | gives,
        )
        return code


@dataclass
class History:
    """One order, and what Stripe has to tell of it."""

    shop: Shop
    account: StripeAccount
    order: dict[str, Any]
    key: str
    email: str
    code: str | None
    since: dict[str, str | None]  # the newest of each kind that Stripe knew before
    by_hand: int = 0
    ways: list[str] = field(default_factory=list)  # to pay: Checkout Sessions and PaymentIntents, the newest last
    untold: list[Event] = field(default_factory=list)

    @classmethod
    async def begin(cls, catalogue: Catalogue, sale: Sale) -> Self | None:
        """None for a sale that cannot be."""
        shop, email = catalogue.shop, f"{uuid4().hex}@example.com"
        code = await catalogue.code(sale.code) if sale.code is not None and sale.discount is None else None
        asked: dict[str, Any] = {
            "client": await shop.client(email, firstName="Marie", lastName="Martin"),
            "lines": [_line(catalogue.products, *line) for line in sale.lines],
            "discount": _part(sale.discount),
            "discountCode": code,
            "deposit": _part(sale.deposit),
        }
        account = catalogue.account or shop.sandbox.stripe
        store = account.books.store
        since = {kind: next((each["id"] for each in store.older(kind, None, 1)), None)
                 for kind in ("event", "checkout.session", "payment_intent")}  # fmt: skip
        try:
            made = await shop(
                "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id number } } }",
                input={name: value for name, value in asked.items() if value is not None},
            )
        except GraphQLErrors as error:
            must_be_typed(error)
            return None
        named = parse_global_id(made["order"]["id"])
        assert named
        if sale.storefront:
            await shop.sql("UPDATE orders SET source = 'STOREFRONT' WHERE id = $1", named[1])
        return cls(shop, account, made["order"], str(named[1]), email, code, since)

    async def go(self, *steps: Step) -> None:
        for step in steps:
            try:
                await getattr(self, f"_{step.what}")(step.which)
            except GraphQLErrors as error:
                must_be_typed(error)
            except (NotOpen, StripeError):
                pass  # Stripe refuses whoever pays
            self.hear()
            await self._time_passes()

    async def end(self, random: Random) -> None:
        """All that is untold is told, one to three times and in any order; all work is done, and what comes of it."""
        while True:
            news = [event for event in self.untold for _ in range(random.randint(1, 3))]
            random.shuffle(news)
            self.untold.clear()
            await self._tell(news)
            await self._wait(0)
            for _ in range(TRIES_MOST):  # what came too early is tried again
                if await self.shop.count("stripe_events", "handled_at IS NULL"):
                    await self._wait(0)
            self.hear()
            if not self.untold:
                return

    async def be_paid(self, random: Random) -> None:
        """Whatever happened, what is still open can be paid, a part after the other."""
        await self.go(Step("resolve"), *[Step("settle") for _ in self.debits()])
        await self.end(random)
        for _ in range(3):
            (row,) = await self.shop.sql("SELECT * FROM orders WHERE id = $1", self.key)
            if row["status"] != "OPEN":
                return
            if row["balance_cents"] >= 100 <= (row["deposit_cents"] - row["paid_cents"] or 100):
                start = self._checkout if random.random() < 0.5 else self._intent
                await start(0)
                if row["balance_cents"]:
                    await self._card(0)
            else:
                await self._checkout(0) if row["total_cents"] == 0 else await self._record(0)
            self.hear()
            await self._time_passes()
            await self.end(random)
        raise AssertionError("it cannot be paid")

    # Paying

    async def _checkout(self, which: int) -> None:
        started = await self.shop(CHECKOUT, input=self.shop.checkout_input(self.order))
        if "url" in started:
            self.ways.append(started["url"].rpartition("/")[2])

    async def _intent(self, which: int) -> None:
        started = await self.shop(INTENT, input={"order": self.order["id"]})
        if "clientSecret" in started:
            self.ways.append(started["clientSecret"].partition("_secret_")[0])

    async def _lost_page(self, which: int) -> None:
        """It is given, and the answer lost on its way."""
        self.account.fail_next(None, times=3, path="/v1/checkout/sessions")
        await self._checkout(which)

    async def _lost_form(self, which: int) -> None:
        self.account.fail_next(None, times=3, path="/v1/payment_intents")
        await self._intent(which)

    async def _card(self, which: int) -> None:
        await self._pay(which, card=(cards.GOOD, cards.ASKED)[which % 2])

    async def _declined(self, which: int) -> None:
        await self._pay(which, card=cards.DECLINED)

    async def _refused_at_the_bank(self, which: int) -> None:
        await self._pay(which, card=cards.ASKED, authenticate=None if which % 3 == 2 else False)

    async def _sepa(self, which: int) -> None:
        await self._pay(which, iban=stripe_sepa.SETTLES)

    async def _pay(self, which: int, **how: Any) -> None:
        """By the newest page or form, or by an old one."""
        if self.ways:
            way, stripe = self.ways[-1 - which // 2 % len(self.ways)], self.account
            await (stripe.pay if way.startswith("cs_") else stripe.confirm)(way, **how)

    async def _settle(self, which: int) -> None:
        for debit in self.debits()[:1]:
            self.account.settle_debit(debit)

    async def _bounce(self, which: int) -> None:
        for debit in self.debits()[:1]:
            self.account.fail_debit(debit)

    async def _expire(self, which: int) -> None:
        for page in [way for way in self.ways if way.startswith("cs_")][-1:]:
            self.account.expire(page)

    async def _give_up(self, which: int) -> None:
        """Somebody cancels the PaymentIntent at Stripe."""
        for form in [way for way in self.ways if way.startswith("pi_")][-1:]:
            stripe = self.account
            stripe.courier.send(stripe_intents.cancel(stripe.books, {}, Call(), form)[1])

    # What the organization does

    async def _record(self, which: int) -> None:
        (row,) = await self.shop.sql("SELECT * FROM orders WHERE id = $1", self.key)
        cents = (None, row["balance_cents"] // 2, 1, row["deposit_cents"])[which % 4]
        amount = {} if cents is None else {"amount": {"amount": cents}}
        await self.shop.do("paymentRecord", self.order, method=HANDS[which // 2], **amount)
        self.by_hand += row["balance_cents"] if cents is None else cents

    async def _invoice(self, which: int) -> None:
        await self.shop.do("orderInvoice", self.order)

    async def _discount(self, which: int) -> None:
        code = {"discountCode": self.code} if self.code and which == 7 else None
        await self.shop.do("orderDiscount", self.order, **(code or ({"discount": PART[which]} if which < 4 else {})))

    async def _cancel(self, which: int) -> None:
        await self.shop.do("orderCancel", self.order)

    async def _confirm(self, which: int) -> None:
        await self.shop.do("paymentConfirm", self.order)

    async def _resolve(self, which: int) -> None:
        """A person settles what waits for one."""
        for conflict in (await self.shop.see(self.order))["conflicts"]:
            await self.shop(
                """mutation ($input: ConflictResolveInput!) { conflictResolve(input: $input) { conflict { id } } }""",
                input={"conflict": conflict["id"], "resolution": "Remboursé"},
            )

    # What goes back

    async def _give_back(self, which: int) -> None:
        """By our API."""
        payments = await self.shop.sql(
            "SELECT id, amount_cents FROM payments WHERE order_id = $1 AND status = 'SUCCEEDED' ORDER BY id", self.key
        )
        for payment in payments[which // 4 :][:1]:
            cents = (None, 300, 1, payment["amount_cents"] // 2)[which % 4]
            amount = {} if cents is None else {"amount": {"amount": cents}}
            await self.shop(REFUND, input={"payment": global_id_of(Payment, payment["id"])} | amount)

    async def _dashboard(self, which: int) -> None:
        for intent in self._paid()[which // 4 :][:1]:
            self.account.refund(intent, (None, 300, 1, 7)[which % 4], pending=which % 3 == 2)

    async def _bank(self, which: int) -> None:
        """It says what came of a refund."""
        for refund in self.refunds()[which // 4 :][:1]:
            self.account.end_refund(refund["id"], ("failed", "succeeded", "failed", "canceled")[which % 4])

    async def _dispute(self, which: int) -> None:
        for intent in self._paid()[which // 4 :][:1]:
            self.account.dispute(intent)

    async def _decide(self, which: int) -> None:
        for dispute in self.disputes()[:1]:
            self.account.close_dispute(dispute["id"], won=which % 2 == 1)

    # What is told, and done

    async def _deliver(self, which: int) -> None:
        random = Random(which)
        chosen = random.sample(self.untold, min(len(self.untold), 1 + which % 4))
        if random.random() < 0.7:  # else they come again, later
            self.untold = [event for event in self.untold if event not in chosen]
        await self._tell(chosen)
        await self._work(0)

    async def _all_at_once(self, which: int) -> None:
        news, self.untold = self.untold, []
        await asyncio.gather(*(self._tell([event]) for event in news))
        for lane in Lane:
            while promises := await keeping.claim(lane, 50):
                await asyncio.gather(*(keeping.keep(promise) for promise in promises))

    async def _work(self, which: int) -> None:
        await self.shop.work_is_done()

    async def _wait(self, which: int) -> None:
        """Nobody has patience any more."""
        await self.shop.time_passes(minutes=20)
        await self.shop.work_is_done()

    async def _weeks(self, which: int) -> None:
        """Somebody is reminded, maybe."""
        await self.shop.time_passes(days=40)
        await self.shop.work_is_done()

    async def _switch(self, which: int) -> None:
        """New sales go through the platform's account, or through the own one again."""
        own = await stripe_accounts.of(self.shop.organization.id)
        await own_accounts.configure(self.shop, enabled=own == stripe_accounts.platform())
        await self.shop.work_is_done()

    async def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            if self.account is self.shop.sandbox.stripe:
                assert (await self.shop.deliver(event)).status_code == 200
            else:
                await own_accounts.told(self.shop, self.account, [event])

    def hear(self) -> None:
        """What Stripe has made known since."""
        store = self.account.books.store
        news = store.newer("event", self.since["event"] or "", 1000)
        if news:
            self.since["event"] = news[-1]["id"]
        self.untold += news

    async def _time_passes(self) -> None:
        """A few seconds between what happens: Stripe counts in whole ones."""
        for event in self.untold:
            event["created"] -= 2
        await self.shop.sql(
            "UPDATE payments SET news_at = news_at - interval '2 seconds' WHERE order_id = $1", self.key
        )

    # What Stripe knows

    def sessions(self) -> list[dict[str, Any]]:
        return self._all("checkout.session")

    def intents(self) -> list[dict[str, Any]]:
        """Those of sessions too."""
        return self._all("payment_intent")

    def debits(self) -> list[str]:
        """Those under way."""
        return [intent["id"] for intent in self.intents() if intent["status"] == "processing"]

    def refunds(self) -> list[dict[str, Any]]:
        return self._of_its_money("refund")

    def disputes(self) -> list[dict[str, Any]]:
        return self._of_its_money("dispute")

    def _paid(self) -> list[str]:
        return [intent["id"] for intent in self.intents() if intent["status"] == "succeeded"]

    def _of_its_money(self, kind: str) -> list[dict[str, Any]]:
        store = self.account.books.store
        return [each for intent in self._paid() for each in store.all(kind, [("payment_intent", "=", intent)])]

    def _all(self, kind: str) -> list[dict[str, Any]]:
        found = self.account.books.store.newer(kind, self.since[kind] or "", 1000)
        return [each for each in found if each["metadata"].get("order") == self.key]


class Watched:
    """Something outside that is never asked while a transaction is open: its rows would be locked until it answers."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        assert not in_a_transaction(), f"{name} is asked in a transaction"
        return getattr(self._real, name)


def must_be_typed(error: GraphQLErrors) -> None:
    """A refusal says what to do, and is no accident of ours."""
    codes = {each["extensions"]["code"] for each in error.errors}
    assert codes <= TYPED, error.errors


def _line(products: list[str], product: int, quantity: int, discount: int | None) -> dict[str, Any]:
    return {"product": products[product], "quantity": quantity} | (
        {} if discount is None else {"discount": PART[discount]}
    )


def _part(which: int | None) -> dict[str, Any] | None:
    return None if which is None else dict(PART[which])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.histories", description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    os.environ["HISTORIES"] = str(parser.parse_args().cases)
    return subprocess.call([sys.executable, "-m", "pytest", Path(__file__).parent / "test_histories.py", "-x"])


if __name__ == "__main__":
    sys.exit(main())
