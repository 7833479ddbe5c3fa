"""What every outside system has in common. A provider is one module named by its key: this is all that it inherits.

    class Twilio(HttpProvider[Credentials], Messaging):
        name, category, url = "Twilio", Category.COMMUNICATION, "https://api.twilio.com/2010-04-01"

        async def check(self) -> None:
            await self.call("GET", f"/Accounts/{self.credentials.account_sid}.json")

Whatever goes wrong is one of three: Refused (give up), Disconnected (reconnect), Unavailable (try again).
"""

import asyncio
import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import httpx
import orjson
from pydantic import BaseModel, SecretStr

from errors import Disconnected, Refused, Unavailable
from providers.metrics import CALLS, timed
from providers.offers import Category, Offer

if TYPE_CHECKING:
    from providers.oauth import OAuth

Credentials = TypeVar("Credentials", bound=BaseModel)

TIMEOUT = 10.0  # seconds, from the first byte asked to the last one read
LARGEST_ANSWER = 5 * 2**20  # bytes
LONGEST_REASON = 300  # characters of what the vendor says went wrong

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, and some vendors want the key in there


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a provider runs. `private`: whether an address that somebody typed may lead into a private network, as it
    does in development; `urls`: stand-ins' addresses, by the providers' keys."""

    private: bool = False
    urls: Mapping[str, str] = field(default_factory=dict)


class Provider(ABC, Generic[Credentials]):
    """An outside system, as one organization connects to it. Close it, or use it with `async with`."""

    name: ClassVar[str]
    category: ClassVar[Category]
    key: ClassVar[str]  # in the catalogue: the name of its module
    offer: ClassVar[Offer]  # of those that organizations connect as their own
    oauth: ClassVar["OAuth | None"] = None  # of those that people let us into

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.key = cls.__module__.rpartition(".")[2]

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        """The provider as an organization's own. Opens no connection yet."""
        return cls(credentials)

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    @abstractmethod
    async def check(self) -> None:
        """Test the connection: the cheapest call that needs the credentials. Changes nothing on the other side."""

    async def close(self) -> None:
        """Let go of connections."""
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def without_secrets(self, text: str) -> str:
        """`text` fit to be shown: one line, not too long, and none of the credentials' secrets in it."""
        for value in self.credentials.__dict__.values():
            if isinstance(value, SecretStr) and (secret := value.get_secret_value()):
                text = text.replace(secret, "…")
        return " ".join(text.split())[:LONGEST_REASON]


class HttpProvider(Provider[Credentials]):
    """A provider that speaks JSON over HTTP. `url` is the base of every path; `transport` stands in for the network."""

    url: ClassVar[str]
    timeout: ClassVar[float] = TIMEOUT

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        return cls(credentials, url=surroundings.urls.get(cls.key))

    def __init__(
        self, credentials: Credentials, *, url: str | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(credentials)
        self._client = httpx.AsyncClient(
            base_url=url or self.url, transport=transport, verify=_tls(), timeout=self.timeout, follow_redirects=False
        )

    def headers(self) -> dict[str, str]:
        """Sent with each call; where most vendors want the key."""
        return {}

    def auth(self) -> httpx.Auth | None:
        """For those who want more than a header: `httpx.BasicAuth`, or a flow that renews a token."""
        return None

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request; its JSON answer, None where it is empty. `json` or `data` (a form) is the body.

        Raises Disconnected (401, 403), Unavailable (408, 429, 5xx, no answer in time) or Refused (all else but 2xx).
        """
        if not path.startswith("/"):
            raise ValueError(f"A path of {self.name}, not an address: the credentials go with it")
        request = self._client.build_request(
            method, path, json=json, data=data, params=params, headers=self.headers() | dict(headers or {})
        )
        with timed(CALLS, self.name):
            return self._answer(*await self._sent(request))

    async def close(self) -> None:
        await self._client.aclose()

    async def _sent(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        try:
            async with asyncio.timeout(self.timeout):
                response = await self._client.send(request, auth=self.auth(), stream=True)
                try:
                    return response, await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"{self.name} did not answer ({type(error).__name__})") from error

    async def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise Refused(f"{self.name} answered more than {LARGEST_ANSWER // 2**20} MB")
        return bytes(body)

    def _answer(self, response: httpx.Response, body: bytes) -> Any:
        status = response.status_code
        if response.is_success:
            try:
                return orjson.loads(body) if body.strip() else None
            except orjson.JSONDecodeError as error:
                raise Unavailable(f"{self.name} answered something else than JSON") from error
        what = self.without_secrets(f"{self.name}: {status} {_reason(body) or response.reason_phrase}")
        if status in (401, 403):
            raise Disconnected(what)
        if status in (408, 429) or status >= 500:
            raise Unavailable(what, retry_after=seconds_to_wait(response.headers.get("Retry-After")), answered=True)
        raise Refused(what)


@cache
def _tls() -> ssl.SSLContext:
    """One for all: loading the authorities takes tens of milliseconds, and httpx would do it for each client."""
    return httpx.create_ssl_context()


def _reason(body: bytes) -> str:
    """What the vendor says went wrong, wherever it usually stands; nothing where it is not JSON."""
    try:
        return _first_text(orjson.loads(body))
    except orjson.JSONDecodeError:
        return ""


def _first_text(value: object, depth: int = 5) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and depth:
        return _first_text(value[0], depth - 1)
    if isinstance(value, dict) and depth:
        texts = (_first_text(value[key], depth - 1) for key in _REASON_KEYS if key in value)
        return next(filter(None, texts), "")
    return ""


_REASON_KEYS = (
    "error_description",
    "message",
    "detail",
    "details",
    "title",
    "description",
    "reason",
    "error",
    "errors",
)


def seconds_to_wait(retry_after: str | None) -> float | None:
    """`Retry-After`, in seconds from now: it is a number of seconds or an HTTP date (RFC 9110 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
