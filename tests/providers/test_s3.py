"""S3 against moto's server, and against one that only refuses."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from errors import Disconnected, Gone, NotConfigured, Refused, Unavailable
from local.embedded.server import free_port
from providers.s3 import LARGEST, S3
from providers.s3_settings import Credentials
from tests.bucket import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Bucket, opened

PDF, CONTENT = "application/pdf", b"%PDF-1.7 une facture"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
KEY = "organization/invoices/1.pdf"


async def test_a_document_comes_back_as_it_was(bucket: Bucket) -> None:
    async with bucket.store() as store:
        await store.check()

        assert await store.save(KEY, CONTENT, PDF) == DIGEST
        assert await store.load(KEY) == CONTENT
        assert await store.digest(KEY) == DIGEST

    assert bucket.get(KEY).content == CONTENT
    assert bucket.get(KEY).headers["Content-Type"] == PDF
    assert bucket.get(KEY, signed=False).status_code == 403


async def test_what_is_saved_is_never_replaced_and_its_digest_is_given(bucket: Bucket) -> None:
    async with bucket.store() as store:
        await store.save(KEY, CONTENT, PDF)

        assert await store.save(KEY, CONTENT, PDF) == DIGEST
        assert await store.save(KEY, b"something else", PDF) == DIGEST

        assert await store.load(KEY) == CONTENT


async def test_of_many_who_save_at_once_all_are_given_the_digest_of_what_is_kept(bucket: Bucket) -> None:
    async with bucket.store() as store:
        digests = await asyncio.gather(*(store.save(KEY, f"the {number}th".encode(), PDF) for number in range(8)))

        assert set(digests) == {hashlib.sha256(await store.load(KEY)).hexdigest()}


async def test_what_other_tools_put_there_has_its_digest_too(bucket: Bucket) -> None:
    bucket.put(KEY, CONTENT)

    async with bucket.store() as store:
        assert await store.digest(KEY) == DIGEST


async def test_keys_begin_with_the_prefix(bucket: Bucket) -> None:
    async with bucket.store(prefix="comptoir/production") as store:
        await store.save(KEY, CONTENT, PDF)
        link = await store.link(KEY, filename="1.pdf", content_type=PDF, life=timedelta(hours=1))

    assert bucket.get(f"comptoir/production/{KEY}").content == CONTENT
    assert opened(link).content == CONTENT


async def test_a_link_shows_the_document_under_its_name_to_whoever_has_it(bucket: Bucket) -> None:
    async with bucket.store() as store:
        await store.save(KEY, CONTENT, "application/octet-stream")
        link = await store.link(KEY, filename="FQCA-2025-000156.pdf", content_type=PDF, life=timedelta(hours=24))

    shown = opened(link)
    assert shown.content == CONTENT
    assert shown.headers["Content-Type"] == PDF
    assert shown.headers["Content-Disposition"] == 'inline; filename="FQCA-2025-000156.pdf"'
    signed = parse_qs(urlsplit(link).query)
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Expires"] == ["86400"]
    assert SECRET_ACCESS_KEY not in link


async def test_a_link_lives_seven_days_at_most(bucket: Bucket) -> None:
    async with bucket.store() as store:
        assert await store.link(KEY, filename="1.pdf", content_type=PDF, life=timedelta(days=7))
        with pytest.raises(ValueError, match="seven days|7 days"):
            await store.link(KEY, filename="1.pdf", content_type=PDF, life=timedelta(days=8))


@pytest.mark.parametrize(
    ("credentials", "begins"),
    [
        ({}, "https://docs.s3.eu-west-3.amazonaws.com/1.pdf?"),
        ({"region": "eu-west-1"}, "https://docs.s3.eu-west-1.amazonaws.com/1.pdf?"),
        ({"addressing": "path"}, "https://s3.eu-west-3.amazonaws.com/docs/1.pdf?"),
        ({"bucket": "docs.example"}, "https://s3.eu-west-3.amazonaws.com/docs.example/1.pdf?"),
        ({"endpoint_url": "https://s3.example"}, "https://s3.example/docs/1.pdf?"),
        ({"endpoint_url": "https://s3.example", "addressing": "virtual"}, "https://docs.s3.example/1.pdf?"),
    ],
    ids=["Amazon's", "another region", "in the path", "a dot in the name", "another store", "in its host"],
)
async def test_addresses_name_the_bucket_where_the_settings_say(credentials: dict[str, str], begins: str) -> None:
    given = {"bucket": "docs", "access_key_id": "x", "secret_access_key": SecretStr("y")} | credentials
    async with S3(Credentials(**given)) as store:
        link = await store.link("1.pdf", filename="1.pdf", content_type=PDF, life=timedelta(hours=1))

    assert link.startswith(begins)


async def test_a_document_that_is_not_there_is_gone(bucket: Bucket) -> None:
    async with bucket.store() as store:
        assert await store.digest(KEY) is None
        with pytest.raises(Gone, match="NoSuchKey"):
            await store.load(KEY)


async def test_a_bucket_that_is_not_there_disconnects(bucket: Bucket) -> None:
    async with bucket.store(bucket="nowhere-at-all") as store:
        for asked in (store.check(), store.load(KEY), store.save(KEY, CONTENT, PDF)):
            with pytest.raises(Disconnected, match="bucket nowhere-at-all"):
                await asked


async def test_a_wrong_key_disconnects_and_is_not_shown(bucket: Bucket) -> None:
    with bucket.refusing():
        async with bucket.store() as store:
            for asked in (store.check(), store.load(KEY), store.save(KEY, CONTENT, PDF)):
                with pytest.raises(Disconnected) as wrong:
                    await asked
                assert SECRET_ACCESS_KEY not in str(wrong.value)
                assert ACCESS_KEY_ID not in str(wrong.value)


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, "EntityTooLarge", Refused),
        (400, "RequestTimeout", Unavailable),
        (400, "XAmzContentSHA256Mismatch", Unavailable),
        (400, "InvalidBucketName", Disconnected),
        (403, "SignatureDoesNotMatch", Disconnected),
        (405, "MethodNotAllowed", Disconnected),
        (409, "ConditionalRequestConflict", Unavailable),
        (500, "InternalError", Unavailable),
        (501, "NotImplemented", Unavailable),
        (503, "SlowDown", Unavailable),
    ],
)
async def test_what_an_operator_can_mend_is_never_refused(status: int, code: str, told: type[Exception]) -> None:
    said = f"<Error><Code>{code}</Code><Message>no, {SECRET_ACCESS_KEY}</Message></Error>"
    async with answering(status, said) as port, there(port).store() as store:
        with pytest.raises(told, match=code) as failure:
            await store.load(KEY)

    assert type(failure.value) is told
    assert SECRET_ACCESS_KEY not in str(failure.value)


async def test_it_is_asked_so_often_and_no_more() -> None:
    asked: list[str] = []
    async with answering(503, "", asked) as port, there(port).store(tries=2) as store:
        with pytest.raises(Unavailable) as failure:
            await store.load(KEY)

    assert len(asked) == 2
    assert failure.value.answered


async def test_silence_is_unavailable() -> None:
    async with answering(200, "", hold=True) as port, there(port).store(timeout=0.1) as store:
        with pytest.raises(Unavailable, match="did not answer"):
            await store.load(KEY)
    async with there(free_port()).store() as store:
        with pytest.raises(Unavailable, match="did not answer"):
            await store.check()


async def test_a_document_beyond_all_measure_is_refused_before_it_is_read() -> None:
    long = {"Content-Length": str(51 * 2**20)}
    async with answering(200, "x", headers=long) as port, there(port).store() as store:
        with pytest.raises(Refused, match="more than 50 MB"):
            await store.load(KEY)


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_without_end_is_not_read_to_its_end(status: int) -> None:
    sent: list[int] = []
    async with endless(status, sent) as port, there(port).store() as store:
        with pytest.raises(Refused if status == 200 else Unavailable, match="more than"):
            await store.load(KEY)
        with pytest.raises(Unavailable, match="more than 256 kB"):
            await store.delete(KEY)

    assert sum(sent) < 2 * LARGEST  # of gigabytes


async def test_without_a_bucket_or_keys_it_says_what_to_set() -> None:
    for credentials in (Credentials(bucket=None), Credentials(bucket="documents")):
        async with S3(credentials) as store:
            with pytest.raises(NotConfigured, match="Set S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"):
                await store.check()


async def test_neither_documents_nor_keys_are_logged(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async with bucket.store() as store:
        await store.save(KEY, CONTENT, PDF)

    assert "une facture" not in caplog.text
    assert SECRET_ACCESS_KEY not in caplog.text
    assert "Signature" not in caplog.text


@asynccontextmanager
async def answering(
    status: int, body: str, asked: list[str] | None = None, *, hold: bool = False, headers: dict[str, str] | None = None
) -> AsyncIterator[int]:
    """The port of a server that gives everybody the same answer, or none; `asked` is filled with the paths."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if asked is not None:
            asked.append(request.path)
        if hold:
            await asyncio.Event().wait()
        return web.Response(status=status, text=body, content_type="application/xml", headers=headers)

    async with served_by(answer) as port:
        yield port


@asynccontextmanager
async def served_by(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def endless(status: int, sent: list[int]) -> AsyncIterator[int]:
    """A server that answers everybody for ever, without saying how much; `sent` is filled with what it could send."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        try:
            for _ in range(10_000):
                await response.write(b" " * 2**18)
                sent.append(2**18)
        except ConnectionError:
            pass
        return response

    async with served_by(answer) as port:
        yield port


def there(port: int) -> Bucket:
    return Bucket(f"http://127.0.0.1:{port}", "documents")
