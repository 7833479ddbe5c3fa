"""Invoices kept in S3: stored, sent, opened; nothing is lost while the store is away."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import services.outside
from errors import Disconnected
from local.embedded.server import free_port
from models import Invoice, StoredFile
from providers.capabilities import DocumentStore
from services import files, stored_files, transfer
from services.outside import outside
from tests.bucket import SECRET_ACCESS_KEY, Bucket, opened
from tests.security.surroundings import installed_with
from tests.shop import Shop
from tests.uploading import PDF, sent

PROJECT = Path(__file__).parent.parent


@asynccontextmanager
async def storing(shop: Shop, settings: dict[str, Any]) -> AsyncIterator[Shop]:
    """The shop on an installation with these settings, which renders."""
    renderer = outside().renderer
    async with installed_with(shop, **settings) as installed:
        outside().renderer = renderer
        yield installed
        outside().renderer = None  # it goes on after this installation


async def test_a_sale_with_its_invoice_in_the_bucket(shop: Shop, bucket: Bucket) -> None:
    product = await shop.product(partners=(await shop.partner(),))

    async with storing(shop, bucket.settings | {"s3_prefix": "production"}) as installed:
        order = await installed.sell(product)
        answer = await installed.http.get(order["invoices"][0]["pdfUrl"])

    invoice = await Invoice.get()
    stored = bucket.get(f"production/{invoice.file_key}").content
    assert stored.startswith(b"%PDF-")
    assert hashlib.sha256(stored).hexdigest() == invoice.file_sha256
    assert not (outside().settings.comptoir_home / "files" / str(invoice.file_key)).exists()
    (letter,) = shop.letters(order)
    (attached,) = letter.attachments
    assert attached.get_content() == stored
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "private, no-store"
    shown = opened(answer.headers["Location"])
    assert shown.content == stored
    assert shown.headers["Content-Type"] == "application/pdf"
    assert shown.headers["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'


async def test_a_partner_is_given_the_address_of_the_pdf_itself_for_24_hours(shop: Shop, bucket: Bucket) -> None:
    product = await shop.product(partners=(await shop.partner(),))

    async with storing(shop, bucket.settings) as installed:
        await installed.sell(product)

    link = shop.told()[-1].json["invoice"]["pdf_url"]
    assert link.startswith(bucket.url)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["86400"]
    assert opened(link).content.startswith(b"%PDF-")


async def test_on_disk_a_partner_is_given_our_link(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner(),))

    await shop.sell(product)

    link = shop.told()[-1].json["invoice"]["pdf_url"]
    assert link.startswith("http://comptoir.test/files/")
    assert (await shop.http.get(link)).content.startswith(b"%PDF-")


@pytest.mark.parametrize("trouble", ["unreachable", "no such bucket", "wrong key"])
async def test_while_the_store_is_away_nothing_is_lost(shop: Shop, bucket: Bucket, trouble: str) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    changed = {
        "unreachable": {"s3_endpoint_url": f"http://127.0.0.1:{free_port()}"},
        "no such bucket": {"s3_bucket": "nowhere-at-all"},
        "wrong key": {},
    }[trouble]

    with bucket.refusing() if trouble == "wrong key" else nullcontext():
        async with storing(shop, bucket.settings | changed) as installed:
            order = await installed.sell(product)
    (waiting,) = await shop.sql("SELECT failures, given_up_at, error FROM outbox WHERE job = 'invoices.render'")
    assert (waiting["failures"], waiting["given_up_at"]) == (1, None)
    assert "S3, bucket" in waiting["error"]
    assert SECRET_ACCESS_KEY not in waiting["error"]
    assert order["status"] == "PAID"
    assert order["invoices"][0]["pdfUrl"] is None

    async with storing(shop, bucket.settings) as installed:
        await shop.time_passes(minutes=1)
        await installed.work_is_done()

    assert len(shop.letters(order)) == 1
    assert len(shop.told()) == 1


async def test_two_renderings_of_one_invoice_are_one_document(shop: Shop, bucket: Bucket) -> None:
    async with storing(shop, bucket.settings):
        await files.save("1.pdf", b"by an older worker, which died before it could write it down")
        digest = await files.save("1.pdf", b"by a newer worker, of another release")

        assert digest == hashlib.sha256(await files.load("1.pdf")).hexdigest()


async def test_a_letter_waits_for_an_invoice_that_its_store_lacks(shop: Shop, bucket: Bucket) -> None:
    async with storing(shop, bucket.settings | {"smtp_port": free_port()}) as installed:
        order = await installed.sell()

    await shop.time_passes(minutes=1)
    await shop.work_is_done()  # on disk, where nothing was brought to
    opened_too_early = await shop.http.get(files.invoice_link(await Invoice.get()))
    assert opened_too_early.status_code == 503
    assert "Please try again later" in opened_too_early.text
    (waiting,) = await shop.sql("SELECT given_up_at, error FROM outbox WHERE job = 'invoices.send'")
    assert waiting["given_up_at"] is None
    assert "Bring it with `bin/comptoir files copy`" in waiting["error"]
    assert shop.letters(order) == []

    await transferred(bucket, to="disk")
    await shop.time_passes(minutes=1)
    await shop.work_is_done()

    assert len(shop.letters(order)) == 1


async def test_documents_are_copied_to_the_bucket_and_back_and_only_once(shop: Shop, bucket: Bucket) -> None:
    for _ in range(9):  # more than are copied at once
        await shop.sell()
    folder = outside().settings.comptoir_home / "files"

    assert await transferred(bucket, to="s3") == {"copied": 9}
    assert await transferred(bucket, to="s3") == {"there already": 9}
    invoices = await Invoice.all()
    for invoice in invoices:
        path = folder / str(invoice.file_key)
        assert bucket.get(str(invoice.file_key)).content == path.read_bytes()
    kept = folder / str(invoices[0].file_key)
    for invoice in invoices[1:]:
        (folder / str(invoice.file_key)).unlink()
    before = kept.stat().st_mtime_ns

    assert await transferred(bucket, to="disk") == {"copied": 8, "there already": 1}
    assert kept.stat().st_mtime_ns == before
    assert (await shop.http.get(files.invoice_link(invoices[-1]))).content.startswith(b"%PDF-")


async def test_what_is_missing_spoiled_or_taken_is_told_and_the_rest_copied(shop: Shop, bucket: Bucket) -> None:
    for _ in range(4):
        await shop.sell()
    missing, spoiled, taken, _ = await Invoice.all().order_by("id")
    folder = outside().settings.comptoir_home / "files"
    (folder / str(missing.file_key)).unlink()
    (folder / str(spoiled.file_key)).write_bytes(b"spoiled")
    bucket.put(str(taken.file_key), b"something else")

    told = [copied async for copied in transfer.copy(on_disk(), bucket.store())]

    assert [copied.outcome.value for copied in told] == ["failed", "failed", "failed", "copied"]
    assert [copied.number for copied in told[:3]] == [missing.number, spoiled.number, taken.number]
    assert "is not in" in told[0].why
    assert "is not what was stored" in told[1].why
    assert "is taken over there by something else" in told[2].why
    assert bucket.get(str(taken.file_key)).content == b"something else"
    assert bucket.get(str(spoiled.file_key)).status_code == 404


async def test_files_that_people_sent_are_copied_as_they_lie_there_and_open_where_they_are_now(
    shop: Shop, bucket: Bucket
) -> None:
    await sent(shop, PDF)
    file = await StoredFile.get()

    assert await transferred(bucket, to="s3") == {"copied": 1}
    await outside().documents.delete(file.place)

    async with installed_with(shop, **bucket.settings):
        assert b"".join([piece async for piece in stored_files.read(file, "a test")]) == PDF


async def test_copying_stops_where_the_store_is_not_to_be_had(shop: Shop, bucket: Bucket) -> None:
    await shop.sell()

    with pytest.raises(Disconnected):
        await transferred(replace(bucket, name="nowhere-at-all"), to="s3")


async def test_the_command_copies_shows_it_and_says_what_failed(shop: Shop, bucket: Bucket) -> None:
    await shop.sell()
    lost = await Invoice.get()
    (outside().settings.comptoir_home / "files" / str(lost.file_key)).unlink()
    await shop.sell()

    done = await asyncio.to_thread(command, "files", "copy", "--to", "s3", settings=bucket.settings)

    assert done.returncode == 1
    assert f"error: {lost.number}: " in done.stdout
    assert "▸ 1 copied, 0 there already, 1 failed" in done.stdout
    assert SECRET_ACCESS_KEY not in done.stdout + done.stderr


async def test_the_command_says_what_to_set(shop: Shop) -> None:
    done = await asyncio.to_thread(command, "files", "copy", "--to", "s3", settings={})

    assert done.returncode == 1
    assert done.stderr == "error: S3_BUCKET is not set. Set it in the environment and restart.\n"


async def transferred(bucket: Bucket, *, to: str) -> Counter[str]:
    """What came of copying all documents."""
    async with bucket.store() as store:
        source, target = (on_disk(), store) if to == "s3" else (store, on_disk())
        return Counter([copied.outcome.value async for copied in transfer.copy(source, target)])


def on_disk() -> DocumentStore:
    return services.outside.on_disk(outside().settings)


def command(*words: str, settings: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """A command of `cli.py`, on the installation of the tests."""
    usual = outside().settings
    given = {
        "COMPTOIR_HOME": usual.comptoir_home,
        "COMPTOIR_MASTER_KEYS": usual.comptoir_master_keys.get_secret_value(),
        "DATABASE_URL": usual.database_url,
        "REDIS_URL": usual.redis_url,
        **{name.upper(): getattr(value, "get_secret_value", lambda v=value: v)() for name, value in settings.items()},
    }
    environment = os.environ | {name: str(value) for name, value in given.items()}
    return subprocess.run(
        [sys.executable, "cli.py", *words],
        check=False, capture_output=True, text=True, env=environment, cwd=PROJECT, timeout=60,
    )  # fmt: skip
