"""Bilans: formules, what is agreed, and who sees what of it."""

from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

import models
from tests.bilans.agreed import CREATE, INSTALL
from tests.shop import Shop

FORMULE_CREATE = "mutation ($input: FormuleCreateInput!) { formuleCreate(input: $input) { formule { id slug } } }"
FORMULE_UPDATE = """mutation ($input: FormuleUpdateInput!) {
  formuleUpdate(input: $input) { formule { price { amount } active } }
}"""
UPDATE = "mutation ($input: BilanUpdateInput!) { bilanUpdate(input: $input) { bilan { minutesPlanned endsOn } } }"


@pytest.fixture
async def formules(shop: Shop) -> dict[str, str]:
    """The usual formules: their ids by slug."""
    return {each["slug"]: each["id"] for each in (await shop(INSTALL))["formules"]}


async def test_the_usual_formules_are_taken_up_once_and_those_that_were_changed_stay(shop: Shop) -> None:
    first = (await shop(INSTALL))["formules"]
    await shop(FORMULE_UPDATE, input={"formule": first[0]["id"], "price": {"amount": 130000}})

    again = (await shop(INSTALL))["formules"]

    assert [(each["slug"], each["minutes"], each["price"]["amount"]) for each in again] == [
        ("express", 720, 130000), ("standard", 1080, 180000), ("premium", 1440, 240000),
    ]  # fmt: skip
    assert [each["id"] for each in again] == [each["id"] for each in first]


async def test_a_bilan_is_agreed_at_its_formules_price_with_its_three_phases(
    shop: Shop, formules: dict[str, str]
) -> None:
    made = await create(shop, formules["standard"])

    assert made["status"] == "AWAITING_FUNDING"
    assert (made["minutesPlanned"], made["minutesDone"]) == (1080, 0)
    assert (made["price"]["amount"], made["due"]["amount"]) == (180000, 180000)
    assert [phase["kind"] for phase in made["phases"]] == ["PRELIMINARY", "INVESTIGATION", "CONCLUSION"]


async def test_what_was_agreed_stays_whatever_becomes_of_the_formule(shop: Shop, formules: dict[str, str]) -> None:
    await create(shop, formules["premium"], price={"amount": 200000}, minutesPlanned=1200)
    await shop(FORMULE_UPDATE, input={"formule": formules["premium"], "price": {"amount": 1}, "active": False})

    (kept,) = (await shop("{ bilans { nodes { price { amount } minutesPlanned } } }"))["nodes"]

    assert kept == {"price": {"amount": 200000}, "minutesPlanned": 1200}
    assert await refused(shop, CREATE, client=await shop.client("b@example.com"), formule=formules["premium"]) == (
        "INVALID", "input.formule",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slug": "Long bilan"}, "input.slug"),
        ({"minutes": 0}, "input.minutes"),
        ({"minutes": 6001}, "input.minutes"),
        ({"price": {"amount": 0}}, "input.price.amount"),
        ({"price": {"amount": 100, "currency": "JPY"}}, "input.price.currency"),
        ({"vatRate": 1}, "input.vatRate"),
    ],
)
async def test_a_formule_that_cannot_be_sold_is_refused_with_the_field(shop: Shop, given: Any, field: str) -> None:
    values = {"slug": "long", "name": "Long", "minutes": 60, "price": {"amount": 100}, "vatRate": 2000} | given

    assert await refused(shop, FORMULE_CREATE, **values) == ("INVALID", field)


async def test_days_and_time_that_cannot_be_are_refused_with_the_field(shop: Shop, formules: dict[str, str]) -> None:
    made = await create(shop, formules["express"])

    days = {"startsOn": "2026-03-02", "endsOn": "2026-03-01"}
    assert await refused(shop, UPDATE, bilan=made["id"], **days) == ("INVALID", "input.endsOn")
    assert await refused(shop, UPDATE, bilan=made["id"], minutesPlanned=0) == ("INVALID", "input.minutesPlanned")
    employer = (await shop("{ clients { nodes { id } } }"))["nodes"][0]["id"]
    assert await refused(shop, UPDATE, bilan=made["id"], employer=employer) == ("INVALID", "input.employer")


async def test_the_database_keeps_fundings_within_the_price_and_hours_as_they_were_attended(
    shop: Shop, formules: dict[str, str]
) -> None:
    await create(shop, formules["express"])
    bilan = await models.Bilan.get()
    of_bilan: dict[str, Any] = {"organization": shop.organization, "bilan": bilan}
    part: dict[str, Any] = {"source": models.FundingSource.CPF, "currency": "EUR", **of_bilan}
    first = await models.BilanFunding.create(amount_cents=100000, status=models.FundingStatus.AGREED, **part)
    with pytest.raises(IntegrityError, match="bilans_allotted_check"):
        await models.BilanFunding.create(amount_cents=20001, **part)
    second = await models.BilanFunding.create(amount_cents=20000, **part)
    await bilan.refresh_from_db()
    assert (bilan.allotted_cents, bilan.secured_cents, bilan.due_cents) == (120000, 100000, 20000)

    await first.delete()
    await models.BilanFunding.filter(id=second.id).update(status=models.FundingStatus.WITHDRAWN)
    await bilan.refresh_from_db()
    assert (bilan.allotted_cents, bilan.secured_cents, bilan.due_cents) == (0, 0, 120000)


async def create(shop: Shop, formule: str, **given: Any) -> dict[str, Any]:
    client = await shop.client("marie@example.com")
    made: dict[str, Any] = (await shop(CREATE, input={"client": client, "formule": formule, **given}))["bilan"]
    return made


async def refused(shop: Shop, document: str, **given: Any) -> tuple[str, str]:
    code, field, _ = await shop.refused(document, input=given)
    return code, field
