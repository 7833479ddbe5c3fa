"""Disputes: a client's bank asks a payment back, and decides."""

import logging
from typing import Any

import pytest

from models import Role
from tests.shop import Shop, said
from tests.test_refunds import cannot, credit_notes, see, sold, withdrawn

pytestmark = pytest.mark.usefixtures("printer")

CREDIT = (
    "mutation ($input: CreditNoteCreateInput!) { creditNoteCreate(input: $input) { invoice { total { amount } } } }"
)
DISPUTES = "query ($filter: DisputeFilter) { disputes(filter: $filter) { nodes { status order { id } reason } } }"


async def disputed(shop: Shop, price: int = 9999) -> tuple[dict[str, Any], dict[str, Any], str]:
    """An order whose payment is disputed, that payment, and the dispute's id at Stripe."""
    order, payment = await sold(shop, price)
    events = shop.sandbox.stripe.dispute(payment["stripeId"])
    await shop.tell(events)
    return order, payment, events[0]["data"]["object"]["id"]


async def test_a_dispute_is_recorded_alerted_and_told_to_the_person_in_charge(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order, payment, _ = await disputed(shop)

    seen = await see(shop, order)
    assert (seen["status"], seen["disputes"]) == (
        "PAID", [{"status": "OPEN", "amount": {"amount": 9999}, "reason": "fraudulent"}],
    )  # fmt: skip
    assert any(record.levelno == logging.ERROR and "is disputed" in record.message for record in caplog.records)
    letter = shop.mails("bonjour@comptappart.test")[-1]
    assert "Un paiement est contesté" in str(letter.message["Subject"])
    assert "Stripe" in said(letter)
    assert await withdrawn(shop, order) == [None]
    code, field, message = await cannot(shop, payment)
    assert (code, field) == ("CONFLICT", "input.payment")
    assert "the client's bank decides" in message
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    for status, found in (("OPEN", 1), ("LOST", 0)):
        assert len((await accountant(DISPUTES, filter={"status": [status]}))["nodes"]) == found


async def test_access_is_withdrawn_meanwhile_where_the_organization_wishes_and_given_again_once_won(shop: Shop) -> None:
    await shop.change("organization", suspendDisputed=True)
    order, _, dispute = await disputed(shop)
    assert await withdrawn(shop, order) == ["DISPUTED"]

    await shop.tell(shop.sandbox.stripe.close_dispute(dispute, won=True))

    seen = await see(shop, order)
    assert (seen["status"], seen["disputes"][0]["status"], seen["conflicts"]) == ("PAID", "WON", [])
    assert await withdrawn(shop, order) == [None]
    assert "vous reste acquis" in str(shop.mails("bonjour@comptappart.test")[-1].message["Subject"])


async def test_one_that_is_lost_leaves_the_invoice_and_waits_for_a_person_who_writes_it_off(shop: Shop) -> None:
    order, _, dispute = await disputed(shop, 1000)

    await shop.tell(shop.sandbox.stripe.close_dispute(dispute, won=False))

    seen = await see(shop, order)
    assert (seen["status"], seen["chargedBack"]["amount"], credit_notes(seen)) == ("PAID", 1000, [])
    assert [(each["kind"], each["proposal"]) for each in seen["conflicts"]] == [("DISPUTE_LOST", "LOOK")]
    assert await withdrawn(shop, order) == ["DISPUTE_LOST"]
    await shop(CREDIT, input={"invoice": seen["invoices"][0]["id"], "reason": "Créance irrécouvrable"})
    await shop.work_is_done()
    seen = await see(shop, order)
    assert (credit_notes(seen), seen["refunded"]["amount"]) == ([1000], 0)
    assert await shop.count("orders", "written_off_cents = 1000 AND credited_cents = 0") == 1


async def test_news_of_a_dispute_in_any_order_and_number_come_to_the_same(shop: Shop) -> None:
    order, payment = await sold(shop)
    events = shop.sandbox.stripe.dispute(payment["stripeId"])
    events += shop.sandbox.stripe.close_dispute(events[0]["data"]["object"]["id"], won=False)

    await shop.tell([*reversed(events), *events])

    seen = await see(shop, order)
    assert [each["status"] for each in seen["disputes"]] == ["LOST"]
    assert (seen["chargedBack"]["amount"], len(seen["conflicts"])) == (9999, 1)


async def test_what_is_left_of_a_payment_given_back_in_part_is_disputed(shop: Shop) -> None:
    order, payment = await sold(shop, 1000)
    await shop.tell(shop.sandbox.stripe.refund(payment["stripeId"], 300))
    events = shop.sandbox.stripe.dispute(payment["stripeId"])
    await shop.tell([*events, *shop.sandbox.stripe.close_dispute(events[0]["data"]["object"]["id"], won=False)])

    seen = await see(shop, order)
    assert (seen["refunded"]["amount"], seen["chargedBack"]["amount"], seen["status"]) == (300, 700, "REFUNDED")
    assert (await cannot(shop, payment))[0] == "CONFLICT"
