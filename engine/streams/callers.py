"""Who is behind connections: looked up when they come, and again and again while they last."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

from errors import DomainError

if TYPE_CHECKING:
    from engine.streams.channel import Channel

MakeContext = Callable[[HTTPConnection], Awaitable[Any]]

AT_ONCE = 10  # look-ups; each is a statement

log = logging.getLogger("comptoir.streams")


class Caller:
    """All connections from one address with the same credentials: looked up once for all of them."""

    def __init__(self, key: Hashable, make_context: MakeContext, connection: HTTPConnection) -> None:
        self.key, self._make_context, self._connection = key, make_context, connection
        self.channels: set[Channel] = set()
        self.context: Any = None

    async def look_up(self) -> Any:
        """Who it is now. Raises DomainError for credentials that are refused."""
        self.context = await self._make_context(self._connection)
        return self.context

    @property
    def person(self) -> tuple[Any, ...] | None:
        """Whom all their connections count for; None for nobody."""
        viewer = self.context.viewer
        return None if viewer.kind is None else tuple(viewer.facts)

    async def check(self) -> None:
        """Look up again; what may not go on is ended."""
        try:
            await self.look_up()
        except DomainError as refusal:
            for channel in tuple(self.channels):
                channel.refuse(refusal)
        except Exception:  # nothing can be read meanwhile, and so nothing is told
            log.warning("a caller could not be looked up again", exc_info=True)
        else:
            for channel in tuple(self.channels):
                channel.check()


async def check_all(callers: Iterable[Caller], seconds: float = 0) -> None:
    """Each of them, a few at once, spread over so many seconds."""
    waiting = list(callers)
    pause = seconds * AT_ONCE / max(len(waiting), AT_ONCE)
    for start in range(0, len(waiting), AT_ONCE):
        await asyncio.gather(*(caller.check() for caller in waiting[start : start + AT_ONCE]))
        await asyncio.sleep(pause)


def credentials(scope: Scope) -> Hashable:
    """All of a connection that may say who calls; equal only where `make_context` would say the same."""
    headers = sorted((name, value) for name, value in scope["headers"] if not name.startswith(_SAY_NOTHING))
    return scope["client"] and scope["client"][0], scope["query_string"], tuple(headers)


def with_headers(scope: Scope, given: Mapping[bytes, str]) -> HTTPConnection:
    """The connection as if it had come with these headers. Cookies are left out: browsers send them with a WebSocket
    from a page of any origin."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"cookie" and name not in given]
    headers += [(name, value.encode("latin-1", "replace")) for name, value in given.items()]
    return HTTPConnection({**scope, "headers": headers})


# Headers that say nothing of who calls, nor from which page or program. One that is not here costs at most a look-up
# more.
_SAY_NOTHING = (
    b"accept", b"cache-control", b"connection", b"content-", b"host", b"pragma", b"sec-ch-", b"sec-websocket-",
    b"traceparent", b"upgrade", b"x-request-id",
)  # fmt: skip
