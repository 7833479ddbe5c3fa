"""Beneficiaries: who comes in by the letter of an invitation is the client of that address, and nobody else is."""

from typing import Any

import models
from tests.bilans.agreed import Agreed
from tests.identity.accounts import ACCEPT, INVITE, NEW_NAME, as_nobody, bearer, token_in_letter
from tests.managing.test_client_merges import MERGE
from tests.managing.test_members import REMOVE
from tests.shop import Shop

MOVED = "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { id } } }"


async def test_a_beneficiary_who_was_invited_sees_their_own_bilan(shop: Shop) -> None:
    await Agreed.open(shop)
    await Agreed.open(shop, email="paul@example.com")

    marie = await came(shop, "marie@example.com")

    seen = (await marie("{ bilans { nodes { beneficiaryName } } }"))["nodes"]
    assert [each["beneficiaryName"] for each in seen] == ["Marie Durand"]
    entry = await models.AuditEntry.get(action="clientConnected").prefetch_related("actor__user")
    assert (entry.actor.user.email, entry.subject_id) == (
        "marie@example.com", (await models.Client.get(email="marie@example.com")).id,
    )  # fmt: skip


async def test_a_beneficiary_who_came_before_their_bilan_was_agreed_sees_it(shop: Shop) -> None:
    marie = await came(shop, "marie@example.com")

    await Agreed.open(shop)

    assert len((await marie("{ bilans { nodes { id } } }"))["nodes"]) == 1


async def test_who_never_confirmed_an_address_is_not_the_client_of_it(shop: Shop) -> None:
    """Whoever runs the shop knows the password that they gave to somebody new: it opens no synthesis."""
    person = {"email": "marie@example.com", "firstName": "Marie", "lastName": "Durand", "role": "BENEFICIARY"}
    await shop("mutation ($input: MemberAddInput!) { memberAdd(input: $input) { temporaryPassword } }", input=person)
    colleague = await came(shop, "paul@example.com", role="CONSULTANT")

    await Agreed.open(shop)
    await Agreed.open(shop, email="paul@example.com")

    assert await models.Client.filter(member_id__isnull=False).count() == 0
    assert (await colleague("{ bilans { nodes { id } } }"))["nodes"] == []


async def test_who_was_removed_stands_in_the_way_of_nobody_who_comes_by_the_clients_new_address(shop: Shop) -> None:
    agreed = await Agreed.open(shop)
    before = await came(shop, "marie@example.com")
    await leave(shop, before)
    await shop(MOVED, input={"client": agreed.client, "email": "durand@example.com"})

    marie = await came(shop, "durand@example.com")
    await invited(shop, "marie@example.com")

    counts = [len((await each("{ bilans { nodes { id } } }"))["nodes"]) for each in (marie, before)]
    assert counts == [1, 0]


async def test_two_who_are_one_are_merged_once_one_of_their_members_was_removed(shop: Shop) -> None:
    agreed = await Agreed.open(shop)
    before = await came(shop, "marie@example.com")
    kept = await shop.client("durand@example.com")
    marie = await came(shop, "durand@example.com")
    both = {"client": agreed.client, "duplicate": kept}
    assert "remove one of the members first" in (await shop.refused(MERGE, input=both))[2]
    await leave(shop, before)

    await shop(MERGE, input=both)

    assert len((await marie("{ bilans { nodes { id } } }"))["nodes"]) == 1


async def leave(shop: Shop, member: Shop) -> None:
    await shop(REMOVE, input={"member": (await member("{ me { id } }"))["id"]})


async def came(shop: Shop, email: str, role: str = "BENEFICIARY") -> Shop:
    """Who was invited, signed in."""
    return bearer(shop, (await invited(shop, email, role))["session"])


async def invited(shop: Shop, email: str, role: str = "BENEFICIARY") -> dict[str, Any]:
    """What somebody is answered who accepts."""
    await shop(INVITE, input={"email": email, "role": role})
    token = await token_in_letter(shop, email, "invitation")
    return dict(await as_nobody(shop)(ACCEPT, input={"token": token, **NEW_NAME}))
