"""Standard Webhooks out (https://www.standardwebhooks.com): signed, to public HTTPS addresses only.

An address is checked when it is dialled, whatever DNS said before; redirects are not followed; an answer is read up to
64 KiB and within the deadline.
"""

import base64
import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import aiohttp

from errors import Refused

TIMEOUT = 10.0  # seconds, connection and answer together (the partner guide)
ANSWER_MOST = 64 * 1024
CONNECTIONS_MOST = 100

SECRET_PREFIX = "whsec_"  # noqa: S105 - what such secrets begin with


@dataclass(frozen=True)
class Answer:
    """What came back: a status and the beginning of a body, or the error that came instead."""

    duration_ms: int
    status: int | None = None
    body: bytes = b""
    error: str | None = None
    refused: bool = False  # the address itself may not be dialled

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Whether trying again is pointless: a redirect, a 4xx, an address that may not be dialled."""
        return self.refused or (self.status is not None and 300 <= self.status < 500)


class AddressRefused(OSError):
    """A private, loopback, link-local or otherwise special address was about to be dialled."""


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: HMAC-SHA256 over `id.timestamp.body`, base64, with scheme `v1`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def check_url(url: str, *, sandbox_url: str | None = None) -> None:
    """Raises Refused for an address that could never be told: not HTTPS, with a password, or plainly private."""
    at = urlsplit(url)
    if sandbox_url and _origin(at) == _origin(urlsplit(sandbox_url)):
        return
    if at.scheme != "https":
        raise Refused("The address must begin with https://.")
    if at.username or at.password:
        raise Refused("The address must hold no user name or password.")
    host = at.hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or not _public(host):
        raise Refused("The address must be on the public internet.")


class Courier:
    """Posts JSON to partners over one bounded pool of connections."""

    def __init__(self, *, sandbox_url: str | None = None, timeout: float = TIMEOUT) -> None:
        self._sandbox = urlsplit(sandbox_url) if sandbox_url else None
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._public: aiohttp.ClientSession | None = None
        self._own: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One try. Never raises for what the other side does; the answer says it."""
        started = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - started) * 1000)

        try:
            check_url(url, sandbox_url=self._sandbox.geturl() if self._sandbox else None)
            async with self._session(url).post(url, data=body, headers=headers, allow_redirects=False) as answer:
                beginning = await _beginning(answer)
                return Answer(took(), answer.status, beginning)
        except Refused as refusal:
            return Answer(took(), error=str(refusal), refused=True)
        except AddressRefused as refusal:
            return Answer(took(), error=str(refusal), refused=True)
        except TimeoutError:
            return Answer(took(), error=f"no answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, AddressRefused) or isinstance(
                getattr(error, "os_error", None), AddressRefused
            ):
                return Answer(took(), error=str(error.__cause__ or error), refused=True)
            return Answer(took(), error=f"{type(error).__name__}: {error}"[:500])

    async def close(self) -> None:
        for session in (self._public, self._own):
            if session is not None:
                await session.close()

    def _session(self, url: str) -> aiohttp.ClientSession:
        """The sandbox's own address is on loopback: it has a pool of its own, the only one without the check."""
        if self._sandbox and _origin(urlsplit(url)) == _origin(self._sandbox):
            self._own = self._own or self._open(None)
            return self._own
        self._public = self._public or self._open(_dial)
        return self._public

    def _open(self, socket_factory: "aiohttp.SocketFactoryType | None") -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MOST, limit_per_host=10, socket_factory=socket_factory)
        return aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """The first 64 KiB; an endless answer ends with the deadline or here."""
    parts, size = [], 0
    while size < ANSWER_MOST and (part := await answer.content.read(ANSWER_MOST - size)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _dial(info: "aiohttp.AddrInfoType") -> socket.socket:
    """The last moment before a connection: what is checked here is what is dialled."""
    family, kind, protocol, _, address = info
    if not _public(str(address[0])):
        raise AddressRefused(f"{address[0]} is not on the public internet")
    dialled = socket.socket(family, kind, protocol)
    dialled.setblocking(False)
    return dialled


def _public(host: str) -> bool:
    """Whether a literal address is global; a name is not a literal and is judged when dialled."""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return bool(host)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return _public(str(inner))
        if address in _NAT64:
            return _public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _origin(at: SplitResult) -> tuple[str, str | None, int | None]:
    return at.scheme, at.hostname, at.port
