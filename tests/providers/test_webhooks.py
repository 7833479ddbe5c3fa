"""Deliveries to partners: what is signed, what is dialled, and what every answer means."""

import asyncio
import base64
import gzip
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from errors import Refused
from providers.webhooks import ANSWER_MOST, SECRET_PREFIX, Answer, Courier, check_url, signature
from sandbox.server import HangUp, Server
from tests.security.surroundings import Names

BODY = '{"event_type":"order.created","name":"Éléonore"}'.encode()


class Partner:
    """A partner's server that answers by path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.server = Server(Starlette(routes=[Route("/{answer:path}", self._answer, methods=["GET", "POST"])]), 0)

    async def _answer(self, request: Request) -> Response:
        answer = request.path_params["answer"]
        self.asked.append((request.method, dict(request.headers), await request.body()))
        if answer.isdigit():
            return PlainTextResponse(f"said {answer}", int(answer))
        special: dict[str, Any] = {
            "elsewhere": lambda: RedirectResponse("/200", 307),
            "cut": HangUp,
            "endless": lambda: StreamingResponse(_endless(0.0)),
            "dripping": lambda: StreamingResponse(_endless(0.05)),
            "bomb": lambda: Response(gzip.compress(b"0" * 50_000_000), headers={"Content-Encoding": "gzip"}),
            "cookie": lambda: Response(headers={"Set-Cookie": "known=yes; Path=/"}),
        }
        if answer == "silent":
            await asyncio.sleep(5)
        return special[answer]() if answer in special else Response()


async def _endless(pause: float) -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 1000
        await asyncio.sleep(pause)


@pytest.fixture(scope="module")
async def partner() -> AsyncIterator[Partner]:
    opened = Partner()
    await opened.server.start()
    yield opened
    await opened.server.stop()


@pytest.fixture
async def courier(partner: Partner) -> AsyncIterator[Courier]:
    """To it the partner is the sandbox: loopback may be dialled there, and nowhere else."""
    opened = Courier(sandbox_url=partner.server.url, timeout=2)
    yield opened
    await opened.close()


# What is signed


def test_the_reference_verifier_takes_our_signature() -> None:
    for length in (16, 24, 32, 64):
        secret = SECRET_PREFIX + base64.b64encode(os.urandom(length)).decode()
        now = int(datetime.now(UTC).timestamp())
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
        headers["webhook-signature"] = signature(secret, "msg_1", now, BODY)

        assert Webhook(secret).verify(BODY, headers)
        for change in ({"webhook-id": "msg_2"}, {"webhook-timestamp": str(now + 1)}):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(BODY, headers | change)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY + b" ", headers)


# What every answer means


async def test_the_body_arrives_as_it_was_signed_with_our_headers(partner: Partner, courier: Courier) -> None:
    answer = await courier.post(
        f"{partner.server.url}/200", BODY, {"X-API-KEY": "k" * 32, "User-Agent": "A-Webhook/1.0"}
    )

    method, headers, body = partner.asked[-1]
    assert (method, body) == ("POST", BODY)
    assert (headers["x-api-key"], headers["user-agent"]) == ("k" * 32, "A-Webhook/1.0")
    assert (answer.status, answer.body, answer.error) == (200, b"said 200", None)


@pytest.mark.parametrize(
    ("status", "accepted", "final"),
    [
        (200, True, False),
        (202, True, False),
        (204, True, False),
        (299, True, False),
        (301, False, True),
        (304, False, True),
        (400, False, True),
        (404, False, True),
        (429, False, True),
        (499, False, True),
        (500, False, False),
        (503, False, False),
        (599, False, False),
    ],
)
async def test_a_status_says_whether_to_try_again(
    partner: Partner, courier: Courier, status: int, accepted: bool, final: bool
) -> None:
    answer = await courier.post(f"{partner.server.url}/{status}", BODY, {})

    assert (answer.status, answer.accepted, answer.final) == (status, accepted, final)


async def test_a_redirect_is_not_followed(partner: Partner, courier: Courier) -> None:
    before = len(partner.asked)

    answer = await courier.post(f"{partner.server.url}/elsewhere", BODY, {})

    assert (answer.status, answer.final) == (307, True)
    assert len(partner.asked) == before + 1


async def test_a_connection_cut_before_an_answer_is_tried_again(partner: Partner, courier: Courier) -> None:
    assert unanswered(await courier.post(f"{partner.server.url}/cut", BODY, {}))


async def test_a_port_where_nobody_listens_is_tried_again(courier: Courier) -> None:
    nobody = Courier(sandbox_url="http://127.0.0.1:9")
    try:
        assert unanswered(await nobody.post("http://127.0.0.1:9/orders", BODY, {}))
    finally:
        await nobody.close()


async def test_a_broken_tls_handshake_is_tried_again(partner: Partner) -> None:
    over_tls = partner.server.url.replace("http:", "https:")
    courier = Courier(sandbox_url=over_tls)
    try:
        assert unanswered(await courier.post(f"{over_tls}/200", BODY, {}))
    finally:
        await courier.close()


@pytest.mark.parametrize("path", ["silent", "dripping"])
async def test_no_whole_answer_before_the_deadline_is_tried_again(partner: Partner, path: str) -> None:
    courier = Courier(sandbox_url=partner.server.url, timeout=0.3)
    try:
        answer = await courier.post(f"{partner.server.url}/{path}", BODY, {})
    finally:
        await courier.close()

    assert unanswered(answer)
    assert answer.error == "no answer within 0.3 s"


async def test_an_endless_answer_is_cut_at_64_kib(partner: Partner, courier: Courier) -> None:
    answer = await courier.post(f"{partner.server.url}/endless", BODY, {})

    assert (answer.status, len(answer.body)) == (200, ANSWER_MOST)


async def test_an_answer_is_never_unpacked(partner: Partner, courier: Courier) -> None:
    answer = await courier.post(f"{partner.server.url}/bomb", BODY, {})

    assert len(answer.body) <= ANSWER_MOST
    assert answer.body.startswith(b"\x1f\x8b")
    assert partner.asked[-1][1]["accept-encoding"] == "identity"


async def test_no_cookie_is_kept(partner: Partner, courier: Courier) -> None:
    for _ in range(2):
        await courier.post(f"{partner.server.url}/cookie", BODY, {})

    assert "cookie" not in partner.asked[-1][1]


async def test_a_proxy_of_the_environment_is_not_used(
    partner: Partner, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert (await courier.post(f"{partner.server.url}/200", BODY, {})).accepted


# What is dialled


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::1", "127.0.0.1"],
        ["10.0.0.1", "192.168.0.1", "169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%1"],
    ],
)
async def test_a_name_is_judged_by_where_it_leads_when_it_is_dialled(partner: Partner, addresses: list[str]) -> None:
    before, courier = len(partner.asked), Courier(resolver=Names(addresses), timeout=2)
    port = partner.server.url.rpartition(":")[2]
    try:
        answer = await courier.post(f"https://partner.example:{port}/200", BODY, {})
    finally:
        await courier.close()

    assert (answer.refused, answer.final, answer.status) == (True, True, None)
    assert answer.error == "The address is not on the public internet."
    assert len(partner.asked) == before


async def test_beside_the_sandbox_loopback_stays_refused(partner: Partner, courier: Courier) -> None:
    port = partner.server.url.rpartition(":")[2]
    before = len(partner.asked)

    for url in (f"https://127.0.0.1:{port}/200", f"http://localhost:{port}/200", f"https://localhost:{port}/200"):
        answer = await courier.post(url, BODY, {})
        assert (answer.refused, answer.status) == (True, None), url

    assert len(partner.asked) == before


async def test_an_address_that_cannot_be_parsed_is_an_answer_too(courier: Courier) -> None:
    for url in ("", "https://", "https://[::1", "https://partner.example:99999/", "https://" + "a" * 300 + "/"):
        answer = await courier.post(url, BODY, {})
        assert not answer.accepted
        assert answer.error


def test_an_address_is_refused_in_a_sentence() -> None:
    with pytest.raises(Refused, match="must begin with https://"):
        check_url("http://partner.example/")
    with pytest.raises(Refused, match="no user name or password"):
        check_url("http://me@127.0.0.1:1/", sandbox_url="http://127.0.0.1:1")
    check_url("http://127.0.0.1:1/partner", sandbox_url="http://127.0.0.1:1")


def unanswered(answer: Answer) -> bool:
    """Nothing came back, and trying again may help."""
    return answer.status is None and bool(answer.error) and not answer.final
