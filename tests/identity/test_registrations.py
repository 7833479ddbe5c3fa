"""Organizations that register: nothing is there before the address is confirmed; nobody learns who has an account."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from models import Organization, Registration, User
from services import registrations, tokens
from tests.identity.accounts import (
    CONFIRM,
    ME,
    OTHER_PASSWORD,
    REGISTER,
    as_nobody,
    bearer,
    forged,
    sign_in,
    token_in_letter,
    work_of,
)
from tests.security.surroundings import nothing_changes
from tests.shop import PASSWORD, Shop, said

EMAIL = "lea@atelier.test"
ATELIER = {
    "name": "Atelier Léa", "legalName": "Atelier Léa SARL", "legalForm": "SARL", "siren": "552100554",
    "siret": "55210055400013", "vatRegime": "STANDARD", "address": "3 rue du Port", "postalCode": "13002",
    "city": "Marseille", "country": "FR",
}  # fmt: skip
LEA = {"email": EMAIL, "firstName": "Léa", "lastName": "Roux", "organization": ATELIER}
ORGANIZATION = """{ me { organization {
  slug name vatNumber brandName contactEmail invoicePrefix country timeZone paymentDays
} } }"""
OVER = ("INVALID", "input.token", registrations.OVER)
CREATE = """mutation ($input: OrganizationCreateAnotherInput!) {
  organizationCreate(input: $input) { slug name role current }
}"""


async def registered(shop: Shop, **changed: Any) -> str:
    """The token of the letter that comes of it."""
    given = LEA | changed
    await as_nobody(shop)(REGISTER, input=given)
    return await token_in_letter(shop, given["email"], "registration")


def choosing(token: str) -> dict[str, str]:
    """What confirms a registration."""
    return {"token": token, "password": OTHER_PASSWORD}


async def test_nothing_is_there_before_the_letters_link_is_used(shop: Shop) -> None:
    users, organizations = await User.all().count(), await Organization.all().count()

    token = await registered(shop)

    assert (await User.all().count(), await Organization.all().count()) == (users, organizations)
    refusal = await as_nobody(shop).refused(
        "mutation ($input: SignInInput!) { signIn(input: $input) { __typename } }",
        input={"email": EMAIL, "password": OTHER_PASSWORD},
    )
    assert refusal[0] == "UNAUTHENTICATED"
    lea = bearer(shop, await as_nobody(shop)(CONFIRM, input=choosing(token)))
    me = await lea(ME)
    assert me == {
        "role": "OWNER", "organization": {"slug": "atelier-lea"},
        "user": {"email": EMAIL, "firstName": "Léa", "lastName": "Roux", "secondFactorSince": None},
    }  # fmt: skip
    assert (await sign_in(shop, EMAIL, OTHER_PASSWORD))["__typename"] == "SignedIn"


async def test_what_follows_from_the_register_is_filled_in(shop: Shop) -> None:
    lea = bearer(shop, await as_nobody(shop)(CONFIRM, input=choosing(await registered(shop))))

    assert (await lea(ORGANIZATION))["organization"] == {
        "slug": "atelier-lea", "name": "Atelier Léa", "vatNumber": "FR96552100554", "brandName": "Atelier Léa",
        "contactEmail": EMAIL, "invoicePrefix": "ATEL", "country": "FR", "timeZone": "Europe/Paris", "paymentDays": 30,
    }  # fmt: skip


async def test_what_is_given_stands(shop: Shop) -> None:
    own = {"brandName": "Léa", "contactEmail": "bonjour@atelier.test", "invoicePrefix": "AL", "vatRegime": "FRANCHISE"}

    token = await registered(shop, organization=ATELIER | own)
    lea = bearer(shop, await as_nobody(shop)(CONFIRM, input=choosing(token)))

    found = (await lea(ORGANIZATION))["organization"]
    assert (found["brandName"], found["contactEmail"], found["invoicePrefix"]) == ("Léa", "bonjour@atelier.test", "AL")
    assert found["vatNumber"] is None


async def test_two_organizations_of_one_name_have_a_slug_each_even_at_once(shop: Shop) -> None:
    links = [await registered(shop, email=f"lea{number}@atelier.test") for number in range(6)]

    answers = await asyncio.gather(*(as_nobody(shop)(CONFIRM, input=choosing(link)) for link in links))

    slugs = [(await bearer(shop, answer)(ME))["organization"]["slug"] for answer in answers]
    assert len(set(slugs)) == len(slugs)
    assert "atelier-lea" in slugs
    assert all(slug.startswith("atelier-lea") for slug in slugs)


async def test_an_address_that_has_an_account_gets_the_same_answer_for_the_same_work(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    answers = []

    async def register(email: str) -> None:
        answers.append(await as_nobody(shop).post(REGISTER, {"input": LEA | {"email": email}}))

    unknown = await work_of(caplog, register("somebody@atelier.test"))
    known = await work_of(caplog, register(shop.email))

    assert unknown == known
    assert len(unknown) > 1
    assert [set(answer) - {"extensions"} for answer in answers] == [{"data"}, {"data"}]
    assert await Registration.all().count() == 2


async def test_the_letter_to_an_address_that_has_an_account_says_so_and_opens_nothing(shop: Shop) -> None:
    await as_nobody(shop)(REGISTER, input=LEA | {"email": shop.email})
    await shop.work_is_done()

    (letter,) = shop.mails(shop.email)
    assert "has one already" in said(letter)
    assert "#registration" not in said(letter)


async def test_a_link_is_good_once(shop: Shop) -> None:
    token = await registered(shop)
    await as_nobody(shop)(CONFIRM, input=choosing(token))

    async with nothing_changes(shop):
        assert await as_nobody(shop).refused(CONFIRM, input=choosing(token)) == OVER


async def test_six_confirms_at_once_make_one_organization(shop: Shop) -> None:
    token = await registered(shop)

    answers = await asyncio.gather(*(as_nobody(shop).post(CONFIRM, {"input": choosing(token)}) for _ in range(6)))

    assert sum("errors" not in answer for answer in answers) == 1
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer} == {"INVALID"}
    assert await Organization.filter(name="Atelier Léa").count() == await User.filter(email=EMAIL).count() == 1


async def test_two_registrations_of_one_address_confirmed_at_once_make_one_account(shop: Shop) -> None:
    links = [await registered(shop), await registered(shop)]

    answers = await asyncio.gather(*(as_nobody(shop).post(CONFIRM, {"input": choosing(link)}) for link in links))

    (refusal,) = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
    assert refusal == "CONFLICT"
    assert await User.filter(email=EMAIL).count() == 1


async def test_a_link_that_is_forged_expired_or_for_something_else_opens_nothing(shop: Shop) -> None:
    token = await registered(shop)
    row = await Registration.get(email=EMAIL)
    claims = {"id": str(row.id)}
    bad = [
        "", "x", "a\0b", "é" * 100_000, forged(token), shop.token,
        tokens.sign(tokens.REGISTRATION, claims, timedelta(seconds=-1))[0],
        *(tokens.sign(purpose, claims, timedelta(hours=1))[0] for purpose in (tokens.INVITATION, tokens.EMAIL)),
    ]  # fmt: skip

    async with nothing_changes(shop):
        for each in bad:
            assert await as_nobody(shop).refused(CONFIRM, input=choosing(each)) == OVER, each[:40]
    assert await as_nobody(shop)(CONFIRM, input=choosing(token))


@pytest.mark.parametrize("password", ["short", "x" * 20, "y" * 500_000, EMAIL], ids=range(4))
async def test_a_password_that_is_none_opens_nothing_and_the_link_stays_good(shop: Shop, password: str) -> None:
    token = await registered(shop)

    async with nothing_changes(shop):
        refusal = await as_nobody(shop).refused(CONFIRM, input={"token": token, "password": password})
    assert refusal[:2] == ("INVALID", "input.password")
    assert await as_nobody(shop)(CONFIRM, input=choosing(token))


async def test_whatever_is_wrong_is_named(shop: Shop) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"email": "nobody"}, "input.email"),
        ({"email": "a\0b@atelier.test"}, "input.email"),
        ({"email": "x" * 300_000 + "@atelier.test"}, "input.email"),
        ({"firstName": ""}, "input.firstName"),
        ({"firstName": "a\0"}, "input.firstName"),
        ({"lastName": "x" * 101}, "input.lastName"),
        *(
            ({"organization": ATELIER | {name: value}}, f"input.organization.{name}")
            for name, value in (
                ("name", " "), ("name", "x" * 201), ("legalName", "a\0b"), ("siren", "552100555"),
                ("siret", "5521005540001"), ("siret", "73282932000074"), ("vatNumber", "DE1"), ("postalCode", "x" * 50),
                ("address", ""), ("city", "x" * 101), ("country", "FRA"), ("invoicePrefix", "é!"), ("brandName", ""),
                ("contactEmail", "x"), ("vatRegime", "NONE"), ("shareCapital", "x" * 51),
            )
        ),
    ]  # fmt: skip

    async with nothing_changes(shop):
        for changed, field in wrong:
            code, blamed, message = await as_nobody(shop).refused(REGISTER, input=LEA | changed)
            assert code == "INVALID", (field, message)
            assert blamed == field or field.rpartition(".")[2] in message, (field, blamed, message)


async def test_nobody_is_written_to_more_than_three_times_an_hour(shop: Shop) -> None:
    for _ in range(8):
        await as_nobody(shop)(REGISTER, input=LEA)
    await Registration.all().update(created_at=(await Registration.all().first()).created_at)  # type: ignore[union-attr]
    await shop.work_is_done()

    assert len(shop.mails(EMAIL)) == 3


async def test_somebody_makes_another_organization_and_picks_it_by_its_slug(shop: Shop) -> None:
    made = await shop(CREATE, input={"organization": ATELIER})

    assert made == {"slug": "atelier-lea", "name": "Atelier Léa", "role": "OWNER", "current": False}
    places = await shop("{ myOrganizations { slug name role current } }")
    assert places == [
        {"slug": "shop", "name": "ComptAppart", "role": "OWNER", "current": True},
        {"slug": "atelier-lea", "name": "Atelier Léa", "role": "OWNER", "current": False},
    ]
    assert (await sign_in(shop, password=PASSWORD, organization="atelier-lea"))["accessToken"]


async def test_nobody_owns_organizations_without_end(shop: Shop) -> None:
    for number in range(registrations.OWNED_MOST - 1):
        await shop(CREATE, input={"organization": ATELIER | {"name": f"Atelier {number}"}})

    refusal = await shop.refused(CREATE, input={"organization": ATELIER})

    assert refusal[:2] == ("CONFLICT", "input.organization")
