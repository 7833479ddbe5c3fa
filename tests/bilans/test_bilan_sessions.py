"""What happens in a bilan: sessions once it is funded, phases in order, attendance, hours, agreements, and warnings."""

from datetime import datetime, timedelta
from typing import Any

import pytest

import models
from models import Role
from models.base import global_id
from tests.bilans.agreed import SEEN, Agreed
from tests.bookings.desk import PARIS, Desk, ahead
from tests.shop import Shop

pytestmark = pytest.mark.usefixtures("printer")


async def test_nothing_is_booked_or_recorded_before_the_bilan_is_funded(shop: Shop) -> None:
    bilan, desk = await Agreed.open(shop), await Desk.open(shop)
    asked = {"bilan": bilan.id, "phase": "PRELIMINARY", "service": desk.service, "startsAt": ahead().isoformat()}

    code, field, message = await bilan.cannot("bilanSessionBook", **asked)

    assert (code, field) == ("CONFLICT", "input.bilan")
    assert message.startswith("1800.00 EUR of this bilan is neither paid nor agreed")
    times = {"startsAt": ahead().isoformat(), "endsAt": ahead(hour=11).isoformat()}
    assert (await bilan.cannot("bilanSessionRecord", bilan=bilan.id, phase="PRELIMINARY", **times))[0] == "CONFLICT"
    assert await shop.count("bookings") == 0


async def test_an_appointment_is_booked_without_a_price_and_followed_when_it_moves_and_ends(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)
    (session,) = (await bilan.see())["sessions"]["nodes"]
    booking = session["booking"]["id"]
    assert (session["booking"]["status"], session["attendance"]) == ("CONFIRMED", "EXPECTED")

    await desk.move(booking, ahead(4, 14))
    (session,) = (await bilan.see())["sessions"]["nodes"]
    assert datetime.fromisoformat(session["startsAt"]) == ahead(4, 14)

    await desk.time_comes(booking, days=10)
    await shop("mutation ($input: BookingInput!) { bookingComplete(input: $input) { booking { id } } }",
               input={"booking": booking})  # fmt: skip
    seen = await bilan.see()
    (session,) = seen["sessions"]["nodes"]
    assert (session["attendance"], session["minutes"], seen["minutesDone"]) == ("ATTENDED", 60, 60)


async def test_a_booking_that_is_completed_begins_the_bilan_and_is_warned_of_at_once(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop, minutesPlanned=30), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)
    (session,) = (await bilan.see())["sessions"]["nodes"]
    await desk.time_comes(session["booking"]["id"], days=10)

    await shop("mutation ($input: BookingInput!) { bookingComplete(input: $input) { booking { id } } }",
               input={"booking": session["booking"]["id"]})  # fmt: skip

    seen = await bilan.see()
    assert (seen["status"], bool(seen["begunAt"])) == ("IN_PROGRESS", True)
    assert {each["rule"] for each in seen["warnings"] if not each["clearedAt"]} == {
        "DONE_BEYOND_PLAN", "PLANNED_TOO_SHORT", "CONSENT_MISSING",
    }  # fmt: skip
    noted = await models.BilanSession.get().prefetch_related("noted_by")
    assert noted.noted_by.role is Role.OWNER


async def test_who_was_there_for_less_than_was_booked_is_not_warned_of(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop, minutesPlanned=50), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)
    (session,) = (await bilan.see())["sessions"]["nodes"]
    await desk.time_comes(session["booking"]["id"], days=10)

    await bilan.do("bilanSessionAttend", bilanSession=session["id"], attendance="ATTENDED", minutes=45)

    assert "DONE_BEYOND_PLAN" not in {each["rule"] for each in (await bilan.see())["warnings"]}


async def test_a_booking_that_is_cancelled_takes_its_session_with_it(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)
    (session,) = (await bilan.see())["sessions"]["nodes"]

    await desk.cancel(session["booking"]["id"])

    (session,) = (await bilan.see())["sessions"]["nodes"]
    assert (session["attendance"], session["minutes"]) == ("CANCELED", 0)


async def test_attendance_at_a_booking_completes_it(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)
    (session,) = (await bilan.see())["sessions"]["nodes"]
    asked = {"bilanSession": session["id"], "attendance": "ATTENDED"}
    assert (await bilan.cannot("bilanSessionAttend", **asked))[0] == "CONFLICT"  # it has not begun

    await desk.time_comes(session["booking"]["id"], days=10)
    await bilan.do("bilanSessionAttend", **asked, minutes=45)

    seen = await bilan.see()
    (session,) = seen["sessions"]["nodes"]
    assert (session["booking"]["status"], session["minutes"], seen["minutesDone"]) == ("COMPLETED", 45, 45)
    assert (seen["status"], bool(seen["begunAt"])) == ("IN_PROGRESS", True)
    for other in ("ABSENT", "CANCELED"):  # the booking says otherwise
        assert (await bilan.cannot("bilanSessionAttend", bilanSession=session["id"], attendance=other))[0] == "CONFLICT"


async def test_a_service_with_a_price_is_not_for_a_bilan(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop, price_cents=1000)
    asked = {"bilan": bilan.id, "phase": "PRELIMINARY", "service": desk.service, "startsAt": ahead().isoformat()}

    assert (await bilan.cannot("bilanSessionBook", **asked))[:2] == ("INVALID", "input.service")


async def test_phases_follow_each_other(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop)
    later = {"bilan": bilan.id, "phase": "INVESTIGATION", "service": desk.service, "startsAt": ahead(5).isoformat()}
    assert (await bilan.cannot("bilanSessionBook", **later))[:2] == ("CONFLICT", "input.phase")
    await book(bilan, desk, "PRELIMINARY", 6)
    assert (await bilan.cannot("bilanSessionBook", **later))[:2] == ("CONFLICT", "input.startsAt")
    await book(bilan, desk, "INVESTIGATION", 7)

    too_late = {"bilan": bilan.id, "phase": "PRELIMINARY", "service": desk.service, "startsAt": ahead(8).isoformat()}
    assert (await bilan.cannot("bilanSessionBook", **too_late))[:2] == ("CONFLICT", "input.startsAt")
    investigation = await bilan.phase("INVESTIGATION")
    assert (await bilan.cannot("bilanPhaseComplete", bilanPhase=investigation))[0] == "CONFLICT"


async def test_a_bilan_is_completed_with_its_last_phase_and_stands_from_then_on(shop: Shop) -> None:
    bilan = await Agreed.funded(shop)
    for days_ago, kind in ((30, "PRELIMINARY"), (20, "INVESTIGATION"), (10, "CONCLUSION")):
        await bilan.hold(kind, minutes=360, days_ago=days_ago)
        await bilan.do("bilanPhaseComplete", bilanPhase=await bilan.phase(kind))

    seen = await bilan.see()
    assert (seen["status"], seen["minutesDone"], bool(seen["completedAt"])) == ("COMPLETED", 1080, True)
    assert [each["rule"] for each in seen["warnings"]] == ["CONSENT_MISSING"]
    told = await models.TimelineEvent.filter(kind=models.TimelineKind.BILAN_MOVED).order_by("created_at", "id")
    assert sorted(each.data["to_step"] for each in told) == ["COMPLETED", "FUNDED", "IN_PROGRESS"]
    assert {each.data["title"] for each in told} == {"Standard"}
    code, _, message = await bilan.cannot("bilanUpdate", bilan=bilan.id, minutesPlanned=60)
    assert (code, message) == ("CONFLICT", "This bilan is COMPLETED: it has ended, and stands as it is.")


async def test_more_hours_than_were_agreed_or_the_law_allows_count_and_are_warned_of(shop: Shop) -> None:
    bilan = await Agreed.funded(shop, "premium")
    for days_ago in (30, 20, 10):
        await bilan.hold("PRELIMINARY", minutes=500, days_ago=days_ago)

    seen = await bilan.see()
    assert seen["minutesDone"] == 1500
    assert {each["rule"]: each["message"] for each in seen["warnings"] if each["rule"].startswith("DONE")} == {
        "DONE_TOO_LONG": "25 h sont réalisées ; un bilan en compte 24 h au plus.",
        "DONE_BEYOND_PLAN": "25 h sont réalisées ; 24 h étaient convenues.",
    }
    warning = next(each for each in seen["warnings"] if each["rule"] == "DONE_TOO_LONG")
    assert "L6313-4" in warning["reference"]

    code, field, _ = await bilan.cannot("bilanWarningDecide", bilanWarning=warning["id"], reason=" ")
    assert (code, field) == ("INVALID", "input.reason")
    await bilan.do("bilanWarningDecide", bilanWarning=warning["id"], reason="Demande du bénéficiaire")
    assert (await bilan.cannot("bilanWarningDecide", bilanWarning=warning["id"], reason="Encore"))[0] == "CONFLICT"
    decided = next(each for each in (await bilan.see())["warnings"] if each["id"] == warning["id"])
    assert (decided["decisionReason"], decided["decidedBy"]["role"]) == ("Demande du bénéficiaire", "OWNER")
    assert decided["decidedAt"]


async def test_a_warning_that_was_decided_on_comes_back_once_it_is_worse_and_only_then(shop: Shop) -> None:
    bilan = await Agreed.funded(shop, minutesPlanned=14 * 60)
    held = [await bilan.hold("PRELIMINARY", minutes=450, days_ago=days_ago) for days_ago in (30, 20)]
    await bilan.do("bilanWarningDecide", bilanWarning=(await beyond(bilan))["id"], reason="Demande du bénéficiaire")

    await bilan.do("bilanUpdate", bilan=bilan.id, endsOn="2030-01-01")
    assert (await beyond(bilan))["decidedAt"]
    await bilan.do("bilanSessionAttend", bilanSession=held[0], attendance="ABSENT")
    assert (await beyond(bilan))["clearedAt"]
    await bilan.do("bilanSessionAttend", bilanSession=held[0], attendance="ATTENDED")
    assert [(await beyond(bilan))[name] is None for name in ("clearedAt", "decidedAt")] == [True, False]

    await bilan.hold("PRELIMINARY", minutes=30)
    worse = await beyond(bilan)
    assert (worse["decidedAt"], worse["decidedBy"], worse["decisionReason"], worse["clearedAt"]) == (None,) * 4
    assert worse["message"].startswith("15 h 30 sont réalisées")
    await bilan.do("bilanWarningDecide", bilanWarning=worse["id"], reason="Encore une demi-heure")
    assert (await beyond(bilan))["decisionReason"] == "Encore une demi-heure"


async def test_what_an_organization_that_reads_english_is_warned_of_is_in_english(shop: Shop) -> None:
    await models.Organization.all().update(language="EN")
    (warning,) = (await (await Agreed.open(shop, "express")).see())["warnings"]

    assert warning["message"].endswith("are planned, 13 h are the least that a bilan takes.")
    assert warning["reference"].startswith("Code du travail, art. R6313-4: 13 h of effective accompaniment")


async def beyond(bilan: Agreed) -> dict[str, Any]:
    """The warning of more hours than were agreed."""
    warnings = (await bilan.see())["warnings"]
    return dict(next(each for each in warnings if each["rule"] == "DONE_BEYOND_PLAN"))


async def test_the_express_formule_is_sold_and_warned_of_and_cleared_once_it_is_longer(shop: Shop) -> None:
    bilan = await Agreed.open(shop, "express")
    (warning,) = (await bilan.see())["warnings"]
    assert (warning["rule"], "R6313-4" in warning["reference"]) == ("PLANNED_TOO_SHORT", True)

    await bilan.do("bilanUpdate", bilan=bilan.id, minutesPlanned=780)

    (warning,) = (await bilan.see())["warnings"]
    assert warning["clearedAt"]


async def test_the_convention_is_accepted_within_ten_days_or_refused_without_a_word(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    propose = {"bilan": bilan.id, "kind": "CONVENTION"}
    assert (await bilan.cannot("bilanAgreementPropose", **propose))[:2] == ("INVALID", "input.kind")
    await bilan.do("bilanUpdate", bilan=bilan.id, employer=await shop.client("rh@atelier.test"))
    today = datetime.now(PARIS).date()
    old = await bilan.do("bilanAgreementPropose", **propose, proposedOn=(today - timedelta(days=12)).isoformat())
    assert (await bilan.cannot("bilanAgreementPropose", **propose))[0] == "CONFLICT"
    accept = {"bilanAgreement": old["id"], "name": "Marie Durand"}
    assert (await bilan.cannot("bilanAgreementAccept", **accept))[0] == "CONFLICT"

    await shop.work_is_done()
    (seen,) = (await bilan.see())["agreements"]
    assert seen["status"] == "LAPSED"

    made = await bilan.do("bilanAgreementPropose", **propose, fields="id acceptBy")
    assert made["acceptBy"] == (today + timedelta(days=10)).isoformat()
    await bilan.do("bilanAgreementAccept", bilanAgreement=made["id"], name="Marie Durand")
    seen = next(each for each in (await bilan.see())["agreements"] if each["id"] == made["id"])
    assert (seen["status"], seen["decidedOn"], seen["signerName"]) == ("ACCEPTED", today.isoformat(), "Marie Durand")


async def test_a_beneficiary_sees_pays_and_agrees_to_their_own_bilan_alone(shop: Shop) -> None:
    bilan = await Agreed.open(shop)
    consent = await bilan.do("bilanAgreementPropose", bilan=bilan.id, kind="CONSENT")
    marie = await signed_in(shop, Role.BENEFICIARY)
    assert (await marie("{ bilans { nodes { id } } }"))["nodes"] == []
    await models.Client.filter(email="marie@example.com").update(member_id=await member_of(marie))

    await bilan.pay(marie)
    accept = "mutation ($input: BilanAgreementAcceptInput!) { bilanAgreementAccept(input: $input) { __typename } }"
    await marie(accept, input={"bilanAgreement": consent["id"], "name": "Marie Durand"})

    seen = await marie(SEEN, id=bilan.id)
    assert (seen["status"], seen["agreements"][0]["status"], seen["warnings"]) == ("FUNDED", "ACCEPTED", [])
    code, _, _ = await marie.refused(
        "mutation ($input: BilanFundingAddInput!) { bilanFundingAdd(input: $input) { __typename } }",
        input={"bilan": bilan.id, "source": "CPF"},
    )
    assert code == "FORBIDDEN"


async def test_an_accountant_sees_the_money_and_an_employer_who_pays_no_bilan(shop: Shop) -> None:
    employer = await shop.client("rh@atelier.test")
    bilan = await Agreed.open(shop, employer=employer)
    await bilan.do("bilanAgreementPropose", bilan=bilan.id, kind="CONSENT")
    funding = await bilan.plan("EMPLOYER")
    await bilan.agree(funding)
    await bilan.do("bilanFundingInvoice", bilanFunding=funding)
    await bilan.hold("PRELIMINARY")

    accountant = await signed_in(shop, Role.ACCOUNTANT)
    seen = await accountant(SEEN, id=bilan.id)
    assert (seen["secured"]["amount"], len(seen["fundings"]), seen["minutesDone"]) == (180_000, 1, 60)
    assert (seen["agreements"], seen["phases"], seen["sessions"]["nodes"], seen["warnings"]) == ([], [], [], [])

    pays = await signed_in(shop, Role.BENEFICIARY)
    await models.Client.filter(email="rh@atelier.test").update(member_id=await member_of(pays))
    assert len((await pays("{ orders { nodes { id } } }"))["nodes"]) == 1
    assert (await pays("{ bilans { nodes { id } } }"))["nodes"] == []
    assert await pays(SEEN, id=bilan.id) is None


async def test_a_consultant_holds_their_own_bilans_alone(shop: Shop) -> None:
    consultant = await signed_in(shop, Role.CONSULTANT)
    bilan = await Agreed.funded(shop)
    record = "mutation ($input: BilanSessionRecordInput!) { bilanSessionRecord(input: $input) { __typename } }"
    times = {"startsAt": ahead().isoformat(), "endsAt": ahead(hour=11).isoformat()}
    asked = {"bilan": bilan.id, "phase": "PRELIMINARY", **times}
    assert (await consultant.refused(record, input=asked))[0] == "NOT_FOUND"

    member = await models.Membership.get(id=await member_of(consultant))
    await bilan.do("bilanUpdate", bilan=bilan.id, consultant=global_id(member))

    await consultant(record, input=asked)
    seen = await consultant(SEEN, id=bilan.id)
    assert (len(seen["sessions"]["nodes"]), len(seen["fundings"])) == (1, 1)


async def test_a_bilan_that_is_given_up_cancels_what_was_booked(shop: Shop) -> None:
    bilan, desk = await Agreed.funded(shop), await Desk.open(shop)
    await book(bilan, desk, "PRELIMINARY", 3)

    await bilan.do("bilanCancel", bilan=bilan.id)

    seen = await bilan.see()
    (session,) = seen["sessions"]["nodes"]
    assert (seen["status"], session["attendance"], session["booking"]["status"]) == ("CANCELED", "CANCELED", "CANCELED")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"attendance": "EXPECTED"}, "input.attendance"),
        ({"attendance": "ABSENT", "minutes": 10}, "input.minutes"),
        ({"attendance": "ATTENDED", "minutes": 721}, "input.minutes"),
        ({"attendance": "ATTENDED", "minutes": -1}, "input.minutes"),
    ],
)
async def test_attendance_that_cannot_be_is_refused_with_the_field(
    shop: Shop, given: dict[str, object], field: str
) -> None:
    bilan = await Agreed.funded(shop)
    session = await bilan.hold("PRELIMINARY")

    assert (await bilan.cannot("bilanSessionAttend", bilanSession=session, **given))[:2] == ("INVALID", field)


async def book(bilan: Agreed, desk: Desk, phase: str, days: int) -> None:
    asked = {"bilan": bilan.id, "phase": phase, "service": desk.service, "startsAt": ahead(days).isoformat()}
    await bilan.do("bilanSessionBook", **asked)


async def signed_in(shop: Shop, role: Role) -> Shop:
    return await Shop.open(shop.http, shop.sandbox, role=role)


async def member_of(caller: Shop) -> object:
    return (await models.Membership.get(organization=caller.organization, user__email=caller.email)).id
