"""Beneficiaries: who comes in by the letter of an invitation is the client of that address, and nobody else is."""

import models
from tests.bilans.agreed import Agreed
from tests.identity.accounts import ACCEPT, INVITE, NEW_NAME, as_nobody, bearer, token_in_letter
from tests.shop import Shop


async def test_a_beneficiary_who_was_invited_sees_their_own_bilan(shop: Shop) -> None:
    await Agreed.open(shop)
    await Agreed.open(shop, email="paul@example.com")

    marie = await came(shop, "marie@example.com")

    seen = (await marie("{ bilans { nodes { beneficiaryName } } }"))["nodes"]
    assert [each["beneficiaryName"] for each in seen] == ["Marie Durand"]


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


async def came(shop: Shop, email: str, role: str = "BENEFICIARY") -> Shop:
    """Who was invited, signed in."""
    await shop(INVITE, input={"email": email, "role": role})
    token = await token_in_letter(shop, email, "invitation")
    accepted = await as_nobody(shop)(ACCEPT, input={"token": token, **NEW_NAME})
    return bearer(shop, accepted["session"])
