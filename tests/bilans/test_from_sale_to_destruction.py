"""A bilan from its sale to the destruction of its documents, as those who have to do with it live it, for years."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import models
from models import DocumentKind, Role
from models.base import global_id
from services import doctor, retention
from services.outside import outside
from tests.bilans.agreed import CREATE, INSTALL, Agreed
from tests.bookings.desk import PARIS, Desk, ahead
from tests.identity.accounts import ACCEPT, INVITE, as_nobody, bearer, token_in_letter
from tests.shop import PASSWORD, Shop, said
from tests.test_documents import ACCESSES, OPEN, RECORDS, REQUEST, SHARE
from tests.test_quality import ADD as ADD_PROOF
from tests.test_quality import FORM, MARKS, document, exported, lines, unpacked

pytestmark = pytest.mark.usefixtures("printer")

MARIE, EMPLOYER = "marie@example.com", "rh@atelier.test"
COMPLETE = "mutation ($input: BookingInput!) { bookingComplete(input: $input) { booking { id } } }"
ACCEPT_AGREEMENT = """mutation ($input: BilanAgreementAcceptInput!) {
  bilanAgreementAccept(input: $input) { bilanAgreement { status } }
}"""
INVOICES = "{ invoices { nodes { number total { amount } pdfUrl } } }"
SURVEYS = "{ surveys { nodes { kind answeredAt satisfaction comment } } }"


@dataclass
class People:
    owner: Shop
    consultant: Shop
    marie: Shop
    bilan: Agreed


async def test_a_bilan_is_sold_held_evaluated_and_in_the_end_only_what_the_law_keeps_is_left(shop: Shop) -> None:
    people = await agreed(shop)
    await paid_by_two(people)
    await agreed_to(people)
    await decided_on(people)
    documents = await held(people)
    await for_the_beneficiary_alone(people, documents)
    await asked(people, "Votre avis sur votre bilan")
    await shown_to_an_auditor(people, documents)
    await working_papers_are_gone(people)

    await six_months_later(people)
    await three_years_later(people, documents)


async def agreed(shop: Shop) -> People:
    """Sold by the owner, to be held by a consultant; Marie comes in by the letter of her invitation."""
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    member = await models.Membership.get(user__email=consultant.email)
    formules = {each["slug"]: each["id"] for each in (await shop(INSTALL))["formules"]}
    client = await shop.client(MARIE, firstName="Marie", lastName="Durand")
    employer = await shop.client(EMPLOYER, company="Atelier Durand SARL", siren="552100554")
    given = {"client": client, "formule": formules["express"], "consultant": global_id(member), "employer": employer}
    made = (await shop(CREATE, input=given))["bilan"]

    await shop(INVITE, input={"email": MARIE, "role": "BENEFICIARY"})
    name = {"firstName": "Marie", "lastName": "Durand", "password": PASSWORD}
    token = await token_in_letter(shop, MARIE, "invitation")
    came = await as_nobody(shop)(ACCEPT, input={"token": token, **name})
    marie = replace(bearer(shop, came["session"]), email=MARIE)
    return People(shop, consultant, marie, Agreed(shop, made["id"], client))


async def paid_by_two(people: People) -> None:
    """Most by her account, which the Caisse agrees to; what remains by Marie, on Stripe's page."""
    bilan = people.bilan
    await bilan.agree(await bilan.plan("CPF", 90_000, reference="DOS-1"))
    assert (await bilan.see())["due"]["amount"] == 30_000

    await bilan.pay(people.marie)

    seen = await people.marie("query ($id: ID!) { bilan(id: $id) { status due { amount } } }", id=bilan.id)
    assert (seen["status"], seen["due"]["amount"]) == ("FUNDED", 0)


async def agreed_to(people: People) -> None:
    """Marie consents at once, and to the convention within the ten days of the law."""
    for kind in ("CONSENT", "CONVENTION"):
        made = await people.bilan.do("bilanAgreementPropose", "id acceptBy", bilan=people.bilan.id, kind=kind)
        until = (datetime.now(PARIS).date() + timedelta(days=10)).isoformat()
        assert made["acceptBy"] == (until if kind == "CONVENTION" else None)
        await people.marie(ACCEPT_AGREEMENT, input={"bilanAgreement": made["id"], "name": "Marie Durand"})
    assert {each["status"] for each in (await people.bilan.see())["agreements"]} == {"ACCEPTED"}


async def decided_on(people: People) -> None:
    """Twelve hours are less than the law asks since 2026: the owner goes on, and says why."""
    (warning,) = (await people.bilan.see())["warnings"]
    assert warning["rule"] == "PLANNED_TOO_SHORT" and "R6313-4" in warning["reference"]

    await people.bilan.do("bilanWarningDecide", bilanWarning=warning["id"], reason="Complété par des ateliers")

    (warning,) = (await people.bilan.see())["warnings"]
    assert (warning["decidedBy"]["role"], warning["decisionReason"]) == ("OWNER", "Complété par des ateliers")


async def held(people: People) -> dict[DocumentKind, str]:
    """The first session is booked, and the others recorded as they were; documents by kind."""
    bilan, desk = people.bilan, await Desk.open(people.owner)
    consultant = await models.Membership.get(user__email=people.consultant.email)
    await models.Staff.all().update(membership_id=consultant.id)
    asked = {"bilan": bilan.id, "phase": "PRELIMINARY", "service": desk.service, "startsAt": ahead(3).isoformat()}
    await bilan.do("bilanSessionBook", **asked)
    (session,) = (await bilan.see())["sessions"]["nodes"]
    await desk.time_comes(session["booking"]["id"], days=10)
    await people.consultant(COMPLETE, input={"booking": session["booking"]["id"]})
    assert (await bilan.see())["status"] == "IN_PROGRESS"

    held_as = Agreed(people.consultant, bilan.id, bilan.client)
    await held_as.do("bilanPhaseComplete", bilanPhase=await bilan.phase("PRELIMINARY"))
    documents = {
        kind: await document(people.consultant, bilan.id, kind, f"{kind.value}.pdf")
        for kind in (DocumentKind.OTHER, DocumentKind.SYNTHESIS, DocumentKind.EVIDENCE)
    }
    for days_ago, kind in ((4, "INVESTIGATION"), (2, "CONCLUSION")):
        await held_as.hold(kind, minutes=330, days_ago=days_ago)
        await held_as.do("bilanPhaseComplete", bilanPhase=await bilan.phase(kind))

    seen = await bilan.see()
    assert (seen["status"], seen["minutesDone"]) == ("COMPLETED", 720)
    assert {each["attendance"] for each in seen["sessions"]["nodes"]} == {"ATTENDED"}
    return documents


async def for_the_beneficiary_alone(people: People, documents: dict[DocumentKind, str]) -> None:
    """Marie opens her synthesis, her employer is refused, and whom she shares it with opens it for a while."""
    synthesis = documents[DocumentKind.SYNTHESIS]
    for other in (people.owner, people.consultant):
        assert "L6313-4" in (await other(OPEN, input={"document": synthesis}))["reason"]
    opened = await people.marie(OPEN, input={"document": synthesis})
    assert (await people.owner.http.get(opened["url"])).status_code == 200

    asks = {"document": synthesis, "requester": "Atelier Durand, la DRH", "email": EMPLOYER}
    answer = (await people.consultant(REQUEST, input=asks))["documentAccess"]
    assert (answer["granted"], "accord écrit" in answer["reason"]) == (False, True)

    given = {"document": synthesis, "recipientName": "Paul, conseiller", "recipientEmail": "paul@example.com"}
    share = (await people.marie(SHARE, input=given))["documentShare"]
    assert share["consentedBy"]["user"]["email"] == MARIE and "Marie Durand autorise" in share["statement"]
    await people.owner.work_is_done()
    (link,) = re.findall(r"http://comptoir\.test/documents/\S+", said(people.owner.mails("paul@example.com")[-1]))
    assert (await people.owner.http.get(link)).status_code == 200
    granted = [each["granted"] for each in (await people.marie(ACCESSES))["nodes"]]
    assert granted == [True, False, True, False, False]


async def asked(people: People, words: str) -> None:
    """By a letter, answered on the page of its link."""
    await people.owner.work_is_done()
    assert people.owner.subjects(MARIE)[-1].startswith(words)
    (link,) = re.findall(r"http://comptoir\.test/survey/\S+", said(people.owner.mails(MARIE)[-1]))
    answer = await people.owner.browse(link, FORM | {"comment": "Merci à Camille"})
    assert "Merci de votre réponse" in answer.text


async def shown_to_an_auditor(people: People, documents: dict[DocumentKind, str]) -> None:
    """Evidence by indicator, with what the bilan came to; no synthesis."""
    shown = {"bilan": people.bilan.id, "document": documents[DocumentKind.EVIDENCE]}
    day = datetime.now(UTC).date().isoformat()
    proof = {"indicator": 10, "kind": "FILE", "title": "Feuille d'émargement", "happenedOn": day}
    await people.consultant(ADD_PROOF, input=proof | shown)

    export = await exported(people.owner)

    files = await unpacked(people.owner, export)
    assert sorted(name.partition("/")[0] for name in files) == [
        "bilans.csv", "index.csv", "indicateur-10", "seances.csv",
    ]  # fmt: skip
    (row,) = lines(files["bilans.csv"])
    assert (row["Heures réalisées"], row["Satisfaction (/5)"]) == ("12,00", str(MARKS["satisfaction"]))
    assert row["Consentement accepté le"] and row["Convention acceptée le"]


async def working_papers_are_gone(people: People) -> None:
    """What the bilan was held with went at its end; all else is still there."""
    await clocks_run(people.owner)
    records = (await people.owner(RECORDS))["nodes"]
    assert [(each["kind"], each["reason"], bool(each["deletedAt"])) for each in records] == [
        ("OTHER", "END_OF_BILAN", True)
    ]
    assert len(sealed(people.owner)) == 3  # the synthesis, the evidence, the auditor's ZIP


async def six_months_later(people: People) -> None:
    """Marie is asked again; the auditor's ZIP was kept for a month."""
    await people.owner.time_passes(days=184)
    await clocks_run(people.owner)

    await asked(people, "Six mois après votre bilan")

    answered = (await people.owner(SURVEYS))["nodes"]
    assert {each["kind"]: each["satisfaction"] for each in answered} == dict.fromkeys(("END", "FOLLOW_UP"), 5)
    assert len(sealed(people.owner)) == 2  # the synthesis and the evidence


async def three_years_later(people: People, documents: dict[DocumentKind, str]) -> None:
    """Nothing of the documents can be read by anybody; the invoice is as it was."""
    (before,) = (await people.owner(INVOICES))["nodes"]
    await people.owner.time_passes(days=3 * 366 - 184)
    await clocks_run(people.owner)

    records = (await people.owner(RECORDS))["nodes"]
    assert {each["kind"]: each["reason"] for each in records} == {
        "OTHER": "END_OF_BILAN", "SYNTHESIS": "THREE_YEARS", "EVIDENCE": "THREE_YEARS",
    }  # fmt: skip
    assert all(each["deletedAt"] and each["document"]["destroyedAt"] for each in records)
    for kind in documents:
        code, *_ = await people.marie.refused(OPEN, input={"document": documents[kind]})
        assert code == "CONFLICT", kind
    assert sealed(people.owner) == []
    assert await models.StoredFile.exclude(data_key=None).count() == 0
    assert [each["comment"] for each in (await people.owner(SURVEYS))["nodes"]] == [None, None]
    (invoice,) = (await people.owner(INVOICES))["nodes"]
    assert (invoice["number"], invoice["total"]["amount"]) == (before["number"], 30_000)
    assert (await people.owner.http.get(invoice["pdfUrl"])).content.startswith(b"%PDF")
    (kept_too_long,) = [each for each in doctor.INVARIANTS if each.holds.startswith("What is to be destroyed")]
    assert (await doctor.examine(kept_too_long)).good


async def clocks_run(shop: Shop) -> None:
    """As a worker's do, until there is nothing left to forget."""
    while await retention.forget():
        pass
    await shop.work_is_done()


def sealed(shop: Shop) -> list[Path]:
    """What the store holds of documents."""
    folder = Path(outside().settings.comptoir_home) / "files" / str(shop.organization.id) / "sealed"
    return sorted(each for each in folder.rglob("*") if each.is_file())
