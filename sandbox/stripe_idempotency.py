"""Idempotency keys as Stripe honours them.

The answer of any request that began to execute is kept for its key, errors and 500s included, and replayed. What was
refused before executing (bad parameters, too many requests) is not kept. The same key with other parameters is refused.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sandbox.store import Store
from sandbox.stripe_errors import StripeError

LIFETIME = 24 * 3600


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]
    replayed: bool = False


class Idempotency:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._running: set[str] = set()

    async def once(self, key: str, request: str, execute: Callable[[], Awaitable[Answer]]) -> Answer:
        """The stored answer for this key, or that of `execute`. `request` is the path and parameters, as text."""
        if not 0 < len(key) <= 255:
            raise StripeError("Idempotency keys have 1 to 255 characters.", type="idempotency_error")
        saved = self._store.get("idempotency", key)
        if saved and saved["at"] > self._clock() - LIFETIME:
            if saved["request"] != request:
                raise StripeError(
                    f"The key '{key}' was first used with other parameters. Another request takes another key.",
                    type="idempotency_error",
                )
            return Answer(saved["status"], saved["body"], replayed=True)
        if key in self._running:
            raise StripeError(
                f"Another request with the key '{key}' is still being executed.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
        self._running.add(key)
        try:
            answer = await execute()
            kept = {"request": request, "at": self._clock(), "status": answer.status, "body": answer.body}
            self._store.put("idempotency", key, kept)
            return answer
        finally:
            self._running.discard(key)
