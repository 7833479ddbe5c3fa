"""Quality: what beneficiaries say, what shows each indicator, what is missing, and what an auditor is given."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest

import models
from models import DocumentKind, Role
from services import retention, stored_files
from services.outside import outside
from tests.bilans.agreed import Agreed
from tests.bookings.desk import PARIS
from tests.shop import Shop, said
from tests.uploading import PDF, sent

SURVEYS = """{ surveys { nodes {
  id kind dueAt sentAt answeredAt satisfaction objectives accompaniment recommends comment
} } }"""
SEND = "mutation ($input: SurveySendInput!) { surveySend(input: $input) { survey { id sentAt } } }"
ANSWER = """mutation ($input: SurveyAnswerInput!) {
  surveyAnswer(input: $input) { survey { answeredAt satisfaction comment } }
}"""
ADD = """mutation ($input: QualityProofAddInput!) { qualityProofAdd(input: $input) { qualityProof {
  id indicator kind title bilan { id } document { name } addedBy { user { email } }
} } }"""
REMOVE = "mutation ($input: QualityProofRemoveInput!) { qualityProofRemove(input: $input) { id } }"
QUALITY = """query ($from: Date!, $to: Date!) { quality(startsOn: $from, endsOn: $to) {
  bilans completed minutes attended absent asked answered satisfaction recommends
  indicators { number title(language: EN) added records missing latestOn }
  gaps { bilan beneficiaryName missing }
} }"""
EXPORT = """mutation ($input: QualityExportCreateInput!) {
  qualityExportCreate(input: $input) { qualityExport { id status percent url } }
}"""
EXPORTS = "{ qualityExports { nodes { id status percent total done error url finishedAt } } }"
DOCUMENT = "mutation ($input: DocumentAddInput!) { documentAdd(input: $input) { document { id } } }"

MARKS = {"satisfaction": 5, "objectives": 4, "accompaniment": 5, "recommends": 9}
FORM = {name: str(mark) for name, mark in MARKS.items()}


@dataclass
class Ended:
    """A bilan of Marie's that is completed, and who has to do with it."""

    bilan: Agreed
    owner: Shop
    consultant: Shop
    beneficiary: Shop

    @property
    def link(self) -> str:
        """Where the last letter leads."""
        (*_, letter) = self.owner.mails("marie@example.com")
        (link,) = re.findall(r"http://comptoir\.test/survey/\S+", said(letter))
        return str(link)

    async def surveys(self) -> dict[str, Any]:
        return {each["kind"]: each for each in (await self.owner(SURVEYS))["nodes"]}

    async def answered(self, **form: str) -> Any:
        return await self.owner.browse(self.link, FORM | form)


@pytest.fixture
async def ended(shop: Shop) -> Ended:
    bilan = await Agreed.funded(shop)
    consultant, beneficiary = [
        await Shop.open(shop.http, shop.sandbox, role=role) for role in (Role.CONSULTANT, Role.BENEFICIARY)
    ]
    await models.Client.filter(email="marie@example.com").update(member_id=(await membership(beneficiary)).id)
    await models.Bilan.all().update(consultant_id=(await membership(consultant)).id)
    for days_ago, kind in ((3, "PRELIMINARY"), (2, "INVESTIGATION"), (1, "CONCLUSION")):
        await bilan.hold(kind, minutes=360, days_ago=days_ago)
        await bilan.do("bilanPhaseComplete", bilanPhase=await bilan.phase(kind))
    await shop.work_is_done()
    return Ended(bilan, shop, consultant, beneficiary)


async def membership(person: Shop) -> models.Membership:
    return await models.Membership.get(organization_id=person.organization.id, user__email=person.email)


def period(**more: Any) -> dict[str, str]:
    """From a month ago to tomorrow."""
    today = datetime.now(UTC).date()
    return {"startsOn": str(today - timedelta(days=30)), "endsOn": str(today + timedelta(days=1)), **more}


async def seen(shop: Shop) -> dict[str, Any]:
    days = period()
    found: dict[str, Any] = await shop(QUALITY, **{"from": days["startsOn"], "to": days["endsOn"]})
    return found


async def added(shop: Shop, **given: Any) -> dict[str, Any]:
    return dict((await shop(ADD, input=proof(**given)))["qualityProof"])


def proof(**given: Any) -> dict[str, Any]:
    values = {"indicator": 23, "kind": "REMARK", "title": "Veille", "happenedOn": str(datetime.now(UTC).date())}
    return {**values, "idempotencyKey": str(uuid4()), **given}


async def document(person: Shop, bilan: str, kind: DocumentKind, name: str = "a.pdf") -> str:
    upload = await sent(person, PDF, name=name)
    given = {"bilan": bilan, "upload": upload["id"], "kind": kind.value, "idempotencyKey": upload["id"]}
    return str((await person(DOCUMENT, input=given))["document"]["id"])


async def exported(shop: Shop) -> dict[str, Any]:
    """The newest, once workers did what there is to do."""
    await shop(EXPORT, input=period(idempotencyKey=str(uuid4())))
    await shop.work_is_done()
    (newest, *_) = (await shop(EXPORTS))["nodes"]
    return dict(newest)


async def unpacked(shop: Shop, export: dict[str, Any]) -> dict[str, bytes]:
    answer = await shop.http.get(export["url"])
    assert answer.status_code == 200, answer.text
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig")), delimiter=";"))


# Surveys


async def test_a_beneficiary_is_asked_at_the_end_and_again_six_months_later(ended: Ended) -> None:
    shop = ended.owner
    assert [each for each in shop.subjects("marie@example.com") if "avis" in each] == [
        "Votre avis sur votre bilan de compétences"
    ]
    surveys = await ended.surveys()
    assert (bool(surveys["END"]["sentAt"]), surveys["FOLLOW_UP"]["sentAt"]) == (True, None)

    await shop.time_passes(days=170)
    await shop.work_is_done()
    assert (await ended.surveys())["FOLLOW_UP"]["sentAt"] is None
    await shop.time_passes(days=15)
    await shop.work_is_done()

    assert shop.subjects("marie@example.com")[-1] == "Six mois après votre bilan : où en êtes-vous ?"
    assert "Six mois après votre bilan" in (await shop.browse(ended.link)).text


async def test_a_survey_is_answered_once_by_its_link(ended: Ended) -> None:
    page = await ended.owner.browse(ended.link)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; base-uri 'none'")
    assert "script" not in page.headers["content-security-policy"] and "<script" not in page.text

    answer = await ended.answered(comment="Très utile <b>!</b>")

    assert answer.status_code == 200 and "Merci de votre réponse" in answer.text
    again = await ended.answered(satisfaction="1")
    assert "Merci de votre réponse" in again.text
    survey = (await ended.surveys())["END"]
    assert {name: survey[name] for name in MARKS} == MARKS
    assert (survey["comment"], bool(survey["answeredAt"])) == ("Très utile <b>!</b>", True)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"satisfaction": "6"}, "Une note va de 1 à 5."),
        ({"recommends": "11"}, "Une note va de 0 à 10."),
        ({"objectives": "0"}, "Une note va de 1 à 5."),
        ({"objectives": "-1"}, "Répondez aux quatre questions."),
        ({"accompaniment": "beaucoup"}, "Répondez aux quatre questions."),
        ({"accompaniment": ""}, "Répondez aux quatre questions."),
        ({"accompaniment": "9" * 5000}, "Répondez aux quatre questions."),
        ({"comment": "é" * 2001}, "Le commentaire comporte 2000 caractères au plus."),
        ({"comment": "a\x00b"}, "Votre réponse contient un caractère qui n’est pas du texte."),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value)[:40],
)
async def test_an_answer_that_cannot_be_is_said_so_and_what_was_filled_in_stays(
    ended: Ended, form: dict[str, str], words: str
) -> None:
    answer = await ended.answered(**form)

    assert answer.status_code == 422
    assert words in answer.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert len(re.findall(r"\schecked", answer.text)) >= 3
    assert (await ended.surveys())["END"]["answeredAt"] is None


async def test_a_link_that_is_not_ours_or_of_something_else_says_no_more_than_that(ended: Ended) -> None:
    token = ended.link.rpartition("/")[2]
    spoiled = token[:-1] + ("A" if token[-1] != "A" else "B")
    order = await ended.owner.order()
    (pay,) = re.findall(r"/pay/([^\s\"]+)", (await ended.owner.see(order)).get("payUrl") or "/pay/none")
    for other in ("nothing", spoiled, pay):
        for form in (None, FORM):
            page = await ended.owner.browse(f"http://comptoir.test/survey/{other}", form)
            assert page.status_code == 404 and "Ce lien n’est plus valable" in page.text
            assert ended.owner.organization.name not in page.text
    assert (await ended.surveys())["END"]["answeredAt"] is None


async def test_the_beneficiary_answers_signed_in_and_nobody_for_them(ended: Ended) -> None:
    survey = (await ended.surveys())["END"]["id"]
    for other in (ended.consultant, ended.owner):
        assert (await other.refused(ANSWER, input={"survey": survey, **MARKS}))[0] == "FORBIDDEN"
    for name, mark in (("satisfaction", 0), ("recommends", 11)):
        code, field, _ = await ended.beneficiary.refused(ANSWER, input={"survey": survey, **MARKS, name: mark})
        assert (code, field) == ("INVALID", f"input.{name}")
    code, field, _ = await ended.beneficiary.refused(ANSWER, input={"survey": survey, **MARKS, "comment": "a" * 2001})
    assert (code, field) == ("INVALID", "input.comment")

    await ended.beneficiary(ANSWER, input={"survey": survey, **MARKS, "comment": "  Merci  "})

    assert (await ended.surveys())["END"]["comment"] == "Merci"
    assert (await ended.beneficiary.refused(ANSWER, input={"survey": survey, **MARKS}))[0] == "CONFLICT"
    assert "Merci de votre réponse" in (await ended.owner.browse(ended.link)).text


async def test_who_has_answered_is_asked_no_more_and_others_once_more_when_somebody_says_so(ended: Ended) -> None:
    again = {"bilan": ended.bilan.id, "kind": "END"}
    await ended.consultant(SEND, input=again)
    await ended.owner.work_is_done()
    assert len([each for each in ended.owner.subjects("marie@example.com") if "avis" in each]) == 2

    await ended.answered()

    assert (await ended.consultant.refused(SEND, input=again))[0] == "CONFLICT"
    assert (await ended.beneficiary.refused(SEND, input=again))[0] == "FORBIDDEN"


async def test_nobody_is_asked_before_the_end(shop: Shop) -> None:
    bilan = await Agreed.funded(shop)
    code, field, message = await shop.refused(SEND, input={"bilan": bilan.id, "kind": "END"})
    assert (code, field) == ("CONFLICT", "input.bilan")
    assert "once it is completed" in message


async def test_the_database_takes_no_mark_that_cannot_be_and_no_half_an_answer(ended: Ended) -> None:
    survey = await models.Survey.get(kind=models.SurveyKind.END)
    for broken in ("satisfaction = 6", "satisfaction = 3", "answered_at = now()"):
        with pytest.raises(Exception, match="surveys_(marks|answered)_check"):
            await ended.owner.sql(f"UPDATE surveys SET {broken} WHERE id = '{survey.id}'")


# Evidence


async def test_evidence_is_added_of_a_bilan_with_its_document_and_taken_away(ended: Ended) -> None:
    shown = await document(ended.consultant, ended.bilan.id, DocumentKind.EVIDENCE, "Entretien.pdf")

    made = await added(
        ended.consultant, indicator=4, kind="FILE", title="Analyse", bilan=ended.bilan.id, document=shown
    )

    assert (made["bilan"]["id"], made["document"]["name"]) == (ended.bilan.id, "Entretien.pdf")
    assert made["addedBy"]["user"]["email"] == ended.consultant.email
    await ended.consultant(REMOVE, input={"qualityProof": made["id"]})
    assert await ended.owner.count("quality_proofs") == 0
    assert await ended.owner.count("documents") == 1


async def test_evidence_of_the_organization_is_for_who_runs_it(ended: Ended) -> None:
    made = await added(ended.owner)
    assert made["bilan"] is None
    assert (await ended.consultant.refused(ADD, input=proof()))[0] == "FORBIDDEN"
    assert (await ended.consultant("{ qualityProofs { nodes { id } } }"))["nodes"] == []
    assert (await ended.consultant.refused(REMOVE, input={"qualityProof": made["id"]}))[0] == "NOT_FOUND"
    assert (await ended.beneficiary.refused(ADD, input=proof(bilan=ended.bilan.id)))[0] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"indicator": 3}, "input.indicator"),  # of certifications
        ({"indicator": 13}, "input.indicator"),  # of apprentices
        ({"indicator": 33}, "input.indicator"),
        ({"indicator": -1}, "input.indicator"),
        ({"title": "   "}, "input.title"),
        ({"title": "a\x00"}, "input.title"),
        ({"title": "a" * 201}, "input.title"),
        ({"description": "a" * 2001}, "input.description"),
        ({"happenedOn": str(date.today() + timedelta(days=3))}, "input.happenedOn"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_evidence_that_cannot_be_is_refused_with_the_field(shop: Shop, given: dict[str, Any], field: str) -> None:
    assert (await shop.refused(ADD, input=proof(**given)))[:2] == ("INVALID", field)
    assert await shop.count("quality_proofs") == 0


async def test_a_document_shows_something_of_its_own_bilan_alone(ended: Ended) -> None:
    another = await Agreed.funded(ended.owner, email="paul@example.com")
    shown = await document(ended.owner, another.id, DocumentKind.EVIDENCE)
    for bilan in ({"bilan": ended.bilan.id}, {}):
        code, field, _ = await ended.owner.refused(ADD, input=proof(document=shown, **bilan))
        assert (code, field) == ("INVALID", "input.document")
    assert (await ended.consultant.refused(ADD, input=proof(bilan=another.id)))[:2] == ("NOT_FOUND", "input.bilan")


async def test_a_synthesis_is_no_evidence(ended: Ended) -> None:
    shown = await document(ended.consultant, ended.bilan.id, DocumentKind.SYNTHESIS)
    given = proof(document=shown, bilan=ended.bilan.id)
    assert (await ended.consultant.refused(ADD, input=given))[:2] == ("INVALID", "input.document")


# At a glance


async def test_quality_at_a_glance_counts_and_says_what_is_missing(ended: Ended) -> None:
    await added(ended.owner)
    before = await seen(ended.owner)
    assert (before["bilans"], before["completed"], before["minutes"], before["attended"]) == (1, 1, 1080, 3)
    assert (before["asked"], before["answered"], before["satisfaction"]) == (1, 0, None)
    assert before["gaps"] == [
        {"bilan": ended.bilan.id, "beneficiaryName": "Marie Durand", "missing": ["CONSENT", "SYNTHESIS", "SURVEY"]}
    ]
    assert len(before["indicators"]) == 22
    by_number = {each["number"]: each for each in before["indicators"]}
    assert (by_number[23]["added"], by_number[23]["missing"], bool(by_number[23]["latestOn"])) == (1, False, True)
    assert (by_number[10]["records"], by_number[10]["added"], by_number[10]["missing"]) == (3, 0, False)
    assert (by_number[30]["missing"], by_number[26]["missing"]) == (True, True)

    await ended.answered()
    await document(ended.consultant, ended.bilan.id, DocumentKind.SYNTHESIS)

    after = await seen(ended.owner)
    assert (after["answered"], after["satisfaction"], after["recommends"]) == (1, 5.0, 9.0)
    assert after["gaps"][0]["missing"] == ["CONSENT"]
    assert not next(each for each in after["indicators"] if each["number"] == 30)["missing"]


async def test_what_was_agreed_to_on_the_last_day_counts(ended: Ended) -> None:
    bilan = await Agreed.funded(ended.owner, email="paul@example.com")
    made = await bilan.do("bilanAgreementPropose", bilan=bilan.id, kind="CONSENT")
    await bilan.do("bilanAgreementAccept", bilanAgreement=made["id"], name="Paul")
    today = datetime.now(PARIS).date()

    for day, missing in ((today, False), (today - timedelta(days=1), True), (today + timedelta(days=1), True)):
        found = await ended.owner(QUALITY, **{"from": str(day), "to": str(day)})
        (objectives,) = [each for each in found["indicators"] if each["number"] == 5]
        assert objectives["missing"] is missing, day


async def test_a_period_that_cannot_be_is_refused_with_the_field(shop: Shop) -> None:
    for first, last in (("2026-02-01", "2026-01-31"), ("2020-01-01", "2026-01-01")):
        assert (await shop.refused(QUALITY, **{"from": first, "to": last}))[:2] == ("INVALID", "endsOn")
        given = {"startsOn": first, "endsOn": last, "idempotencyKey": "one"}
        assert (await shop.refused(EXPORT, input=given))[:2] == ("INVALID", "input.endsOn")


async def test_only_who_runs_the_organization_sees_it_as_a_whole(ended: Ended) -> None:
    accountant = await Shop.open(ended.owner.http, ended.owner.sandbox, role=Role.ACCOUNTANT)
    days = {"from": period()["startsOn"], "to": period()["endsOn"]}
    for other in (ended.consultant, ended.beneficiary, accountant):
        assert (await other.refused(QUALITY, **days))[0] == "FORBIDDEN"
        assert (await other.refused(EXPORT, input=period(idempotencyKey="one")))[0] == "FORBIDDEN"
        assert (await other.refused(EXPORTS))[0] == "FORBIDDEN"
    admin = await Shop.open(ended.owner.http, ended.owner.sandbox, role=Role.ADMIN)
    assert (await seen(admin))["bilans"] == 1


# What an auditor is given


async def test_the_export_has_evidence_consents_conventions_an_index_and_never_a_synthesis(ended: Ended) -> None:
    kinds = set(DocumentKind) - {DocumentKind.OTHER}  # which is not kept beyond the end
    ids = {kind: await document(ended.consultant, ended.bilan.id, kind, f"{kind.value} «é».pdf") for kind in kinds}
    await added(
        ended.consultant, indicator=4, kind="FILE", title='=HYPERLINK("http://evil")', bilan=ended.bilan.id,
        document=ids[DocumentKind.EVIDENCE], description="+1",
    )  # fmt: skip
    await added(ended.owner, indicator=23, title="Lettre juridique")
    await ended.answered(comment="@SUM(A1)")

    export = await exported(ended.owner)

    assert (export["status"], export["percent"], export["error"]) == ("READY", 100, None)
    files = await unpacked(ended.owner, export)
    folders = sorted(name.partition("/")[0] for name in files)
    assert folders == ["bilans", "bilans", "bilans.csv", "index.csv", "indicateur-04", "seances.csv"]
    assert not any("SYNTHESIS" in name for name in files)
    assert all(content == PDF for name, content in files.items() if name.endswith(".pdf"))
    index = lines(files["index.csv"])
    assert [(each["Indicateur"], each["Intitulé"]) for each in index[:2]] == [
        ("4", "Analyse du besoin"), ("23", "Veille légale et réglementaire"),
    ]  # fmt: skip
    assert index[0]["Preuve"] == '\'=HYPERLINK("http://evil")' and index[0]["Détail"] == "'+1"
    assert {each["Fichier"] for each in index if each["Fichier"]} == {name for name in files if "/" in name}
    assert len(index) == 4 and all(each["SHA-256"] for each in index if each["Fichier"])
    (row,) = lines(files["bilans.csv"])
    assert (row["Bénéficiaire"], row["Heures réalisées"], row["Satisfaction (/5)"]) == ("Marie Durand", "18,00", "5")
    assert (row["Commentaire"], row["Statut"]) == ("'@SUM(A1)", "Terminé")
    assert {each["Nature"] for each in index} == {"Document", "Note", "Consentement", "Convention"}
    held = lines(files["seances.csv"])
    assert [(each["Phase"], each["Présence"], each["Minutes"]) for each in held] == [
        ("Préliminaire", "Présent", "360"), ("Investigation", "Présent", "360"), ("Conclusion", "Présent", "360"),
    ]  # fmt: skip


async def test_what_is_destroyed_is_told_of_and_not_in_it(ended: Ended) -> None:
    shown = await document(ended.consultant, ended.bilan.id, DocumentKind.EVIDENCE)
    await added(ended.consultant, indicator=4, kind="FILE", bilan=ended.bilan.id, document=shown)
    await ended.owner(
        "mutation ($input: DocumentDestroyInput!) { documentDestroy(input: $input) { __typename } }",
        input={"document": shown, "reason": "MISTAKE"},
    )

    files = await unpacked(ended.owner, await exported(ended.owner))

    assert sorted(files) == ["bilans.csv", "index.csv", "seances.csv"]
    (line,) = lines(files["index.csv"])
    assert line["Fichier"] == "(détruit)"


async def test_an_export_that_cannot_be_made_says_why(ended: Ended) -> None:
    shown = await document(ended.consultant, ended.bilan.id, DocumentKind.EVIDENCE)
    file = (await models.Document.get().prefetch_related("file")).file
    await outside().documents.delete(file.place)

    export = await exported(ended.owner)

    assert (export["status"], export["url"]) == ("FAILED", None)
    assert "cannot be read" in export["error"] and shown


async def test_an_export_is_kept_for_a_month_under_a_key_of_its_own(ended: Ended) -> None:
    export = await exported(ended.owner)
    file = (await models.QualityExport.get().prefetch_related("file")).file
    assert file is not None and file.stored_sha256
    pieces = [piece async for piece in outside().documents.stream(file.place)]
    assert b"index.csv" not in b"".join(pieces)

    await ended.owner.sql(
        "UPDATE stored_files SET destroy_at = now() - interval '1 second' WHERE destroy_at IS NOT NULL"
    )
    await stored_files.forget()

    assert (await ended.owner.http.get(export["url"])).status_code == 404
    await ended.owner.sql("UPDATE quality_exports SET finished_at = now() - interval '30 days'")
    assert (await ended.owner(EXPORTS))["nodes"][0]["url"] is None


async def test_an_export_is_fetched_as_long_as_who_asked_for_it_may_have_it(ended: Ended) -> None:
    admin = await Shop.open(ended.owner.http, ended.owner.sandbox, role=Role.ADMIN)
    url = (await exported(admin))["url"]
    assert (await admin.http.get(url)).status_code == 200

    for changed in ({"role": Role.CONSULTANT}, {"role": Role.ADMIN, "active": False}):
        await models.Membership.filter(user__email=admin.email).update(**changed)
        assert (await admin.http.get(url)).status_code == 404


async def test_words_are_taken_away_three_years_after_the_bilan_and_marks_stay(ended: Ended) -> None:
    await ended.answered(comment="Merci")
    await models.Bilan.all().update(completed_at=datetime.now(UTC) - timedelta(days=3 * 365))
    await retention.forget()
    assert (await ended.surveys())["END"]["comment"] == "Merci"

    await models.Bilan.all().update(completed_at=datetime.now(UTC) - timedelta(days=3 * 366))
    await retention.forget()

    survey = (await ended.surveys())["END"]
    assert (survey["comment"], survey["satisfaction"]) == (None, 5)


async def test_so_many_are_made_at_once_and_a_key_makes_one(ended: Ended) -> None:
    for key in ("one", "one", "two"):
        await ended.owner(EXPORT, input=period(idempotencyKey=key))
    assert await ended.owner.count("quality_exports") == 2
    assert (await ended.owner.refused(EXPORT, input=period(idempotencyKey="three")))[0] == "CONFLICT"
