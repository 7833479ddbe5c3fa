"""The same money from several sides at the same moment, on a real PostgreSQL: one of them wins, nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import asyncpg
import pytest

from models import Access, Client, Invoice, Lane, Promise
from models.base import global_id
from sandbox.stripe_payment import NotOpen
from services import keeping
from services.outside import outside
from tests import subscribing
from tests.faults.histories import Catalogue, History, Sale
from tests.faults.test_events import handle_all_at_once
from tests.faults.truths import must_hold
from tests.security.test_keys import storefront
from tests.security.test_rates import coming_from
from tests.shop import CHECKOUT, GraphQLErrors, Shop
from tests.test_credit_notes import CREATE as CREDIT

pytestmark = pytest.mark.usefixtures("printer")

CUT, STRIPES_OWN_TRIES = None, 3
ONE = Sale(lines=((0, 1, None),))
ROUNDS = 4


@pytest.fixture
async def catalogue(shop: Shop) -> Catalogue:
    return await Catalogue.open(shop)


@pytest.fixture
async def history(catalogue: Catalogue) -> History:
    return await begun(catalogue)


# Paid from two sides


async def test_of_a_page_and_a_form_paid_at_once_one_is_kept_and_the_other_is_to_be_refunded(history: History) -> None:
    """The page was opened, but the answer was lost on its way to us: so the form was given too."""
    shop, stripe = history.shop, history.shop.sandbox.stripe
    stripe.fail_next(CUT, times=STRIPES_OWN_TRIES, path="/v1/checkout/sessions")
    await shop.refused(CHECKOUT, input=shop.checkout_input(history.order))
    (page,) = [session["id"] for session in history.sessions()]
    form = await shop.intent(history.order)
    events = [*await stripe.pay(page), *await stripe.confirm(form)]

    await asyncio.gather(*(shop.deliver(event) for event in events * 2))
    await handle_all_at_once()
    await history.end(Random(1))

    seen = await shop.see(history.order)
    assert seen["status"] == "PAID"
    assert [(each["kind"], each["proposal"], each["proposed"]["amount"]) for each in seen["conflicts"]] == [
        ("DUPLICATE_PAYMENT", "REFUND", 9999)
    ]
    await must_hold(history)


async def test_of_a_card_and_a_transfer_at_once_one_is_counted_and_no_cent_is_lost(catalogue: Catalogue) -> None:
    ends = Counter[str]()
    for _ in range(ROUNDS):
        history = await begun(catalogue)
        shop = history.shop
        await asyncio.gather(*map(shop.deliver, await shop.sandbox.stripe.pay(await shop.checkout(history.order))))

        _, recorded = await asyncio.gather(
            handle_all_at_once(), outcome(shop.do("paymentRecord", history.order, method="TRANSFER"))
        )

        history.by_hand = 9999 if recorded == "done" else 0
        await history.end(Random(1))
        seen = await shop.see(history.order)
        assert (seen["status"], len(seen["conflicts"])) == ("PAID", int(recorded == "done"))
        await must_hold(history)
        ends[recorded] += 1
    assert set(ends) <= {"done", "CONFLICT input.order"}


async def test_two_transfers_recorded_at_once_are_counted_once(history: History) -> None:
    shop = history.shop

    ends = await asyncio.gather(
        *(outcome(shop.do("paymentRecord", history.order, method="TRANSFER")) for _ in range(8))
    )

    history.by_hand = 9999
    assert Counter(ends) == {"done": 1, "CONFLICT input.order": 7}
    await history.end(Random(1))
    await must_hold(history)


# Given up, discounted, invoiced meanwhile


@pytest.mark.parametrize("by_hand", [True, False], ids=["a transfer", "a card"])
async def test_an_order_given_up_as_it_is_paid_is_one_of_the_two(catalogue: Catalogue, by_hand: bool) -> None:
    for _ in range(ROUNDS):
        history = await begun(catalogue)
        shop = history.shop
        page = await shop.checkout(history.order)

        async def paid() -> str:
            if by_hand:
                return await outcome(shop.do("paymentRecord", history.order, method="TRANSFER"))  # noqa: B023
            await asyncio.sleep(0)
            return await outcome(shop.sandbox.stripe.pay(page))  # noqa: B023

        canceled, came = await asyncio.gather(outcome(shop.do("orderCancel", history.order)), paid())
        history.by_hand = 9999 if by_hand and came == "done" else 0
        history.hear()
        await history.end(Random(1))

        assert {canceled, came} == {"done", "CONFLICT input.order" if by_hand or came == "done" else "not open"}
        assert (await shop.see(history.order))["status"] == ("CANCELED" if canceled == "done" else "PAID")
        await must_hold(history)


async def test_a_page_started_as_the_price_changes_asks_for_the_new_price_or_is_taken_back(
    catalogue: Catalogue,
) -> None:
    for _ in range(ROUNDS):
        history = await begun(catalogue)
        shop = history.shop
        prices = [{"discount": {"amount": cents}} for cents in (100, 2500)]

        ends = await asyncio.gather(
            *(outcome(shop.checkout(history.order)) for _ in range(2)),
            *(outcome(shop.do("orderDiscount", history.order, **price)) for price in prices),
            *(outcome(shop.intent(history.order)) for _ in range(2)),
        )

        assert set(ends) <= {"done", "CONFLICT input.order", "UNAVAILABLE None"}
        history.hear()
        await history.end(Random(1))
        await must_hold(history)


async def test_a_code_is_not_counted_for_an_order_given_up_while_its_page_was_asked_for(catalogue: Catalogue) -> None:
    """The order was open when the page was asked for, and given up before it was looked at again."""
    history = await begun(catalogue, Sale(lines=((0, 1, None),), code=0))
    shop = history.shop
    async with held(shop, "orders", history.key) as connection:
        asked = asyncio.create_task(shop.refused(CHECKOUT, input=shop.checkout_input(history.order)))
        await somebody_waits(shop)
        await connection.execute("UPDATE discount_codes SET redemptions = 0")
        await connection.execute(
            "UPDATE orders SET status = 'CANCELED', canceled_at = now(), holds_code = false WHERE id = $1", history.key
        )

    assert (await asked)[0] == "CONFLICT"
    await history.end(Random(1))
    await must_hold(history)


async def test_an_order_invoiced_by_many_at_once_is_invoiced_once(history: History) -> None:
    shop = history.shop

    ends = await asyncio.gather(*(outcome(shop.do("orderInvoice", history.order)) for _ in range(8)))
    await history.end(Random(1))

    assert Counter(ends) == {"done": 1, "CONFLICT input.order": 7}
    assert len((await shop.see(history.order))["invoices"]) == 1
    await must_hold(history)


async def test_an_order_invoiced_as_it_is_paid_has_one_invoice(catalogue: Catalogue) -> None:
    for _ in range(ROUNDS):
        history = await begun(catalogue)
        shop = history.shop
        await asyncio.gather(*map(shop.deliver, await shop.sandbox.stripe.pay(await shop.checkout(history.order))))

        await asyncio.gather(handle_all_at_once(), outcome(shop.do("orderInvoice", history.order)))
        await history.end(Random(1))

        assert len((await shop.see(history.order))["invoices"]) == 1
        await must_hold(history)


# Many at once


async def test_ten_pages_asked_for_at_once_are_one(history: History) -> None:
    pages = await asyncio.gather(*(history.shop.checkout(history.order) for _ in range(10)))

    assert len(set(pages)) == 1
    assert [session["id"] for session in history.sessions()] == pages[:1]


async def test_pages_and_forms_asked_for_at_once_leave_one_way_to_pay(catalogue: Catalogue) -> None:
    for _ in range(ROUNDS):
        history = await begun(catalogue)
        shop = history.shop

        ends = await asyncio.gather(
            *(outcome(shop.checkout(history.order)) for _ in range(4)),
            *(outcome(shop.intent(history.order)) for _ in range(4)),
        )

        assert set(ends) <= {"done", "CONFLICT input.order", "UNAVAILABLE None"}
        history.hear()
        await history.end(Random(1))
        await must_hold(history)
        await history.be_paid(Random(1))
        await must_hold(history)


async def test_a_code_for_ten_is_used_by_ten_of_fifty(shop: Shop) -> None:
    product = await shop.product()
    await shop.code("TEN", percent=1000, redemptionsMost=10)
    clients = await asyncio.gather(*(shop.client() for _ in range(50)))

    ends = await asyncio.gather(
        *(outcome(shop.order(product, client=client, discountCode="TEN")) for client in clients)
    )

    assert Counter(ends) == {"done": 10, "CONFLICT input.discountCode": 40}
    (code,) = await shop.sql("SELECT redemptions FROM discount_codes")
    assert code["redemptions"] == await shop.count("orders", "holds_code") == await shop.count("orders") == 10


async def test_twenty_carts_of_one_new_address_at_once_are_one_client_at_stripe_too(shop: Shop) -> None:
    products = [await shop.product(1000 + number) for number in range(20)]
    page = await storefront(shop)

    async with AsyncExitStack() as visitors:
        at = [await visitors.enter_async_context(coming_from(page, f"192.0.2.{100 + number}")) for number in range(20)]
        ends = await asyncio.gather(
            *(
                outcome(visitor(CHECKOUT, input={
                    "email": "new@example.com", "lines": [{"product": product, "quantity": 1}],
                    "successUrl": shop.sandbox.url,
                }))
                for visitor, product in zip(at, products, strict=True)
            )
        )  # fmt: skip

    assert set(ends) <= {"done", "UNAVAILABLE None"}
    assert ends.count("done") > 0
    assert await shop.count("clients") == 1
    assert await shop.count("orders") == 20
    customers = shop.sandbox.stripe.books.store.all("customer", [("email", "=", "new@example.com")])
    assert len(customers) == 1


# Nobody waits for another who waits for them


async def test_orders_that_change_codes_at_once_do_not_wait_for_each_other(shop: Shop) -> None:
    for code in ("A1", "B2"):
        await shop.code(code, percent=1000)
    product = await shop.product()
    orders = [await shop.order(product, discountCode=code) for code in ("A1", "B2")]

    for change in range(10):
        codes = ("B2", "A1") if change % 2 == 0 else ("A1", "B2")
        ends = await asyncio.gather(
            *(
                outcome(shop.do("orderDiscount", order, discountCode=code))
                for order, code in zip(orders, codes, strict=True)
            )
        )
        assert ends == ["done", "done"]
    rows = await shop.sql("SELECT redemptions FROM discount_codes")
    assert [row["redemptions"] for row in rows] == [1, 1]


async def test_a_cart_and_an_order_of_one_client_with_one_code_do_not_wait_for_each_other(shop: Shop) -> None:
    product, client = await shop.product(), await shop.client("both@example.com")
    await shop.code("BOTH", percent=1000)
    page = await storefront(shop)

    for number in range(8):
        cart = {
            "email": "both@example.com", "lines": [{"product": product, "quantity": 1 + number}],
            "discountCode": "BOTH", "successUrl": shop.sandbox.url,
        }  # fmt: skip
        async with coming_from(page, f"192.0.2.{150 + number}") as visitor:
            ends = await asyncio.gather(
                outcome(visitor(CHECKOUT, input=cart)),
                *(outcome(shop.order(product, client=client, discountCode="BOTH")) for _ in range(3)),
            )
        assert ends == ["done"] * 4


async def test_a_cart_and_an_older_one_paid_by_hand_do_not_wait_for_each_other(shop: Shop) -> None:
    """Of one client, with one code, whose place the older one gave back."""
    product = await shop.product()
    await shop.code("BOTH", percent=1000)
    page = await storefront(shop)
    cart = {
        "email": "both@example.com", "lines": [{"product": product, "quantity": 1}], "discountCode": "BOTH",
        "successUrl": shop.sandbox.url,
    }  # fmt: skip
    async with coming_from(page, "192.0.2.170") as visitor:
        started = await visitor(CHECKOUT, input=cart)
        await shop.tell([shop.sandbox.stripe.expire(started["url"].rpartition("/")[2])])
        (left,) = (await shop("{ orders { nodes { id } } }"))["nodes"]
        (client,) = await shop.sql("SELECT id FROM clients")
        async with held(shop, "clients", client["id"]):
            bought = asyncio.create_task(
                outcome(visitor(CHECKOUT, input=cart | {"lines": [{"product": product, "quantity": 2}]}))
            )
            await somebody_waits(shop)
            paid = asyncio.create_task(outcome(shop.do("paymentRecord", left, method="CASH")))
            await somebody_waits(shop, 2)

        assert await asyncio.gather(bought, paid) == ["done", "done"]


async def test_whatever_is_done_to_one_order_at_once_nobody_waits_for_ever(catalogue: Catalogue) -> None:
    """Deadlocks would be found by PostgreSQL, and told as accidents of ours."""
    for seed in range(2):
        history = await begun(catalogue, Sale(lines=((0, 1, None), (1, 2, None)), code=0, deposit=0))
        shop, random = history.shop, Random(seed)
        page = await shop.checkout(history.order)
        await asyncio.gather(*map(shop.deliver, await shop.sandbox.stripe.pay(page)))
        calls: list[Any] = [
            *(outcome(shop.do("paymentConfirm", history.order)) for _ in range(2)),
            outcome(shop.do("orderInvoice", history.order)),
            outcome(shop.do("orderDiscount", history.order, discountCode=history.code)),
            outcome(shop.do("orderCancel", history.order)),
            *(outcome(shop.checkout(history.order)) for _ in range(2)),
            outcome(shop.intent(history.order)),
            *(outbox_done() for _ in range(3)),
        ]
        random.shuffle(calls)

        ends = await asyncio.gather(*calls)

        assert {end for end in ends if end} <= {
            "done", "CONFLICT input.order", "CONFLICT input.discountCode", "UNAVAILABLE None"
        }  # fmt: skip
        assert await Promise.filter(failures__gt=0).count() == 0
        history.hear()
        await history.end(Random(seed))
        await must_hold(history)


async def test_whatever_is_done_to_the_orders_of_one_client_at_once_nobody_waits_for_ever(shop: Shop) -> None:
    codes = ("A1", "B2")
    for code in codes:
        await shop.code(code, percent=1000)
    products = [await shop.product(1000), await shop.product(2000, (await shop.partner(),))]
    page, client = await storefront(shop), await shop.client("one@example.com")
    for seed in range(2):
        random = Random(seed)
        orders = [
            await shop.order(*products, client=client, discountCode=codes[number % 2], deposit={"amount": 100})
            for number in range(4)
        ]
        for order in orders[:2]:
            for event in await shop.sandbox.stripe.pay(await shop.checkout(order)):
                await shop.deliver(event)
        cart = {"email": "one@example.com", "lines": [{"product": products[0], "quantity": 1 + seed}],
                "successUrl": shop.sandbox.url}  # fmt: skip
        async with coming_from(page, f"192.0.2.{180 + seed}") as visitor:
            calls = [
                *(outcome(visitor(CHECKOUT, input=cart | {"discountCode": code})) for code in codes),
                *(outcome(shop.order(products[1], client=client, discountCode=code)) for code in codes),
                *(outcome(shop.do("orderDiscount", order, discountCode=random.choice(codes))) for order in orders * 2),
                *(outcome(shop.do("paymentRecord", order, method="CASH")) for order in orders[2:]),
                *(outcome(shop.do("orderCancel", order)) for order in orders[2:]),
                *(outcome(shop.do("paymentConfirm", order)) for order in orders),
                *(outcome(shop.checkout(order)) for order in orders),
                *(outbox_done() for _ in range(4)),
            ]
            random.shuffle(calls)
            ends = await asyncio.gather(*calls)

        assert {end for end in ends if end} <= {
            "done", "CONFLICT input.order", "CONFLICT input.discountCode", "UNAVAILABLE None"
        }, seed  # fmt: skip
        await shop.work_is_done()
        assert await Promise.filter(failures__gt=0).count() == 0
        assert (
            await shop.count("orders", "holds_code")
            == (await shop.sql("SELECT sum(redemptions) AS n FROM discount_codes"))[0]["n"]
        )


async def begun(catalogue: Catalogue, sale: Sale = ONE) -> History:
    history = await History.begin(catalogue, sale)
    assert history
    return history


async def outcome(call: Any) -> str:
    """`done`, or the refusal: its code and field."""
    try:
        await call
    except GraphQLErrors as refusal:
        (error,) = refusal.errors
        return f"{error['extensions']['code']} {error['extensions'].get('field')}"
    except NotOpen:
        return "not open"
    return "done"


async def outbox_done() -> None:
    """One worker's rounds."""
    for lane in Lane:
        for promise in await keeping.claim(lane, 10):
            await keeping.keep(promise)


# Locks are taken in one order: whoever waits for a client, a code or an access holds no series and no organization


async def test_a_credit_note_waits_for_its_client_before_it_takes_a_number(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000))
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 700})
    invoice, client = await Invoice.get(), await Client.get()
    input = {"invoice": global_id(invoice), "amount": {"amount": 300}, "reason": "Geste commercial"}

    async with held(shop, "clients", client.id) as connection:
        credited = asyncio.create_task(shop(CREDIT, input=input))
        await somebody_waits(shop)
        await connection.execute("SELECT 1 FROM invoice_series FOR UPDATE NOWAIT")

    await credited
    assert (await shop.see(order))["status"] == "PAID"


async def test_a_renewal_waits_for_its_client_and_its_accesses_before_it_takes_a_number(shop: Shop) -> None:
    await subscribing.begun(shop)
    access, client = await Access.get(), await Client.get()

    for table, id, months in (("clients", client.id, 2), ("accesses", access.id, 3)):
        await asyncio.gather(*map(shop.deliver, shop.sandbox.stripe.advance(months=1)))
        async with held(shop, table, id) as connection:
            renewed = asyncio.create_task(handle_all_at_once())
            await somebody_waits(shop)
            await connection.execute("SELECT 1 FROM invoice_series, organizations FOR UPDATE NOWAIT")
        await renewed
        await shop.work_is_done()
        assert await shop.count("orders", "status = 'PAID'") == months


@asynccontextmanager
async def held(shop: Shop, table: str, id: Any) -> AsyncIterator[Any]:
    """Somebody else's transaction, which holds a row until the end of the block."""
    connection = await asyncpg.connect(outside().settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE", id)
            yield connection
    finally:
        await connection.close()


async def somebody_waits(shop: Shop, many: int = 1) -> None:
    async with asyncio.timeout(10):
        while await shop.count("pg_locks", "NOT granted") < many:
            await asyncio.sleep(0.01)
