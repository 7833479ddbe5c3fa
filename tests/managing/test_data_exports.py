"""All that is kept of a client, put together for them: everything, nothing of others, for who ordered it alone."""

import asyncio
import io
import json
from dataclasses import replace
from uuid import uuid4
from zipfile import ZipFile

import pytest

import models
from models import DocumentKind, ExportStatus, Role
from services import data_exports, retention
from services.data_export_files import FILES
from services.outside import outside
from tests.bilans.agreed import Agreed
from tests.managing.test_client_merges import MERGE
from tests.managing.test_crm import CONSENT, CONTACT, NOTE, OFFERS, TAG, TAG_CREATE
from tests.managing.test_erasures import ERASE, TICKET
from tests.managing.test_portal_tokens import CREATE as LINK
from tests.security.surroundings import nothing_changes
from tests.security.test_keys import server
from tests.shop import Shop, said
from tests.test_quality import document, membership
from tests.uploading import PDF

pytestmark = pytest.mark.usefixtures("printer")

ORDER = """mutation ($input: ClientDataExportCreateInput!) { clientDataExportCreate(input: $input) {
  clientDataExport { id status percent client { email } requestedBy { user { email } } }
} }"""
OPEN = "mutation ($input: ClientDataExportInput!) { clientDataExportOpen(input: $input) { url expiresAt } }"
EXPORTS = "{ clientDataExports { nodes { id status percent total done error toldAt finishedAt } } }"
REPLY = "mutation ($input: TicketReplyInput!) { ticketReply(input: $input) { ticketReply { id } } }"


async def ordered(shop: Shop, client: str) -> str:
    made = await shop(ORDER, input={"client": client, "idempotencyKey": str(uuid4())})
    return str(made["clientDataExport"]["id"])


async def refused(shop: Shop, client: str) -> tuple[str, str | None, str]:
    return await shop.refused(ORDER, input={"client": client, "idempotencyKey": str(uuid4())})


async def link(shop: Shop, export: str) -> str:
    return str((await shop(OPEN, input={"clientDataExport": export}))["url"])


async def unpacked(shop: Shop, client: str) -> dict[str, bytes]:
    """What somebody gets who orders it."""
    export = await ordered(shop, client)
    await shop.work_is_done()
    answer = await shop.http.get(await link(shop, export))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''donnees-personnelles-")
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def marie(shop: Shop) -> tuple[str, Shop]:
    """A client of whom everything is known, who signs in."""
    client = await shop.client("marie@example.com", firstName="Marie", lastName="Skłodowska", phone="+33612345678")
    tag = (await shop(TAG_CREATE, input={"name": "VIP"}))["tag"]["id"]
    await shop(TAG, input={"client": client, "tag": tag})
    await shop(NOTE, input={"client": client, "body": "Aime le polonium"})
    await shop(CONTACT, input={"client": client, "firstName": "Irène"})
    await shop(CONSENT, input={"client": client, **OFFERS})
    ticket = (await shop(TICKET, input={"client": client, "subject": "Radium", "body": "Où ?"}))["ticket"]["id"]
    await shop(REPLY, input={"ticket": ticket, "body": "Elle insiste", "internal": True})
    return client, await signed_in(shop)


async def signed_in(shop: Shop) -> Shop:
    """Marie, as she signs in."""
    beneficiary = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    await models.Client.filter(email="marie@example.com").update(member_id=(await membership(beneficiary)).id)
    return beneficiary


async def test_all_that_is_kept_of_a_client_is_in_it_with_why_and_nothing_of_anybody_else(shop: Shop) -> None:
    other = await shop.client("paul@example.com", firstName="Paul")
    await shop(NOTE, input={"client": other, "body": "Aime le radon"})
    await shop.sell(await shop.product(), client=other)
    client, _ = await marie(shop)
    token = (await shop(LINK, input={"client": client}))["token"]
    await shop.sell(await shop.product(partners=(await shop.partner(),)), client=client)

    files = await unpacked(shop, client)

    said_of = {name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
    assert set(said_of) == {file.name for file in FILES} | {"journal.json"}
    (identity,) = said_of["identite.json"]["Client"]
    assert (identity["email"], identity["last_name"]) == ("marie@example.com", "Skłodowska")
    assert identity["account_email"] == "beneficiary@shop.test"
    assert [each["body"] for each in said_of["notes.json"]["ClientNote"]] == ["Aime le polonium"]
    assert [each["tag"] for each in said_of["notes.json"]["ClientTag"]] == ["VIP"]
    assert [each["body"] for each in said_of["demandes.json"]["TicketReply"]] == ["Elle insiste"]
    assert [each["partner"] for each in said_of["partenaires.json"]["Notification"]]
    (paid,) = said_of["paiements.json"]["Payment"]
    assert (paid["amount_cents"], paid["currency"]) == (9999, "EUR")
    (invoice,) = said_of["factures.json"]["Invoice"]
    assert files[f"factures/{invoice['number']}.pdf"].startswith(b"%PDF")
    assert said_of["journal.json"]["AuditEntry"][0]["after"]["email"] == "marie@example.com"
    whole = b"".join(files.values())
    for secret in ("paul", "Paul", "radon", token, "token_hash", "file_key", "consultant@"):
        assert secret.encode() not in whole, secret
    readme = files["LISEZMOI-README.txt"].decode()
    assert "art. L123-22 du code de commerce" in readme and "(art. 7(1) of the GDPR)" in readme
    assert all(readme.count(f"\n{file.name}\n") == 2 for file in FILES)


async def test_who_they_are_fetch_it_themselves_with_their_synthesis_and_are_written_to(shop: Shop) -> None:
    bilan = await Agreed.funded(shop)
    client, beneficiary = bilan.client, await signed_in(shop)
    for kind in (DocumentKind.SYNTHESIS, DocumentKind.OTHER, DocumentKind.CONVENTION):
        await document(shop, bilan.id, kind, f"{kind.value} «é».pdf")

    theirs, ours = await unpacked(beneficiary, client), await unpacked(shop, client)

    found = [
        sorted(name.rpartition("-")[2] for name in each if name.startswith("documents/")) for each in (theirs, ours)
    ]
    assert found == [["CONVENTION _é_.pdf", "OTHER _é_.pdf", "SYNTHESIS _é_.pdf"], ["CONVENTION _é_.pdf"]]
    assert all(content == PDF for name, content in theirs.items() if name.startswith("documents/"))
    assert "Connectez-vous" in ours["LISEZMOI-README.txt"].decode()
    assert "Connectez-vous" not in theirs["LISEZMOI-README.txt"].decode()
    assert await models.DocumentAccess.filter(granted=True).count() == 4
    (letter,) = (mail for mail in shop.mails("marie@example.com") if "données" in str(mail.message["Subject"]))
    assert "Connectez-vous pour la télécharger" in said(letter) and "In English: You asked" in said(letter)
    second, first = (await shop(EXPORTS))["nodes"]
    assert (bool(first["toldAt"]), second["toldAt"]) == (True, None)
    assert first["percent"] == 100 and first["done"] == first["total"]


async def test_who_holds_the_bilan_is_not_given_its_synthesis_in_what_can_be_fetched_once_that_is_over(
    shop: Shop,
) -> None:
    bilan = await Agreed.funded(shop)
    await models.Bilan.all().update(consultant_id=(await membership(shop)).id)
    for kind in (DocumentKind.SYNTHESIS, DocumentKind.OTHER, DocumentKind.CONVENTION):
        await document(shop, bilan.id, kind, f"{kind.value}.pdf")

    files = await unpacked(shop, bilan.client)

    assert [name.rpartition("-")[2] for name in files if name.startswith("documents/")] == ["CONVENTION.pdf"]


async def test_only_who_ordered_it_fetches_it_and_only_while_they_may(shop: Shop) -> None:
    client, beneficiary = await marie(shop)
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    theirs = await ordered(beneficiary, client)
    await shop.work_is_done()
    ours = await ordered(admin, client)
    await shop.work_is_done()
    assert {each["id"] for each in (await beneficiary(EXPORTS))["nodes"]} == {theirs, ours}
    for person, export in ((shop, theirs), (shop, ours), (admin, theirs), (beneficiary, ours)):
        code, _, message = await person.refused(OPEN, input={"clientDataExport": export})
        assert code == "FORBIDDEN" and "Only who ordered" in message
    urls = [await link(beneficiary, theirs), await link(admin, ours)]

    await models.Client.all().update(member_id=None)
    await models.Membership.filter(user__email=admin.email).update(role=Role.ACCOUNTANT)

    for url in urls:
        assert (await shop.http.get(url)).status_code == 404
    assert (await beneficiary.refused(OPEN, input={"clientDataExport": theirs}))[0] == "NOT_FOUND"
    assert (await admin.refused(OPEN, input={"clientDataExport": ours}))[0] == "FORBIDDEN"


async def test_who_does_not_run_the_shop_and_is_not_the_client_orders_none(shop: Shop) -> None:
    client, beneficiary = await marie(shop)
    other = await shop.client("paul@example.com")
    people = [await Shop.open(shop.http, shop.sandbox, role=role) for role in (Role.ACCOUNTANT, Role.CONSULTANT)]
    token = (await shop(LINK, input={"client": client}))["token"]
    await models.Client.all().update(consultant_id=(await membership(people[1])).id)
    for caller in (*people, await server(shop, "CLIENTS_READ", "CLIENTS_WRITE", "EXPORTS"), replace(shop, token=token)):
        assert (await refused(caller, client))[0] == "FORBIDDEN"
        assert (await caller.refused(EXPORTS))[0] == "FORBIDDEN"
    assert (await refused(beneficiary, other))[:2] == ("NOT_FOUND", "input.client")
    elsewhere = await Shop.open(shop.http, shop.sandbox, "elsewhere")
    assert (await refused(elsewhere, client))[:2] == ("NOT_FOUND", "input.client")


async def test_the_audit_log_says_who_ordered_it_and_who_fetched_it(shop: Shop) -> None:
    client, beneficiary = await marie(shop)
    await unpacked(beneficiary, client)

    entries = (
        await models.AuditEntry.filter(subject_type="ClientDataExport").order_by("id").prefetch_related("actor__user")
    )
    done = [(entry.action, entry.operation.value) for entry in entries]
    assert done[0] == ("clientDataExportCreate", "INSERT")
    assert done[-1] == ("clientDataExportFetched", "NOTE")
    assert entries[0].actor.user.email == entries[-1].actor.user.email == beneficiary.email
    assert entries[-1].address


async def test_of_many_who_order_at_once_one_is_made_and_five_within_a_day(shop: Shop) -> None:
    client, _ = await marie(shop)

    asked = [{"input": {"client": client, "idempotencyKey": str(number)}} for number in range(4)]
    answers = await asyncio.gather(*(shop.post(ORDER, each) for each in asked))

    refusals = [answer["errors"][0]["message"] for answer in answers if "errors" in answer]
    assert refusals == ["An export of this client is being made: wait for it."] * 3
    for _ in range(4):
        await shop.work_is_done()
        await ordered(shop, client)
    await shop.work_is_done()
    assert (await refused(shop, client))[2].startswith("5 exports of this client were ordered within a day")
    with pytest.raises(Exception, match="client_data_exports_under_way"):
        await shop.sql("UPDATE client_data_exports SET status = 'RUNNING', file_id = NULL, finished_at = NULL")


async def test_it_is_encrypted_and_gone_after_a_week(shop: Shop) -> None:
    client, _ = await marie(shop)
    export = await ordered(shop, client)
    await shop.work_is_done()
    url = await link(shop, export)
    file = await models.StoredFile.get()
    assert b"".join([each async for each in outside().documents.stream(file.place)])[:2] != b"PK"

    await shop.sql("UPDATE client_data_exports SET finished_at = finished_at - interval '8 days'")
    await shop.sql("UPDATE stored_files SET destroy_at = destroy_at - interval '8 days'")
    assert (await shop.http.get(url)).status_code == 404
    assert (await shop.refused(OPEN, input={"clientDataExport": export}))[:2] == ("CONFLICT", "input.clientDataExport")
    await retention.forget()
    await shop.work_is_done()

    assert (await models.StoredFile.get()).data_key is None
    await shop.sql("UPDATE client_data_exports SET created_at = created_at - interval '31 days'")
    await retention.forget()
    assert (await shop(EXPORTS))["nodes"] == []


async def test_one_that_no_worker_makes_is_given_up_and_another_can_be_ordered(shop: Shop) -> None:
    client, _ = await marie(shop)
    await ordered(shop, client)
    assert (
        "An export of the data of one of them"
        in (await shop.refused(MERGE, input={"client": await shop.client("m@example.com"), "duplicate": client}))[2]
    )
    await shop.sql("UPDATE client_data_exports SET created_at = created_at - interval '25 hours'")

    await retention.forget()

    (given_up,) = (await shop(EXPORTS))["nodes"]
    assert (given_up["status"], given_up["error"]) == (
        ExportStatus.FAILED,
        "It was not made within a day: order another.",
    )
    await ordered(shop, client)


async def test_of_two_workers_who_make_it_one_keeps_what_it_made(shop: Shop) -> None:
    client, _ = await marie(shop)
    export = await ordered(shop, client)

    await asyncio.gather(*[data_exports.make(await models.ClientDataExport.get()) for _ in range(2)])
    await shop.work_is_done()

    made = await models.StoredFile.all()
    assert sorted(file.is_destroyed for file in made) == [False, True]
    assert (await shop.http.get(await link(shop, export))).status_code == 200


async def test_a_paper_that_is_lost_is_said_so(shop: Shop) -> None:
    client, _ = await marie(shop)
    await shop.sell(await shop.product(), client=client)
    await outside().documents.delete(str((await models.Invoice.get()).file_key))
    await ordered(shop, client)
    await shop.work_is_done()

    (export,) = (await shop(EXPORTS))["nodes"]
    assert export["status"] == "FAILED" and "A document is missing" in export["error"]


async def test_what_was_put_together_goes_with_who_is_erased_and_what_stays_can_be_asked_for(shop: Shop) -> None:
    client, _ = await marie(shop)
    await models.Client.all().update(member_id=None)
    await shop.sell(await shop.product(), client=client)
    export = await ordered(shop, client)
    async with nothing_changes(shop):
        assert "an export of their data (1)" in (await shop.refused(ERASE, input={"client": client}))[2]
    await shop.work_is_done()
    url = await link(shop, export)

    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    assert (await shop.http.get(url)).status_code == 404
    (file,) = await models.StoredFile.all()
    assert file.is_destroyed and file.deleted_at
    assert (await shop(EXPORTS))["nodes"] == []
    files = await unpacked(shop, client)
    (identity,) = json.loads(files["identite.json"])["Client"]
    assert (identity["email"].endswith("@erased.invalid"), identity["last_name"]) == (True, None)
    assert json.loads(files["factures.json"])["Invoice"] and not json.loads(files["notes.json"])["ClientNote"]
    assert "Skłodowska".encode() not in files["journal.json"]
