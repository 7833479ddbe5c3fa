"""Signed uploads: one file, of the size and type that were announced, once; kept encrypted, and forgotten unused."""

import asyncio
import base64
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from errors import Conflict, NotConfigured, NotFound
from models import Role, StoredFile, Upload, UploadPurpose
from models.base import parse_global_id
from models.database import transaction
from services import file_types, retention, sealed_streams, stored_files, tokens, uploads
from services.outside import outside
from services.sealed_streams import CHUNK, Altered, Cipher, Reader
from tests.bucket import Bucket
from tests.security.surroundings import installed_with, neighbour, nothing_changes
from tests.shop import Shop
from tests.uploading import CREATE, CSV, PDF, UPLOAD, asked, docx, jpeg, odt, png, send, sent

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * 2000 + b"%%EOF\n"  # eight chunks


def id_of(upload: dict[str, Any]) -> Any:
    named = parse_global_id(upload["id"])
    assert named
    return named[1]


def token_of(upload: dict[str, Any]) -> str:
    return str(upload["url"]).rpartition("/")[2]


def stored(file: StoredFile) -> Path:
    return Path(outside().settings.comptoir_home / "files" / file.place)


async def read(file: StoredFile) -> bytes:
    return b"".join([piece async for piece in stored_files.read(file, "a test")])


async def test_a_file_is_sent_to_its_address_and_used_once(shop: Shop) -> None:
    upload = await asked(shop, CSV, purpose="CLIENT_IMPORT", name="clients.csv", contentType="text/csv")
    assert (upload["receivedAt"], upload["createdBy"]["user"]["email"]) == (None, shop.email)

    answer = await send(shop, upload, CSV, "text/csv; charset=utf-8")

    assert answer.status_code == 201
    assert answer.json() == {"id": upload["id"], "sha256": hashlib.sha256(CSV).hexdigest()}
    seen = await shop(UPLOAD, id=upload["id"])
    assert seen["url"] is None and seen["receivedAt"] and not seen["usedAt"]
    async with transaction():
        taken = await uploads.take(shop.organization.id, id_of(upload), UploadPurpose.CLIENT_IMPORT)
    assert await read(taken.file) == CSV
    with pytest.raises(Conflict, match="used already"):
        async with transaction():
            await uploads.take(shop.organization.id, id_of(upload), UploadPurpose.CLIENT_IMPORT)


async def test_what_is_stored_is_encrypted_under_a_key_of_its_own(shop: Shop) -> None:
    for _ in range(2):
        await sent(shop, LARGE)
    one, other = await StoredFile.all().order_by("id")

    assert {one.sha256, other.sha256} == {hashlib.sha256(LARGE).hexdigest()}
    assert one.stored_sha256 != other.stored_sha256
    for file in (one, other):
        kept = stored(file).read_bytes()
        assert len(kept) == sealed_streams.sealed_size(len(LARGE))
        assert hashlib.sha256(kept).hexdigest() == file.stored_sha256
        assert b"%PDF" not in kept and LARGE[1000:1100] not in kept
        assert await read(file) == LARGE
    stored(one).write_bytes(stored(other).read_bytes())  # one file in another's place
    with pytest.raises(NotConfigured, match="cannot be read"):
        await read(one)


@pytest.mark.parametrize("how", ["altered", "cut at a chunk", "cut", "reordered", "lengthened", "emptied", "gone"])
async def test_a_file_that_was_altered_in_the_store_is_refused(shop: Shop, how: str) -> None:
    await sent(shop, LARGE)
    file, size = await StoredFile.get(), sealed_streams.SEALED_CHUNK
    path = stored(file)
    kept = path.read_bytes()
    changed = {
        "altered": kept[:100] + bytes([kept[100] ^ 1]) + kept[101:],
        "cut at a chunk": kept[: 3 * size],
        "cut": kept[:-1],
        "reordered": kept[size : 2 * size] + kept[:size] + kept[2 * size :],
        "lengthened": kept + kept[:size],
        "emptied": b"",
    }
    path.write_bytes(changed[how]) if how in changed else path.unlink()

    with pytest.raises(NotConfigured, match="Restore"):
        await read(file)
    with pytest.raises((NotConfigured, Altered)):
        async with stored_files.opened(file, "a test") as opened:
            opened.read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
async def test_files_of_every_size_come_back_as_they_were(tmp_path: Path, size: int) -> None:
    content, cipher = bytes(n % 251 for n in range(size)), Cipher(b"k" * 32, b"a file")

    async def pieces(of: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(of), 10_007):
            yield of[start : start + 10_007]

    sealed = b"".join([piece async for piece in sealed_streams.seal(cipher, pieces(content))])
    (tmp_path / "sealed").write_bytes(sealed)

    assert len(sealed) == sealed_streams.sealed_size(size)
    assert b"".join([piece async for piece in sealed_streams.open(cipher, pieces(sealed))]) == content
    with (tmp_path / "sealed").open("rb") as file:
        reader = Reader(file, cipher, size)
        assert reader.read() == content
        reader.seek(-min(size, 9), 2)
        assert reader.read() == content[max(0, size - 9) :]
    with pytest.raises(Altered):
        _ = [piece async for piece in sealed_streams.open(Cipher(b"k" * 32, b"another"), pieces(sealed))]


GOOD = {
    "pdf": (file_types.PDF, PDF), "png": (file_types.PNG, png()), "jpeg": (file_types.JPEG, jpeg()),
    "docx": (file_types.DOCX, docx()), "odt": (file_types.ODT, odt()), "csv": (file_types.CSV, CSV),
    "windows-1252": (file_types.CSV, "Nom;Prénom\nŒuvre;Zoé €\n".encode("cp1252")),
    "bom": (file_types.TEXT, "À bientôt".encode("utf-8-sig")), "id first": (file_types.CSV, b"ID;Nom\n1;Zoe\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_what_it_says_is_received(shop: Shop, name: str) -> None:
    content_type, content = GOOD[name]
    upload = await asked(shop, content, contentType=content_type)

    assert (await send(shop, upload, content)).status_code == 201


BAD = {
    "html as pdf": (file_types.PDF, b"<html><script>alert(1)</script></html>"),
    "pdf behind something": (file_types.PDF, b"GIF89a" + PDF),
    "pdf without an end": (file_types.PDF, PDF + b"x" * 2000),
    "exe as pdf": (file_types.PDF, b"MZ\x90\x00" + bytes(200)),
    "png with something behind": (file_types.PNG, png() + b"PK\x03\x04"),
    "jpeg as png": (file_types.PNG, jpeg()),
    "png as jpeg": (file_types.JPEG, png()),
    "jpeg with something behind": (file_types.JPEG, jpeg() + b"<?php"),
    "any zip as docx": (file_types.DOCX, odt()),
    "macros in docx": (file_types.DOCX, docx(**{"word/vbaProject.bin": "x"})),
    "no zip as docx": (file_types.DOCX, b"PK\x03\x04" + bytes(100)),
    "a directory without end as docx": (file_types.DOCX, docx(parts="PK\x01\x02" * 10_001)),
    "docx as odt": (file_types.ODT, docx()),
    "macros in odt": (file_types.ODT, odt(**{"Basic/Standard/Module1.xml": "x"})),
    "png as csv": (file_types.CSV, png()),
    "utf-16 as text": (file_types.TEXT, "Nom".encode("utf-16")),
    "no encoding": (file_types.TEXT, b"\xff\x81 text"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_not_what_it_says_is_refused_and_not_kept(shop: Shop, name: str) -> None:
    content_type, content = BAD[name]
    upload = await asked(shop, content, contentType=content_type)

    async with nothing_changes(shop):
        answer = await send(shop, upload, content)

    assert answer.status_code == 415
    assert answer.json()["extensions"]["code"] == "INVALID"
    assert "This is no" in answer.json()["message"]


async def test_what_is_too_large_is_cut_off_and_what_is_too_short_refused(shop: Shop) -> None:
    upload = await asked(shop, PDF)
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"%PDF-1.7 " * 10

    async with nothing_changes(shop):
        told = await send(shop, upload, PDF + b"x")
        untold = await send(shop, upload, endless())
        short = await send(shop, upload, PDF[:-1])

    assert [answer.status_code for answer in (told, untold, short)] == [413, 413, 400]
    assert read <= 2
    assert short.json()["message"] == f"This file is {len(PDF)} bytes, as announced: send all of them, and no more."
    assert (await send(shop, upload, PDF)).status_code == 201  # what failed may be sent again


async def test_a_large_file_is_never_in_memory_whole(shop: Shop) -> None:
    megabytes, line = 12, b"Nom;Adresse\n" * 1024
    whole = megabytes * 2**20 // len(line) * len(line)
    upload = await asked(shop, purpose="CLIENT_IMPORT", contentType="text/csv", sizeBytes=whole)

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(whole // len(line)):
            yield line

    tracemalloc.start()
    try:
        assert (await send(shop, upload, lines())).status_code == 201
        assert sum([len(piece) async for piece in stored_files.read(await StoredFile.get(), "a test")]) == whole
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**20


async def test_a_file_that_stalls_is_given_up_and_may_be_sent_again(shop: Shop) -> None:
    upload = await asked(shop, PDF)

    async def stalling() -> AsyncIterator[bytes]:
        yield PDF[:20]
        await asyncio.Event().wait()

    async with nothing_changes(shop):
        with pytest.raises(TimeoutError):
            await uploads.receive(token_of(upload), file_types.PDF, None, stalling(), None, stalled=0.01)

    assert (await send(shop, upload, PDF)).status_code == 201


async def test_so_many_are_received_at_once_and_one_more_is_asked_to_come_again(shop: Shop) -> None:
    many = [await asked(shop, PDF) for _ in range(uploads.AT_ONCE + 1)]
    under_way, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        under_way.release()
        await go_on.wait()
        yield PDF

    sending = [asyncio.create_task(send(shop, upload, waiting())) for upload in many[:-1]]
    for _ in sending:
        await under_way.acquire()
    turned_away = await send(shop, many[-1], PDF)
    go_on.set()

    assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (429, "5")
    assert {answer.status_code for answer in await asyncio.gather(*sending)} == {201}
    assert (await send(shop, many[-1], PDF)).status_code == 201


async def test_another_type_than_was_announced_is_refused_before_anything_is_read(shop: Shop) -> None:
    upload = await asked(shop, PDF)

    answer = await send(shop, upload, PDF, "text/html")

    assert answer.status_code == 415
    assert answer.json()["message"] == "Send it as application/pdf, as announced."


async def test_an_address_takes_one_file_however_many_are_sent_at_once(shop: Shop) -> None:
    upload = await asked(shop, PDF)

    answers = await asyncio.gather(*(send(shop, upload, PDF) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    kept = await Upload.get().prefetch_related("file")
    assert await read(kept.file) == PDF
    assert (await send(shop, upload, PDF)).status_code == 409


async def test_no_other_address_takes_a_file(shop: Shop) -> None:
    upload = await asked(shop, PDF)
    mine = {"upload": str(id_of(upload))}
    bad = {
        "nothing": "x",
        "altered": upload["url"].rpartition("/")[2][:-4] + "AAAA",
        "a link to a file": tokens.sign(tokens.FILE, mine, timedelta(hours=1))[0],
        "too late": tokens.sign(tokens.UPLOAD, mine, timedelta(seconds=-1))[0],
        "an access token": shop.token,
    }

    async with nothing_changes(shop):
        for why, token in bad.items():
            answer = await send(shop, upload | {"url": f"/uploads/{token}"}, PDF)
            assert answer.status_code == 404, why
    await Upload.all().update(expires_at=datetime.now(UTC))
    assert (await send(shop, upload, PDF)).status_code == 410
    assert (await shop(UPLOAD, id=upload["id"]))["url"] is None


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"contentType": "application/zip"}, "input.contentType"),
        ({"contentType": "application/pdf", "purpose": "CLIENT_IMPORT"}, "input.contentType"),
        ({"sizeBytes": 26 * 2**20}, "input.sizeBytes"),
        ({"sizeBytes": 0}, "input.sizeBytes"),
        ({"sizeBytes": -1}, "input.sizeBytes"),
        ({"name": "../a.pdf"}, "input.name"),
        ({"name": "a\nb.pdf"}, "input.name"),
        ({"name": " "}, "input.name"),
    ],
)
async def test_what_is_not_taken_is_refused_before_it_is_sent(shop: Shop, input: dict[str, Any], field: str) -> None:
    good = {"purpose": "DOCUMENT", "name": "a.pdf", "contentType": "application/pdf", "sizeBytes": 9}

    code, blamed, _ = await shop.refused(CREATE, input={**good, **input, "idempotencyKey": "one"})

    assert (code, blamed) == ("INVALID", field)


async def test_pages_of_any_origin_may_send_without_cookies(shop: Shop) -> None:
    upload = await asked(shop, PDF)
    page = {"Origin": "https://app.example.com"}
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}

    may = await shop.http.options(upload["url"], headers={**page, **asks})
    answer = await send(shop, upload, PDF, **page)

    assert may.status_code == 200
    assert may.headers["Access-Control-Allow-Origin"] == "*" == answer.headers["Access-Control-Allow-Origin"]
    assert "PUT" in may.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in may.headers
    assert answer.status_code == 201
    assert (await shop.http.options(upload["url"])).status_code == 204
    assert (await shop.http.get(upload["url"])).status_code == 405


async def test_who_may_not_import_clients_cannot_send_any(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    import_ = {"purpose": "CLIENT_IMPORT", "name": "a.csv", "contentType": "text/csv", "sizeBytes": 9}

    code, *_ = await consultant.refused(CREATE, input=import_ | {"idempotencyKey": "one"})

    assert code == "FORBIDDEN"
    theirs = await sent(shop, PDF)
    assert await consultant(UPLOAD, id=theirs["id"]) is None


async def test_an_upload_is_of_its_organization_and_its_purpose(shop: Shop) -> None:
    upload, other = await sent(shop, PDF), await neighbour(shop)

    for organization, purpose, refusal in (
        (other.organization.id, UploadPurpose.DOCUMENT, NotFound),
        (shop.organization.id, UploadPurpose.CLIENT_IMPORT, Conflict),
    ):
        with pytest.raises(refusal):
            async with transaction():
                await uploads.take(organization, id_of(upload), purpose)
    not_sent = await asked(shop, PDF)
    with pytest.raises(Conflict, match="not received yet"):
        async with transaction():
            await uploads.take(shop.organization.id, id_of(not_sent), UploadPurpose.DOCUMENT)


async def test_of_what_is_not_used_within_a_day_nothing_stays(shop: Shop) -> None:
    used, unused = await sent(shop, PDF), await sent(shop, LARGE)
    async with transaction():
        await uploads.take(shop.organization.id, id_of(used), UploadPurpose.DOCUMENT)
    kept, gone = [(await Upload.get(id=id_of(each)).prefetch_related("file")).file for each in (used, unused)]

    await shop.sql("UPDATE uploads SET created_at = created_at - interval '25 hours'")
    await shop.sql("UPDATE stored_files SET destroy_at = destroy_at - interval '25 hours'")
    await retention.forget()
    assert stored(gone).exists()
    with pytest.raises(NotConfigured, match="destroyed"):  # before the store has deleted it
        await read(await StoredFile.get(id=gone.id))
    await shop.work_is_done()

    assert await Upload.all().count() == 0
    assert not stored(gone).exists()
    destroyed = await StoredFile.get(id=gone.id)
    assert destroyed.data_key is None and destroyed.deleted_at
    assert await read(await StoredFile.get(id=kept.id)) == PDF


async def test_a_file_is_received_kept_and_destroyed_in_a_bucket(shop: Shop, bucket: Bucket) -> None:
    async with installed_with(shop, **bucket.settings) as installed:
        upload = await sent(installed, LARGE)
        file = await StoredFile.get()
        kept = bucket.get(file.place).content
        assert hashlib.sha256(kept).hexdigest() == file.stored_sha256 and b"%PDF" not in kept
        assert await read(file) == LARGE
        async with stored_files.opened(file, "a test") as opened:
            opened.seek(CHUNK - 3)
            assert opened.read(6) == LARGE[CHUNK - 3 : CHUNK + 3]
        await outside().documents.delete(file.place)
        bucket.put(file.place, kept[: sealed_streams.SEALED_CHUNK])
        with pytest.raises(NotConfigured, match="Restore"):
            await read(file)

        async with transaction():
            await stored_files.destroy(await StoredFile.select_for_update().get(id=file.id))
        await installed.work_is_done()

        assert bucket.get(file.place).status_code == 404
        assert (await Upload.get(id=id_of(upload)).prefetch_related("file")).file.deleted_at
        async with transaction():
            with pytest.raises(NotFound, match="gone"):
                await uploads.take(shop.organization.id, id_of(upload), UploadPurpose.DOCUMENT)


async def test_while_the_store_is_away_nothing_is_received_and_it_may_be_sent_again(shop: Shop, bucket: Bucket) -> None:
    upload = await asked(shop, PDF)
    async with installed_with(shop, **bucket.settings | {"s3_bucket": "nowhere-at-all"}) as installed:
        answer = await send(installed, upload, PDF)

    assert answer.status_code == 503
    assert (await shop(UPLOAD, id=upload["id"]))["receivedAt"] is None
    assert (await send(shop, upload, PDF)).status_code == 201


async def test_what_opens_a_file_is_logged_and_no_answer_tells_its_key(shop: Shop) -> None:
    await sent(shop, PDF)
    file = await StoredFile.get()
    await read(file)

    (opening,) = await shop.sql("SELECT * FROM secret_openings WHERE table_name = 'stored_files'")

    assert (opening["row_id"], opening["purpose"], opening["field"]) == (file.id, "a test", "data_key")
    key = base64.b64decode(str(await stored_files.vault.open(file, "data_key", "a test")))
    assert len(key) == 32
