"""Whatever happens to an order, and however Stripe tells of it: every cent is where it belongs.

More: `python -m tests.faults.histories --cases 5000`.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from services import outside
from tests import own_accounts
from tests.faults.histories import Catalogue, History, Sale, Step, Watched, actions, sales, steps, switched
from tests.faults.truths import end_of, must_hold
from tests.printer import Printer
from tests.shop import Shop

CASES = int(os.environ.get("HISTORIES", "0"))  # 0: the same few each time
seeds = st.integers(0, 999)


def some(number: int) -> settings:
    """That many of all cases. None is made smaller: each takes a while, and says what happened."""
    return settings(
        max_examples=CASES * number // 42 or number, derandomize=not CASES, deadline=None, database=None,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip


@pytest.fixture
async def catalogue(shop: Shop, printer: Printer) -> AsyncIterator[Catalogue]:
    usual = outside.outside()
    outsiders: dict[str, Any] = {
        name: Watched(getattr(usual, name)) for name in ("stripe", "mailer", "courier", "documents", "renderer")
    }
    outside.use(replace(usual, **outsiders))
    yield await Catalogue.open(shop)
    outside.use(usual)


ONE, CODED = Sale(lines=((0, 1, None),)), Sale(lines=((0, 1, None),), code=0)


def does(*whats: str) -> list[Step]:
    return [Step(what) for what in whats]


# What only few of all cases come upon.
@example(sale=CODED, steps=does("cancel"), seed=1)
@example(sale=replace(CODED, storefront=True), steps=does("checkout", "expire", "all_at_once", "checkout"), seed=1)
@example(sale=CODED, steps=[Step("discount", 7), Step("discount", 0)], seed=1)
@example(sale=replace(ONE, deposit=0), steps=does("intent", "sepa", "all_at_once", "record", "bounce"), seed=1)
@example(sale=CODED, steps=does("lost_page", "intent", "declined", "lost_page", "card"), seed=1)
@example(sale=ONE, steps=[*does("lost_form", "checkout"), Step("discount"), *does("lost_form")], seed=1)
@example(sale=ONE, steps=[*does("checkout"), Step("discount", 3), *does("card")], seed=1)
@example(sale=replace(ONE, deposit=0), steps=[Step("record", 2), *does("invoice", "record", "invoice")], seed=1)
@some(32)
@given(sale=sales, steps=steps, seed=seeds)
async def test_every_history_leaves_every_cent_where_it_belongs_and_what_is_open_can_be_paid(
    catalogue: Catalogue, sale: Sale, steps: list[Step], seed: int
) -> None:
    history, random = await History.begin(catalogue, sale), Random(seed)
    if history is None:
        return

    await history.go(*steps)
    await history.end(random)
    await must_hold(history)

    await history.be_paid(random)
    await must_hold(history)


@example(sale=ONE, steps=does("intent", "declined", "sepa"), seed=1)
@example(sale=ONE, steps=does("intent", "declined", "sepa"), seed=2)
@example(sale=ONE, steps=does("checkout", "declined", "sepa", "bounce"), seed=1)
@example(
    sale=Sale(lines=((2, 2, None), (1, 1, None)), discount=1, code=3, deposit=2, storefront=True),
    steps=[
        Step("record", 6),
        *does("intent", "declined", "checkout"),
        Step("declined", 3),
        *does("give_up"),
        Step("declined", 7),
        *does("settle"),
        Step("intent", 7),
        *does("sepa", "bounce"),
    ],
    seed=166,
)
@example(sale=ONE, steps=[*does("intent", "card"), *[Step("dashboard", 1), Step("bank"), Step("dashboard", 3)]], seed=1)
@example(sale=ONE, steps=[*does("intent", "card"), *[Step("dashboard", 1), Step("bank"), Step("dashboard", 3)]], seed=4)
@some(10)
@given(sale=sales, steps=actions, seed=seeds)
async def test_the_same_payments_told_in_any_order_come_to_the_same_end(
    catalogue: Catalogue, sale: Sale, steps: list[Step], seed: int
) -> None:
    ends = []
    for random in (Random(seed), Random(seed + 1)):
        history = await History.begin(catalogue, sale)
        if history is None:
            return
        await history.go(*steps)
        await history.end(random)
        await must_hold(history)
        ends.append(await end_of(history))

    assert ends[0] == ends[1]


@pytest.fixture
async def own_catalogue(catalogue: Catalogue) -> Catalogue:
    """Of a shop that has a Stripe account of its own."""
    return replace(catalogue, account=await own_accounts.connect(catalogue.shop))


@example(sale=ONE, steps=does("switch", "checkout", "card", "deliver", "switch", "give_back"), seed=1)
@some(5)
@given(sale=sales, steps=switched, seed=seeds)
async def test_an_order_stays_in_the_account_that_it_was_begun_in_whichever_the_organization_goes_on_with(
    own_catalogue: Catalogue, sale: Sale, steps: list[Step], seed: int
) -> None:
    shop = own_catalogue.shop
    await own_accounts.configure(shop)
    await shop.work_is_done()
    history, random = await History.begin(own_catalogue, sale), Random(seed)
    if history is None:
        return

    await history.go(*steps)
    await history.end(random)
    await must_hold(history)

    await history.be_paid(random)
    await must_hold(history)
    for table in ("attempts", "payments", "refunds", "disputes"):
        assert await shop.count(table, f"order_id = '{history.key}' AND stripe_account <> 'acct_alpha'") == 0
