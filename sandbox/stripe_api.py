"""Stripe's API over HTTP: the key, the form, the idempotency key, the operation, the JSON."""

import base64
import binascii
import json
from collections import deque
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from sandbox.server import HangUp
from sandbox.stripe_books import Books, Call
from sandbox.stripe_errors import StripeError, failure, forbidden, unauthorized
from sandbox.stripe_faults import Fault, Faults
from sandbox.stripe_idempotency import Answer, Idempotency
from sandbox.stripe_objects import new_id
from sandbox.stripe_operations import Operation, unknown_operation
from sandbox.stripe_params import decode, read

KEPT_REQUESTS = 1_000
NOT_RESTRICTED = "/v1/webhook_endpoints"  # what a restricted key of the sandbox may not


class ApiRequest(NamedTuple):
    """A request received: `form` is the body (or query) as sent, and `params` the same, decoded to nested dicts."""

    id: str
    at: float
    method: str
    path: str
    form: str
    params: dict[str, Any]
    idempotency_key: str | None


class Api:
    def __init__(self, books: Books, faults: Faults, operations: list[Operation]) -> None:
        self.requests: deque[ApiRequest] = deque(maxlen=KEPT_REQUESTS)
        self._books = books
        self._faults = faults
        self._idempotency = Idempotency(books.store, books.wall_clock)
        self.revoked: set[str] = set()
        """Keys that were rolled in the dashboard, and open nothing any more."""
        self._router = Router(
            [
                *(Route(each.path, partial(self._answer, each), methods=[each.method]) for each in operations),
                Route("/v1/{rest:path}", partial(self._answer, None), methods=["GET", "POST", "DELETE"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    async def _answer(self, operation: Operation | None, request: Request) -> Response:
        key = key_of(request.headers.get("authorization", ""))
        call = Call(new_id("req_", 14), request.headers.get("idempotency-key"), public=key.startswith("pk_test_"))
        log_url = f"{self._books.url}/stripe#{call.id}"
        headers = {"Request-Id": call.id or "", "Cache-Control": "no-store"}
        fault = self._faults.take(request.url.path)
        try:
            if key in self.revoked:
                raise unauthorized(f"Expired API Key provided: {key[:8]}****")
            _check_key(key, public=operation is not None and operation.public)
            if key.startswith("rk_test_") and operation and operation.path.startswith(NOT_RESTRICTED):
                raise forbidden(f"The provided key '{key[:8]}****' does not have the required permissions.")
            form = await self._note(request, call, headers)
            if operation is None:
                raise unknown_operation(request.method, request.url.path)
            answer = await self._run(operation, request, form, call, fault)
        except StripeError as error:
            answer = Answer(error.status, error.body(log_url))
        if fault.status is None:
            return HangUp()
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        if answer.status >= 500:
            headers["Stripe-Should-Retry"] = "false"  # the same key would be answered the same
        body = json.dumps(answer.body, indent=2, ensure_ascii=False)
        return Response(body, answer.status, headers, "application/json")

    async def _note(self, request: Request, call: Call, headers: dict[str, str]) -> str:
        """Remember the request, and the API version that it pins, which is echoed. Gives its form."""
        in_query = request.method in ("GET", "DELETE")
        form = request.url.query if in_query else (await request.body()).decode(errors="replace")
        version = request.headers.get("stripe-version")
        if version:
            self._books.api_version = headers["Stripe-Version"] = version
        if call.idempotency_key:
            headers["Idempotency-Key"] = call.idempotency_key
        self.requests.append(
            ApiRequest(
                id=call.id or "",
                at=self._books.wall_clock(),
                method=request.method,
                path=request.url.path,
                form=form,
                params=decode(form),
                idempotency_key=call.idempotency_key,
            )
        )
        return form

    async def _run(self, operation: Operation, request: Request, form: str, call: Call, fault: Fault) -> Answer:
        if fault.refuses:
            raise failure(fault.status or 400)
        params = read(decode(form), operation.accepts)
        execute = partial(self._execute, operation, params, call, request.path_params.get("id", ""), fault)
        if request.method != "POST" or call.idempotency_key is None:
            return await execute()
        fingerprint = json.dumps([request.url.path, sorted(parse_qsl(form, keep_blank_values=True))])
        return await self._idempotency.once(call.idempotency_key, fingerprint, execute)

    async def _execute(self, operation: Operation, params: dict[str, Any], call: Call, id: str, fault: Fault) -> Answer:
        await fault.wait()
        try:
            if fault.breaks:
                raise failure(fault.status or 500)
            found = operation.execute(params, call, id)
            return Answer(200, self._books.expand(found, params.get("expand", [])))
        except StripeError as error:
            return Answer(error.status, error.body(f"{self._books.url}/stripe#{call.id}"))


def key_of(authorization: str) -> str:
    """The key of a Bearer token, or the user name of Basic; empty when there is none."""
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    return key


def _check_key(key: str, *, public: bool) -> None:
    """Raises StripeError unless it is a secret test key; a publishable one will do where the operation is public."""
    if not key:
        raise unauthorized("You did not provide an API key, as a Bearer token or the user name of Basic auth.")
    if key.startswith(("sk_live_", "rk_live_", "pk_live_")):
        raise unauthorized("A live key has no place in a sandbox, and was refused. Use one that begins with sk_test_.")
    if not key.startswith(("sk_test_", "rk_test_", "pk_test_") if public else ("sk_test_", "rk_test_")):
        raise unauthorized(f"Invalid API Key provided: {key[:8]}****")
