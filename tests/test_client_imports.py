"""Clients imported from CSV files: understood as spreadsheets write them, reported line by line, never half."""

import asyncio
import csv
import io
import os
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import models
from errors import Conflict
from models import ApiScope, Role
from services import csv_files, retention
from services.client_imports import run
from settings import Settings
from tests.importing import CONFIRM, CREATE, begun, brought, imported, seen
from tests.shop import Shop
from tests.uploading import CREATE as UPLOAD_CREATE
from tests.uploading import asked

PROJECT = Path(__file__).parent.parent

HEAD = "E-mail;Prénom;Nom;Société;SIREN;N° TVA;Téléphone;Adresse;Code postal;Ville;Pays;Langue\n"
FULL = HEAD + (
    'Zoe@Example.com;Zoé;Žukov;;;;06 12 34 56 78;"12 rue de la Paix\nBâtiment B";75002;Paris;France;français\n'
    "hans@example.de;Hans;Müller;Müller GmbH;;DE123456789;030 901820;Unter den Linden 1;10117;Berlin;Allemagne;en\n"
    "ca@example.com;;;ComptAppart;732 829 320 00074;FR44732829320;;;;;;\n"
)


async def test_a_file_with_french_headings_is_imported(shop: Shop) -> None:
    made = await begun(shop, FULL)
    assert (made["status"], made["percent"], made["requestedBy"]["user"]["email"]) == ("PENDING", 0, shop.email)
    await shop.work_is_done()

    done = await seen(shop, made)

    assert (done["status"], done["percent"], done["total"], done["done"]) == ("IMPORTED", 100, 3, 3)
    assert (done["created"], done["updated"], done["unchanged"], done["broken"]) == (3, 0, 0, 0)
    assert (done["encoding"], done["delimiter"], done["reportUrl"], done["lines"]) == ("utf-8", ";", None, [])
    zoe, hans, company = await models.Client.all().order_by("id")
    assert (zoe.email, zoe.first_name, zoe.last_name, zoe.phone) == ("zoe@example.com", "Zoé", "Žukov", "+33612345678")
    assert (zoe.address, zoe.postal_code, zoe.country) == ("12 rue de la Paix\nBâtiment B", "75002", "FR")
    assert (zoe.language, zoe.kind) == (models.Language.FR, models.ClientKind.PERSON)
    assert (hans.phone, hans.country, hans.vat_number) == ("+4930901820", "DE", "DE123456789")
    assert (company.siren, company.vat_number, company.kind) == (
        "732829320", "FR44732829320", models.ClientKind.COMPANY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "encoding", "delimiter"),
    [
        ("E-mail;Nom\nz@example.com;Zoé\n".encode(), "utf-8", ";"),
        ("\ufeffE-mail;Nom\r\nz@example.com;Zoé\r\n".encode(), "utf-8", ";"),
        ("E-mail;Nom\r\nz@example.com;Zoé\r\n".encode("windows-1252"), "windows-1252", ";"),
        (b"\xef\xbb\xbf" + "E-mail;Nom\r\nz@example.com;Zoé\r\n".encode("windows-1252"), "windows-1252", ";"),
        ("sep=,\r\nEmail,Last name\r\nz@example.com,Zoé\r\n".encode(), "utf-8", ","),
        ("EMAIL\tSURNAME\nz@example.com\tZoé".encode(), "utf-8", "\t"),
        ('"Nom";"E-mail"\n\n"Zoé";"z@example.com"\n;\n'.encode(), "utf-8", ";"),
        ("E-mail;Nom\rz@example.com;Zoé\r".encode(), "utf-8", ";"),
        ("E-mail;E-mail;Nom;Nom\nz@example.com;other;Zoé;Other\n".encode(), "utf-8", ";"),
    ],
    ids=[
        "UTF-8",
        "a mark",
        "Windows-1252",
        "a mark that is wrong",
        "a hint",
        "tabs",
        "quotes and empty lines",
        "old line ends",
        "headings twice, of which the first counts",
    ],
)
async def test_a_file_is_understood_however_it_is_written(
    shop: Shop, raw: bytes, encoding: str, delimiter: str
) -> None:
    done = await imported(shop, raw)

    assert (done["status"], done["encoding"], done["delimiter"], done["total"]) == ("IMPORTED", encoding, delimiter, 1)
    client = await models.Client.get()
    assert (client.email, client.last_name) == ("z@example.com", "Zoé")


BROKEN = HEAD + (
    "good@example.com;Marie;Curie;;;;;;;;;\n"
    "no mail;Zoé;Žukov;;;;;;;;;\n"
    ";Zoé;;;;;;;;;;\n"
    "a@example.com;;;;123456789;FR99999999999;123;;;;Atlantide;klingon\n"
    "b@example.com;=HYPERLINK(1);;;;;;;;;;\n"
    'c@example.com;"unclosed" x;;;;;;;;;;\n'
    "d@example.com;;;;;;;;;;;;too many\n"
    f"e@example.com;{'x' * 101};;;;;;;;;;\n"
    "f@example.com;;;;732829320;FR83404833048;;;;;;\n"
    "Good@Example.com;;;;;;;;;;;\n"
)
FOUND = [
    (3, "E-mail", "EMAIL"), (4, "E-mail", "MISSING"), (5, "Pays", "COUNTRY"), (5, "SIREN", "SIREN"),
    (5, "N° TVA", "VAT_NUMBER"), (5, "Téléphone", "PHONE"), (5, "Langue", "LANGUAGE"), (6, "Prénom", "FORMULA"),
    (7, None, "MALFORMED"), (8, None, "TOO_MANY_CELLS"), (9, "Prénom", "TOO_LONG"), (10, None, "DISAGREES"),
    (11, "E-mail", "DUPLICATE"),
]  # fmt: skip


async def test_a_file_with_broken_lines_is_refused_as_a_whole_and_each_problem_is_told(shop: Shop) -> None:
    done = await imported(shop, BROKEN)

    assert (done["status"], done["created"], done["broken"], done["total"]) == ("REFUSED", 1, 9, 10)
    assert [(line["line"], line["heading"], line["problem"]) for line in done["lines"]] == FOUND
    assert await models.Client.all().count() == 0
    last = done["lines"][-1]
    assert (last["value"], last["firstLine"]) == ("good@example.com", 2)
    assert last["messageFr"] == "Cette adresse e-mail est déjà à la ligne 2"
    assert last["messageEn"] == "This e-mail address is on line 2 already"


async def test_or_imported_without_them(shop: Shop) -> None:
    done = await imported(shop, BROKEN, onBroken="LEAVE_OUT")

    assert (done["status"], done["created"], done["broken"]) == ("IMPORTED", 1, 9)
    assert len(done["lines"]) == len(FOUND)
    assert await models.Client.all().values_list("email", flat=True) == ["good@example.com"]


async def test_what_was_checked_or_refused_is_imported_for_good_from_the_same_file(shop: Shop) -> None:
    checked = await imported(shop, BROKEN, dryRun=True)
    assert (checked["status"], checked["created"], checked["broken"]) == ("CHECKED", 1, 9)
    assert await models.Client.all().count() == 0

    confirmed = await shop(CONFIRM, input={"clientImport": checked["id"]})
    assert (confirmed["clientImport"]["status"], confirmed["clientImport"]["dryRun"]) == ("PENDING", False)
    await shop.work_is_done()
    assert (await seen(shop, checked))["status"] == "REFUSED"
    await shop(CONFIRM, input={"clientImport": checked["id"], "onBroken": "LEAVE_OUT"})
    await shop.work_is_done()

    done = await seen(shop, checked)
    assert (done["status"], done["created"], len(done["lines"])) == ("IMPORTED", 1, len(FOUND))
    refusal = await shop.refused(CONFIRM, input={"clientImport": checked["id"]})
    assert refusal[:2] == ("CONFLICT", "input.clientImport")


@pytest.mark.parametrize(
    ("choice", "first_name", "city", "counts"),
    [("SKIP", "Marie", None, (1, 0, 1)), ("FILL", "Marie", "Lyon", (1, 1, 0)), ("OVERWRITE", "Zoé", "Lyon", (1, 1, 0))],
)
async def test_clients_who_are_there_already_are_treated_as_chosen(
    shop: Shop, choice: str, first_name: str, city: str | None, counts: tuple[int, int, int]
) -> None:
    await shop.client("zoe@example.com", firstName="Marie", phone="+33612345678")
    file = "email,first name,phone,city\nZOE@example.com,Zoé,,Lyon\nnew@example.com,Nina,,\n"

    dry = await imported(shop, file, onExisting=choice, dryRun=True)
    done = await imported(shop, file, onExisting=choice)

    assert (dry["created"], dry["updated"], dry["unchanged"]) == counts
    assert (done["created"], done["updated"], done["unchanged"]) == counts
    client = await models.Client.get(email="zoe@example.com")
    assert (client.first_name, client.city, client.phone) == (first_name, city, "+33612345678")
    again = await imported(shop, file, onExisting=choice)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)


async def test_tags_are_put_on_and_made_where_there_are_none(shop: Shop) -> None:
    await models.Tag.create(organization=shop.organization, name="VIP")
    file = 'email,Étiquettes\na@example.com,"vip, Lyon | lyon,"\nb@example.com,LYON|Été\nc@example.com,\n'

    dry = await imported(shop, file, dryRun=True)
    assert (dry["created"], dry["newTags"], await models.Tag.all().count()) == (3, ["Lyon", "Été"], 1)
    done = await imported(shop, file)

    assert (done["status"], done["created"], sorted(done["newTags"])) == ("IMPORTED", 3, ["Lyon", "Été"])
    assert await tags("a@example.com") == ["Lyon", "VIP"]
    assert await tags("b@example.com") == ["Lyon", "Été"]
    assert await tags("c@example.com") == []


@pytest.mark.parametrize(
    ("choice", "expected", "updated"), [("SKIP", [], 0), ("FILL", ["b"], 1), ("OVERWRITE", ["b"], 1)]
)
async def test_tags_are_added_to_clients_who_are_there_already_and_none_is_taken_off(
    shop: Shop, choice: str, expected: list[str], updated: int
) -> None:
    await imported(shop, "email;tags\na@example.com;A\nz@example.com;A\n")
    file = "email;tags\na@example.com;b\nz@example.com;a\n"

    dry = await imported(shop, file, onExisting=choice, dryRun=True)
    done = await imported(shop, file, onExisting=choice)

    for told in (dry, done):
        assert (told["updated"], told["unchanged"], told["newTags"]) == (updated, 2 - updated, expected)
    assert await tags("a@example.com") == ["A", *expected]
    assert await tags("z@example.com") == ["A"]


async def test_too_many_tags_and_tags_that_are_too_long_are_told(shop: Shop) -> None:
    many = "".join(
        f"m{number}@example.com;{'|'.join(f't{each}' for each in range(20 * number, 20 * number + 20))}\n"
        for number in range(26)
    )
    file = f"email;tags\na@example.com;{'x' * 51}\nb@example.com;{','.join(map(str, range(21)))}\n{many}"

    done = await imported(shop, file, onBroken="LEAVE_OUT")

    assert [(line["line"], line["heading"], line["problem"]) for line in done["lines"]] == [
        (2, "tags", "TOO_LONG"), (3, "tags", "TOO_MANY_TAGS"), (29, "tags", "TOO_MANY_TAGS"),
    ]  # fmt: skip
    assert (done["created"], len(done["newTags"]), await models.Tag.all().count()) == (25, 500, 500)


async def test_clients_are_given_to_their_consultants_by_address(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)
    other = await Shop.open(shop.http, shop.sandbox, "other")
    await shop.client("old@example.com")
    file = (
        f"E-mail;Conseillère\na@example.com;{consultant.email.upper()}\nold@example.com;{shop.email}\nc@example.com;\n"
        f"d@example.com;{accountant.email}\ne@example.com;{other.email}\nf@example.com;Marie\n"
    )

    dry = await imported(shop, file, dryRun=True, onExisting="FILL")
    done = await imported(shop, file, onExisting="FILL", onBroken="LEAVE_OUT")

    for told in (dry, done):
        assert (told["created"], told["updated"], told["broken"]) == (2, 1, 3)
        assert [(line["line"], line["heading"], line["problem"]) for line in told["lines"]] == [
            (number, "Conseillère", "CONSULTANT") for number in (5, 6, 7)
        ]
    assert done["lines"][0]["value"] == accountant.email
    clients = await models.Client.all().order_by("email").prefetch_related("consultant__user")
    assert [(each.email[0], each.consultant and each.consultant.user.email) for each in clients] == [
        ("a", consultant.email), ("c", None), ("o", shop.email),
    ]  # fmt: skip


async def test_a_line_that_does_not_go_with_what_is_known_of_its_client_is_reported(shop: Shop) -> None:
    await shop.client("ca@example.com", siren="732829320")

    done = await imported(shop, "email;tva\nca@example.com;FR83404833048\n", onExisting="FILL", onBroken="LEAVE_OUT")

    assert (done["status"], done["broken"], done["updated"]) == ("IMPORTED", 1, 0)
    assert [(line["line"], line["problem"]) for line in done["lines"]] == [(2, "DISAGREES")]
    assert (await models.Client.get()).vat_number is None


async def test_columns_may_be_named_and_left_out(shop: Shop) -> None:
    columns = [{"heading": "CONTACT PRO", "field": "EMAIL"}, {"heading": "prenom", "field": None}]

    done = await imported(shop, "Contact pro;E-mail;Prénom;Humeur\na@example.com;b;Zoé;gaie\n", columns=columns)

    assert done["columns"] == [
        {"heading": "Contact pro", "field": "EMAIL"}, {"heading": "E-mail", "field": None},
        {"heading": "Prénom", "field": None}, {"heading": "Humeur", "field": None},
    ]  # fmt: skip
    client = await models.Client.get()
    assert (client.email, client.first_name) == ("a@example.com", None)


@pytest.mark.parametrize(
    ("file", "columns", "problem"),
    [
        ("\n\n", [], "EMPTY"),
        ("Nom;Prénom\na;b\n", [], "NO_EMAIL_COLUMN"),
        ('"Nom;Prénom\na;b\n', [], "MALFORMED"),
        ("E-mail\na@example.com\n", [{"heading": "Courriel", "field": "EMAIL"}], "UNKNOWN_COLUMN"),
        ("A;B\n", [{"heading": "A", "field": "EMAIL"}, {"heading": "B", "field": "EMAIL"}], "COLUMN_TWICE"),
        ("E-mail\n" + "x" * 1_000_001, [], "LINE_TOO_LONG"),
        ("E-mail" + ";" * 200_000 + "\na@example.com\n", [], "TOO_MANY_COLUMNS"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(
    shop: Shop, file: str, columns: list[dict[str, Any]], problem: str
) -> None:
    done = await imported(shop, file, columns=columns)

    assert (done["status"], [line["problem"] for line in done["lines"]]) == ("FAILED", [problem])
    assert done["reportUrl"] and done["finishedAt"]


async def test_quotation_marks_that_never_end_spoil_no_more_than_what_is_between_them(shop: Shop) -> None:
    file = 'E-mail;Nom\na@example.com;"open\nb@example.com;x\nc@example.com;"y"\nd@example.com;z\n'

    done = await imported(shop, file, onBroken="LEAVE_OUT")

    assert [(line["line"], line["lastLine"], line["problem"]) for line in done["lines"]] == [(2, 4, "MALFORMED")]
    assert await models.Client.all().values_list("email", flat=True) == ["d@example.com"]


async def test_a_cell_of_any_length_and_a_line_of_any_number_of_cells_spoil_that_line_alone(shop: Shop) -> None:
    file = f"E-mail;Nom\na@example.com;{'x' * 200_000}\nb@example.com{';x' * 200_000}\nc@example.com;z\n"

    done = await imported(shop, file, onBroken="LEAVE_OUT")

    assert [(line["line"], line["problem"]) for line in done["lines"]] == [(2, "TOO_LONG"), (3, "TOO_MANY_CELLS")]
    assert await models.Client.all().values_list("email", flat=True) == ["c@example.com"]


async def test_headings_alone_are_an_import_of_nobody(shop: Shop) -> None:
    done = await imported(shop, HEAD)

    assert (done["status"], done["total"], done["created"], done["broken"]) == ("IMPORTED", 0, 0, 0)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"E-mail;Nom\na@example.com;Z\x00\n", "it holds bytes that no text has"),
        ("\ufeffE-mail;Nom\nz@example.com;Zoé\n".encode("utf-16-le"), "it is UTF-16"),
        ("\ufeffE-mail;Nom\nz@example.com;Zoé\n".encode("utf-16-be"), "it is UTF-16"),
        ("E-mail;Nom\nz@example.com;Zoé\n".encode("utf-16-le"), "it holds bytes that no text has"),
    ],
    ids=["a null character", "UTF-16", "UTF-16, the other way round", "UTF-16 without a mark"],
)
async def test_what_is_no_text_is_refused_where_the_file_is_sent(shop: Shop, raw: bytes, said: str) -> None:
    upload = await asked(shop, raw, purpose="CLIENT_IMPORT", name="a.csv", contentType="text/csv")

    answer = await shop.http.put(upload["url"], content=raw, headers={"Content-Type": "text/csv"})

    assert answer.status_code == 415
    assert said in answer.text and "UTF-8" in answer.text


async def test_formulas_are_not_imported_and_what_only_looks_like_one_is(shop: Shop) -> None:
    file = "E-mail;Nom;Société;Téléphone;Code postal;Ville\n"
    file += 'a@example.com;\'=Nova;-Tiret;+33612345678;"=""01000""";@Home\n'
    file += "b@example.com;=cmd|'/c calc'!A1;;;\n"

    done = await imported(shop, file, onBroken="LEAVE_OUT")

    client = await models.Client.get()
    assert (client.last_name, client.company, client.phone, client.postal_code, client.city) == (
        "=Nova", "-Tiret", "+33612345678", "01000", "@Home",
    )  # fmt: skip
    assert [(line["line"], line["problem"]) for line in done["lines"]] == [(3, "FORMULA")]


async def test_the_report_opens_in_a_spreadsheet_and_runs_nothing(shop: Shop) -> None:
    done = await imported(shop, "E-mail;Nom\n=HYPERLINK(1);x\n", dryRun=True)

    answer = await shop.http.get(done["reportUrl"])

    assert answer.headers["content-disposition"] == 'attachment; filename="rapport-import.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert (row["Ligne"], row["Colonne"], row["Valeur"]) == ("2", "E-mail", "'=HYPERLINK(1)")
    assert row["Problème"] == "C’est une formule : collez plutôt sa valeur"
    assert row["Problem"] == "This is a formula: paste its value instead"
    assert (await shop.http.get(done["reportUrl"].replace("/reports/e", "/reports/f"))).status_code == 404


async def test_a_worker_that_is_stopped_in_the_middle_is_followed_by_one_that_doubles_nothing(shop: Shop) -> None:
    made = await begun(shop, "E-mail\n" + "".join(f"client{number}@example.com\n" for number in range(2500)))
    working = asyncio.create_task(run(await models.ClientImport.get()))
    while not await models.ClientImport.exists(done__gte=1000, status="IMPORTING"):
        await asyncio.sleep(0.005)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    left = await seen(shop, made)
    assert (left["status"], 50 < left["percent"] < 100, left["done"] < 2500) == ("IMPORTING", True, True)
    assert await models.Client.all().count() == left["done"] == left["created"]

    await shop.work_is_done()

    done = await seen(shop, made)
    assert (done["status"], done["created"], done["unchanged"]) == ("IMPORTED", 2500, 0)
    assert await models.Client.all().count() == 2500


async def test_two_workers_with_one_import_do_it_once(shop: Shop) -> None:
    await begun(shop, "E-mail\n" + "".join(f"client{number}@example.com\n" for number in range(1500)))
    rows = [await models.ClientImport.get(), await models.ClientImport.get()]

    ends = await asyncio.gather(*map(run, rows), return_exceptions=True)

    assert [type(end) for end in ends if end] == [Conflict]
    await shop.work_is_done()
    done = await models.ClientImport.get()
    assert (done.status, done.created) == (models.ClientImportStatus.IMPORTED, 1500)


async def test_one_import_of_an_organization_is_under_way_at_a_time(shop: Shop) -> None:
    await begun(shop, FULL)
    upload = await brought(shop, FULL)

    refusal = await shop.refused(CREATE, input={"upload": upload})

    assert refusal[:2] == ("CONFLICT", "input.upload")
    await shop.work_is_done()
    await shop(CREATE, input={"upload": upload})


async def test_those_who_change_clients_may_and_others_may_not(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    made = await shop(
        "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key } }",
        input={"name": "ERP", "scopes": [ApiScope.CLIENTS_WRITE.value]},
    )
    server = Shop(shop.http, shop.sandbox, shop.organization, "erp", token=made["key"])
    upload = await brought(shop, FULL)

    assert (await consultant.refused(CREATE, input={"upload": upload}))[0] == "FORBIDDEN"
    document = CREATE.replace("requestedBy { user { email } }", "")
    assert (await server(document, input={"upload": upload}))["clientImport"]["status"] == "PENDING"


async def test_what_was_imported_is_in_the_audit_log_as_done_by_who_asked(shop: Shop) -> None:
    await imported(shop, FULL)

    entries = await models.AuditEntry.filter(subject_type="Client").prefetch_related("actor__user")

    assert {(entry.action, entry.actor.user.email) for entry in entries} == {("clientImportCreate", shop.email)}
    assert len(entries) == 3


async def test_a_report_is_forgotten_after_a_month_and_the_import_stays(shop: Shop) -> None:
    await imported(shop, BROKEN)
    await shop.sql("UPDATE client_import_lines SET created_at = created_at - interval '31 days'")

    await retention.forget()

    assert await models.ClientImportLine.all().count() == 0
    assert (await models.ClientImport.get()).broken == 9


async def test_a_file_that_is_gone_is_told_so(shop: Shop) -> None:
    checked = await imported(shop, FULL, dryRun=True)
    await shop.sql("UPDATE stored_files SET destroy_at = now() - interval '1 second'")
    await retention.forget()

    assert (await shop.refused(CONFIRM, input={"clientImport": checked["id"]}))[0] == "NOT_FOUND"


async def test_the_command_has_a_worker_do_it_and_tells_what_is_wrong(
    shop: Shop, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "clients.csv").write_bytes(
        "E-mail;Prénom;Tags\nz@example.com;Zoé;Salon\nnobody;x;\n".encode("windows-1252")
    )
    environment = {
        "PATH": os.environ["PATH"], "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
        "COMPTOIR_HOME": str(settings.comptoir_home),
    }  # fmt: skip
    command = [sys.executable, str(PROJECT / "cli.py"), "import-clients", "clients.csv", "--organization", "shop"]
    following = await asyncio.create_subprocess_exec(
        *command, "--leave-out-broken", cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
    )
    while not await models.ClientImport.exists() and following.returncode is None:
        await asyncio.sleep(0.05)
    await shop.work_is_done()

    told, _ = await asyncio.wait_for(following.communicate(), 30)

    assert following.returncode == 1
    assert "✗ line 3, E-mail: This is not an e-mail address (nobody)" in told.decode()
    assert "▸ Imported: 1 created, 0 updated, 0 unchanged, 1 lines wrong\n▸ New tags: Salon" in told.decode()
    assert (await models.Client.get()).first_name == "Zoé"


@pytest.mark.parametrize("size", [0, 20 * 2**20 + 1, 100 * 2**20])
async def test_an_empty_file_and_more_than_20_megabytes_are_refused_before_they_are_sent(shop: Shop, size: int) -> None:
    given = {"purpose": "CLIENT_IMPORT", "name": "a.csv", "contentType": "text/csv", "sizeBytes": size}

    code, field, message = await shop.refused(UPLOAD_CREATE, input=given)

    assert (code, field) == ("INVALID", "input.sizeBytes")
    assert message == "A file for CLIENT_IMPORT is 1 byte at least and 20 MB at most."


def test_the_largest_file_is_read_without_holding_it() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b'E-mail;Nom\na@example.com;"')
        for _ in range(320):
            file.write(b"never closed; " * 4680 + b"\n")  # 64 kB
        tracemalloc.start()
        form = csv_files.form(file)
        spoilt = sum(record.cells is None for record in csv_files.records(file, form))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert form.lines == 321
    assert spoilt > 0
    assert peak < 4 * 2**20


async def tags(email: str) -> list[str]:
    """Those of a client, by name."""
    found = await models.ClientTag.filter(client__email=email).prefetch_related("tag").order_by("tag__name")
    return sorted(each.tag.name for each in found)
