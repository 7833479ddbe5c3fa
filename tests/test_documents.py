"""Documents of bilans: who opens them, with whom they are shared, and that nothing is left of what was destroyed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from pydantic import SecretStr

import models
from errors import NotConfigured
from models import DocumentKind, Role
from services import doctor, documents, retention, rotation, stored_files
from services.outside import outside
from services.sealed_streams import SEALED_CHUNK
from tests.bucket import Bucket
from tests.security.surroundings import installed_with, neighbour, nothing_changes
from tests.security.test_rotation import NEW, keys
from tests.shop import CHEAP_HASH, PASSWORD, SIGN_IN, Shop, said
from tests.uploading import PDF, sent

ADD = """mutation ($input: DocumentAddInput!) { documentAdd(input: $input) { document {
  id kind name contentType sizeBytes sha256 destroyedAt addedBy { user { email } }
} } }"""
OPEN = """mutation ($input: DocumentInput!) { documentOpen(input: $input) {
  ... on DocumentOpened { url expiresAt } ... on DocumentRefused { reason }
} }"""
SHARE = """mutation ($input: DocumentShareCreateInput!) { documentShareCreate(input: $input) { url documentShare {
  id recipientName statement expiresAt consentedBy { user { email } } recordedBy { user { email } }
} } }"""
REVOKE = """mutation ($input: DocumentShareInput!) {
  documentShareRevoke(input: $input) { documentShare { revokedAt } }
}"""
REQUEST = """mutation ($input: DocumentRequestRecordInput!) {
  documentRequestRecord(input: $input) { documentAccess { granted reason requester } }
}"""
DESTROY = """mutation ($input: DocumentDestroyInput!) {
  documentDestroy(input: $input) { destructionRecord { reason destroyedAt destroyedBy { user { email } } } }
}"""
ACCESSES = """{ documentAccesses { nodes {
  granted reason requester membership { user { email } } share { recipientName } document { kind }
} } }"""
DOCUMENTS = "{ documents { nodes { id kind name destroyedAt shares { recipientName } } } }"
RECORDS = "{ destructionRecords { nodes { kind reason sha256 deletedAt document { name destroyedAt } } } }"

ALONE = "art. L6313-4"


@dataclass
class People:
    """Whose bilan it is, who holds it, who runs the shop, and others."""

    bilan: str
    owner: Shop
    consultant: Shop
    beneficiary: Shop
    accountant: Shop
    other_consultant: Shop


@pytest.fixture
async def people(shop: Shop) -> People:
    consultant, beneficiary = [await Shop.open(shop.http, shop.sandbox, role=role) for role in (
        Role.CONSULTANT, Role.BENEFICIARY,
    )]  # fmt: skip
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    other = await another(shop, Role.CONSULTANT)
    (formule, *_) = (await shop("mutation { formulesInstall { formules { id } } }"))["formules"]
    client = await shop.client("marie@example.com")
    created = await shop(
        "mutation ($input: BilanCreateInput!) { bilanCreate(input: $input) { bilan { id } } }",
        input={"client": client, "formule": formule["id"], "idempotencyKey": "one"},
    )
    await models.Client.all().update(member_id=(await membership(beneficiary)).id)
    await models.Bilan.all().update(consultant_id=(await membership(consultant)).id)
    return People(created["bilan"]["id"], shop, consultant, beneficiary, accountant, other)


async def another(shop: Shop, role: Role) -> Shop:
    """One more of a role."""
    email = f"another-{role.value.lower()}@shop.test"
    user = await models.User.create(
        email=email, password_hash=CHEAP_HASH, first_name="Sam", last_name="Petit", confirmed_at=datetime.now(UTC)
    )
    await models.Membership.create(organization=shop.organization, user=user, role=role)
    person = Shop(shop.http, shop.sandbox, shop.organization, email)
    person.token = (await person(SIGN_IN, input={"email": email, "password": PASSWORD}))["accessToken"]
    return person


async def membership(person: Shop) -> models.Membership:
    return await models.Membership.get(organization_id=person.organization.id, user__email=person.email)


async def add(people: People, kind: DocumentKind, *, content: bytes = PDF, name: str = "a.pdf") -> str:
    """The id of a document that the consultant added."""
    upload = await sent(people.consultant, content, name=name)
    given = {"bilan": people.bilan, "upload": upload["id"], "kind": kind.value, "idempotencyKey": upload["id"]}
    return str((await people.consultant(ADD, input=given))["document"]["id"])


async def link(person: Shop, document: str) -> str:
    return str((await person(OPEN, input={"document": document}))["url"])


async def test_a_document_is_added_from_an_upload_and_opened_by_its_link(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS, name="Synthèse – Marie.pdf")

    url = await link(people.beneficiary, document)
    answer = await people.owner.http.get(url)

    assert answer.status_code == 200
    assert answer.content == PDF
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(len(PDF))
    disposition = answer.headers["Content-Disposition"]
    assert unquote(disposition) == "attachment; filename*=UTF-8''Synthèse – Marie.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    (access,) = (await people.beneficiary(ACCESSES))["nodes"]
    assert (access["granted"], access["membership"]["user"]["email"]) == (True, people.beneficiary.email)


async def test_who_only_asks_what_a_link_leads_to_has_opened_nothing(people: People) -> None:
    url = await link(people.beneficiary, await add(people, DocumentKind.SYNTHESIS))

    asked = await people.owner.http.head(url)

    assert (asked.status_code, asked.headers["Content-Length"], asked.content) == (200, str(len(PDF)), b"")
    assert (await people.beneficiary(ACCESSES))["nodes"] == []
    assert await people.owner.count("secret_openings") == 0
    assert (await people.owner.http.head(url[:-4] + "AAAA")).status_code == 404


async def test_an_upload_of_somebody_elses_makes_no_document(people: People) -> None:
    elsewhere = await sent(await neighbour(people.owner))
    colleagues = await sent(people.other_consultant)

    for upload in (elsewhere, colleagues):
        given = {"bilan": people.bilan, "upload": upload["id"], "kind": "OTHER", "idempotencyKey": upload["id"]}
        assert (await people.consultant.refused(ADD, input=given))[:2] == ("NOT_FOUND", "input.upload")
    assert await people.owner.count("documents") == 0


# Who opens what while the bilan is under way: B the beneficiary, C the consultant who holds it, O an owner.
OPENED = {
    DocumentKind.SYNTHESIS: "BC", DocumentKind.OTHER: "BC", DocumentKind.CONVENTION: "BCO", DocumentKind.CONSENT: "BCO",
    DocumentKind.EVIDENCE: "BCO",
}  # fmt: skip


@pytest.mark.parametrize("kind", DocumentKind)
async def test_each_kind_is_opened_by_whom_it_concerns_and_every_refusal_is_kept(
    people: People, kind: DocumentKind
) -> None:
    document = await add(people, kind)
    asked = {"B": people.beneficiary, "C": people.consultant, "O": people.owner}

    answers = {who: await person(OPEN, input={"document": document}) for who, person in asked.items()}

    assert {who for who, answer in answers.items() if "url" in answer} == set(OPENED[kind])
    refused = (await people.owner(ACCESSES))["nodes"]
    assert len(refused) == len(asked) - len(OPENED[kind])
    for each in refused:
        assert (each["granted"], each["membership"]["user"]["email"]) == (False, people.owner.email)
        assert each["reason"] == answers["O"]["reason"]


async def test_those_whom_a_bilan_does_not_concern_see_nothing_of_its_documents(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)

    code, *_ = await people.other_consultant.refused(OPEN, input={"document": document})
    assert code == "NOT_FOUND"
    assert (await people.other_consultant(DOCUMENTS))["nodes"] == []
    for asks in (DOCUMENTS, ACCESSES, RECORDS):
        answer = await people.accountant.post(asks, {})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_once_the_bilan_is_over_its_synthesis_is_the_beneficiarys_alone(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    earlier = await link(people.consultant, document)
    await over(people)

    assert ALONE in (await people.consultant(OPEN, input={"document": document}))["reason"]
    assert (await people.owner.http.get(earlier)).status_code == 404  # a link is no right
    assert (await people.owner.http.get(await link(people.beneficiary, document))).content == PDF


async def test_a_beneficiary_shares_and_takes_back_and_each_opening_is_kept(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    given = {"document": document, "recipientName": "Paul Employeur", "recipientEmail": "Paul@Example.com"}

    shared = await people.beneficiary(SHARE, input=given | {"idempotencyKey": "one"})

    share, url = shared["documentShare"], shared["url"]
    assert share["consentedBy"]["user"]["email"] == people.beneficiary.email
    assert re.search(r"autorise Paul Employeur \(paul@example\.com\) .*SHA-256", share["statement"])
    assert (await people.owner.http.get(url)).content == PDF
    (access,) = (await people.beneficiary(ACCESSES))["nodes"]
    assert (access["share"]["recipientName"], access["membership"]) == ("Paul Employeur", None)
    ended = (await people.beneficiary(REVOKE, input={"documentShare": share["id"]}))["documentShare"]
    assert ended["revokedAt"]
    assert (await people.owner.http.get(url)).status_code == 404


async def test_the_link_of_a_share_is_shown_once_to_who_shares_and_never_to_who_runs_the_shop(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    given = {"document": document, "recipientName": "P", "recipientEmail": "p@b.fr", "idempotencyKey": "one"}

    url = (await people.beneficiary(SHARE, input=given))["url"]

    assert (await people.beneficiary(SHARE, input=given))["url"] == url  # asked again under its key
    token = url.rpartition("/")[2]
    for person in (people.owner, people.consultant):
        answer = await person.post("{ documents { nodes { shares { id recipientEmail url } } } }", {})
        assert "errors" in answer and token not in str(answer)


async def test_who_a_document_is_shared_with_is_written_to_unless_it_was_taken_back(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS, name="Synthèse.pdf")
    given = {"document": document, "recipientName": "Paul", "recipientEmail": "paul@example.com"}
    share = (await people.beneficiary(SHARE, input=given | {"idempotencyKey": "one"}))["documentShare"]
    await people.owner.work_is_done()
    (letter,) = people.owner.mails("paul@example.com")
    (url,) = re.findall(r"http://comptoir\.test/documents/\S+", said(letter))
    assert "« Synthèse.pdf »" in said(letter)
    assert (await people.owner.http.get(url)).content == PDF

    other = given | {"recipientEmail": "anne@example.com", "idempotencyKey": "two"}
    second = (await people.beneficiary(SHARE, input=other))["documentShare"]
    await people.beneficiary(REVOKE, input={"documentShare": second["id"]})
    await people.owner.work_is_done()

    assert people.owner.mails("anne@example.com") == [] and share["id"]


async def test_nobody_else_shares_without_what_the_beneficiary_signed(people: People) -> None:
    document, evidence = await add(people, DocumentKind.SYNTHESIS), await add(people, DocumentKind.EVIDENCE)
    given = {"document": document, "recipientName": "Paul", "recipientEmail": "paul@example.com"}

    async with nothing_changes(people.owner):
        for who in (people.owner, people.consultant):
            code, field, _ = await who.refused(SHARE, input=given)
            assert (code, field) == ("FORBIDDEN", "input.consentDocument")
            wrong = given | {"consentDocument": evidence}
            code, field, _ = await who.refused(SHARE, input=wrong)
            assert (code, field) == ("CONFLICT", "input.consentDocument")
    consent = await add(people, DocumentKind.CONSENT)
    signed = given | {"consentDocument": consent, "idempotencyKey": "three"}
    shared = await people.consultant(SHARE, input=signed)
    share = shared["documentShare"]
    assert share["consentedBy"] is None and share["recordedBy"]["user"]["email"] == people.consultant.email
    assert "Accord signé" in share["statement"]
    assert (await people.owner.http.get(shared["url"])).content == PDF


async def test_an_employer_who_asks_is_refused_until_the_beneficiary_agrees_and_both_are_kept(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    asks = {"document": document, "requester": "ACME, M. Dupont", "email": "rh@acme.example"}

    first = (await people.consultant(REQUEST, input=asks | {"idempotencyKey": "one"}))["documentAccess"]
    await people.beneficiary(SHARE, input={
        "document": document, "recipientName": "ACME", "recipientEmail": "rh@acme.example", "idempotencyKey": "two",
    })  # fmt: skip
    second = (await people.consultant(REQUEST, input=asks | {"idempotencyKey": "three"}))["documentAccess"]

    assert first["granted"] is False and ALONE in first["reason"] and first["requester"] == "ACME, M. Dupont"
    assert (second["granted"], second["reason"]) == (True, None)
    assert [each["granted"] for each in (await people.beneficiary(ACCESSES))["nodes"]] == [True, False]


@pytest.mark.parametrize("days", [-1, 0, 366])
async def test_a_share_ends_within_a_year(people: People, days: int) -> None:
    until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    given = {"document": await add(people, DocumentKind.SYNTHESIS), "recipientName": "P", "recipientEmail": "p@b.fr"}

    code, field, _ = await people.beneficiary.refused(
        SHARE, input=given | {"expiresAt": until, "idempotencyKey": "one"}
    )

    assert (code, field) == ("INVALID", "input.expiresAt")


@pytest.mark.parametrize("how", ["altered", "cut", "gone"])
async def test_a_document_that_was_altered_in_the_store_is_not_shown(people: People, how: str) -> None:
    content = b"%PDF-1.7\n" + bytes(200_000) + b"%%EOF\n"
    document = await add(people, DocumentKind.SYNTHESIS, content=content)
    path = stored((await models.StoredFile.get()).place)
    kept = path.read_bytes()
    changed = {"altered": b"x" + kept[1:], "cut": kept[: SEALED_CHUNK - 1]}
    path.write_bytes(changed[how]) if how in changed else path.unlink()

    answer = await people.owner.http.get(await link(people.beneficiary, document))

    assert answer.status_code == 503
    assert "momentanément indisponible" in answer.text


async def test_no_other_link_opens_a_document(people: People) -> None:
    url = await link(people.beneficiary, await add(people, DocumentKind.SYNTHESIS))

    for bad in (url[:-4] + "AAAA", "/documents/x", url.replace("/documents/", "/files/") + "/a.pdf"):
        page = await people.owner.http.get(bad)
        assert page.status_code == 404 and "Ce lien n’est plus valable" in page.text
    await models.Membership.filter(user__email=people.beneficiary.email).update(active=False)
    assert (await people.owner.http.get(url)).status_code == 404


# Days after the end of the bilan at which each kind is still there, and at which it is gone.
CLOCKS = dict.fromkeys(DocumentKind, (3 * 365, 3 * 365 + 2, "THREE_YEARS")) | {
    DocumentKind.OTHER: (-1, 0, "END_OF_BILAN")
}


async def test_documents_are_destroyed_by_the_clocks_of_the_law_and_not_before(people: People) -> None:
    for kind in DocumentKind:
        await add(people, kind)
    assert await documents.forget(datetime.now(UTC) + timedelta(days=4000)) == 0  # while it is under way
    ended_at = await over(people)
    places = {each.kind: (await each.file).place for each in await models.Document.all()}

    gone: set[DocumentKind] = set()
    for day in sorted({day for before, after, _ in CLOCKS.values() for day in (before, after)}):
        await documents.forget(ended_at + timedelta(days=day))
        await people.owner.work_is_done()
        gone |= {kind for kind, (_, after, _) in CLOCKS.items() if day >= after}
        kept = {each.kind for each in await models.Document.filter(destroyed_at=None)}
        assert kept == set(DocumentKind) - gone, day
        assert {kind for kind, place in places.items() if stored(place).exists()} == kept

    records = {each["kind"]: each for each in (await people.owner(RECORDS))["nodes"]}
    assert {kind: record["reason"] for kind, record in records.items()} == {
        kind.value: reason for kind, (_, _, reason) in CLOCKS.items()
    }
    for kind, record in records.items():
        assert record["deletedAt"] and record["document"]["destroyedAt"] and len(record["sha256"]) == 64
        assert record["document"]["name"] == kind  # and nothing that anybody wrote


async def test_the_doctor_finds_what_is_there_longer_than_the_law_allows(people: People) -> None:
    await add(people, DocumentKind.OTHER)
    (late,) = [each for each in doctor.INVARIANTS if each.holds.startswith("What is to be destroyed")]
    await over(people)
    assert (await doctor.examine(late)).good

    await models.Bilan.all().update(completed_at=datetime.now(UTC) - timedelta(hours=25))

    assert (await doctor.examine(late)).broken == 1
    await retention.forget()
    await people.owner.work_is_done()
    assert (await doctor.examine(late)).good


async def test_of_what_was_destroyed_nothing_can_be_read_by_anybody_with_all_that_was_left(people: People) -> None:
    content = b"%PDF-1.7\nle projet de Marie\n%%EOF\n"
    document = await add(people, DocumentKind.SYNTHESIS, content=content)
    before = await link(people.beneficiary, document)
    share = (await people.beneficiary(SHARE, input={
        "document": document, "recipientName": "P", "recipientEmail": "p@b.fr", "idempotencyKey": "one",
    }))["url"]  # fmt: skip
    file = await models.StoredFile.get()
    copied = stored(file.place).read_bytes()  # by somebody who has the store's backups

    await people.consultant(DESTROY, input={"document": document, "reason": "ERASURE"})

    for url in (before, share):
        assert (await people.owner.http.get(url)).status_code == 404
    for who in (people.beneficiary, people.consultant):
        code, *_ = await who.refused(OPEN, input={"document": document})
        assert code == "CONFLICT"
    destroyed = await models.StoredFile.get()
    assert destroyed.data_key is None
    with pytest.raises(NotConfigured, match="destroyed"):
        _ = [piece async for piece in stored_files.read(destroyed, "a test")]
    await people.owner.work_is_done()
    assert not stored(file.place).exists()
    everything = await everything_in(people.owner)
    assert file.data_key and file.data_key not in everything
    assert "le projet de Marie" not in everything and b"Marie" not in copied


async def test_the_database_keeps_that_something_was_destroyed(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    await people.consultant(DESTROY, input={"document": document, "reason": "MISTAKE"})

    for forged in (
        "UPDATE documents SET destroyed_at = NULL",
        "UPDATE stored_files SET destroyed_at = NULL",
        "UPDATE stored_files SET data_key = 'v1'",
        "UPDATE destruction_records SET destroyed_at = now() - interval '1 day'",
        "DELETE FROM destruction_records",
        "DELETE FROM document_accesses WHERE false OR true",
    ):
        if "accesses" in forged:
            await people.owner(OPEN, input={"document": await add(people, DocumentKind.SYNTHESIS)})
        with pytest.raises(Exception, match="destroyed|kept"):
            await people.owner.sql(forged)
    code, *_ = await people.consultant.refused(DESTROY, input={"document": document, "reason": "MISTAKE"})
    assert code == "CONFLICT"
    code, field, _ = await people.consultant.refused(DESTROY, input={"document": document, "reason": "THREE_YEARS"})
    assert (code, field) == ("INVALID", "input.reason")


async def test_what_is_over_takes_no_more_working_documents(people: People) -> None:
    await over(people)
    upload = await sent(people.consultant)
    given = {"bilan": people.bilan, "upload": upload["id"], "kind": "OTHER", "idempotencyKey": "one"}

    code, field, _ = await people.consultant.refused(ADD, input=given)

    assert (code, field) == ("CONFLICT", "input.kind")
    assert (await people.consultant(ADD, input=given | {"kind": "SYNTHESIS"}))["document"]["kind"] == "SYNTHESIS"
    code, field, _ = await people.consultant.refused(ADD, input=given | {"kind": "CONSENT", "idempotencyKey": "two"})
    assert (code, field) == ("CONFLICT", "input.upload")  # an upload is used once


async def test_while_the_store_is_away_the_key_is_gone_and_the_rest_follows(people: People, bucket: Bucket) -> None:
    async with installed_with(people.owner, **bucket.settings):
        document = await add(people, DocumentKind.SYNTHESIS)
        file = await models.StoredFile.get()
        with bucket.refusing():
            await people.consultant(DESTROY, input={"document": document, "reason": "ERASURE"})
            await people.owner.work_is_done()
        assert (await models.StoredFile.get()).data_key is None
        assert bucket.get(file.place).status_code == 200
        assert (await models.DestructionRecord.get()).deleted_at is None

        await people.owner.time_passes(minutes=5)
        await people.owner.work_is_done()

        assert bucket.get(file.place).status_code == 404
        assert (await models.DestructionRecord.get()).deleted_at


async def test_a_documents_key_is_rotated_with_the_others_and_the_file_stays_as_it_is(people: People) -> None:
    document = await add(people, DocumentKind.SYNTHESIS)
    before = stored((await models.StoredFile.get()).place).read_bytes()

    async with installed_with(people.owner, comptoir_master_keys=SecretStr(keys(outside().settings))):
        assert await rotation.rotate(lambda done: None) == []
    async with installed_with(people.owner, comptoir_master_keys=SecretStr(NEW)):
        file = await models.StoredFile.get()
        assert b"".join([piece async for piece in stored_files.read(file, "a test")]) == PDF
        assert stored(file.place).read_bytes() == before
    assert document


async def over(people: People) -> datetime:
    """The bilan has just ended."""
    now = datetime.now(UTC)
    await models.Bilan.all().update(status=models.BilanStatus.COMPLETED, completed_at=now)
    return now


async def everything_in(shop: Shop) -> str:
    """All that the database holds of files and documents, as text."""
    tables = ("stored_files", "documents", "document_shares", "document_accesses", "destruction_records", "uploads")
    return "\n".join([str(await shop.sql(f"SELECT t::text FROM {table} t")) for table in tables])


def stored(place: str) -> Path:
    return Path(outside().settings.comptoir_home / "files" / place)
