"""Who pays for a bilan: several payers, invoices ahead, the beneficiary's checkout, and money that goes back."""

import asyncio
from typing import Any

import pytest

from models import Payment
from tests.bilans.agreed import CHECKOUT, Agreed
from tests.shop import GraphQLErrors, Shop

pytestmark = pytest.mark.usefixtures("printer")

DISCOUNT = "mutation ($input: OrderDiscountInput!) { orderDiscount(input: $input) { order { id } } }"
REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }"


async def test_what_nobody_takes_on_is_paid_by_the_beneficiary_and_the_bilan_is_funded(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.agree(await bilan.plan("CPF", 120_000, reference="DOS-1"))
    seen = await bilan.see()
    assert (seen["status"], seen["due"]["amount"]) == ("AWAITING_FUNDING", 60_000)

    started = await bilan.checkout()
    assert started["amount"]["amount"] == 60_000
    await bilan.pay()

    seen = await bilan.see()
    assert (seen["status"], seen["due"]["amount"], seen["secured"]["amount"]) == ("FUNDED", 0, 180_000)
    assert seen["fundedAt"]
    own = seen["fundings"][-1]
    assert (own["source"], own["status"], own["order"]["status"], own["order"]["kind"]) == (
        "OWN", "PAID", "PAID", "BILAN",
    )  # fmt: skip
    (line,) = own["order"]["lines"]
    assert line["description"] == "Bilan de compétences Standard, prise en charge partielle"
    assert len(own["order"]["invoices"]) == 1


async def test_the_checkout_is_one_order_however_often_it_is_asked_for(shop: Shop) -> None:
    bilan = await Agreed.open(shop)

    started = await asyncio.gather(*(bilan.checkout() for _ in range(3)), return_exceptions=True)

    numbers = {each["orderNumber"] for each in started if not isinstance(each, BaseException)}
    assert len(numbers) == 1
    assert all(isinstance(each, dict | GraphQLErrors) for each in started)
    assert await shop.count("orders") == await shop.count("bilan_fundings") == 1


async def test_an_employer_is_invoiced_ahead_and_pays_later_by_transfer(shop: Shop) -> None:
    employer = await shop.client("rh@atelier.test", company="Atelier Durand SARL", siren="552100554")
    bilan = await Agreed.open(shop, employer=employer)
    funding = await bilan.plan("EMPLOYER")
    await bilan.agree(funding)
    await bilan.do("bilanFundingInvoice", bilanFunding=funding)
    await shop.work_is_done()

    seen = await bilan.see()
    assert seen["status"] == "FUNDED"  # agreed, and to be paid
    (part,) = seen["fundings"]
    assert (part["status"], part["payer"]["id"]) == ("AGREED", employer)
    assert (part["order"]["status"], part["order"]["client"]["id"]) == ("OPEN", employer)
    (line,) = part["order"]["lines"]
    assert line["description"] == "Bilan de compétences Standard, bénéficiaire : Marie Durand"
    assert len(part["order"]["invoices"]) == 1
    assert len(shop.mails("rh@atelier.test")) == 1

    await shop.do("paymentRecord", part["order"], method="TRANSFER")
    await shop.work_is_done()
    seen = await bilan.see()
    assert (seen["fundings"][0]["status"], len(seen["fundings"][0]["order"]["invoices"])) == ("PAID", 1)


async def test_parts_come_to_no_more_than_the_price(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.plan("OPCO", 100_000)

    code, field, message = await bilan.cannot(
        "bilanFundingAdd", bilan=bilan.id, source="CPF", amount={"amount": 80_001}
    )
    assert (code, field) == ("INVALID", "input.amount.amount")
    assert message == "An amount is 1 to 80000 minor units: what nobody has taken on."
    await bilan.plan("CPF")
    code, field, _ = await bilan.cannot("bilanFundingAdd", bilan=bilan.id, source="FRANCE_TRAVAIL")
    assert (code, field) == ("CONFLICT", "input.amount")
    assert (await bilan.see())["allotted"]["amount"] == 180_000


async def test_of_parts_that_are_planned_at_once_none_goes_beyond_the_price(shop: Shop) -> None:
    bilan = await Agreed.open(shop)

    await asyncio.gather(*(bilan.plan("CPF", 50_000) for _ in range(6)), return_exceptions=True)

    seen = await bilan.see()
    assert (len(seen["fundings"]), seen["allotted"]["amount"]) == (3, 150_000)


async def test_a_part_that_was_withdrawn_is_free_for_another_and_the_bilan_funded_no_more(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    funding = await bilan.plan("OPCO")
    await bilan.agree(funding)
    assert (await bilan.see())["status"] == "FUNDED"

    await bilan.do("bilanFundingWithdraw", bilanFunding=funding, reason="Refus de l'OPCO")

    seen = await bilan.see()
    assert (seen["status"], seen["fundedAt"], seen["due"]["amount"]) == ("AWAITING_FUNDING", None, 180_000)
    assert (seen["fundings"][0]["status"], seen["fundings"][0]["endReason"]) == ("WITHDRAWN", "Refus de l'OPCO")
    await bilan.pay()
    assert (await bilan.see())["status"] == "FUNDED"


async def test_a_checkout_that_was_begun_is_taken_back_with_its_part(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.checkout()
    (own,) = (await bilan.see())["fundings"]

    await bilan.do("bilanFundingWithdraw", bilanFunding=own["id"])

    (own,) = (await bilan.see())["fundings"]
    assert (own["status"], own["order"]["status"]) == ("WITHDRAWN", "CANCELED")
    await bilan.plan("CPF")
    code, field, message = await bilan.shop.refused(CHECKOUT, input=page_of(bilan))
    assert (code, field) == ("CONFLICT", "input.bilan")
    assert message == "Nothing of this bilan is left for the beneficiary to pay."


async def test_a_part_of_a_bilan_has_no_discount_since_it_is_counted_in_full(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    order = (await bilan.checkout())["order"]
    code = await shop("mutation ($input: DiscountCodeCreateInput!) { discountCodeCreate(input: $input) {"
                      " discountCode { code } } }", input={"code": "MOINS", "percent": 5000})  # fmt: skip

    for given in ({"discount": {"percent": 5000}}, {"discountCode": code["discountCode"]["code"]}):
        refused, field, message = await shop.refused(DISCOUNT, input={"order": order["id"], **given})
        assert (refused, field) == ("CONFLICT", "input.order")
        assert "bilanUpdate" in message

    too_little = await bilan.cannot("bilanUpdate", bilan=bilan.id, price={"amount": 150_000})
    await bilan.do("bilanFundingWithdraw", bilanFunding=(await bilan.see())["fundings"][0]["id"])
    await bilan.do("bilanUpdate", bilan=bilan.id, price={"amount": 150_000})
    await bilan.pay()
    seen = await bilan.see()
    assert too_little[:2] == ("INVALID", "input.price.amount")
    assert (seen["status"], seen["price"]["amount"], seen["due"]["amount"]) == ("FUNDED", 150_000, 0)
    assert [payment.amount_cents for payment in await Payment.all()] == [150_000]


async def test_a_price_that_is_less_by_now_funds_a_bilan_and_one_that_is_more_takes_that_back(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.agree(await bilan.plan("CPF", 150_000))

    await bilan.do("bilanUpdate", bilan=bilan.id, price={"amount": 150_000})
    assert ((await bilan.see())["status"], (await bilan.see())["fundedAt"] is None) == ("FUNDED", False)
    await bilan.do("bilanUpdate", bilan=bilan.id, price={"amount": 160_000})
    seen = await bilan.see()
    assert (seen["status"], seen["due"]["amount"]) == ("AWAITING_FUNDING", 10_000)
    dollars = await bilan.cannot("bilanUpdate", bilan=bilan.id, price={"amount": 160_000, "currency": "USD"})
    assert dollars[:2] == ("INVALID", "input.price.currency")


async def test_money_that_went_back_undoes_the_funding(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.pay()
    (payment,) = (await bilan.see())["fundings"][0]["order"]["payments"]

    await shop(REFUND, input={"payment": payment["id"], "reason": "Renoncement"})
    await shop.tell(shop.sandbox.stripe.events("refund.updated")[-1:])

    seen = await bilan.see()
    assert (seen["status"], seen["due"]["amount"]) == ("AWAITING_FUNDING", 180_000)
    assert (seen["fundings"][0]["status"], seen["fundings"][0]["order"]["status"]) == ("REFUNDED", "REFUNDED")
    code, _, message = await bilan.cannot("bilanFundingWithdraw", bilanFunding=seen["fundings"][0]["id"])
    assert (code, message) == ("CONFLICT", "This funding is REFUNDED: it was given back; plan another.")


async def test_a_part_that_is_paid_is_given_back_not_withdrawn_and_invoices_name_who_pays(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    opco = await bilan.plan("OPCO", 100)
    code, field, _ = await bilan.cannot("bilanFundingInvoice", bilanFunding=opco)
    assert (code, field) == ("INVALID", "input.payer")
    await bilan.pay()
    own = (await bilan.see())["fundings"][1]["id"]

    assert (await bilan.cannot("bilanFundingWithdraw", bilanFunding=own))[0] == "CONFLICT"
    assert (await bilan.cannot("bilanFundingInvoice", bilanFunding=own))[0] == "CONFLICT"
    code, field, _ = await bilan.cannot("bilanFundingAgree", bilanFunding=await own_part(shop))
    assert (code, field) == ("CONFLICT", "input.bilanFunding")


async def test_a_bilan_that_is_given_up_asks_nothing_of_anybody_any_more(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await bilan.plan("CPF", 100_000)
    await bilan.checkout()

    await bilan.do("bilanCancel", bilan=bilan.id, reason="Le bénéficiaire renonce")

    seen = await bilan.see()
    assert (seen["status"], seen["cancelReason"], seen["allotted"]["amount"]) == (
        "CANCELED", "Le bénéficiaire renonce", 0,
    )  # fmt: skip
    assert {each["status"] for each in seen["fundings"]} == {"WITHDRAWN"}
    code, _, message = await bilan.cannot("bilanFundingAdd", bilan=bilan.id, source="CPF")
    assert (code, message) == ("CONFLICT", "This bilan is CANCELED: it was given up; make another.")


async def own_part(shop: Shop) -> str:
    other = Agreed(shop, "", "")
    formule = (await shop("{ formules { nodes { id } } }"))["nodes"][0]["id"]
    made = await other.do("bilanCreate", client=await shop.client(), formule=formule)
    other.id = made["id"]
    return await other.plan("OWN", 100)


def page_of(bilan: Agreed) -> dict[str, Any]:
    return {"bilan": bilan.id, "successUrl": f"{bilan.shop.sandbox.url}/shop"}


async def test_a_part_that_is_withdrawn_as_it_is_invoiced_is_one_or_the_other(shop: Shop) -> None:
    agreed, payer = await Agreed.open(shop), await shop.client("opco@example.com", company="OPCO")
    fundings = [await agreed.plan("OPCO", 10_000) for _ in range(4)]

    await asyncio.gather(
        *(
            agreed.do(action, bilanFunding=funding, **given)
            for funding in fundings
            for action, given in (("bilanFundingInvoice", {"payer": payer}), ("bilanFundingWithdraw", {}))
        ),
        return_exceptions=True,
    )

    for funding in (await agreed.see())["fundings"]:
        assert (funding["status"] == "WITHDRAWN") is not bool(funding["order"]), funding
