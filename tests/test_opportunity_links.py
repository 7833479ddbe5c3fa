"""The payment link of an opportunity: what it asks for, when it is another, and what comes of its money."""

import asyncio
from typing import Any

import pytest

import models
from models import Role
from tests.documents import CHECKOUT
from tests.security.test_roles import member, signed_in
from tests.shop import Shop
from tests.test_opportunities import ONE, UPDATE, create, move
from tests.test_quotes import ACCEPT, SEND, SIGNED, do, seen
from tests.test_quotes import CREATE as QUOTE_CREATE
from tests.test_refunds import refund

pytestmark = pytest.mark.usefixtures("printer")

LINK = """mutation ($input: OpportunityPaymentLinkInput!) { opportunityPaymentLink(input: $input) {
  url expiresAt amount { amount currency } order { id number } opportunity { paymentStatus }
} }"""


async def test_a_won_opportunity_is_paid_by_its_link_and_says_so(shop: Shop) -> None:
    made = await won(shop)

    link = await linked(shop, made)
    assert (link["amount"]["amount"], link["opportunity"]["paymentStatus"]) == (120000, "AWAITED")
    await paid(shop, link)

    found = await shop(ONE, id=made["id"])
    assert (found["paymentStatus"], found["order"]["kind"], found["order"]["status"]) == (
        "PAID", "OPPORTUNITY", "PAID",
    )  # fmt: skip
    assert await shop.count("invoices") == 1
    assert await shop.count("accesses") == 0
    assert await shop.count("timeline_events", "kind = 'PAYMENT_RECEIVED'") == 1
    assert (await shop.refused(LINK, input={"opportunity": made["id"]}))[0] == "CONFLICT"
    said = {"opportunity": made["id"], "title": "Other", "amount": {"amount": 1, "currency": "EUR"}}
    assert (await shop.refused(UPDATE, input=said))[0] == "CONFLICT"


async def test_only_what_is_won_and_has_an_amount_has_a_link(shop: Shop) -> None:
    for values in ({}, {"stage": "WON", "amount": None}):
        made = await create(shop, **values)
        assert (await shop.refused(LINK, input={"opportunity": made["id"]}))[:2] == ("CONFLICT", "input.opportunity")
    assert await shop.count("orders") == 0


async def test_two_who_ask_for_the_link_at_once_get_one_page_of_one_order(shop: Shop) -> None:
    made = await won(shop)

    first, second = await asyncio.gather(linked(shop, made), linked(shop, made))

    assert first["url"] == second["url"] == (await linked(shop, made))["url"]
    assert (await shop.count("orders"), await shop.count("attempts", "operation = 'CHECKOUT'")) == (1, 1)


async def test_another_amount_is_asked_for_by_another_page_and_the_old_one_is_taken_back(shop: Shop) -> None:
    made = await won(shop)
    old = await linked(shop, made)
    await shop(UPDATE, input={"opportunity": made["id"], "amount": {"amount": 5000, "currency": "EUR"}})

    new = await linked(shop, made)

    assert (new["amount"]["amount"], new["order"]["id"]) == (5000, old["order"]["id"])
    assert new["url"] != old["url"]
    assert session_of(shop, old)["status"] == "expired"
    await paid(shop, new)
    assert (await shop(ONE, id=made["id"]))["order"]["paid"] == {"amount": 5000}


async def test_a_page_whose_time_ran_out_is_followed_by_another_of_the_same_order(shop: Shop) -> None:
    made = await won(shop)
    old = await linked(shop, made)
    expired = shop.sandbox.stripe.expire(session_named(old))

    await shop.sql("UPDATE attempts SET expires_at = now() WHERE stripe_id = $1", session_named(old))
    unheard_of = await linked(shop, made)
    await shop.tell([expired])

    assert unheard_of["url"] != old["url"]
    assert (await linked(shop, made))["url"] == unheard_of["url"]
    assert unheard_of["order"] == old["order"]
    await paid(shop, unheard_of)
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PAID"


async def test_a_deposit_is_asked_for_first_and_then_the_balance(shop: Shop) -> None:
    made = await won(shop, deposit={"amount": 36000, "currency": "EUR"})

    first = await linked(shop, made)
    await paid(shop, first)
    between = (await shop(ONE, id=made["id"]))["paymentStatus"]
    rest = await linked(shop, made)
    await paid(shop, rest)

    assert (first["amount"]["amount"], between, rest["amount"]["amount"]) == (36000, "PARTLY_PAID", 84000)
    assert rest["order"] == first["order"]
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PAID"
    assert await shop.count("timeline_events", "kind = 'PAYMENT_RECEIVED'") == 2


async def test_a_discount_makes_another_page_and_one_of_everything_leaves_nothing_to_pay(shop: Shop) -> None:
    made = await won(shop)
    old = await linked(shop, made)
    await shop.do("orderDiscount", old["order"], discount={"percent": 1000})

    less = await linked(shop, made)
    assert (less["amount"]["amount"], less["url"] == old["url"]) == (108000, False)
    assert session_of(shop, old)["status"] == "expired"

    await shop.do("orderDiscount", old["order"], discount={"percent": 10000})
    free = await linked(shop, made)
    assert (free["amount"]["amount"], free["url"]) == (0, None)
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PAID"
    await shop.work_is_done()
    assert session_of(shop, less)["status"] == "expired"


async def test_what_goes_back_is_seen_and_what_is_all_given_back_can_be_asked_for_anew(shop: Shop) -> None:
    made = await won(shop)
    link = await linked(shop, made)
    await paid(shop, link)
    (payment,) = (await shop.see(link["order"]))["payments"]

    seen = []
    for cents in (20000, 100000):
        await refund(shop, payment, cents)
        seen.append((await shop(ONE, id=made["id"]))["paymentStatus"])

    assert seen == ["PARTLY_REFUNDED", "REFUNDED"]
    assert (await linked(shop, made))["order"]["id"] != link["order"]["id"]
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "AWAITED"


async def test_who_pays_the_old_page_before_it_is_taken_back_is_not_asked_for_it_again(shop: Shop) -> None:
    made = await won(shop)
    old = await linked(shop, made)
    events = await shop.sandbox.stripe.pay(session_named(old))
    await shop(UPDATE, input={"opportunity": made["id"], "amount": {"amount": 150000, "currency": "EUR"}})

    assert (await shop.refused(LINK, input={"opportunity": made["id"]}))[0] == "CONFLICT"
    await shop.tell(events)

    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PARTLY_PAID"
    assert (await linked(shop, made))["amount"]["amount"] == 30000


async def test_what_is_lost_has_its_page_taken_back_and_its_order_given_up(shop: Shop) -> None:
    made = await won(shop)
    link = await linked(shop, made)
    await move(shop, made, "WON", "LOST", lostReason="Changed their mind")

    await shop.work_is_done()

    assert session_of(shop, link)["status"] == "expired"
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "CANCELED"
    await move(shop, made, "LOST", "WON")
    assert (await linked(shop, made))["order"]["id"] != link["order"]["id"]


async def test_nothing_is_asked_for_what_is_lost_though_no_worker_gave_its_order_up_yet(shop: Shop) -> None:
    made = await won(shop)
    link = await linked(shop, made)
    await move(shop, made, "WON", "LOST", lostReason="Changed their mind")

    refusal = await shop.refused(CHECKOUT, input=shop.checkout_input(link["order"]))

    assert refusal[:2] == ("CONFLICT", "input.order")
    assert "not agreed any more" in refusal[2]


async def test_what_is_lost_and_then_paid_stands_and_waits_for_a_person(shop: Shop) -> None:
    made = await won(shop)
    link = await linked(shop, made)
    events = await shop.sandbox.stripe.pay(session_named(link))
    await move(shop, made, "WON", "LOST", lostReason="Changed their mind")

    await shop.tell(events)
    await shop.work_is_done()

    (conflict,) = await models.Conflict.all()
    assert (conflict.kind, conflict.proposed_cents) == (models.ConflictKind.OPPORTUNITY_LOST, 120000)
    found = await shop(ONE, id=made["id"])
    assert (found["stage"], found["paymentStatus"]) == ("LOST", "PAID")


async def test_what_is_paid_stays_won_until_the_money_goes_back(shop: Shop) -> None:
    made = await won(shop)
    order = (await linked(shop, made))["order"]
    await shop("mutation ($input: PaymentRecordInput!) { paymentRecord(input: $input) { order { id } } }",
               input={"order": order["id"], "method": "TRANSFER"})  # fmt: skip
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PAID"

    said = {"opportunity": made["id"], "fromStage": "WON", "toStage": "LOST", "lostReason": "No"}
    refused = await shop.refused(
        "mutation ($input: OpportunityMoveInput!) { opportunityMove(input: $input) { opportunity { id } } }", input=said
    )
    assert refused[:2] == ("CONFLICT", "input.opportunity")


async def test_a_consultant_makes_the_link_of_what_they_own_alone(shop: Shop) -> None:
    consultant = await member(shop, Role.CONSULTANT, "mine")
    client = await shop.client("own@example.com")
    await models.Client.filter(email="own@example.com").update(consultant_id=consultant.id)
    caller = signed_in(shop, "consultant-mine@shop.test")
    theirs = await create(caller, client=client, stage="WON")
    anothers = await create(shop, client=client, stage="WON")

    assert (await linked(caller, theirs))["url"]
    assert (await caller.refused(LINK, input={"opportunity": anothers["id"]}))[0] == "FORBIDDEN"


async def test_a_quote_for_what_is_paid_already_is_accepted_by_nobody_and_no_order_comes_of_it(shop: Shop) -> None:
    client = await shop.client()
    made = await won(shop, client=client)
    line = {"product": await shop.product(5000), "quantity": 1}
    said = {"client": client, "lines": [line], "opportunity": made["id"]}
    sent, draft = [(await shop(QUOTE_CREATE, input=said))["quote"] for _ in range(2)]
    sent = await do(shop, SEND, sent)
    await paid(shop, await linked(shop, made))

    page = await shop.browse(sent["pageUrl"], SIGNED)
    on_paper = await shop.refused(ACCEPT, input={"quote": sent["id"], "name": "Marie Curie"})
    unsent = await shop.refused(SEND, input={"quote": draft["id"]})

    assert (page.status_code, "Cette prestation est déjà réglée ou facturée" in page.text) == (409, True)
    assert on_paper[:2] == unsent[:2] == ("CONFLICT", "input.quote")
    assert "is paid or invoiced by order 1" in on_paper[2]
    assert await shop.count("orders") == 1
    assert (await seen(shop, sent))["status"] == "SENT"


async def won(shop: Shop, **values: Any) -> dict[str, Any]:
    return await create(shop, stage="WON", **values)


async def linked(shop: Shop, made: dict[str, Any]) -> dict[str, Any]:
    link: dict[str, Any] = await shop(LINK, input={"opportunity": made["id"]})
    return link


def session_of(shop: Shop, link: dict[str, Any]) -> dict[str, Any]:
    session: dict[str, Any] = shop.sandbox.stripe.session(session_named(link))
    return session


def session_named(link: dict[str, Any]) -> str:
    """The session of a link's page."""
    return str(link["url"].rpartition("/")[2])


async def paid(shop: Shop, link: dict[str, Any]) -> None:
    await shop.tell(await shop.sandbox.stripe.pay(session_named(link)))
    await shop.work_is_done()


async def test_no_product_says_what_an_opportunity_is_called_and_the_payment_page_does(shop: Shop) -> None:
    """Whoever reads the catalogue follows products, by `productChanged` too."""
    link = await linked(shop, await won(shop, title="Mme Martin, reconversion"))

    assert [product.name for product in await models.Product.all()] == ["Opportunité"]
    assert "Mme Martin, reconversion" in (await shop.browse(link["url"])).text
