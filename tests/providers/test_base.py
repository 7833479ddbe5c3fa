"""What every HTTP provider inherits: three kinds of failure, limits, and no secret said aloud."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, SecretStr

from errors import Disconnected, ProviderError, Refused, Unavailable
from providers.base import LARGEST_ANSWER, HttpProvider
from providers.offers import Category

KEY = "key_0123456789abcdef"


class Credentials(BaseModel):
    account: str = "acme"
    key: SecretStr = SecretStr(KEY)


class Acme(HttpProvider[Credentials]):
    name, category, url = "Acme", Category.COMMUNICATION, "https://api.acme.example/v1"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credentials.key.get_secret_value()}"}

    async def check(self) -> None:
        await self.call("GET", f"/accounts/{self.credentials.account}")


def acme(answer: httpx.Response | Callable[[httpx.Request], Any]) -> Acme:
    handler = answer if callable(answer) else lambda request: answer
    return Acme(Credentials(), transport=httpx.MockTransport(handler))


async def test_a_call_carries_the_key_and_gives_back_json() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json={"id": 7})

    async with acme(answer) as provider:
        assert await provider.call("POST", "/things", json={"a": 1}, params={"q": "é"}, headers={"X-A": "b"}) == {
            "id": 7
        }
        await provider.call("POST", "/forms", data={"To": "+33612345678"})
        await provider.check()

    thing, form, check = asked
    assert str(thing.url) == "https://api.acme.example/v1/things?q=%C3%A9"
    assert (thing.headers["Authorization"], thing.headers["X-A"], thing.content) == (f"Bearer {KEY}", "b", b'{"a":1}')
    assert form.content == b"To=%2B33612345678"
    assert (check.method, check.url.path) == ("GET", "/v1/accounts/acme")


async def test_an_empty_answer_is_none() -> None:
    assert await acme(httpx.Response(204)).call("DELETE", "/things/7") is None


async def test_another_address_can_stand_in_for_the_vendors() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={})

    await Acme(Credentials(), url="http://127.0.0.1:9/x", transport=httpx.MockTransport(answer)).check()

    assert asked == ["http://127.0.0.1:9/x/accounts/acme"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Disconnected),
        (403, Disconnected),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (301, Refused),
        (400, Refused),
        (404, Refused),
        (422, Refused),
    ],
)
async def test_each_status_is_one_of_three_failures(status: int, kind: type[ProviderError]) -> None:
    with pytest.raises(kind, match=rf"^Acme: {status} bad luck$"):
        await acme(httpx.Response(status, json={"error": {"message": "bad luck"}})).check()


@pytest.mark.parametrize(
    "said",
    [
        {"message": "bad luck"},
        {"errors": [{"detail": "bad luck"}]},
        {"error": "invalid", "error_description": "bad luck"},
        {"code": 21211, "message": "bad luck", "status": 400},
        ["bad luck"],
    ],
)
async def test_the_vendors_reason_is_found_where_vendors_put_it(said: object) -> None:
    with pytest.raises(Refused, match=r"^Acme: 400 bad luck$"):
        await acme(httpx.Response(400, json=said)).check()


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}", b"[" * 500 + b"]" * 500])
async def test_without_a_reason_the_status_speaks(body: bytes) -> None:
    with pytest.raises(Refused, match=r"^Acme: 400 Bad Request$"):
        await acme(httpx.Response(400, content=body)).check()


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(Refused, match="302"):
        await acme(answer).check()
    assert len(asked) == 1


async def test_retry_after_is_seconds_or_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    assert await retry_after("120") == 120.0
    assert 3500 < (await retry_after(later) or 0) <= 3600
    assert await retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert await retry_after("soon") is None
    assert await retry_after("-1") is None
    assert await retry_after(None) is None


async def test_no_secret_and_no_page_of_text_is_in_a_message() -> None:
    with pytest.raises(Refused) as refusal:
        await acme(httpx.Response(400, json={"message": f"Bad key {KEY}\n\n" + "x" * 5_000})).check()

    assert KEY not in str(refusal.value)
    assert "Bad key … xxx" in str(refusal.value)
    assert len(str(refusal.value)) <= 300


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await acme(httpx.Response(200, json={})).call("GET", "/things", params={"key": KEY})

    assert KEY not in caplog.text


async def test_a_vendor_that_is_away_is_unavailable() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    with pytest.raises(Unavailable, match=r"^Acme did not answer \(ConnectError\)$") as failure:
        await acme(broken).check()
    assert not failure.value.answered


async def test_a_vendor_that_drips_is_cut_at_the_deadline() -> None:
    class Hurried(Acme):
        timeout = 0.2

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    with pytest.raises(Unavailable, match="TimeoutError"):
        await Hurried(
            Credentials(), transport=httpx.MockTransport(lambda request: httpx.Response(200, content=drip()))
        ).check()


async def test_an_answer_without_end_is_refused() -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 2**20
            yield b" " * 2**20

    with pytest.raises(Refused, match="more than 5 MB"):
        await acme(httpx.Response(200, content=flood())).check()
    assert sent <= LARGEST_ANSWER + 2**20


async def test_an_answer_that_is_not_json_is_no_answer() -> None:
    with pytest.raises(Unavailable, match="something else than JSON"):
        await acme(httpx.Response(200, text="<html>Maintenance</html>")).check()


async def test_a_call_goes_to_a_path_never_to_an_address() -> None:
    with pytest.raises(ValueError, match="not an address"):
        await acme(httpx.Response(200, json={})).call("GET", "https://elsewhere.example/")


async def retry_after(value: str | None) -> float | None:
    headers = {} if value is None else {"Retry-After": value}
    with pytest.raises(Unavailable) as failure:
        await acme(httpx.Response(429, headers=headers)).check()
    return failure.value.retry_after
