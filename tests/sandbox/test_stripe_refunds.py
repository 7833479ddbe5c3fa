"""Money given back and disputes, by Stripe's own client and in the dashboard; and what is told of them."""

import pytest
import stripe

from sandbox.stripe_sepa import SETTLES
from tests.sandbox.checkouts import open_session, types


async def paid(client, sandbox, **how):
    session = await open_session(client, **({"payment_method_types": ["card", "sepa_debit"]} if how else {}))
    await sandbox.stripe.pay(session.id, **how)
    intent = sandbox.stripe.session(session.id)["payment_intent"]
    if how:
        sandbox.stripe.settle_debit(intent)
    return intent, len(sandbox.stripe.events())


async def test_a_part_and_the_rest_are_given_back_and_no_more(client, sandbox):
    intent, before = await paid(client, sandbox)
    charge = sandbox.stripe.intent(intent)["latest_charge"]
    total = sandbox.stripe.intent(intent)["amount"]

    refund = await client.v1.refunds.create_async(
        {"payment_intent": intent, "amount": 100, "reason": "requested_by_customer", "metadata": {"refund": "7"}}
    )
    assert (refund.status, refund.amount, refund.charge) == ("succeeded", 100, charge)
    assert types(sandbox.stripe.events()[before:]) == ["refund.created", "charge.refunded", "charge.refund.updated"]
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as error:
        await client.v1.refunds.create_async({"charge": charge, "amount": total})
    assert error.value.param == "amount"
    rest = await client.v1.refunds.create_async({"charge": charge})
    with pytest.raises(stripe.InvalidRequestError) as error:
        await client.v1.refunds.create_async({"charge": charge})
    assert error.value.code == "charge_already_refunded"

    told = await client.v1.charges.retrieve_async(charge)
    assert (told.amount_refunded, told.refunded) == (total, True)
    listed = await client.v1.refunds.list_async({"payment_intent": intent})
    assert [each.id for each in listed.data] == [rest.id, refund.id]
    assert (await client.v1.refunds.retrieve_async(refund.id)).metadata.to_dict() == {"refund": "7"}


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("succeeded", ["refund.updated", "charge.refund.updated"]),
        ("failed", ["refund.failed", "refund.updated", "charge.refund.updated"]),
        ("canceled", ["refund.updated", "charge.refund.updated"]),
    ],
)
async def test_a_debit_is_given_back_once_the_bank_says_so(client, sandbox, status, told):
    intent, _ = await paid(client, sandbox, iban=SETTLES)
    refund = await client.v1.refunds.create_async({"payment_intent": intent})
    assert refund.status == "pending"

    events = sandbox.stripe.end_refund(refund.id, status)

    assert types(events) == told
    charge = await client.v1.charges.retrieve_async(refund.charge)
    assert charge.refunded == (status == "succeeded")
    with pytest.raises(Exception, match="has a status of"):
        sandbox.stripe.end_refund(refund.id, "canceled")


async def test_one_that_succeeded_may_be_given_back_by_the_bank(client, sandbox):
    intent, _ = await paid(client, sandbox)
    (created, *_) = sandbox.stripe.refund(intent, 100)

    sandbox.stripe.end_refund(created["data"]["object"]["id"], "failed")

    assert (await client.v1.refunds.retrieve_async(created["data"]["object"]["id"])).failure_reason
    assert sandbox.stripe.refund(intent)[0]["data"]["object"]["amount"] == sandbox.stripe.intent(intent)["amount"]


async def test_a_payment_that_was_not_made_cannot_be_given_back(client, sandbox):
    intent = await client.v1.payment_intents.create_async({"amount": 1000, "currency": "eur"})

    for request in ({"payment_intent": intent.id}, {"payment_intent": "pi_none"}, {}):
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.refunds.create_async(request)


@pytest.mark.parametrize("won", [True, False])
async def test_a_dispute_withdraws_the_money_until_the_bank_decides(client, sandbox, won):
    intent, before = await paid(client, sandbox)
    created, withdrawn = sandbox.stripe.dispute(intent)
    dispute = created["data"]["object"]
    assert (dispute["status"], dispute["payment_intent"]) == ("needs_response", intent)
    assert [each["amount"] for each in dispute["balance_transactions"]] == [-dispute["amount"]]
    with pytest.raises(stripe.InvalidRequestError) as error:
        await client.v1.refunds.create_async({"payment_intent": intent})
    assert error.value.code == "charge_disputed"

    sandbox.stripe.close_dispute(dispute["id"], won=won)

    closed = await client.v1.disputes.retrieve_async(dispute["id"])
    assert closed.status == ("won" if won else "lost")
    assert types(sandbox.stripe.events()[before:]) == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.dispute.closed",
        *["charge.dispute.funds_reinstated"] * won,
    ]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.disputes.close_async(dispute["id"])


async def test_the_dashboard_gives_back_disputes_and_says_what_the_bank_says(client, browser, sandbox):
    intent, _ = await paid(client, sandbox)

    await browser.post(f"/stripe/payments/{intent}/refund", data={"amount": "1,00"})
    refused = await browser.post(f"/stripe/payments/{intent}/refund", data={"amount": "much"})
    await browser.post(f"/stripe/payments/{intent}/dispute")
    again = await browser.post(f"/stripe/payments/{intent}/dispute")
    page = await browser.get("/stripe/payments")
    (dispute,) = sandbox.stripe.books.store.all("dispute")
    await browser.post(f"/stripe/disputes/{dispute['id']}", data={"end": "lost"})
    other, _ = await paid(client, sandbox, iban=SETTLES)
    await browser.post(f"/stripe/payments/{other}/refund", data={"amount": ""})
    (refund,) = sandbox.stripe.books.store.all("refund", [("status", "=", "pending")])
    shown = await browser.get("/stripe/payments")
    await browser.post(f"/stripe/refunds/{refund['id']}", data={"end": "settle"})

    assert (refused.status_code, again.status_code) == (400, 400)
    assert "disputed" in page.text
    assert refund["id"] in shown.text
    assert sandbox.stripe.books.store.get("dispute", dispute["id"])["status"] == "lost"
    assert sandbox.stripe.books.store.get("refund", refund["id"])["status"] == "succeeded"
