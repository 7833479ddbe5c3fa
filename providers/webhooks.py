"""Standard Webhooks out (https://www.standardwebhooks.com): signed, to public HTTPS addresses only.

An address is checked when it is dialled, whatever DNS said before; redirects are not followed; an answer is read up to
64 KiB and within the deadline.
"""

import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import httpx
from aiohttp.abc import AbstractResolver

from errors import Refused
from providers.addresses import AddressRefused, may_be_public, public_socket
from providers.base import seconds_to_wait
from providers.metrics import DELIVERIES
from providers.posting import Poster, Target

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
    digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
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
        self, *, sandbox_url: str | None = None, timeout: float = TIMEOUT, resolver: AbstractResolver | None = None
    ) -> None:
        self._sandbox_url, self._timeout = sandbox_url, timeout
        self._public = Poster(ANSWER_MOST, resolver, public_socket)  # the system's resolver unless given
        self._own = Poster(ANSWER_MOST)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One try. Never raises for what the other side does; the answer says it."""
        answer = await self._post(url, body, headers)
        DELIVERIES.labels(answer.outcome).observe(answer.duration_ms / 1000)
        return answer

    async def close(self) -> None:
        await self._public.close()
        await self._own.close()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        started = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - started) * 1000)

        try:
            target, ours = _target(url, self._sandbox_url)
            poster = self._own if ours else self._public
            reply = await poster.post(target, headers, body, within=self._timeout)
        except Refused as refusal:
            return Answer(took(), error=str(refusal), refused=True)
        except TimeoutError:
            return Answer(took(), error=f"no answer within {self._timeout:g} s")
        except AddressRefused as refusal:
            return Answer(took(), error=str(refusal), refused=True)
        except (OSError, ValueError, httpx.InvalidURL) as error:
            return Answer(took(), error=f"{type(error).__name__}: {error}"[:500])
        wish = reply.headers.get(b"retry-after")
        return Answer(
            took(), reply.status, reply.body, retry_after=seconds_to_wait(wish.decode("latin-1")) if wish else None
        )


@lru_cache(1024)
def _target(url: str, sandbox_url: str | None) -> tuple[Target, bool]:
    """Where that is, and whether it is the sandbox: its address is on loopback, and dialled without the check. Raises
    Refused, and ValueError for what is no address."""
    check_url(url, sandbox_url=sandbox_url)
    at = httpx.URL(url)
    host, tls = at.raw_host.decode(), at.scheme == "https"
    if not host:
        raise ValueError("the address has no host")
    port = at.port or (443 if tls else 80)
    head = b"POST %b HTTP/1.1\r\nHost: %b\r\nAccept-Encoding: identity\r\n" % (at.raw_path, at.netloc)
    ours = sandbox_url is not None and _origin(urlsplit(url)) == _origin(urlsplit(sandbox_url))
    return Target(host.strip("[]"), port, tls, head), ours


def _origin(at: SplitResult) -> tuple[str, str | None, int | None]:
    return at.scheme, at.hostname, at.port
