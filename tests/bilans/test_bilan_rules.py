"""Rules of law: each holds from a day on, and a bilan is looked at by those of the day on which it was agreed."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

import models
from models import Role
from services import bilan_law, retention
from services.bilan_law import RULES, RuleCode
from tests.bilans.agreed import Agreed
from tests.bookings.desk import PARIS
from tests.shop import Shop
from tests.test_quality import QUALITY

pytestmark = pytest.mark.usefixtures("printer")


@pytest.mark.parametrize(
    ("code", "day", "value"),
    [
        (RuleCode.HOURS_MOST, date(2018, 12, 31), None),
        (RuleCode.HOURS_MOST, date(2020, 1, 1), 1440),
        (RuleCode.HOURS_LEAST, date(2025, 12, 31), None),
        (RuleCode.HOURS_LEAST, date(2026, 1, 1), 780),
        (RuleCode.WRITTEN_DAYS, date(2018, 12, 31), None),
        (RuleCode.WRITTEN_DAYS, date(2026, 6, 1), 1096),
        (RuleCode.WORKING_PAPERS_DAYS, date(2026, 6, 1), 0),
        (RuleCode.CPF_MOST, date(2026, 2, 25), None),
        (RuleCode.CPF_MOST, date(2026, 2, 26), 160_000),
        (RuleCode.CPF_PARTICIPATION, date(2024, 5, 1), None),
        (RuleCode.CPF_PARTICIPATION, date(2024, 12, 31), 10_000),
        (RuleCode.CPF_PARTICIPATION, date(2025, 6, 1), 10_223),
        (RuleCode.CPF_PARTICIPATION, date(2026, 6, 1), 10_320),
    ],
)
def test_a_rule_is_the_one_of_the_day(code: RuleCode, day: date, value: int | None) -> None:
    rule = bilan_law.on(code, day)
    assert (rule and rule.value) == value


def test_each_rule_says_where_it_is_written_and_none_of_a_kind_hold_at_once() -> None:
    assert all(rule.reference for rule in RULES)
    assert {rule.code for rule in RULES} == set(RuleCode)
    for rule in RULES:
        later = [other for other in RULES if other.code is rule.code and other.valid_from > rule.valid_from]
        assert all(rule.valid_until is not None and rule.valid_until < other.valid_from for other in later)


async def test_a_bilan_that_began_without_consent_is_warned_of_until_it_is_accepted(shop: Shop) -> None:
    bilan = await Agreed.funded(shop)
    assert await standing(bilan) == {}
    await bilan.hold("PRELIMINARY")
    assert set(await standing(bilan)) == {"CONSENT_MISSING"}

    agreement = await bilan.do("bilanAgreementPropose", bilan=bilan.id, kind="CONSENT")
    assert set(await standing(bilan)) == {"CONSENT_MISSING"}
    await bilan.do("bilanAgreementAccept", bilanAgreement=agreement["id"], name="Marie Durand")

    assert await standing(bilan) == {}


async def test_with_an_employer_a_convention_is_missing_too(shop: Shop) -> None:
    bilan = await Agreed.funded(shop, employer=await shop.client("rh@atelier.test"))
    await bilan.hold("PRELIMINARY")
    assert set(await standing(bilan)) == {"CONSENT_MISSING", "CONVENTION_MISSING"}
    warning = (await standing(bilan))["CONVENTION_MISSING"]
    assert "R6313-8" in warning["reference"]

    await bilan.do("bilanWarningDecide", bilanWarning=warning["id"], reason="Signée sur papier, reçue lundi")
    decided = (await standing(bilan))["CONVENTION_MISSING"]
    assert (decided["decisionReason"], decided["decidedBy"]["role"]) == ("Signée sur papier, reçue lundi", "OWNER")


async def test_more_of_the_account_than_the_law_allows_is_warned_of_until_it_is_withdrawn(shop: Shop) -> None:
    bilan = await Agreed.open(shop)  # of 1,800 €
    funding = await bilan.plan("CPF", 170_000)
    warnings = await standing(bilan)
    assert warnings["CPF_TOO_MUCH"]["message"] == (
        "1\u202f700,00\xa0€ viennent du compte du bénéficiaire (CPF) ; 1\u202f600,00\xa0€ au plus le peuvent."
    )
    assert "2026-127" in warnings["CPF_TOO_MUCH"]["reference"]
    assert "CPF_PARTICIPATION_MISSING" in warnings  # 100 € are left, 3.20 € too few

    await bilan.do("bilanFundingWithdraw", bilanFunding=funding)
    await bilan.plan("CPF", 160_000)

    assert await standing(bilan) == {}


@pytest.mark.parametrize("source", ["EMPLOYER", "OPCO", "FRANCE_TRAVAIL"])
async def test_who_is_helped_pays_no_part_themselves(shop: Shop, source: str) -> None:
    bilan = await Agreed.open(shop, employer=await shop.client("rh@atelier.test"))
    await bilan.plan("CPF", 175_000)
    assert "CPF_PARTICIPATION_MISSING" in await standing(bilan)
    await bilan.plan(source, 5_000)
    assert "CPF_PARTICIPATION_MISSING" not in await standing(bilan)


# A rule, and the first day on which it holds, or holds with another value: from then on it is broken by twelve hours of
# 1,800 €, of which so many cents are of the account (CPF).
CHANGES = [
    ("PLANNED_TOO_SHORT", date(2026, 1, 1), 180_000),
    ("CPF_TOO_MUCH", date(2026, 2, 26), 180_000),
    ("CPF_PARTICIPATION_MISSING", date(2024, 5, 2), 180_000),
    ("CPF_PARTICIPATION_MISSING", date(2026, 1, 1), 169_750),
]


@pytest.mark.parametrize(("rule", "day", "cents"), CHANGES, ids=str)
async def test_a_bilan_is_looked_at_by_the_rules_of_the_day_on_which_it_was_agreed(
    shop: Shop, rule: str, day: date, cents: int
) -> None:
    midnight = datetime.combine(day, time(), PARIS)
    seen = []
    for agreed_at in (midnight - timedelta(seconds=1), midnight):
        price = {"amount": 180_000}
        bilan = await Agreed.open(shop, "express", email=f"{len(seen)}@example.com", price=price)
        await models.Bilan.filter(client__email=f"{len(seen)}@example.com").update(created_at=agreed_at)
        await bilan.plan("CPF", cents)
        seen.append(rule in await standing(bilan))

    assert seen == [False, True]


async def test_more_hours_than_the_law_allows_are_recorded_with_who_went_on_and_why(shop: Shop) -> None:
    bilan = await Agreed.funded(shop, "premium")
    await bilan.do("bilanUpdate", bilan=bilan.id, minutesPlanned=25 * 60)
    warning = (await standing(bilan))["PLANNED_TOO_LONG"]
    assert warning["message"] == "25 h sont prévues ; un bilan en compte 24 h au plus."

    await bilan.do("bilanWarningDecide", bilanWarning=warning["id"], reason="Une heure offerte")
    await bilan.do("bilanUpdate", bilan=bilan.id, minutesPlanned=24 * 60 + 30)

    kept = (await standing(bilan))["PLANNED_TOO_LONG"]
    assert kept["message"].startswith("24 h 30 sont prévues")
    assert (kept["decisionReason"], kept["decidedBy"]["role"], bool(kept["decidedAt"])) == (
        "Une heure offerte", "OWNER", True,
    )  # fmt: skip


async def test_a_bilan_in_which_nothing_happens_is_proposed_to_be_closed_to_who_holds_it(shop: Shop) -> None:
    bilan = await Agreed.funded(shop)
    holder = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    await models.Bilan.all().update(consultant_id=(await models.Membership.get(user__email=holder.email)).id)
    await bilan.hold("PRELIMINARY", days_ago=179)
    await models.Bilan.all().update(created_at=datetime.now(UTC) - timedelta(days=400))
    await told_of(shop, holder, 0)

    await models.BilanSession.all().update(
        starts_at=datetime.now(UTC) - timedelta(days=182), ends_at=datetime.now(UTC) - timedelta(days=181)
    )
    await told_of(shop, holder, 1)
    await told_of(shop, holder, 1)  # once

    warning = (await standing(bilan))["IDLE"]
    assert "5(1)(e)" in warning["reference"]
    assert await missing(shop) == ["CONSENT", "END"]
    await bilan.do("bilanWarningDecide", bilanWarning=warning["id"], reason="Congé maternité")
    assert await missing(shop) == ["CONSENT"]
    await bilan.hold("PRELIMINARY", days_ago=1)
    assert "IDLE" not in await standing(bilan)


async def test_a_bilan_that_is_over_is_not_idle(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    await models.Bilan.all().update(created_at=datetime.now(UTC) - timedelta(days=400))
    await retention.forget()
    assert "IDLE" in await standing(bilan)

    await bilan.do("bilanCancel", bilan=bilan.id)
    await shop.work_is_done()

    assert shop.subjects(shop.organization.contact_email) == []


async def told_of(shop: Shop, holder: Shop, times: int) -> None:
    """How often who holds it is written to, once a clock has looked."""
    await retention.forget()
    await shop.work_is_done()
    assert shop.subjects(holder.email) == ["Bilan de Marie Durand : à terminer ou à poursuivre ?"] * times


async def missing(shop: Shop) -> list[str]:
    today = datetime.now(UTC).date()
    seen = await shop(QUALITY, **{"from": str(today), "to": str(today)})
    return list(seen["gaps"][0]["missing"])


async def standing(bilan: Agreed) -> dict[str, dict[str, Any]]:
    """Warnings that hold, by rule."""
    return {each["rule"]: each for each in (await bilan.see())["warnings"] if each["clearedAt"] is None}
