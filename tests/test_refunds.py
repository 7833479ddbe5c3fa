"""Money given back: from our API, at Stripe's dashboard, by hand; and what follows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Invoice, Role
from models.content import InvoiceContent
from sandbox.stripe_sepa import SETTLES
from tests.shop import GraphQLErrors, Shop, said

pytestmark = pytest.mark.usefixtures("printer")

REFUND = """mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund {
    id status amount { amount } failureReason refundedAt reason
} } }"""
SEEN = """query ($id: ID!) { order(id: $id) {
    status total { amount } paid { amount } refunded { amount } balance { amount } chargedBack { amount }
    payments { id status stripeId amount { amount } applied { amount } }
    refunds { id status method amount { amount } reason reference requestedBy { role } }
    disputes { status amount { amount } reason }
    invoices { id number type total { amount } credited { amount } corrects { number } settledAt }
    conflicts { id kind proposal proposed { amount } resolvedAt resolution }
} }"""
ACCESSES = "query ($order: ID!) { accesses(filter: { order: $order }) { nodes { withdrawnAt withdrawnReason } } }"


async def see(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    return dict(await shop(SEEN, id=order["id"]))


async def refund(shop: Shop, payment: dict[str, Any], cents: int | None = None, **input: Any) -> dict[str, Any]:
    amount = {} if cents is None else {"amount": {"amount": cents}}
    done = await shop(REFUND, input={"payment": payment["id"]} | amount | input)
    await shop.work_is_done()
    return dict(done["refund"])


async def cannot(shop: Shop, payment: dict[str, Any], cents: int | None = None, **amount: Any) -> tuple[Any, Any, str]:
    given = {} if cents is None else {"amount": {"amount": cents} | amount}
    return await shop.refused(REFUND, input={"payment": payment["id"]} | given)


async def sold(shop: Shop, price: int = 9999, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order that is paid, and its payment."""
    order = await shop.order(await shop.product(price))
    await shop.pay(order, **how)
    for debit in shop.sandbox.stripe.debits():
        await shop.tell(shop.sandbox.stripe.settle_debit(debit["id"]))
    return order, (await see(shop, order))["payments"][0]


async def withdrawn(shop: Shop, order: dict[str, Any]) -> list[str | None]:
    return [each["withdrawnReason"] for each in (await shop(ACCESSES, order=order["id"]))["nodes"]]


def credit_notes(seen: dict[str, Any]) -> list[int]:
    return [each["total"]["amount"] for each in seen["invoices"] if each["type"] == "CREDIT_NOTE"]


def at_stripe(shop: Shop, payment: dict[str, Any]) -> list[dict[str, Any]]:
    return shop.sandbox.stripe.books.store.all("refund", [("payment_intent", "=", payment["stripeId"])])


# Whole and in parts


async def test_a_whole_refund_is_credited_written_about_and_told_and_access_is_withdrawn(shop: Shop) -> None:
    partner = await shop.partner(events=["ORDER_CREATED", "ORDER_REFUNDED"])
    order = await shop.order(await shop.product(partners=(partner,)), client=await shop.client("marie@example.com"))
    payment = (await shop.pay(order))["payments"][0]
    payment = (await see(shop, order))["payments"][0]

    done = await refund(shop, payment, reason="Séance annulée")

    assert (done["status"], done["amount"]["amount"], done["reason"]) == ("SUCCEEDED", 9999, "Séance annulée")
    seen = await see(shop, order)
    assert (seen["status"], seen["refunded"]["amount"], seen["balance"]["amount"]) == ("REFUNDED", 9999, 0)
    invoice, note = seen["invoices"]
    assert (note["type"], note["total"]["amount"], note["corrects"]["number"]) == (
        "CREDIT_NOTE",
        9999,
        invoice["number"],
    )
    assert await withdrawn(shop, order) == ["REFUNDED"]
    letter = shop.mails("marie@example.com")[-1]
    assert "Nous vous avons remboursé 99,99 € en ligne" in said(letter)
    assert letter.attachments[0].get_filename() == f"Avoir-{note['number']}.pdf"
    content = InvoiceContent.model_validate((await Invoice.get(number=note["number"])).content)
    assert (content.paid_cents, content.is_paid, content.notes) == (9999, True, ("Séance annulée",))
    created, refunded = (told.json for told in shop.told())
    assert created["event_type"] == "order.created"
    assert (refunded["event_type"], refunded["order_id"]) == ("order.refunded", order["number"])
    assert refunded["refund"] | {"refund_date": None} == {
        "amount": 99.99, "total_refunded": 99.99, "currency": "EUR", "refund_date": None, "reason": "Séance annulée",
    }  # fmt: skip
    assert refunded["credit_note"]["number"] == note["number"]
    assert "invoice" not in refunded


async def test_parts_are_credited_one_by_one_until_nothing_is_left(shop: Shop) -> None:
    order, payment = await sold(shop)

    for cents in (1000, 1):
        await refund(shop, payment, cents)
    seen = await see(shop, order)
    assert (seen["status"], seen["refunded"]["amount"], await withdrawn(shop, order)) == ("PAID", 1001, [None])
    assert (await cannot(shop, payment, 8999))[:2] == ("INVALID", "input.amount.amount")
    await refund(shop, payment)

    seen = await see(shop, order)
    assert (seen["status"], credit_notes(seen)) == ("REFUNDED", [1000, 1, 8998])
    code, field, message = await cannot(shop, payment)
    assert (code, field) == ("CONFLICT", "input.payment")
    assert "went back already" in message
    assert shop.told() == []


async def test_a_refund_in_the_dashboard_has_the_same_effects(shop: Shop) -> None:
    order, payment = await sold(shop)

    events = shop.sandbox.stripe.refund(payment["stripeId"], 2500)
    await shop.tell([*events, *events])
    assert credit_notes(await see(shop, order)) == [2500]
    await shop.tell([event for event in shop.sandbox.stripe.refund(payment["stripeId"])
                     if event["type"] == "charge.refunded"])  # fmt: skip

    seen = await see(shop, order)
    assert (seen["status"], credit_notes(seen)) == ("REFUNDED", [2500, 7499])
    assert [each["requestedBy"] for each in seen["refunds"]] == [None, None]
    assert await withdrawn(shop, order) == ["REFUNDED"]


async def test_an_event_that_comes_before_our_answer_is_the_same_refund(shop: Shop) -> None:
    order, payment = await sold(shop)
    shop.sandbox.stripe.fail_next(None, times=3, path="/v1/refunds")

    with pytest.raises(GraphQLErrors, match="UNAVAILABLE"):
        await refund(shop, payment, 1000)
    await shop.tell(shop.sandbox.stripe.events("refund.created")[-1:])
    await shop.time_passes(minutes=2)
    await shop.work_is_done()

    seen = await see(shop, order)
    assert [(each["status"], each["amount"]["amount"]) for each in seen["refunds"]] == [("SUCCEEDED", 1000)]
    assert credit_notes(seen) == [1000]


async def test_an_answer_that_was_lost_is_asked_for_again(shop: Shop) -> None:
    order, payment = await sold(shop)
    shop.sandbox.stripe.fail_next(None, times=3, path="/v1/refunds")

    with pytest.raises(GraphQLErrors, match="UNAVAILABLE"):
        await refund(shop, payment, 1000)
    assert (await see(shop, order))["refunds"][0]["status"] == "PENDING"
    assert (await cannot(shop, payment, 9000))[0] == "INVALID"  # it may have gone
    await shop.time_passes(minutes=2)
    await shop.work_is_done()

    assert credit_notes(await see(shop, order)) == [1000]
    assert len(at_stripe(shop, payment)) == 1


async def test_what_stripe_refuses_goes_nowhere_and_can_be_asked_again(shop: Shop) -> None:
    order, payment = await sold(shop)
    shop.sandbox.stripe.fail_next(400, path="/v1/refunds")

    with pytest.raises(GraphQLErrors):
        await refund(shop, payment)
    await refund(shop, payment)

    seen = await see(shop, order)
    assert [each["status"] for each in seen["refunds"]] == ["FAILED", "SUCCEEDED"]
    assert (seen["conflicts"], credit_notes(seen)) == ([], [9999])


async def test_the_same_key_gives_back_once(shop: Shop) -> None:
    order, payment = await sold(shop)

    first = await refund(shop, payment, 1000, idempotencyKey="one")
    again = await refund(shop, payment, 1000, idempotencyKey="one")

    assert first["id"] == again["id"]
    assert (await see(shop, order))["refunded"]["amount"] == 1000


async def test_twenty_at_once_give_back_no_more_than_there_is(shop: Shop) -> None:
    order, payment = await sold(shop, 1000)

    answers = await asyncio.gather(
        *(shop.post(REFUND, {"input": {"payment": payment["id"], "amount": {"amount": 300}}}) for _ in range(20))
    )
    await shop.work_is_done()

    refused = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert (len(refused), set(refused)) == (17, {"INVALID"})
    seen = await see(shop, order)
    assert (seen["refunded"]["amount"], credit_notes(seen)) == (900, [300, 300, 300])


# By bank, which takes days


async def test_a_debit_is_credited_once_the_bank_says_that_it_went_back(shop: Shop) -> None:
    order, payment = await sold(shop, iban=SETTLES)

    done = await refund(shop, payment)
    assert (done["status"], credit_notes(await see(shop, order))) == ("PENDING", [])
    await shop.tell(shop.sandbox.stripe.end_refund(at_stripe(shop, payment)[0]["id"], "succeeded"))

    seen = await see(shop, order)
    assert (seen["status"], credit_notes(seen)) == ("REFUNDED", [9999])


@pytest.mark.parametrize(("end", "conflicts"), [("failed", ["REFUND_FAILED"]), ("canceled", [])])
async def test_a_refund_that_does_not_go_back_is_not_credited(shop: Shop, end: str, conflicts: list[str]) -> None:
    order, payment = await sold(shop, iban=SETTLES)
    await refund(shop, payment, 1000)

    await shop.tell(shop.sandbox.stripe.end_refund(at_stripe(shop, payment)[0]["id"], end))

    seen = await see(shop, order)
    assert (seen["status"], seen["refunded"]["amount"], credit_notes(seen)) == ("PAID", 0, [])
    assert [each["kind"] for each in seen["conflicts"]] == conflicts


async def test_one_that_fails_after_all_waits_for_a_person_and_is_credited_once(shop: Shop) -> None:
    order, payment = await sold(shop)
    await refund(shop, payment)

    await shop.tell(shop.sandbox.stripe.end_refund(at_stripe(shop, payment)[0]["id"], "failed"))

    seen = await see(shop, order)
    assert (seen["status"], seen["refunded"]["amount"], credit_notes(seen)) == ("PAID", 0, [9999])
    assert [(each["kind"], each["proposed"]["amount"]) for each in seen["conflicts"]] == [("REFUND_FAILED", 9999)]
    assert await withdrawn(shop, order) == [None]
    await refund(shop, payment)
    seen = await see(shop, order)
    assert (seen["status"], credit_notes(seen)) == ("REFUNDED", [9999])


# What was never invoiced


async def test_money_that_did_not_fit_goes_back_without_a_credit_note(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), client=await shop.client("marie@example.com"))
    shop.sandbox.stripe.fail_next(None, times=3, path="/v1/checkout/sessions")
    with pytest.raises(GraphQLErrors):
        await shop.checkout(order)
    (lost,) = shop.sandbox.stripe.books.store.older("checkout.session", None, 1)
    form = await shop.intent(order)
    await shop.tell([*await shop.sandbox.stripe.confirm(form), *await shop.sandbox.stripe.pay(lost["id"])])
    seen = await see(shop, order)
    (conflict,) = seen["conflicts"]
    second = next(each for each in seen["payments"] if not each["applied"]["amount"])

    await refund(shop, second)

    seen = await see(shop, order)
    assert (seen["status"], seen["refunded"]["amount"], credit_notes(seen)) == ("PAID", 0, [])
    assert (conflict["kind"], seen["conflicts"][0]["resolution"]) == ("DUPLICATE_PAYMENT", "Given back")
    assert "Nous vous avons remboursé 10,00 €" in said(shop.mails("marie@example.com")[-1])
    assert await withdrawn(shop, order) == [None]


# By hand


async def test_what_came_by_hand_goes_back_by_hand(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000))
    await shop.do("paymentRecord", order, method="TRANSFER")
    payment = (await see(shop, order))["payments"][0]

    done = await refund(shop, payment, 400, reference="VIR 7")

    assert done["status"] == "SUCCEEDED"
    seen = await see(shop, order)
    assert [(each["method"], each["reference"], each["requestedBy"]) for each in seen["refunds"]] == [
        ("TRANSFER", "VIR 7", {"role": "OWNER"})
    ]
    assert credit_notes(seen) == [400]
    before_it_came = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for at in ("2001-01-01T00:00:00Z", before_it_came):
        code, field, _ = await shop.refused(REFUND, input={"payment": payment["id"], "refundedAt": at})
        assert (code, field) == ("INVALID", "input.refundedAt")


# Orders paid in part


async def test_a_refund_of_a_part_takes_off_the_sale_and_what_is_due_stays(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000))
    await shop.do("orderInvoice", order)
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 400})

    await refund(shop, (await see(shop, order))["payments"][0])

    seen = await see(shop, order)
    assert (seen["status"], seen["balance"]["amount"], credit_notes(seen)) == ("OPEN", 600, [400])
    paid = await shop.do("paymentRecord", order, method="CASH")
    await shop.work_is_done()
    assert paid["status"] == "PAID"
    await refund(shop, (await see(shop, order))["payments"][1])
    assert ((await see(shop, order))["status"], credit_notes(await see(shop, order))) == ("REFUNDED", [400, 600])


async def test_a_deposit_given_back_is_credited_and_the_order_can_be_given_up(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000), deposit={"amount": 300})
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 300})
    await shop.work_is_done()
    payment = (await see(shop, order))["payments"][0]

    await refund(shop, payment)

    seen = await see(shop, order)
    assert [(each["type"], each["total"]["amount"]) for each in seen["invoices"]] == [
        ("PREPAYMENT", 300), ("CREDIT_NOTE", 300),
    ]  # fmt: skip
    assert (await shop.do("orderCancel", order))["status"] == "CANCELED"


async def test_of_a_deposit_given_back_in_part_the_whole_is_credited_too(shop: Shop) -> None:
    """The final invoice takes in what is left of the deposit, and is credited by what went back."""
    order = await shop.order(await shop.product(1000), deposit={"amount": 300})
    await shop.do("paymentRecord", order, method="CASH", amount={"amount": 300})
    await refund(shop, (await see(shop, order))["payments"][0], 100)

    await shop.do("paymentRecord", order, method="CASH")
    await shop.work_is_done()

    seen = await see(shop, order)
    assert (seen["status"], seen["paid"]["amount"], seen["refunded"]["amount"]) == ("PAID", 1000, 100)
    assert [(each["type"], each["total"]["amount"]) for each in seen["invoices"]] == [
        ("PREPAYMENT", 300), ("CREDIT_NOTE", 100), ("INVOICE", 1000), ("CREDIT_NOTE", 100),
    ]  # fmt: skip
    final = await Invoice.get(order_id__isnull=False, type="INVOICE")
    content = InvoiceContent.model_validate(final.content)
    assert (content.deposits[0].cents, content.paid_cents, content.due_cents) == (200, 900, 100)
    assert all(each["settledAt"] for each in seen["invoices"])


# Refused


async def test_what_cannot_be_given_back_is_refused_and_named(shop: Shop) -> None:
    order, payment = await sold(shop, 1000)
    unpaid = await shop.order()
    await shop.pay(unpaid, card="4000000000000002")
    declined = (await see(shop, unpaid))["payments"][0]

    assert (await cannot(shop, payment, 1001))[:2] == ("INVALID", "input.amount.amount")
    for cents in (0, -1):
        assert (await cannot(shop, payment, cents))[:2] == ("INVALID", "input.amount.amount")
    assert (await cannot(shop, payment, 100, currency="USD"))[:2] == ("INVALID", "input.amount.currency")
    assert (await cannot(shop, declined))[:2] == ("CONFLICT", "input.payment")
    assert (await cannot(shop, {"id": unpaid["id"]}))[:2] == ("NOT_FOUND", "input.payment")
    assert (await see(shop, order))["refunds"] == []


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.CONSULTANT])
async def test_owners_and_admins_alone_give_money_back(shop: Shop, role: Role) -> None:
    _, payment = await sold(shop)
    other = await Shop.open(shop.http, shop.sandbox, role=role)

    assert (await cannot(other, payment))[0] == "FORBIDDEN"
