"""Members let in, given other roles, removed; there is always an owner."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from models import Client, Membership, Role
from models.base import global_id
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import PASSWORD, Shop

ADD = """mutation ($input: MemberAddInput!) {
  memberAdd(input: $input) { temporaryPassword member { id role active user { email firstName lastName } } }
}"""
UPDATE = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { membership { role } } }"
REMOVE = "mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { membership { role active } } }"
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken } } }"
MEMBERS = "query ($filter: MemberFilter) { members(filter: $filter) { nodes { role active user { email } } } }"
ME = "{ me { role user { email } } }"
NEW = {"email": "sacha@shop.test", "firstName": "Sacha", "lastName": "Petit", "role": "CONSULTANT"}
ONLY_AN_OWNER = "Only an owner makes somebody an owner, or an owner something else. Ask one."
LAST_OWNER = ("CONFLICT", "input.member", "This is the last owner. Make somebody else an owner first.")


async def test_somebody_new_signs_in_with_the_password_that_was_shown_once(shop: Shop) -> None:
    added = await shop(ADD, input=NEW | {"email": "Sacha@Shop.test"})

    user = {"email": "sacha@shop.test", "firstName": "Sacha", "lastName": "Petit"}
    assert {name: added["member"][name] for name in ("role", "active", "user")} == {
        "role": "CONSULTANT", "active": True, "user": user,
    }  # fmt: skip
    person = await signed_in(shop, "sacha@shop.test", added["temporaryPassword"])
    assert (await person(ME))["role"] == "CONSULTANT"
    assert len(added["temporaryPassword"]) >= 16


async def test_who_has_an_account_keeps_their_name_and_password(shop: Shop) -> None:
    theirs = await neighbour(shop)

    added = await shop(ADD, input=NEW | {"email": theirs.email, "firstName": "Other"})

    assert added["temporaryPassword"] is None
    assert added["member"]["user"]["firstName"] == "Camille"
    assert (await signed_in(shop, theirs.email, PASSWORD)).token


async def test_members_are_seen_with_what_they_may_by_those_who_run_the_shop(shop: Shop) -> None:
    await neighbour(shop)
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    added = await shop(ADD, input=NEW)
    await shop(REMOVE, input={"member": added["member"]["id"]})

    for caller in (shop, admin):
        found = (await caller(MEMBERS))["nodes"]
        assert [(each["user"]["email"], each["active"]) for each in found] == [
            ("sacha@shop.test", False), ("admin@shop.test", True), ("owner@shop.test", True),
        ]  # fmt: skip
    assert [
        each["user"]["email"] for each in (await shop(MEMBERS, filter={"active": True, "role": ["OWNER"]}))["nodes"]
    ] == ["owner@shop.test"]
    assert await shop("query ($id: ID!) { member(id: $id) { active } }", id=added["member"]["id"]) == {"active": False}


async def test_another_role_holds_from_the_next_request_on(shop: Shop) -> None:
    person, id = await somebody(shop)

    assert await shop(UPDATE, input={"member": id, "role": "ACCOUNTANT"}) == {"membership": {"role": "ACCOUNTANT"}}

    assert (await person(ME))["role"] == "ACCOUNTANT"


async def test_who_is_removed_is_let_in_no_more_and_their_clients_are_nobodys(shop: Shop) -> None:
    person, id = await somebody(shop)
    client = await shop.client(consultant=id)
    assert await person("{ clients { totalCount } }") == {"totalCount": 1}

    assert await shop(REMOVE, input={"member": id}) == {"membership": {"role": "CONSULTANT", "active": False}}

    assert (await person.refused(ME))[0] == "UNAUTHENTICATED"
    refusal = await shop.refused(SIGN_IN, input={"email": person.email, "password": PASSWORD})
    assert refusal[0] == "UNAUTHENTICATED"
    assert (await Client.get()).consultant_id is None
    refusal = await shop.refused(
        "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { id } } }",
        input={"client": client, "consultant": id},
    )
    assert refusal[:2] == ("INVALID", "input.consultant")
    for document, more in ((UPDATE, {"role": "ADMIN"}), (REMOVE, {})):
        assert await shop.refused(document, input={"member": id} | more) == (
            "CONFLICT", "input.member", "This person is no member any more. Add them again.",
        )  # fmt: skip


async def test_who_comes_back_is_the_same_member_with_the_role_of_now(shop: Shop) -> None:
    person, id = await somebody(shop)
    await shop(REMOVE, input={"member": id})

    added = await shop(ADD, input=NEW | {"email": person.email, "role": "ACCOUNTANT"})

    assert (added["member"]["id"], added["temporaryPassword"]) == (id, None)
    assert (await person(ME))["role"] == "ACCOUNTANT"


async def test_somebody_is_added_once(shop: Shop) -> None:
    await shop(ADD, input=NEW)
    async with nothing_changes(shop):
        assert await shop.refused(ADD, input=NEW) == (
            "CONFLICT", "input.email", "This person is a member already. Change their role instead.",
        )  # fmt: skip

    answers = await asyncio.gather(*(shop.post(ADD, {"input": NEW | {"email": "b@shop.test"}}) for _ in range(5)))
    assert sorted("errors" in answer for answer in answers) == [False, True, True, True, True]
    assert {error["extensions"]["code"] for answer in answers for error in answer.get("errors", ())} == {"CONFLICT"}


async def test_only_an_owner_makes_and_unmakes_owners(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    _, consultant = await somebody(shop)
    owner = await member_id(shop)

    async with nothing_changes(shop):
        for document, input in (
            (ADD, NEW | {"role": "OWNER"}),
            (UPDATE, {"member": consultant, "role": "OWNER"}),
            (UPDATE, {"member": await member_id(admin), "role": "OWNER"}),
            (UPDATE, {"member": owner, "role": "ADMIN"}),
            (REMOVE, {"member": owner}),
        ):
            assert await admin.refused(document, input=input) == ("FORBIDDEN", None, ONLY_AN_OWNER), input
    await admin(UPDATE, input={"member": consultant, "role": "ADMIN"})
    await shop(UPDATE, input={"member": consultant, "role": "OWNER"})
    await shop(UPDATE, input={"member": owner, "role": "ADMIN"})
    assert (await shop.refused(UPDATE, input={"member": consultant, "role": "ADMIN"}))[0] == "FORBIDDEN"


async def test_the_last_owner_is_neither_removed_nor_given_another_role(shop: Shop) -> None:
    former, id = await somebody(shop)
    await shop(UPDATE, input={"member": id, "role": "OWNER"})
    await former(REMOVE, input={"member": id})  # who was an owner and left does not count
    await neighbour(shop)  # nor do those of others
    last = await member_id(shop)

    async with nothing_changes(shop):
        assert await shop.refused(REMOVE, input={"member": last}) == LAST_OWNER
        assert await shop.refused(UPDATE, input={"member": last, "role": "ADMIN"}) == LAST_OWNER
    assert await shop(UPDATE, input={"member": last, "role": "OWNER"}) == {"membership": {"role": "OWNER"}}


@pytest.mark.parametrize(("document", "more"), [(REMOVE, {}), (UPDATE, {"role": "ADMIN"})], ids=["removed", "demoted"])
async def test_two_owners_who_unmake_each_other_at_once_leave_one(
    shop: Shop, document: str, more: dict[str, Any]
) -> None:
    other, id = await somebody(shop)
    for _ in range(5):
        await Membership.all().update(role=Role.OWNER, active=True)

        answers = await asyncio.gather(
            shop.post(document, {"input": {"member": id} | more}),
            other.post(document, {"input": {"member": await member_id(shop)} | more}),
        )

        assert sorted("errors" in answer for answer in answers) == [False, True], answers
        assert await Membership.filter(role=Role.OWNER, active=True).count() == 1


async def test_who_cannot_be_is_refused_and_named(shop: Shop) -> None:
    refusals: list[tuple[dict[str, Any], str, str]] = [
        ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "input.email", "Not an e-mail address"),
        ({"firstName": ""}, "input.firstName", "empty"),
        ({"lastName": "x" * 10_000}, "input.lastName", "longer than 100"),
        ({"role": "KING"}, "input.role", "KING"),
    ]

    async with nothing_changes(shop):
        for bad, field, says in refusals:
            code, blamed, message = await shop.refused(ADD, input=NEW | bad)
            assert (code, blamed) == ("INVALID", field), bad
            assert says in message


async def somebody(shop: Shop) -> tuple[Shop, str]:
    """A consultant of the shop's, signed in, and the id of their membership."""
    person = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    return person, await member_id(person)


async def member_id(person: Shop) -> str:
    return global_id(await Membership.get(user__email=person.email, organization_id=person.organization.id))


async def signed_in(shop: Shop, email: str, password: str) -> Shop:
    token = (await shop(SIGN_IN, input={"email": email, "password": password}))["accessToken"]
    return replace(shop, email=email, token=token)
