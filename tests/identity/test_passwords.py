"""Passwords and addresses, changed by the person, or by who can read their letters: and by nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import EmailChange, PasswordRequest, Role, User
from services import credentials, passwords, tokens
from tests.documents import SIGN_IN
from tests.identity.accounts import (
    CHANGE_EMAIL,
    CHANGE_PASSWORD,
    CONFIRM_EMAIL,
    FORGOT,
    ME,
    OTHER_PASSWORD,
    RESET,
    SIGN_IN_FIRST,
    as_nobody,
    bearer,
    forged,
    sign_in,
    token_in_letter,
    work_of,
)
from tests.identity.test_second_factors import set_up
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import PASSWORD, Shop, said

NEW = "camille@nouveau.test"
OVER = ("INVALID", "input.token", credentials.OVER)
PROFILE = "mutation ($input: ProfileUpdateInput!) { profileUpdate(input: $input) { user { firstName lastName } } }"


async def forgotten(shop: Shop) -> str:
    await as_nobody(shop)(FORGOT, input={"email": shop.email})
    return await token_in_letter(shop, shop.email, "password")


async def moving(shop: Shop, email: str = NEW) -> str:
    await shop(CHANGE_EMAIL, input={"email": email, "password": PASSWORD})
    return await token_in_letter(shop, email, "email")


async def test_a_changed_password_ends_all_other_sessions_and_is_told(shop: Shop) -> None:
    other = await sign_in(shop)

    await shop(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": OTHER_PASSWORD})

    assert await shop(ME)
    assert await bearer(shop, other).refused(ME) == SIGN_IN_FIRST
    assert (await as_nobody(shop).refused(SIGN_IN, input={"email": shop.email, "password": PASSWORD}))[0]
    assert (await sign_in(shop, password=OTHER_PASSWORD))["accessToken"]
    await shop.work_is_done()
    assert len(shop.mails(shop.email)) == 1


async def test_who_does_not_know_the_password_changes_nothing(shop: Shop) -> None:
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (CHANGE_PASSWORD, {"currentPassword": "wrong", "password": OTHER_PASSWORD}, "input.currentPassword"),
        (CHANGE_PASSWORD, {"currentPassword": "a\0b" * 99_999, "password": OTHER_PASSWORD}, "input.currentPassword"),
        (CHANGE_EMAIL, {"email": NEW, "password": "wrong"}, "input.password"),
    ]

    async with nothing_changes(shop):
        for document, input, field in wrong:
            assert await shop.refused(document, input=input) == ("FORBIDDEN", field, credentials.WRONG)


async def test_a_password_that_is_none_is_refused(shop: Shop) -> None:
    token = await forgotten(shop)
    bad = ("", "short", "x" * 99, "abab" * 9, "y" * 500_000, shop.email, shop.email.upper())

    async with nothing_changes(shop):
        for password in bad:
            change = {"currentPassword": PASSWORD, "password": password}
            for document, input in ((CHANGE_PASSWORD, change), (RESET, {"token": token, "password": password})):
                assert (await shop.refused(document, input=input))[:2] == ("INVALID", "input.password"), password[:9]


async def test_two_who_change_it_at_once_are_one_and_one_who_was_late(shop: Shop) -> None:
    new = [f"{OTHER_PASSWORD} {number}" for number in range(4)]

    answers = await asyncio.gather(
        *(shop.post(CHANGE_PASSWORD, {"input": {"currentPassword": PASSWORD, "password": each}}) for each in new)
    )

    assert sum("errors" not in answer for answer in answers) == 1


async def test_by_a_letters_link_a_new_password_is_chosen_once_and_all_sessions_end(shop: Shop) -> None:
    token = await forgotten(shop)

    assert await as_nobody(shop)(RESET, input={"token": token, "password": OTHER_PASSWORD})

    assert await shop.refused(ME) == SIGN_IN_FIRST
    assert (await sign_in(shop, password=OTHER_PASSWORD))["accessToken"]
    assert await as_nobody(shop).refused(RESET, input={"token": token, "password": "yet another one"}) == OVER


async def test_by_a_letters_link_an_account_that_somebody_else_made_is_the_persons(shop: Shop) -> None:
    await set_up(shop)
    await User.filter(email=shop.email).update(confirmed_at=None)

    await as_nobody(shop)(RESET, input={"token": await forgotten(shop), "password": OTHER_PASSWORD})

    assert (await sign_in(shop, password=OTHER_PASSWORD))["__typename"] == "SignedIn"


async def test_by_a_letters_link_nobody_gets_round_the_second_factor(shop: Shop) -> None:
    await set_up(shop)

    await as_nobody(shop)(RESET, input={"token": await forgotten(shop), "password": OTHER_PASSWORD})

    assert (await sign_in(shop, password=OTHER_PASSWORD))["__typename"] == "SecondFactorRequired"


async def test_a_link_used_by_many_at_once_sets_one_password(shop: Shop) -> None:
    token = await forgotten(shop)

    answers = await asyncio.gather(
        *(as_nobody(shop).post(RESET, {"input": {"token": token, "password": f"new and good {n}"}}) for n in range(6))
    )

    assert sum("errors" not in answer for answer in answers) == 1


async def test_a_link_that_is_forged_expired_or_for_something_else_sets_nothing(shop: Shop) -> None:
    token, user = await forgotten(shop), await User.get(email=shop.email)
    claims = {"user": str(user.id), "email": user.email, "version": passwords.version(user)}
    bad = [
        "", "a\0b", "x" * 500_000, forged(token), shop.token,
        tokens.sign(tokens.PASSWORD, claims, timedelta(seconds=-1))[0],
        tokens.sign(tokens.SECOND_FACTOR, claims, timedelta(hours=1))[0],
        tokens.sign(tokens.PASSWORD, claims | {"version": "0" * 16}, timedelta(hours=1))[0],
    ]  # fmt: skip

    async with nothing_changes(shop):
        for each in bad:
            assert await as_nobody(shop).refused(RESET, input={"token": each, "password": OTHER_PASSWORD}) == OVER


@pytest.mark.parametrize("change", ["password", "email"])
async def test_a_link_from_before_the_password_or_the_address_changed_sets_nothing(shop: Shop, change: str) -> None:
    token = await forgotten(shop)
    if change == "password":
        await shop(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": OTHER_PASSWORD})
    else:
        await shop(CONFIRM_EMAIL, input={"token": await moving(shop)})

    assert await as_nobody(shop).refused(RESET, input={"token": token, "password": "yet another one"}) == OVER


async def test_an_address_that_nobody_has_gets_the_same_answer_for_the_same_work_and_no_letter(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    answers = []

    async def forget(email: str) -> None:
        answers.append(await as_nobody(shop).post(FORGOT, {"input": {"email": email}}))

    known, unknown = await work_of(caplog, forget(shop.email)), await work_of(caplog, forget("nobody@shop.test"))

    assert known == unknown
    assert [answer["data"]["passwordResetRequest"]["to"] for answer in answers] == [shop.email, "nobody@shop.test"]
    await shop.work_is_done()
    assert not shop.mails("nobody@shop.test")
    assert len(shop.mails(shop.email)) == 1


async def test_nobody_is_written_to_more_than_three_times_an_hour(shop: Shop) -> None:
    await asyncio.gather(*(as_nobody(shop)(FORGOT, input={"email": shop.email}) for _ in range(8)))
    await shop.work_is_done()
    assert len(shop.mails(shop.email)) == 3

    await PasswordRequest.exclude(answered_at=None).update(answered_at=datetime.now(UTC) - timedelta(hours=1))
    await forgotten(shop)
    assert len(shop.mails(shop.email)) == 4


# Addresses


async def test_a_new_address_holds_once_it_is_confirmed_and_the_old_one_is_told(shop: Shop) -> None:
    token = await moving(shop)
    assert (await shop(ME))["user"]["email"] == shop.email
    assert not shop.mails(shop.email)

    await as_nobody(shop)(CONFIRM_EMAIL, input={"token": token})

    assert (await shop(ME))["user"]["email"] == NEW
    await shop.work_is_done()
    (letter,) = shop.mails(shop.email)
    assert NEW in said(letter)
    assert (await sign_in(shop, NEW))["accessToken"]
    assert await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": token}) == OVER


async def test_an_address_of_somebody_else_is_asked_the_same_and_never_taken(shop: Shop) -> None:
    theirs = await neighbour(shop)

    token = await moving(shop, theirs.email)

    async with nothing_changes(shop):
        refusal = await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": token})
    assert refusal == ("CONFLICT", "input.token", "This address belongs to another account.")


async def test_two_who_take_one_address_at_once_are_one_and_one_who_was_late(shop: Shop) -> None:
    theirs = await neighbour(shop)
    links = [await moving(shop), await moving(theirs)]

    answers = await asyncio.gather(*(as_nobody(shop).post(CONFIRM_EMAIL, {"input": {"token": t}}) for t in links))

    (refusal,) = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert refusal == "CONFLICT"


async def test_of_several_new_addresses_only_the_newest_can_be_confirmed(shop: Shop) -> None:
    first, second = await moving(shop, "typo@nouveau.test"), await moving(shop)

    assert await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": first}) == OVER
    await as_nobody(shop)(CONFIRM_EMAIL, input={"token": second})
    assert await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": first}) == OVER


async def test_what_somebody_else_began_is_nothing_once_the_password_is_another(shop: Shop) -> None:
    token = await moving(shop)

    await shop(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": OTHER_PASSWORD})

    assert await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": token}) == OVER


async def test_an_email_link_that_is_forged_expired_or_for_something_else_changes_nothing(shop: Shop) -> None:
    token = await moving(shop)
    user, change = await User.get(email=shop.email), await EmailChange.get(email=NEW)
    claims = {"id": str(change.id), "version": passwords.version(user)}
    bad = [
        "", "a\0b", forged(token), shop.token, tokens.sign(tokens.EMAIL, claims, timedelta(seconds=-1))[0],
        tokens.sign(tokens.REGISTRATION, claims, timedelta(hours=1))[0],
    ]  # fmt: skip

    async with nothing_changes(shop):
        for each in bad:
            assert await as_nobody(shop).refused(CONFIRM_EMAIL, input={"token": each}) == OVER


async def test_a_new_address_is_one_and_another(shop: Shop) -> None:
    async with nothing_changes(shop):
        for email in (shop.email, shop.email.upper(), "x", "a\0b@c.fr", "x" * 500_000, "é@" + "é" * 300 + ".fr"):
            refusal = await shop.refused(CHANGE_EMAIL, input={"email": email, "password": PASSWORD})
            assert refusal[:2] == ("INVALID", "input.email"), email[:20]


async def test_nobody_is_asked_to_confirm_more_than_three_times_an_hour(shop: Shop) -> None:
    for _ in range(6):
        await shop(CHANGE_EMAIL, input={"email": NEW, "password": PASSWORD})
    first = await EmailChange.all().order_by("id").first()
    await EmailChange.all().update(created_at=first.created_at if first else None)
    await shop.work_is_done()

    assert len(shop.mails(NEW)) == 3


# One's name


async def test_one_changes_ones_own_name_and_nothing_else(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    before = (await User.get(email=shop.email)).password_hash

    changed = (await shop(PROFILE, input={"firstName": "Maël"}))["user"]

    assert changed == {"firstName": "Maël", "lastName": "Durand"}
    assert (await shop(PROFILE, input={}))["user"] == changed
    assert (await User.get(email=shop.email)).password_hash == before
    assert (await admin(ME))["user"]["firstName"] == "Camille"
    async with nothing_changes(shop):
        for bad in (None, "", " ", "a\0b", "x" * 101):
            assert (await shop.refused(PROFILE, input={"lastName": bad}))[:2] == ("INVALID", "input.lastName")
