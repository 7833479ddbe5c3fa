"""The HTTP front of GraphQL: POST and GET as GraphQL over HTTP says, on bare ASGI, since every request passes here.

| | `application/json` | `application/graphql-response+json` |
| --- | --- | --- |
| executed, errors included | 200 | 200 |
| document or variables refused | 200: old clients read errors from nothing else | 400, or `invalid_status` |
| no GraphQL request, or a mutation by GET | 400, 405, 406, 408, 413, 414, 415 | the same |

`text/event-stream` is for subscriptions (`streams/sse.py`).

Each has the shape of an answer, with a code for every error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.execution import Answer, Asked, Engine
from engine.negotiation import EVENTS, JSON, PAGE, RESPONSE, is_json, media_type
from engine.parameters import Headers, Refusal, asked_of
from engine.trusted import TrustedDocuments

MakeContext = Callable[[HTTPConnection], Awaitable[Any]]
Streams = Callable[[Asked, Scope, Receive, Send], Awaitable[None]]  # raises Refusal while it can

HEADER_MOST = 1000  # bytes of Accept and Content-Type that are looked at; browsers send about 150
PARAMETERS_MOST = 20  # in an address
BODY_SECONDS = 30.0
CHANGES_OF_COOKIES = "comptoir.cookies"  # in the scope: values of Set-Cookie, added to while the operation runs
QUICK_SECONDS = 0.05  # work this short is not worth a watch over its client


class GraphQLApp:
    """An ASGI app.

    `page` answers a GET of someone who likes HTML best (a browser), `streams` whoever wants events, where there are
    such. `body_most` is in bytes, of a body or of the parameters in an address; a body has `body_seconds` to arrive.
    `invalid_status` is what a client of `application/graphql-response+json` is told when a document can be read and the
    schema refuses it, or its variables. `trusted` documents may be asked for by their id; without `texts_by_get` a GET
    asks for nothing else, so that no page can make a browser ask what it likes. A query ends when its client goes away;
    a mutation is finished.
    """

    def __init__(
        self,
        engine: Engine,
        make_context: MakeContext,
        *,
        body_most: int,
        body_seconds: float = BODY_SECONDS,
        page: ASGIApp | None = None,
        streams: Streams | None = None,
        invalid_status: Literal[400, 422] = 400,
        trusted: TrustedDocuments | None = None,
        texts_by_get: bool = True,
    ) -> None:
        self._engine, self._make_context, self._page, self._streams = engine, make_context, page, streams
        self._trusted, self._texts_by_get = trusted or TrustedDocuments(), texts_by_get
        self._body_most, self._body_seconds, self._invalid_status = body_most, body_seconds, invalid_status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        getting = scope["method"] == "GET"
        cookies: list[bytes] = []
        scope[CHANGES_OF_COOKIES] = cookies
        accept, content_type = _headers(scope)
        answered_as = media_type(accept, getting and self._page is not None, self._streams is not None)
        if answered_as == PAGE and self._page is not None:
            await self._page(scope, receive, send)
            return
        try:
            if answered_as is None:
                raise Refusal(406, f"Answers are {RESPONSE} or {JSON}: accept one of them.")
            if getting:
                asked = self._asked_by_address(scope["query_string"])
            else:
                asked = await self._asked_by_body(scope["method"], content_type, receive)
            if answered_as == EVENTS and self._streams is not None:
                scope[CHANGES_OF_COOKIES] = None  # headers go before anything is done
                await self._streams(asked, scope, receive, send)
                return
            answer = await self._answer(asked, scope, receive)
            more = _more(answer, cookies)
            await _send(send, self._status(answer, answered_as), answered_as, answer.body, more)
        except Refusal as refusal:
            refused_as = answered_as if answered_as == RESPONSE else JSON
            await _send(send, refusal.status, refused_as, refusal.body, refusal.headers)
        except Gone:
            return

    def _asked_by_address(self, query_string: bytes) -> Asked:
        if len(query_string) > self._body_most:
            raise Refusal(414, "The address is too long: send this operation with POST.")
        try:
            text = query_string.decode("ascii")
            given: dict[str, Any] = dict(
                parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MOST)
            )
        except ValueError:
            raise Refusal(400, "The address's parameters cannot be read.") from None
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = _read(given[name], f"`{name}` is no JSON.", field=name)
        if "query" in given and not self._texts_by_get:
            raise Refusal(405, "Send this operation with POST.", headers=((b"allow", b"POST"),))
        return asked_of(given, self._trusted)

    async def _asked_by_body(self, method: str, content_type: bytes, receive: Receive) -> Asked:
        if method != "POST":
            raise Refusal(405, "Send GraphQL with POST, or a query with GET.", headers=((b"allow", b"GET, POST"),))
        if not is_json(content_type):
            raise Refusal(415, f"Send the operation as {JSON}, in UTF-8.")
        body = await self._body(receive)
        if not body:
            raise Refusal(400, "The body is empty: it must be a JSON object with a `query`.")
        return asked_of(_read(body, "The body is no JSON."), self._trusted)

    async def _body(self, receive: Receive) -> bytes | bytearray:
        try:
            async with asyncio.timeout(self._body_seconds):
                body, more = await _part(receive)
                if more:
                    body = bytearray(body)  # grows in place
                while more and len(body) <= self._body_most:
                    part, more = await _part(receive)
                    body += part
        except TimeoutError:
            raise Refusal(408, f"The body did not arrive within {self._body_seconds:g} s.") from None
        if len(body) > self._body_most:
            raise Refusal(413, f"The body has more than {self._body_most:,} bytes.")
        return body

    async def _answer(self, asked: Asked, scope: Scope, receive: Receive) -> Answer:
        make_context = partial(self._make_context, HTTPConnection(scope))
        with _Watch(receive, partial(self._only_reads, asked)):
            return await self._engine.answer(asked, make_context, mutations=scope["method"] != "GET")

    def _only_reads(self, asked: Asked) -> bool:
        return self._engine.documents.operation(asked.query, asked.operation_name).kind is OperationType.QUERY

    def _status(self, answer: Answer, answered_as: str) -> int:
        if not answer.allowed:
            return 405
        if answer.executed or answered_as == JSON:
            return 200
        return self._invalid_status if answer.parsed else 400


def _more(answer: Answer, cookies: Sequence[bytes]) -> Headers:
    if answer.retry_after:
        return ((b"retry-after", b"%d" % answer.retry_after),)
    return [(b"set-cookie", value) for value in cookies] if answer.allowed else ((b"allow", b"POST"),)


class Gone(Exception):
    """The client went away before it was answered."""


class _Watch:
    """Ends what is done in the block, with Gone, when the client goes away and `may_end` says so.

    A task that listens costs more than most reads: it is made only once the work has lasted.
    """

    __slots__ = ("_gone", "_listening", "_may_end", "_receive", "_task", "_timer")

    def __init__(self, receive: Receive, may_end: Callable[[], bool]) -> None:
        self._receive, self._may_end = receive, may_end
        self._listening: asyncio.Task[None] | None = None
        self._gone = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = task.get_loop().call_later(QUICK_SECONDS, self._start)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if self._listening is not None:
            self._listening.cancel()
        if self._gone and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise Gone

    def _start(self) -> None:
        if self._may_end():
            self._listening = self._task.get_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # the body was read to its end: what else comes says nothing
        self._gone = True
        self._task.cancel()


async def _part(receive: Receive) -> tuple[bytes | bytearray, bool]:
    """(bytes, whether more will come)."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


def _read(json: str | bytes | bytearray, otherwise: str, *, field: str | None = None) -> Any:
    try:
        return orjson.loads(json)
    except orjson.JSONDecodeError:
        raise Refusal(400, otherwise, field=field) from None


def _headers(scope: Scope) -> tuple[bytes, bytes]:
    """Accept and Content-Type. One that is sent twice is one list, as HTTP has it."""
    accept = content_type = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"content-type":
            content_type = content_type + b"," + value if content_type else value
    return accept[:HEADER_MOST], content_type[:HEADER_MOST]


async def _send(send: Send, status: int, answered_as: str, body: bytes, more: Headers = ()) -> None:
    headers = [*_HEADERS[answered_as], (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# Answers are one person's, tokens among them: nobody keeps them.
_HEADERS = {
    name: (
        (b"content-type", f"{name}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept"),
    )
    for name in (JSON, RESPONSE)
}
