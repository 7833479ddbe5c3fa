"""Integrations while they are used: no key is told anywhere, invoices are kept in one's own bucket, a dead provider
delays no other."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

import models
from models import IntegrationStatus
from tests.bucket import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Bucket
from tests.managing.test_integrations import LOG, TEST, asks, do, on, server
from tests.security.documents import list_document
from tests.security.surroundings import TABLES
from tests.shop import Shop
from workers.checking import Checks

PASSWORD = "the-mail-password-that-nobody-may-read"
MISTYPED = "a-secret-that-is-refused-" + "x" * 500


def own(bucket: Bucket, **changes: Any) -> dict[str, Any]:
    """A bucket as the form of S3 has it."""
    return {
        "bucket": bucket.name, "endpoint_url": bucket.endpoint_url, "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY, "addressing": "path", "prefix": "factures",
    } | changes  # fmt: skip


@asynccontextmanager
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and says nothing."""
    kept: list[asyncio.StreamWriter] = []
    listening = await asyncio.start_server(lambda _, writer: kept.append(writer), "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for writer in kept:
            writer.close()


async def test_each_invoice_is_kept_in_the_organizations_own_bucket_as_pdf_and_xml(shop: Shop, bucket: Bucket) -> None:
    await shop.sell()  # before there is a bucket
    await do(shop, "integrationConfigure", "s3", values=own(bucket))
    assert (await do(shop, "integrationEnable", "s3"))["features"] == ["OWN_ARCHIVE"]

    await shop.sell()

    kept, before = await models.Invoice.all().order_by("-id")
    place = f"factures/{kept.year}/{kept.number}"
    assert bucket.get(f"{place}.pdf").content.startswith(b"%PDF")
    assert b"CrossIndustryInvoice" in bucket.get(f"{place}.xml").content
    assert bucket.get(f"factures/{before.year}/{before.number}.pdf").status_code == 404
    uses = {use["purpose"] for use in (await shop(LOG))["nodes"]}
    assert "invoice_archive.archive" in uses


async def test_what_a_bucket_does_not_take_waits_and_is_kept_once_it_does(shop: Shop, bucket: Bucket) -> None:
    await do(shop, "integrationConfigure", "s3", values=own(bucket))
    await do(shop, "integrationEnable", "s3")
    with bucket.refusing():
        await shop.sell()
        assert (await models.Integration.get()).status is IntegrationStatus.DISCONNECTED
    assert await models.Invoice.filter(emailed_at__isnull=False).count() == 1  # it delays nothing else

    await do(shop, "integrationConfigure", "s3", values={"secret_access_key": SECRET_ACCESS_KEY})
    await shop.sql("UPDATE outbox SET due_at = now() WHERE job = 'invoice_archive.archive' AND done_at IS NULL")
    await shop.work_is_done()

    kept = await models.Invoice.get()
    assert bucket.get(f"factures/{kept.year}/{kept.number}.pdf").status_code == 200


async def test_no_key_is_answered_stored_in_the_clear_or_logged(
    shop: Shop, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[object] = []
    configure, rotate = asks("integrationConfigure"), asks("integrationSecretRotate")

    async def ask(document: str, **input: Any) -> None:
        said.append(await shop.post(document, {"input": input}))

    await ask(configure, provider="smtp", values=server(shop, user="me", password=PASSWORD))
    await ask(configure, provider="smtp", values={"password": MISTYPED})
    await ask(configure, provider="smtp", values={"passwort": MISTYPED})
    await ask(asks("integrationEnable"), provider="smtp")  # the sandbox's server takes no passwords: it fails
    await ask(TEST, provider="smtp")
    await ask(rotate, provider="smtp", field="password", value=MISTYPED[:400], idempotencyKey="1")
    await ask(configure, provider="s3", values=own(bucket))
    await ask(asks("integrationEnable"), provider="s3")
    await ask(TEST, provider="s3")
    with bucket.refusing():
        await ask(TEST, provider="s3")
    await shop.sell()
    for name in ("integrations", "secretOpenings", "auditEntries"):
        said.append(await shop.post(list_document(name, depth=2), {"first": 100}))
    stored = [
        row["text"]
        for table in await shop.sql(TABLES)
        for row in await shop.sql(f"SELECT t::text AS text FROM {table['relname']} t")
    ]

    told = {"answered": orjson.dumps(said).decode(), "stored": "\n".join(stored), "logged": caplog.text}
    assert "integrationConfigure" in told["stored"]  # the audit log
    assert "INSERT INTO" in told["logged"]
    for where, text in told.items():
        for secret in (PASSWORD, MISTYPED[:25], SECRET_ACCESS_KEY):
            assert secret not in text, f"{where}: {secret[:12]}…"


async def test_a_dead_provider_delays_no_other(shop: Shop, bucket: Bucket) -> None:
    await on(shop)
    await do(shop, "integrationConfigure", "s3", values=own(bucket))
    await do(shop, "integrationEnable", "s3")
    async with silent() as port:
        await shop.sql(
            "UPDATE integrations SET next_check_at = now(), checked_at = NULL,"
            f" settings = CASE provider WHEN 'smtp' THEN settings || '{{\"port\": {port}}}' ELSE settings END"
        )
        checks = Checks()
        try:
            await checks.look()
            assert sorted(checks.under_way.values()) == ["s3", "smtp"]
            until = time.monotonic() + 10
            while "s3" in checks.under_way.values() and time.monotonic() < until:
                await asyncio.sleep(0.02)
            assert list(checks.under_way.values()) == ["smtp"]
        finally:
            for task in list(checks.under_way):
                task.cancel()
    rows = {row.provider: row.checked_at for row in await models.Integration.all()}
    assert rows["s3"] is not None
    assert rows["smtp"] is None
