"""A client's connection: its subscriptions, and the one task that writes to it while there is something to write."""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from engine import metrics
from engine.execution import Prepared
from engine.masking import refusal_of
from engine.roots import Stream
from engine.streams.callers import Caller
from engine.streams.events import Event, Topic
from errors import DomainError, Limited, Unauthenticated

if TYPE_CHECKING:
    from engine.streams.hub import Hub

ROWS_MOST = 1000  # that wait for one subscription, an event each

log = logging.getLogger("comptoir.streams")


class Left(Exception):
    """The client is gone. No OSError: these come from the database too, and are to be told."""


class Subscription:
    """What somebody follows, and the events that they were not told yet: at most one for a row, in order."""

    __slots__ = ("channel", "failure", "held", "id", "key", "open", "prepared", "stream", "topic", "waiting")

    def __init__(
        self, id: str, channel: "Channel", prepared: Prepared, stream: Stream, topic: Topic, key: object
    ) -> None:
        self.id, self.channel, self.prepared, self.stream, self.topic = id, channel, prepared, stream, topic
        self.key = key  # the same for all who ask the same
        self.waiting: dict[Topic, Event] | None = None
        self.failure: DomainError | None = None
        self.open, self.held = True, True  # held: nothing is told before its beginning is known

    def offer(self, event: Event) -> None:
        """Keep an event to be told; with what waits for the same row, it becomes one."""
        if self.waiting is None:
            self.waiting = {}
        earlier = self.waiting.pop(event.topic, None)
        if earlier:
            metrics.EVENTS_COALESCED.inc()
            event = earlier.then(event)
        self.waiting[event.topic] = event
        if len(self.waiting) > ROWS_MOST:
            self.waiting = None
            metrics.EVENTS_DROPPED.inc(ROWS_MOST)
            self.fail(Limited("Too much happened while you did not read. Resume with the last `cursor`, or read anew."))

    def take(self) -> Event | None:
        """The next event to be told."""
        if self.held or not self.waiting:
            return None
        return self.waiting.pop(next(iter(self.waiting)))

    def fail(self, why: DomainError) -> None:
        """Tell why and end."""
        if self.failure is None:
            self.failure = why
            self.channel.wake(self)


class Channel(ABC):
    """One connection. Its transport receives; events are sent by a task that lasts only while there are any."""

    def __init__(self, hub: "Hub", address: str | None) -> None:
        self.hub, self.address = hub, address
        self.caller: Caller | None = None
        self.person: object = None  # whom the hub counts it for
        self.subscriptions: dict[str, Subscription] = {}
        self._ready: dict[Subscription, None] = {}
        self._writing: asyncio.Task[None] | None = None
        self.sending_since: float | None = None  # by the event loop's clock

    @abstractmethod
    async def send_next(self, id: str, body: str) -> None:
        """One result, as JSON."""

    @abstractmethod
    async def send_error(self, id: str, errors: list[Any]) -> None:
        """Why an operation came to its end."""

    @abstractmethod
    async def send_complete(self, id: str) -> None:
        """An operation came to its end."""

    @abstractmethod
    async def close(self, why: DomainError | None) -> None:
        """End the connection: for want of rights, or since this process leaves (None)."""

    @abstractmethod
    def drop(self) -> None:
        """End the connection without a word."""

    def wake(self, subscription: Subscription) -> None:
        """There is something to be told."""
        self._ready[subscription] = None
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    def sending_for(self, now: float) -> float:
        """Seconds for which the client has not taken what it is sent."""
        return 0 if self.sending_since is None else now - self.sending_since

    def check(self) -> None:
        """End what the caller may not follow any more."""
        assert self.caller is not None
        viewer = self.caller.context.viewer
        for subscription in tuple(self.subscriptions.values()):
            try:
                subscription.stream.gate(self.caller.context)
                if viewer.facts[0] != subscription.topic.tenant:
                    raise Unauthenticated("You are signed in elsewhere now. Connect anew.")
            except DomainError as refusal:
                subscription.fail(refusal)

    def refuse(self, why: DomainError) -> None:
        """The caller is nobody any more."""
        for subscription in tuple(self.subscriptions.values()):
            subscription.fail(why)

    def gone(self) -> None:
        """The connection is no more."""
        for subscription in tuple(self.subscriptions.values()):
            self.hub.end(subscription)
        self._ready.clear()
        if self._writing is not None:
            self._writing.cancel()
        self.hub.left(self)

    async def _write(self) -> None:
        try:
            while self._ready:
                subscription = next(iter(self._ready))
                del self._ready[subscription]
                await self._tell(subscription)
        except Left:
            log.debug("a client left while it was told something")  # whoever receives hears of it too
        except Exception:
            log.exception("a client could not be told what happened")
            self.drop()
        finally:
            self._writing = None

    async def _tell(self, subscription: Subscription) -> None:
        """One event of it, or its end."""
        if not subscription.open:
            return
        if subscription.failure is not None:
            await self._fail(subscription, subscription.failure)
            return
        event = subscription.take()
        if event is None:
            return
        if subscription.waiting:
            self._ready[subscription] = None  # the others have their turn first
        told = await self.hub.told(subscription, event)
        if not subscription.open:
            return
        if subscription.failure is not None:  # meanwhile
            self._ready[subscription] = None
        elif not told.read:
            self.hub.end(subscription)
            await self.send_error(subscription.id, told.errors)
        elif told.seen or subscription.topic.row is not None:
            await self.send_next(subscription.id, told.body)
            metrics.EVENTS_SENT.inc()
            if not told.seen:
                self.hub.end(subscription)
                await self.send_complete(subscription.id)

    async def _fail(self, subscription: Subscription, why: DomainError) -> None:
        self.hub.end(subscription)
        await self.send_error(subscription.id, [refusal_of(why)])
        if isinstance(why, Unauthenticated) and not self.subscriptions:
            await self.close(why)
