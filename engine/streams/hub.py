"""Who follows what, in this process; what happened is read from the log once for all of them."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import get_argument_values
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from starlette.requests import HTTPConnection

from engine import metrics
from engine.execution import Engine, Prepared
from engine.roots import STREAMS, Stream
from engine.streams.callers import Caller, MakeContext, check_all, credentials
from engine.streams.channel import Channel, Left, Subscription
from engine.streams.events import Event, Log, Topic, together
from errors import Invalid, Limited, Unreachable

LOOK_EVERY = 1.0  # seconds: a wake-up that is lost costs no more
LOOK_AGAIN = 0.05  # seconds, where a transaction that is still open holds news back
GATHERED = 0.02  # seconds in which wake-ups count as one
ROUND_SECONDS = 3.0  # in which each caller is looked up again
AGAIN_AFTER = 2.0  # seconds, where the database was away
READS_AT_ONCE = 8
SHARED_MOST, SHARED_SECONDS = 512, 1.0  # what was read of an event, for others who ask the same

log = logging.getLogger("comptoir.streams")


@dataclass(frozen=True)
class Bounds:
    """Connections at most: of this process, of one address, of one person or key. `sending`: seconds that a client has
    to take what it is sent."""

    process: int = 10_000
    address: int = 1_000
    person: int = 100
    sending: float = 30.0


@dataclass(slots=True)
class Told:
    """What a subscription is told of an event. `read`: it could be; `seen`: the caller sees the row."""

    event: Event
    at: float = 0  # when it was read, by the event loop's clock
    body: str = ""
    read: bool = True
    seen: bool = True

    @property
    def errors(self) -> list[Any]:
        """Why it could not be read."""
        found: list[Any] = orjson.loads(self.body)["errors"]
        return found


class Hub:
    """All connections of a process. Follows the log while there is a subscription."""

    def __init__(self, engine: Engine, log: Log, make_context: MakeContext, bounds: Bounds = Bounds()) -> None:
        self.engine, self._log, self._make_context, self._bounds = engine, log, make_context, bounds
        self._followers: dict[Topic, dict[Subscription, None]] = {}
        self._channels: dict[Channel, None] = {}
        self._callers: dict[Any, Caller] = {}
        self._addresses: Counter[Hashable] = Counter()
        self._persons: Counter[Hashable] = Counter()
        self._reading: dict[Hashable, asyncio.Task[Told]] = {}
        self._told: OrderedDict[Hashable, Told] = OrderedDict()  # what was read just now
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._starting = asyncio.Lock()
        self._position: Any = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving = False

    # Connections

    def enter(self, channel: Channel) -> None:
        """Let a connection in; `left` is its end. Raises Unreachable where the process is full or leaves, and Limited
        for too many from one address."""
        if self._leaving or len(self._channels) >= self._bounds.process:
            raise Unreachable("There is no room for another connection here. Try again in a few seconds.")
        if self._addresses[channel.address] >= self._bounds.address:
            raise Limited(f"At most {self._bounds.address} connections are open from one address. Close some.")
        self._channels[channel] = None
        self._addresses[channel.address] += 1
        metrics.STREAMS_OPEN.inc()

    async def identify(self, channel: Channel, connection: HTTPConnection) -> Caller:
        """Who is behind a connection. Raises DomainError for who is refused, and Limited for too many of one person."""
        key = credentials(connection.scope)
        caller = self._callers.get(key) or Caller(key, self._make_context, connection)
        await caller.look_up()
        caller = self._callers.setdefault(key, caller)
        person = caller.person
        if person is not None and self._persons[person] >= self._bounds.person:
            raise Limited(f"At most {self._bounds.person} connections are open for one person or key. Close some.")
        self._persons[person] += 1
        caller.channels.add(channel)
        channel.caller, channel.person = caller, person
        return caller

    def left(self, channel: Channel) -> None:
        if channel not in self._channels:
            return
        del self._channels[channel]
        _one_less(self._addresses, channel.address)
        if channel.caller is not None:
            _one_less(self._persons, channel.person)
            channel.caller.channels.discard(channel)
            if not channel.caller.channels:
                self._callers.pop(channel.caller.key, None)
        metrics.STREAMS_OPEN.dec()

    def leave(self) -> None:
        """Close all connections, since this process ends; clients come again elsewhere."""
        self._leaving = True
        for channel in tuple(self._channels):
            self._keep(_unless_gone(channel.close(None)))

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Subscriptions

    async def open(self, id: str, channel: Channel, prepared: Prepared) -> None:
        """Begin to follow. Raises DomainError for what may not be followed."""
        assert channel.caller is not None
        context = await channel.caller.look_up()
        await self.engine.admit(prepared.operation, context)
        stream, arguments = self._asked(prepared)
        stream.gate(context)
        topic = await stream.topic(context, arguments.get("id"))
        key = prepared.operation, orjson.dumps(prepared.given, option=orjson.OPT_SORT_KEYS)
        subscription = Subscription(id, channel, prepared, stream, topic, key)
        await self._started()
        self._add(subscription)
        after = arguments.get("after")
        if after is None:
            subscription.offer(Event(topic, (), self._position))
        else:
            await self._resume(subscription, after)
        subscription.held = False
        channel.wake(subscription)

    def end(self, subscription: Subscription) -> None:
        """Follow no longer."""
        if not subscription.open:
            return
        subscription.open, subscription.waiting = False, None
        subscription.channel.subscriptions.pop(subscription.id, None)
        followers = self._followers[subscription.topic]
        del followers[subscription]
        if not followers:
            del self._followers[subscription.topic]
        metrics.SUBSCRIPTIONS_OPEN.dec()

    async def told(self, subscription: Subscription, event: Event) -> Told:
        """What a subscription is told of an event: read once for all who asked the same and see the same."""
        assert subscription.channel.caller is not None
        context = subscription.channel.caller.context
        key = _key(subscription, event)
        told = self._told.get(key)
        if told is not None and asyncio.get_running_loop().time() - told.at < SHARED_SECONDS:
            return told
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(key, subscription.prepared, context, event))
        return await asyncio.shield(reading)

    async def _read(self, key: Hashable, prepared: Prepared, context: Any, event: Event) -> Told:
        told = Told(event)
        try:
            async with self._reads:
                told.at = asyncio.get_running_loop().time()
                body, told.read = await self.engine.event(prepared, context, told)
        finally:
            del self._reading[key]
        told.body = body.decode()
        self._told.pop(key, None)
        self._told[key] = told
        if len(self._told) > SHARED_MOST:
            self._told.popitem(last=False)
        return told

    def _asked(self, prepared: Prepared) -> tuple[Stream, dict[str, Any]]:
        """The root field and its arguments."""
        schema, operation = self.engine.schema, prepared.operation
        assert schema.subscription_type is not None
        fragments = {name: FragmentDetails(node) for name, node in operation.fragments.items()}
        fields = collect_fields(
            schema, fragments, prepared.values, schema.subscription_type, operation.node
        ).grouped_field_set
        node = next(iter(fields.values()))[0].node if fields else None
        if node is None or node.name.value not in STREAMS:
            raise Invalid("A subscription asks for one of the fields of `Subscription`.")
        field = schema.subscription_type.fields[node.name.value]
        return STREAMS[node.name.value], get_argument_values(field, node, prepared.values)

    def _add(self, subscription: Subscription) -> None:
        self._followers.setdefault(subscription.topic, {})[subscription] = None
        subscription.channel.subscriptions[subscription.id] = subscription
        metrics.SUBSCRIPTIONS_OPEN.inc()

    async def _resume(self, subscription: Subscription, after: str) -> None:
        """What was missed, before what came meanwhile."""
        try:
            missed = await self._log.missed(subscription.topic, after)
            assert subscription.channel.caller is not None
            context = subscription.channel.caller.context
            seen = await subscription.stream.seen(context, {event.topic.row for event in missed})
        except BaseException:
            self.end(subscription)
            raise
        visible = [event for event in missed if event.topic.row in seen or subscription.topic.row is not None]
        came = list((subscription.waiting or {}).values())
        subscription.waiting = None
        heard = [event for each in visible if (event := _heard(subscription, each))]
        for event in together(sorted([*heard, *came], key=lambda event: event.position)).values():
            subscription.offer(event)

    # The log

    async def _started(self) -> None:
        """The log is followed, from now on."""
        async with self._starting:
            if self._position is None:
                self._position = await self._log.horizon()
                self._keep(self._follow())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self) -> None:
        """Read the log while anybody is connected."""
        rounds = asyncio.create_task(self._go_round())
        try:
            while self._channels:
                pause = await self._look()
                await self._log.wait(pause)
                await asyncio.sleep(GATHERED)
        finally:
            self._position = None
            rounds.cancel()

    async def _look(self) -> float:
        """Hand on what is new; in how many seconds to look again, unless woken."""
        try:
            news = await self._log.since(self._position)
            if news.rights:  # before anything is told that came with it
                await check_all(
                    caller
                    for caller in tuple(self._callers.values())
                    if None in news.rights or caller.context.viewer.facts[0] in news.rights
                )
        except Exception:  # the position stands: nothing is lost
            log.warning("changes could not be read; trying again in %g s", AGAIN_AFTER, exc_info=True)
            return AGAIN_AFTER
        self._position = news.position
        self._hand_on(news.events)
        if news.more:
            return 0
        return LOOK_AGAIN if news.held else LOOK_EVERY

    def _hand_on(self, events: tuple[Event, ...]) -> None:
        """Each event to its followers; those who will be told the same are woken once it is read. Who has more to be
        told was woken before: nobody is twice."""
        for event in together(list(events)).values():
            alike: dict[Hashable, tuple[Event, list[Subscription]]] = {}
            for topic in (event.topic, event.topic.all):
                for subscription in self._followers.get(topic, ()):
                    heard = _heard(subscription, event)
                    if heard is None:
                        continue
                    if not subscription.waiting:
                        alike.setdefault(_key(subscription, heard), (heard, []))[1].append(subscription)
                    subscription.offer(heard)
            for heard, subscriptions in alike.values():
                self._keep(self._wake(subscriptions, heard))

    async def _wake(self, subscriptions: list[Subscription], event: Event) -> None:
        await self.told(subscriptions[0], event)
        for subscription in subscriptions:
            subscription.channel.wake(subscription)

    async def _go_round(self) -> None:
        """Tokens and keys expire without a word; clients stop reading without one."""
        while True:
            now = asyncio.get_running_loop().time()
            for channel in [each for each in self._channels if each.sending_for(now) > self._bounds.sending]:
                channel.drop()
            callers = tuple(self._callers.values())
            await check_all(callers, ROUND_SECONDS)
            await asyncio.sleep(0 if callers else ROUND_SECONDS)


def _heard(subscription: Subscription, event: Event) -> Event | None:
    """What its caller is told of an event; None for nothing."""
    assert subscription.channel.caller is not None
    unheard = subscription.channel.caller.context.viewer.unheard
    if unheard.isdisjoint(event.happened):
        return event
    happened = tuple(each for each in event.happened if each not in unheard)
    return event._replace(happened=happened) if happened else None


def _key(subscription: Subscription, event: Event) -> Hashable:
    """The same for all who are told the same."""
    assert subscription.channel.caller is not None
    viewer = subscription.channel.caller.context.viewer
    return subscription.key, viewer.kind, viewer.sees_like, event


def _one_less(counter: Counter[Hashable], of: Hashable) -> None:
    counter[of] -= 1
    if not counter[of]:
        del counter[of]


async def _unless_gone(closing: Coroutine[Any, Any, None]) -> None:
    with suppress(Left):
        await closing
