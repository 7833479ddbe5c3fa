"""Partners that receive notifications, judge their signatures, and answer as they are told."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import standard_webhooks
from sandbox.server import HangUp
from sandbox.standard_webhooks import Verdict
from sandbox.store import Store, Thing


@dataclass(frozen=True)
class Received:
    """One notification. `status` is what was answered, None where the connection was cut; `at` in unix seconds;
    `signature` is the Verdict on arrival, None while the partner's secret was not known."""

    number: int
    at: float
    slug: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    signature: str | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`delay` in seconds; `times`: how often, None for ever."""

    status: int = 200
    delay: float = 0.0
    hang_up: bool = False
    times: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class PartnerSink:
    def __init__(self, store: Store, clock: Callable[[], float], keep: int) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._received = deque((_received(thing) for thing in store.all("partner")), maxlen=keep)
        self._answers: dict[str | None, list[Answer]] = {}
        self.routes = [Route("/partner/{slug}", self._receive, methods=["POST"])]

    @property
    def received(self) -> list[Received]:
        """What was received, newest last."""
        return list(self._received)

    def answer(
        self,
        status: int = 200,
        delay: float = 0.0,
        hang_up: bool = False,
        times: int | None = None,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer so from now on, or the next `times` only; for one partner's slug, or all. `answer()` resets them."""
        answer = Answer(status, delay, hang_up, times, headers or {})
        if slug is None and times is None:
            self._answers.clear()
        self._answers[slug] = [answer] if times is None else [answer, *self._lasting(slug)]

    def current(self, slug: str | None = None) -> Answer:
        """How the next notification is answered."""
        return next(iter(self._answers.get(slug) or self._answers.get(None) or [Answer()]))

    def know(self, slug: str, secret: str) -> None:
        """Judge the partner's notifications by this secret, `whsec_…`, from now on. Raises ValueError for no secret."""
        standard_webhooks.key(secret)
        self._store.put("partner_secret", slug, {"slug": slug, "secret": secret})

    def known(self) -> list[str]:
        """The slugs whose secret is known."""
        return [thing["slug"] for thing in self._store.all("partner_secret")]

    def verdict(self, received: Received) -> Verdict | None:
        """As it was on arrival, or by the secret learned since; None without a secret."""
        if received.signature:
            return Verdict(received.signature)
        thing = self._store.get("partner_secret", received.slug)
        if thing is None:
            return None
        return standard_webhooks.verdict(thing["secret"], received.headers, received.body, received.at)

    async def _receive(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        answer = self._take(slug)
        number = self._received[-1].number + 1 if self._received else 1
        received = Received(
            number=number,
            at=self._clock(),
            slug=slug,
            path=request.url.path,
            headers=dict(request.headers),
            body=await request.body(),
            status=None if answer.hang_up else answer.status,
        )
        received = replace(received, signature=self.verdict(received))
        self._received.append(received)
        self._store.put("partner", str(number), _thing(received), limit=self._keep)
        await asyncio.sleep(answer.delay)
        if answer.hang_up:
            return HangUp()
        if answer.status == 204:
            return Response(status_code=204, headers=answer.headers)
        return JSONResponse({"received": answer.status < 300}, answer.status, answer.headers)

    def _take(self, slug: str) -> Answer:
        key = slug if self._answers.get(slug) else None
        answer = self.current(slug)
        if answer.times is not None:
            left = [replace(answer, times=answer.times - 1)] if answer.times > 1 else []
            self._answers[key] = [*left, *self._lasting(key)]
        return answer

    def _lasting(self, slug: str | None) -> list[Answer]:
        return [answer for answer in self._answers.get(slug, []) if answer.times is None]


def _thing(received: Received) -> Thing:
    # latin-1 gives back the same bytes, whatever they are.
    return asdict(received) | {"body": received.body.decode("latin-1")}


def _received(thing: Thing) -> Received:
    return Received(**thing | {"body": thing["body"].encode("latin-1")})
