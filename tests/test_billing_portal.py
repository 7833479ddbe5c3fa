"""What Stripe keeps of a client: cards, and the portal where the client looks after them."""

from typing import Any

import pytest

from models import Client, Membership, Role
from sandbox.stripe_cards import ONCE
from tests.shop import GraphQLErrors, Shop
from tests.subscribing import CANCEL, METHODS, PORTAL, begun, row, seen

pytestmark = pytest.mark.usefixtures("printer")


def asked(shop: Shop, client: str, **more: Any) -> dict[str, Any]:
    return {"client": client, "returnUrl": f"{shop.sandbox.url}/shop"} | more


async def test_the_portal_opens_for_whoever_is_a_client_and_makes_their_customer(shop: Shop) -> None:
    client = await shop.client("marie@example.com")

    opened = await shop(PORTAL, input=asked(shop, client))

    page = await shop.browse(opened["url"])
    assert page.status_code == 200
    assert f"{shop.sandbox.url}/shop" in page.text
    assert await shop.count("clients", "stripe_id IS NOT NULL") == 1


async def test_for_a_customer_whom_somebody_deleted_at_stripe_the_next_try_makes_another(shop: Shop) -> None:
    client = await shop.client()
    await shop.sql("UPDATE clients SET stripe_id = 'cus_deleted', stripe_account = 'platform', stripe_live = false")

    await shop.refused(PORTAL, input=asked(shop, client))

    opened = await shop(PORTAL, input=asked(shop, client))
    assert (await shop.browse(opened["url"])).status_code == 200


async def test_what_is_done_there_is_told(shop: Shop) -> None:
    client = await shop.client()
    subscription = await begun(shop, client=client)
    opened = await shop(PORTAL, input=asked(shop, client))
    before = len(shop.sandbox.stripe.events())

    await shop.browse(opened["url"], {"subscription": subscription["stripeId"], "do": "cancel"})
    await shop.tell(shop.sandbox.stripe.events()[before:])

    assert (await seen(shop, subscription["id"]))["cancelAtPeriodEnd"] is True


async def test_cards_are_listed_and_which_is_charged(shop: Shop) -> None:
    client = await shop.client()
    none = await shop(METHODS, client=client)
    subscription = await begun(shop, client=client, card=ONCE)
    customer = shop.sandbox.stripe.subscription(subscription["stripeId"])["customer"]
    shop.sandbox.stripe.replace_card(customer)

    newest, first = await shop(METHODS, client=client)

    assert none == []
    assert (newest["type"], newest["brand"], newest["last4"], newest["isDefault"]) == ("card", "visa", "4242", True)
    assert (first["last4"], first["expMonth"], first["expYear"], first["isDefault"]) == ("0341", 12, 2034, False)


async def test_a_beneficiary_opens_their_own_and_nobody_elses(shop: Shop) -> None:
    mine, other = await shop.client(), await shop.client()
    subscription = await begun(shop, client=mine)
    beneficiary = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    member = await Membership.get(organization_id=shop.organization.id, role=Role.BENEFICIARY)
    await Client.filter(id=row(mine)).update(member_id=member.id)

    assert (await beneficiary(PORTAL, input=asked(shop, mine)))["url"]
    assert len(await beneficiary(METHODS, client=mine)) == 1
    assert await beneficiary(CANCEL, input={"subscription": subscription["id"]})
    assert (await beneficiary.refused(PORTAL, input=asked(shop, other)))[:2] == ("NOT_FOUND", "input.client")
    assert (await beneficiary.refused(METHODS, client=other))[:2] == ("NOT_FOUND", "client")


async def test_who_may_not_pay_may_not_look(shop: Shop) -> None:
    client = await shop.client()
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)

    assert (await accountant.refused(METHODS, client=client))[0] == "FORBIDDEN"
    assert (await accountant.refused(PORTAL, input=asked(shop, client)))[0] == "FORBIDDEN"


async def test_clients_come_back_to_our_own_front_ends_alone(shop: Shop) -> None:
    client = await shop.client()

    refused = await shop.refused(PORTAL, input=asked(shop, client, returnUrl="https://elsewhere.example/"))

    assert refused[:2] == ("INVALID", "input.returnUrl")


async def test_a_stripe_that_is_away_is_said_so(shop: Shop) -> None:
    client = await shop.client()
    await begun(shop, client=client)
    shop.sandbox.stripe.fail_next(503, path="/v1/customers")

    with pytest.raises(GraphQLErrors, match="UNAVAILABLE"):
        await shop(METHODS, client=client)
