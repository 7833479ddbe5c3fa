"""Standard Webhooks out (https://www.standardwebhooks.com): signed, to public HTTPS addresses only.

An address is checked when it is dialled, whatever DNS said before; redirects are not followed; an answer is read up to
64 KiB and within the deadline.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import aiohttp

from errors import Refused
from providers.addresses import AddressRefused, may_be_public, public_socket
from providers.base import seconds_to_wait
from providers.metrics import DELIVERIES

TIMEOUT = 10.0  # seconds, connection and answer together (the partner guide)
ANSWER_MOST = 64 * 1024  # bytes that are read
ANSWER_KEPT = 4096  # bytes of them
GONE, TOO_MANY = 410, 429  # statuses (RFC 9110, RFC 6585)

SECRET_PREFIX = "whsec_"  # noqa: S105 - what such secrets begin with


@dataclass(frozen=True)
class Answer:
    """What came back: a status and the beginning of a body, or the error that came instead."""

    duration_ms: int
    status: int | None = None
    body: bytes = b""
    error: str | None = None
    refused: bool = False  # the address itself may not be dialled
    retry_after: float | None = None  # seconds, where they said so

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether trying again is pointless: a redirect, a 4xx, an address that may not be dialled."""
        return self.refused or (self.status is not None and 300 <= self.status < 500)

    @property
    def kept(self) -> str:
        """The beginning of the body, as it can be stored and shown."""
        return self.body[:ANSWER_KEPT].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")

    @property
    def ill(self) -> bool:
        """Whether whoever answers there is in trouble, not the one notification: 5xx, 429, no answer."""
        return not self.refused and (self.status is None or self.status >= 500 or self.status == TOO_MANY)

    @property
    def outcome(self) -> str:
        """In one word, for those who count."""
        if self.refused:
            return "not dialled"
        if self.status is None:
            return "unanswered"
        return "accepted" if self.accepted else "refused" if self.final else "failed"


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: HMAC-SHA256 over `id.timestamp.body`, base64, with scheme `v1`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def check_url(url: str, *, sandbox_url: str | None = None) -> None:
    """Raises Refused for an address that could never be told: not HTTPS, with a password, or plainly private."""
    at = urlsplit(url)
    if at.username is not None or at.password is not None:
        raise Refused("The address must hold no user name or password.")
    if sandbox_url and _origin(at) == _origin(urlsplit(sandbox_url)):
        return
    if at.scheme != "https":
        raise Refused("The address must begin with https://.")
    if not may_be_public(at.hostname or ""):
        raise Refused("The address must be on the public internet.")


class Courier:
    """Posts JSON to partners. How many at once is the caller's to bound: a wait here would eat the deadline."""

    def __init__(
        self,
        *,
        sandbox_url: str | None = None,
        timeout: float = TIMEOUT,
        resolver: aiohttp.abc.AbstractResolver | None = None,
    ) -> None:
        self._sandbox = urlsplit(sandbox_url) if sandbox_url else None
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._resolver = resolver  # the system's unless given
        self._public: aiohttp.ClientSession | None = None
        self._own: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One try. Never raises for what the other side does; the answer says it."""
        answer = await self._post(url, body, headers)
        DELIVERIES.labels(answer.outcome).observe(answer.duration_ms / 1000)
        return answer

    async def close(self) -> None:
        for session in (self._public, self._own):
            if session is not None:
                await session.close()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        started = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - started) * 1000)

        try:
            check_url(url, sandbox_url=self._sandbox.geturl() if self._sandbox else None)
            async with self._session(url).post(url, data=body, headers=headers, allow_redirects=False) as answer:
                beginning = await _beginning(answer)
                wish = seconds_to_wait(answer.headers.get("Retry-After"))
                return Answer(took(), answer.status, beginning, retry_after=wish)
        except Refused as refusal:
            return Answer(took(), error=str(refusal), refused=True)
        except TimeoutError:
            return Answer(took(), error=f"no answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, AddressRefused):
                return Answer(took(), error=str(error.__cause__), refused=True)
            return Answer(took(), error=f"{type(error).__name__}: {error}"[:500])

    def _session(self, url: str) -> aiohttp.ClientSession:
        """The sandbox's own address is on loopback: it has a pool of its own, the only one without the check."""
        if self._sandbox and _origin(urlsplit(url)) == _origin(self._sandbox):
            self._own = self._own or self._open(None)
            return self._own
        self._public = self._public or self._open(public_socket)
        return self._public

    def _open(self, socket_factory: "aiohttp.SocketFactoryType | None") -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, socket_factory=socket_factory, resolver=self._resolver)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,  # a few KiB on the wire could be gigabytes here
            headers={"Accept-Encoding": "identity"},
        )


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """The first 64 KiB; an endless answer ends with the deadline or here."""
    parts, size = [], 0
    while size < ANSWER_MOST and (part := await answer.content.read(ANSWER_MOST - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _origin(at: SplitResult) -> tuple[str, str | None, int | None]:
    return at.scheme, at.hostname, at.port
