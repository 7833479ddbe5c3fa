"""A renewal that cannot be paid: who is told, for how long one may go on, and how it ends."""

from datetime import timedelta

import pytest

from sandbox.stripe_cards import ONCE
from tests.shop import Shop, said
from tests.subscribing import accesses, at, begun, month_passes, seen

pytestmark = pytest.mark.usefixtures("printer")

CLIENT, STAFF = "client1@example.com", "bonjour@comptappart.test"


async def test_the_client_and_the_person_in_charge_are_told_once_with_a_link_that_works(shop: Shop) -> None:
    subscription = await begun(shop, card=ONCE)

    await month_passes(shop)
    late = await seen(shop, subscription["id"])
    await month_passes(shop, months=0, days=3)  # Stripe tries again, in vain

    assert (late["status"], late["failureCode"]) == ("PAST_DUE", "generic_decline")
    assert late["failureMessage"] == "Your card was declined."
    assert late["failedAt"]
    letters = [mail for mail in shop.mails(CLIENT) if "renouvellement" in str(mail.message["Subject"])]
    assert len(letters) == 1
    assert late["payUrl"] in said(letters[0])
    assert "19,00 €" in said(letters[0])
    (told,) = shop.mails(STAFF)
    assert f"mailto:{CLIENT}" in told.body("html")
    page = await shop.browse(late["payUrl"])
    assert (page.status_code, "19,00" in page.text) == (200, True)


async def test_paying_by_the_link_makes_the_order_and_all_is_well(shop: Shop) -> None:
    subscription = await begun(shop, card=ONCE)
    await month_passes(shop)
    late = await seen(shop, subscription["id"])
    (during,) = await accesses(shop)

    invoice = late["payUrl"].rpartition("/")[2]
    await shop.tell(shop.sandbox.stripe.pay_invoice(invoice))

    recovered = await seen(shop, subscription["id"])
    assert at(during["endsAt"]) == at(subscription["currentPeriodEnd"]) + timedelta(days=7)
    assert recovered["status"] == "ACTIVE"
    assert recovered["payUrl"] is recovered["failureCode"] is recovered["failedAt"] is None
    assert [order["status"] for order in recovered["orders"]["nodes"]] == ["PAID", "PAID"]
    assert len(await accesses(shop)) == 2


async def test_what_is_never_paid_ends_and_the_access_with_its_days_of_grace(shop: Shop) -> None:
    await shop.change("organization", graceDays=20)
    subscription = await begun(shop, card=ONCE)
    await month_passes(shop)
    (during,) = await accesses(shop)

    await month_passes(shop, months=0, days=16)

    ended = await seen(shop, subscription["id"])
    (access,) = await accesses(shop)
    assert at(during["endsAt"]) == at(subscription["currentPeriodEnd"]) + timedelta(days=20)
    assert (ended["status"], ended["payUrl"]) == ("CANCELED", None)
    assert shop.subjects(CLIENT)[-1] == "[TEST] Votre abonnement a pris fin"
    assert len(ended["orders"]["nodes"]) == 1
    assert at(access["endsAt"]) == at(subscription["currentPeriodEnd"])


async def test_a_letter_that_was_overtaken_by_the_payment_is_not_sent(shop: Shop) -> None:
    await begun(shop, card=ONCE)
    failed = shop.sandbox.stripe.advance(months=1)
    for event in failed:
        await shop.deliver(event)
    invoice = failed[-1]["data"]["object"]["latest_invoice"]
    await shop.tell(shop.sandbox.stripe.pay_invoice(invoice))

    assert not [mail for mail in shop.mails(CLIENT) if "renouvellement" in str(mail.message["Subject"])]


@pytest.mark.parametrize(("days", "field"), [(-1, "input.graceDays"), (91, "input.graceDays")])
async def test_days_of_grace_are_within_reason(shop: Shop, days: int, field: str) -> None:
    update = "mutation ($input: OrganizationUpdateInput!) { organizationUpdate(input: $input) { organization { id } } }"

    assert (await shop.refused(update, input={"graceDays": days}))[:2] == ("INVALID", field)
