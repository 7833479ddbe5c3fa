"""Invitations: who may send them, what the letter says, who becomes a member by them and who does not."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import Invitation, Membership, Role, User
from services import invitations, tokens
from tests.documents import SIGN_IN
from tests.identity.accounts import (
    ACCEPT,
    INVITE,
    ME,
    NEW_NAME,
    OFFER,
    OTHER_PASSWORD,
    REVOKE,
    as_nobody,
    bearer,
    forged,
    sign_in,
    token_in_letter,
)
from tests.identity.test_second_factors import CONFIRM, START, App
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import Shop, said

NOE = "noe@example.com"
OVER = ("INVALID", "input.token", invitations.OVER)
ONLY_AN_OWNER = "Only an owner makes somebody an owner, or an owner something else. Ask one."
ADD = "mutation ($input: MemberAddInput!) { memberAdd(input: $input) { temporaryPassword member { id } } }"
REMOVE = "mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { membership { active } } }"
MEMBERS = "{ members { nodes { id role active user { email } } } }"


async def invited(shop: Shop, email: str = NOE, role: str = "CONSULTANT") -> str:
    """The token of the letter that comes of it."""
    await shop(INVITE, input={"email": email, "role": role})
    return await token_in_letter(shop, email, "invitation")


async def accepted(shop: Shop, token: str, **given: Any) -> dict[str, Any]:
    return dict(await as_nobody(shop)(ACCEPT, input={"token": token} | given))


async def removed(shop: Shop, email: str) -> None:
    (id,) = [each["id"] for each in (await shop(MEMBERS))["nodes"] if each["user"]["email"] == email]
    await shop(REMOVE, input={"member": id})


async def test_who_is_new_chooses_a_name_and_a_password_and_is_signed_in(shop: Shop) -> None:
    token = await invited(shop)

    offer = await as_nobody(shop)(OFFER, token=token)
    done = await accepted(shop, token, **NEW_NAME)

    assert offer == {"organizationName": "ComptAppart", "email": NOE, "role": "CONSULTANT", "hasAccount": False}
    assert done["organization"] == "shop"
    me = await bearer(shop, done["session"])(ME)
    assert (me["role"], me["user"]["email"], me["user"]["firstName"]) == ("CONSULTANT", NOE, "Noé")
    assert (await sign_in(shop, NOE, OTHER_PASSWORD))["accessToken"]


async def test_who_has_an_account_keeps_it_and_is_not_signed_in_by_a_link(shop: Shop) -> None:
    theirs = await neighbour(shop)
    token = await invited(shop, theirs.email, "ACCOUNTANT")

    assert (await as_nobody(shop)(OFFER, token=token))["hasAccount"] is True
    done = await accepted(shop, token, **NEW_NAME)

    assert done == {"organization": "shop", "session": None}
    signed_in = bearer(shop, await sign_in(shop, theirs.email, organization="shop"))
    me = await signed_in(ME)
    assert (me["role"], me["organization"]["slug"], me["user"]["firstName"]) == ("ACCOUNTANT", "shop", "Camille")


async def test_who_is_new_must_give_a_name_and_a_good_password(shop: Shop) -> None:
    token = await invited(shop)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"firstName": None}, "input.firstName"), ({"firstName": ""}, "input.firstName"),
        ({"firstName": "x" * 101}, "input.firstName"), ({"firstName": "a\0b"}, "input.firstName"),
        ({"firstName": " "}, "input.firstName"), ({"lastName": None}, "input.lastName"),
        ({"lastName": "x" * 500_000}, "input.lastName"), ({"password": None}, "input.password"),
        ({"password": "short"}, "input.password"), ({"password": NOE}, "input.password"),
        ({"password": "x" * 500_000}, "input.password"),
    ]  # fmt: skip

    async with nothing_changes(shop):
        for changed, field in wrong:
            refusal = await as_nobody(shop).refused(ACCEPT, input={"token": token} | NEW_NAME | changed)
            assert refusal[:2] == ("INVALID", field), str(changed)[:99]


async def test_the_letter_says_who_invites_to_what_and_until_when(shop: Shop) -> None:
    await invited(shop)

    (letter,) = shop.mails(NOE)
    assert letter.message["Subject"] == "Camille Durand vous invite à rejoindre ComptAppart – ComptAppart"
    text = said(letter)
    assert "Camille Durand invites you to join ComptAppart." in text
    assert f"{(datetime.now(UTC) + invitations.LIFE).day} " in text
    assert "http://comptoir.test/account#invitation=" in text


async def test_only_an_owner_invites_owners_and_takes_such_invitations_back(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    mine = (await shop(INVITE, input={"email": "second@example.com", "role": "OWNER"}))["invitation"]

    async with nothing_changes(shop):
        for document, input in (
            (INVITE, {"email": NOE, "role": "OWNER"}),
            (REVOKE, {"invitation": mine["id"]}),
            (INVITE, {"email": "second@example.com", "role": "BENEFICIARY"}),  # in its place
        ):
            assert (await admin.refused(document, input=input)) == ("FORBIDDEN", None, ONLY_AN_OWNER)
    assert await invited(admin)
    token = await token_in_letter(shop, "second@example.com", "invitation")
    assert (await accepted(shop, token, **NEW_NAME))["session"]


@pytest.mark.parametrize("role", [Role.CONSULTANT, Role.ACCOUNTANT, Role.BENEFICIARY])
async def test_nobody_else_invites(shop: Shop, role: Role) -> None:
    caller = await Shop.open(shop.http, shop.sandbox, role=role)

    async with nothing_changes(shop):
        assert (await caller.refused(INVITE, input={"email": NOE, "role": "BENEFICIARY"}))[0] == "FORBIDDEN"


async def test_a_second_invitation_takes_the_place_of_the_first(shop: Shop) -> None:
    first, second = await invited(shop), await invited(shop, role="ACCOUNTANT")

    assert await as_nobody(shop).refused(ACCEPT, input={"token": first} | NEW_NAME) == OVER
    done = await accepted(shop, second, **NEW_NAME)
    assert (await bearer(shop, done["session"])(ME))["role"] == "ACCOUNTANT"


async def test_an_invitation_that_is_over_lets_nobody_in(shop: Shop) -> None:
    token = await invited(shop)
    row = await Invitation.get(email=NOE)
    claims = {"id": str(row.id)}

    async def is_over(*bad: str) -> None:
        async with nothing_changes(shop):
            for each in bad:
                refusal = await as_nobody(shop).refused(ACCEPT, input={"token": each} | NEW_NAME)
                assert refusal == OVER, each[:40]
                assert (await as_nobody(shop).refused(OFFER, token=each))[0] == "INVALID"

    await is_over(
        "", "a\0b", "x" * 500_000, forged(token), shop.token,
        *(tokens.sign(other, claims, timedelta(days=1))[0] for other in (tokens.REGISTRATION, tokens.EMAIL)),
    )  # fmt: skip
    await Invitation.all().update(expires_at=datetime.now(UTC))
    await is_over(token)
    await Invitation.all().update(expires_at=datetime.now(UTC) + timedelta(days=1))
    invitation = (await shop("{ invitations { nodes { id } } }"))["nodes"][0]["id"]
    await shop(REVOKE, input={"invitation": invitation})
    await is_over(token)


async def test_an_invitation_accepted_six_times_at_once_makes_one_member(shop: Shop) -> None:
    token = await invited(shop)

    answers = await asyncio.gather(
        *(as_nobody(shop).post(ACCEPT, {"input": {"token": token} | NEW_NAME}) for _ in range(6))
    )

    assert sum("errors" not in answer for answer in answers) == 1
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer} == {"INVALID"}
    assert await Membership.filter(user__email=NOE).count() == 1


async def test_one_whom_two_organizations_invite_answers_both_at_once_with_one_account(shop: Shop) -> None:
    theirs = await neighbour(shop)
    links = [await invited(shop), await invited(theirs)]

    answers = await asyncio.gather(*(as_nobody(shop).post(ACCEPT, {"input": {"token": t} | NEW_NAME}) for t in links))

    refusals = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert refusals in ([], ["CONFLICT"])
    assert await User.filter(email=NOE).count() == 1


async def test_a_former_member_comes_back_in_the_role_of_the_invitation(shop: Shop) -> None:
    await accepted(shop, await invited(shop), **NEW_NAME)
    await removed(shop, NOE)

    done = await accepted(shop, await invited(shop, role="ACCOUNTANT"))

    assert done["session"] is None
    assert (await bearer(shop, await sign_in(shop, NOE, OTHER_PASSWORD))(ME))["role"] == "ACCOUNTANT"
    assert await Membership.filter(user__email=NOE).count() == 1


async def test_who_is_a_member_already_cannot_be_invited_and_keeps_their_role(shop: Shop) -> None:
    token = await invited(shop, role="ADMIN")
    await shop(ADD, input={"email": NOE, "firstName": "Noé", "lastName": "Blanc", "role": "BENEFICIARY"})

    assert (await shop.refused(INVITE, input={"email": NOE, "role": "ADMIN"}))[:2] == ("CONFLICT", "input.email")
    await accepted(shop, token, **NEW_NAME)

    assert (await Membership.get(user__email=NOE)).role is Role.BENEFICIARY


async def test_an_account_that_somebody_else_made_for_the_address_lets_them_in_nowhere(shop: Shop) -> None:
    theirs = await neighbour(shop)
    person = {"email": NOE, "firstName": "Noé", "lastName": "Blanc", "role": "ADMIN"}
    password = (await theirs(ADD, input=person))["temporaryPassword"]
    intruder = bearer(theirs, await sign_in(theirs, NOE, password))
    started = await intruder(START, input={"password": password})
    await intruder(CONFIRM, input={"code": App(started["secret"]).code()})

    assert (await shop.refused(ADD, input=person))[:2] == ("CONFLICT", "input.email")
    token = await invited(shop)
    assert (await as_nobody(shop)(OFFER, token=token))["hasAccount"] is False
    assert (await as_nobody(shop).refused(ACCEPT, input={"token": token}))[:2] == ("INVALID", "input.firstName")
    noe = bearer(shop, (await accepted(shop, token, **NEW_NAME))["session"])

    assert (await noe(ME))["user"]["secondFactorSince"] is None
    assert (await intruder.refused(ME))[0] == "UNAUTHENTICATED"
    asked = {"email": NOE, "password": password}
    assert (await as_nobody(shop).refused(SIGN_IN, input=asked))[0] == "UNAUTHENTICATED"
    assert (await sign_in(shop, NOE, OTHER_PASSWORD))["accessToken"]


async def test_nobody_comes_back_by_an_invitation_from_before_they_were_removed(shop: Shop) -> None:
    token = await invited(shop)
    await shop(ADD, input={"email": NOE, "firstName": "Noé", "lastName": "Blanc", "role": "ADMIN"})

    await removed(shop, NOE)

    assert await as_nobody(shop).refused(ACCEPT, input={"token": token}) == OVER


async def test_what_somebody_who_is_removed_sent_to_their_other_address_is_good_no_more(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    token = await invited(admin, "private@example.com", "ADMIN")

    await removed(shop, admin.email)

    assert await as_nobody(shop).refused(ACCEPT, input={"token": token} | NEW_NAME) == OVER


async def test_an_owners_invitation_of_an_owner_is_good_no_more_once_they_are_none(shop: Shop) -> None:
    token = await invited(shop, role="OWNER")
    await Membership.filter(user__email=shop.email).update(role=Role.ADMIN)

    assert await as_nobody(shop).refused(ACCEPT, input={"token": token} | NEW_NAME) == OVER


async def test_another_organization_neither_sees_nor_revokes_an_invitation(shop: Shop) -> None:
    theirs = await neighbour(shop)
    id = (await shop(INVITE, input={"email": NOE, "role": "CONSULTANT"}))["invitation"]["id"]

    assert (await theirs("{ invitations { totalCount } }"))["totalCount"] == 0
    async with nothing_changes(shop):
        refusals = {await theirs.refused(REVOKE, input={"invitation": each}) for each in (id, never_made("Invitation"))}
    assert refusals == {("NOT_FOUND", "input.invitation", "No such invitation.")}


async def test_an_organization_sends_so_many_letters_a_week_and_no_more(shop: Shop) -> None:
    by = await Membership.get(user__email=shop.email)
    now = datetime.now(UTC)
    await Invitation.bulk_create(
        Invitation(
            organization=shop.organization, email=f"{number}@example.com", role=Role.ADMIN, invited_by=by,
            expires_at=now, revoked_at=now,
        )
        for number in range(invitations.WITHIN_LIFE_MOST)
    )  # fmt: skip

    assert (await shop.refused(INVITE, input={"email": NOE, "role": "ADMIN"}))[0] == "LIMITED"
