"""Events carried to the webhook endpoints: signed, and again until each answers 2xx; or held, or lost, on request."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable

import httpx

from sandbox import stripe_endpoints as endpoints
from sandbox.store import Store, Thing
from sandbox.stripe_endpoints import Target
from sandbox.stripe_objects import Object

ATTEMPTS = 20
LONGEST_WAIT = 60.0
TIMEOUT = 10.0
AT_ONCE = 10
KEPT_ATTEMPTS = 50


class Courier:
    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        url: str | None,
        secret: str,
        transport: httpx.AsyncBaseTransport | None,
        first_retry: float,
    ) -> None:
        self.url = url
        self.secret = secret
        self.hold = url is None
        """Keep events, deliver nothing by itself."""
        self.to_lose = 0
        """So many of the next events are never delivered by themselves; the list of events has them."""
        self._store = store
        self._clock = clock
        self._first_retry = first_retry
        self._client = httpx.AsyncClient(transport=transport, timeout=TIMEOUT, trust_env=False)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._carrying: set[asyncio.Task[None]] = set()

    def send(self, events: list[Object]) -> None:
        """Carry new events by itself, in the background, unless they are held."""
        for event in events:
            targets = self._targets(event)
            carried = not self.hold and not self.to_lose
            self.to_lose = max(self.to_lose - 1, 0)
            self._store.put("event", event["id"], event | {"pending_webhooks": max(len(targets), 1)})
            self._store.put("delivery", event["id"], {"id": event["id"], "pending": False, "attempts": []})
            for target in targets:
                self._store.put("delivery", target.id, {"id": target.id, "pending": carried, "attempts": []})
                if carried:
                    self._carry_on(event, target)

    def resume(self) -> None:
        """Carry what an earlier run did not get delivered."""
        for delivery in self._store.all("delivery", [("pending", "=", True)]):
            event = self._store.get("event", delivery["id"].partition(" ")[0])
            for target in self._targets(event) if event and not self.hold else []:
                if event and target.id == delivery["id"]:
                    self._carry_on(event, target)

    async def deliver(self, event: Object, copies: int = 1) -> list[httpx.Response | httpx.HTTPError]:
        """Post the event to the sandbox's own address now, that many times at once; answers and failures in no
        particular order."""
        if self.url is None:
            raise ValueError("No webhook address: give the sandbox a webhook_url.")
        target = Target(event["id"], self.url, self.secret)
        return await asyncio.gather(*(self._attempt(event, target) for _ in range(copies)))

    def sign(self, body: bytes, timestamp: int | None = None, secret: str | None = None) -> str:
        """The value of `Stripe-Signature` for a body."""
        at = int(self._clock()) if timestamp is None else timestamp
        key = (self.secret if secret is None else secret).encode()
        return f"t={at},v1={hmac.new(key, b'%d.%s' % (at, body), hashlib.sha256).hexdigest()}"

    def delivery(self, event_id: str) -> Thing:
        """`{pending, attempts: [{at, status, error}]}`"""
        return self._store.get("delivery", event_id) or {"id": event_id, "pending": False, "attempts": []}

    async def settled(self) -> None:
        """Wait until each event sent by itself was taken or given up."""
        while waiting := [task for task in self._carrying if not task.done()]:
            await asyncio.wait(waiting)

    async def close(self) -> None:
        for task in self._carrying:
            task.cancel()
        results = await asyncio.gather(*self._carrying, return_exceptions=True)
        await self._client.aclose()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _targets(self, event: Object) -> list[Target]:
        """The sandbox's own address, and the endpoints that were made by the API."""
        ours = [Target(event["id"], self.url, self.secret)] if self.url else []
        return ours + endpoints.targets(self._store, event)

    def _carry_on(self, event: Object, target: Target) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(event, target))
        self._carrying.add(task)
        task.add_done_callback(lambda done: self._carrying.discard(done) if not _failed(done) else None)

    async def _carry(self, event: Object, target: Target) -> None:
        for number in range(ATTEMPTS):
            if number:
                await asyncio.sleep(min(self._first_retry * 2 ** (number - 1), LONGEST_WAIT))
                if not self.delivery(target.id)["pending"]:
                    return  # delivered by hand meanwhile
            async with self._slots:
                answer = await self._attempt(event, target)
            if isinstance(answer, httpx.Response) and answer.is_success:
                return
        self._store.put("delivery", target.id, self.delivery(target.id) | {"pending": False})

    async def _attempt(self, event: Object, target: Target) -> httpx.Response | httpx.HTTPError:
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": self.sign(body, secret=target.secret),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        answer: httpx.Response | httpx.HTTPError
        try:
            answer = await self._client.post(target.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            answer = error
        self._note(event["id"], target.id, answer)
        return answer

    def _note(self, event_id: str, id: str, answer: httpx.Response | httpx.HTTPError) -> None:
        delivery = self.delivery(id)
        attempt: Thing = {"at": self._clock(), "status": None, "error": None}
        if isinstance(answer, httpx.Response):
            attempt["status"] = answer.status_code
            if answer.is_success and not any(200 <= (each["status"] or 0) < 300 for each in delivery["attempts"]):
                self._count_off(event_id)
            delivery["pending"] &= not answer.is_success
        else:
            attempt["error"] = str(answer) or type(answer).__name__
        delivery["attempts"] = [*delivery["attempts"], attempt][-KEPT_ATTEMPTS:]
        self._store.put("delivery", id, delivery)

    def _count_off(self, event_id: str) -> None:
        """An event that was taken is awaited by one endpoint less."""
        if event := self._store.get("event", event_id):
            self._store.put("event", event_id, event | {"pending_webhooks": max(event["pending_webhooks"] - 1, 0)})


def _failed(task: asyncio.Task[None]) -> bool:
    """Kept until `close`, which raises what went wrong."""
    return not task.cancelled() and task.exception() is not None
