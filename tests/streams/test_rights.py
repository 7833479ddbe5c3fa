"""Who is told what; rights are looked at again while a subscription runs."""

from datetime import timedelta

import pytest

from models import Client, Membership, Role, User
from models.base import global_id
from policy import row_id
from services import tokens
from tests.security.surroundings import neighbour
from tests.shop import Shop
from tests.streams.clients import ORDERS, socket

NOTIFICATIONS = "subscription { notificationChanged { happened notification { id status } } }"
REMOVE = "mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { membership { active } } }"
UPDATE = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { membership { role } } }"


async def test_rows_of_another_organization_are_never_told(shop: Shop, port: int) -> None:
    other = await neighbour(shop)
    async with socket(port, shop.token) as client:
        await client.follow()

        await other.order()
        mine = await shop.order()

        assert (await client.event())["order"]["id"] == mine["id"]


async def test_a_row_of_another_organization_cannot_be_followed(shop: Shop, port: int) -> None:
    theirs = await (await neighbour(shop)).order()
    async with socket(port, shop.token) as client:
        await client.ask(ORDERS, id=theirs["id"])

        assert await client.refusal() == ("NOT_FOUND", "No such order.")


async def test_a_consultant_is_told_of_their_own_clients_alone(shop: Shop, port: int) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    mine, others = await shop.client(), await shop.client()
    await _looks_after(consultant, mine)
    async with socket(port, consultant.token) as client:
        await client.follow()

        await shop.order(client=others)
        order = await shop.order(client=mine)

        assert (await client.event())["order"]["id"] == order["id"]


async def test_what_is_resumed_is_narrowed_as_what_is_told(shop: Shop, port: int) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    mine, others = await shop.client(), await shop.client()
    await _looks_after(consultant, mine)
    async with socket(port, consultant.token) as client:
        cursor = (await client.follow())["cursor"]
    await shop.order(client=others)
    order = await shop.order(client=mine)

    async with socket(port, consultant.token) as client:
        assert (await client.follow(after=cursor))["order"]["id"] == order["id"]


async def test_a_row_that_is_seen_no_more_ends_its_subscription(shop: Shop, port: int) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    mine = await shop.client()
    await _looks_after(consultant, mine)
    order = await shop.order(client=mine)
    async with socket(port, consultant.token) as client:
        await client.follow(id=order["id"])

        await Client.filter(email__contains="@").update(consultant_id=None)
        await shop.do("orderCancel", order)

        assert (await client.event())["order"] is None
        assert (await client.hear())["type"] == "complete"


async def test_who_is_removed_is_told_nothing_more(shop: Shop, port: int) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    async with socket(port, admin.token) as client:
        await client.follow()
        await client.follow(NOTIFICATIONS)

        await shop(REMOVE, input={"member": await _member(admin)})
        await shop.order()

        assert (await client.refusal())[0] == "UNAUTHENTICATED"
        assert (await client.refusal())[0] == "UNAUTHENTICATED"
        assert (await client.closed())[0] == 4403


async def test_whose_session_ends_is_looked_up_wherever_they_are_a_member(shop: Shop) -> None:
    theirs, user = await neighbour(shop), await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)

    await shop("mutation { signOut { done } }")

    noted = await shop.sql("SELECT organization_id FROM changes WHERE subject = 'rights'")
    assert {row["organization_id"] for row in noted} == {shop.organization.id, theirs.organization.id}


async def test_who_may_no_more_is_told_so_and_keeps_what_they_may(shop: Shop, port: int) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    async with socket(port, admin.token) as client:
        await client.follow()
        await client.follow(NOTIFICATIONS)

        await shop(UPDATE, input={"member": await _member(admin), "role": "ACCOUNTANT"})

        assert (await client.refusal())[0] == "FORBIDDEN"
        order = await shop.order()
        assert (await client.event())["order"]["id"] == order["id"]


async def test_a_withdrawn_key_is_told_nothing_more(shop: Shop, port: int) -> None:
    partner = await shop.partner()
    made = await shop(
        "mutation ($input: PartnerKeyCreateInput!) { partnerKeyCreate(input: $input) { key partnerKey { id } } }",
        input={"partner": partner["id"], "name": "Server"},
    )
    async with socket(port, made["key"]) as client:
        await client.follow(NOTIFICATIONS)
        await shop.sell(await shop.product(partners=(partner,)))
        assert (await client.event())["notification"]["id"]

        await shop(
            "mutation ($input: PartnerKeyRevokeInput!) { partnerKeyRevoke(input: $input) { partnerKey { id } } }",
            input={"partnerKey": made["partnerKey"]["id"]},
        )

        message = await client.hear()
        while message["type"] == "next":
            message = await client.hear()
        assert message["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert (await client.closed())[0] == 4403


@pytest.mark.parametrize("slug", ["nowhere", "a\0b", "-", "x" * 100_000], ids=["none", "zero", "hyphen", "long"])
async def test_an_organization_that_one_is_no_member_of_is_refused(shop: Shop, port: int, slug: str) -> None:
    async with socket(port) as client:
        payload = {"authorization": f"Bearer {shop.token}", "organization": slug}
        await client.say(type="connection_init", payload=payload)

        assert await client.closed() == (4403, "You are no member of an organization of this name.")


async def test_a_token_that_expires_ends_what_it_began(shop: Shop, port: int) -> None:
    claims = tokens.read(tokens.ACCESS, shop.token)
    assert claims
    token, _ = tokens.sign(
        tokens.ACCESS, {name: claims[name] for name in claims if name != "exp"}, timedelta(seconds=3)
    )
    async with socket(port, token) as client:
        cursor = (await client.follow())["cursor"]
        assert (await client.refusal())[0] == "UNAUTHENTICATED"
        assert (await client.closed())[0] == 4403
    order = await shop.order()

    async with socket(port, shop.token) as client:
        assert (await client.follow(after=cursor))["order"]["id"] == order["id"]


async def test_nobody_follows_anything(shop: Shop, port: int) -> None:
    async with socket(port) as client:
        await client.initialise()
        await client.ask(ORDERS)

        assert (await client.refusal())[0] == "UNAUTHENTICATED"


@pytest.mark.parametrize(("origin", "let_in"), [("https://shop.example", True), ("https://evil.example", False)])
async def test_a_storefronts_key_comes_from_its_pages_alone_and_follows_nothing(
    shop: Shop, port: int, origin: str, let_in: bool
) -> None:
    made = await shop(
        "mutation ($input: PublishableKeyCreateInput!)"
        " { publishableKeyCreate(input: $input) { publishableKey { key } } }",
        input={"name": "Shop", "origins": ["https://shop.example"]},
    )
    key = made["publishableKey"]["key"]
    async with socket(port, origin=origin) as client:
        await client.say(type="connection_init", payload={"authorization": f"Bearer {key}"})
        if let_in:
            assert (await client.hear())["type"] == "connection_ack"
            await client.ask(ORDERS)
            assert (await client.refusal())[0] == "FORBIDDEN"
        else:
            assert (await client.closed())[0] == 4403


async def test_a_page_of_any_origin_comes_with_a_persons_token(shop: Shop, port: int) -> None:
    async with socket(port, shop.token, origin="https://anywhere.example") as client:
        assert (await client.follow())["happened"] == []


async def _member(shop: Shop) -> str:
    return global_id(await Membership.get(user__email=shop.email))


async def _looks_after(consultant: Shop, client: str) -> None:
    member = await Membership.get(user__email=consultant.email)
    await Client.filter(id=row_id(Client, client)).update(consultant_id=member.id)
