"""Lanes: each claims its own promises and keeps so many at once, so that a slow one delays no other."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from models import Lane, Promise
from services import (
    account_letters,
    asking,
    bilan_agreements,
    bilan_letters,
    booking_letters,
    booking_reminders,
    calendar_alerts,
    calendar_changes,
    calendar_push,
    cancellations,
    catalogue_sync,
    client_imports,
    consents,
    data_exports,
    document_letters,
    dunning,
    erasures,
    exports,
    holds,
    inbox,
    integration_health,
    invoice_archive,
    invoices,
    keeping,
    notifications,
    oauth_letters,
    opportunity_orders,
    pack_refunds,
    partner_alerts,
    quality_export,
    quote_papers,
    quotes,
    refunds,
    reminders,
    replays,
    sales,
    stored_files,
    stripe_connecting,
    stripe_traces,
    surveys,
    telling,
    ticket_letters,
)
from workers.deliveries import Deliveries
from workers.polling import Polling

log = logging.getLogger("comptoir.lanes")

AREAS = (
    account_letters,
    asking,
    bilan_agreements,
    bilan_letters,
    booking_letters,
    booking_reminders,
    calendar_alerts,
    calendar_changes,
    calendar_push,
    cancellations,
    catalogue_sync,
    client_imports,
    consents,
    data_exports,
    document_letters,
    dunning,
    erasures,
    exports,
    holds,
    inbox,
    integration_health,
    invoice_archive,
    invoices,
    notifications,
    oauth_letters,
    opportunity_orders,
    pack_refunds,
    partner_alerts,
    quality_export,
    quote_papers,
    quotes,
    refunds,
    reminders,
    replays,
    sales,
    stored_files,
    stripe_connecting,
    stripe_traces,
    surveys,
    telling,
    ticket_letters,
)  # importing them declares their jobs

WIDTHS = {Lane.EVENTS: 8, Lane.RENDER: 2, Lane.MAIL: 4, Lane.DELIVER: 20, Lane.SYNC: 8}
# Taken beside those under way, where a job is so short that asking for each by itself would take as long.
AHEAD = {Lane.EVENTS: 24}
LOOK_EVERY = 5.0  # seconds: a lost wake-up costs no more
HEARTBEAT = 5.0  # seconds, a third of a lease
GRACE = 8.0  # seconds for what is under way when the worker stops


class Lanes:
    """All lanes of one worker, each as wide as it is told, what tells partners, and what reads calendars."""

    def __init__(self, widths: Mapping[Lane, int] = WIDTHS) -> None:
        self._deliveries, self._polling = Deliveries(), Polling()
        self._lanes = {lane: _Lane(lane, width, AHEAD.get(lane, 0)) for lane, width in widths.items()}
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loops = [lane.run() for lane in self._lanes.values()]
        if Lane.DELIVER in self._lanes:
            loops.append(self._deliveries.run())
        if Lane.SYNC in self._lanes:
            loops.append(self._polling.run())
        self._loops = [asyncio.create_task(loop) for loop in (*loops, self._heartbeat())]

    def wake(self, lane: Lane) -> None:
        self._lanes[lane].woken.set()
        if lane is Lane.DELIVER:
            self._deliveries.woken.set()

    async def stop(self) -> None:
        """Take nothing more, give what is under way a moment; what is left is free when its lease ends."""
        for loop in self._loops:
            loop.cancel()
        await self._give_back()
        under_way: list[asyncio.Task[Any]] = [*self._deliveries.under_way, *self._polling.under_way]
        under_way += [task for lane in self._lanes.values() for task in lane.under_way]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=GRACE)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._loops, *under_way, return_exceptions=True)

    async def _give_back(self) -> None:
        """What was not begun is free at once."""
        tokens = {token for lane in self._lanes.values() for token in lane.put_away()}
        if tokens:
            try:
                await keeping.give_back(tokens)
            except Exception:
                log.exception("what was not begun could not be given back; its leases will end")

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            held = {token for lane in self._lanes.values() for token in lane.held}
            if held:
                try:
                    await keeping.extend(held)
                except Exception:
                    log.exception("the leases could not be extended")


class _Lane:
    def __init__(self, lane: Lane, width: int, ahead: int) -> None:
        self._lane, self._width, self._ahead = lane, width, ahead
        self.woken = asyncio.Event()
        self.under_way: dict[asyncio.Task[None], UUID] = {}
        self._waiting: deque[Promise] = deque()  # leased, not begun

    @property
    def held(self) -> set[UUID]:
        """The tokens of all that it has."""
        return {*self.under_way.values(), *map(_token, self._waiting)}

    def put_away(self) -> set[UUID]:
        """Forget what was not begun; its tokens."""
        tokens = set(map(_token, self._waiting))
        self._waiting.clear()
        return tokens

    async def run(self) -> None:
        while True:
            self.woken.clear()
            await self._take()
            await self._pause()

    async def _take(self) -> None:
        if self._is_full:
            return
        room = self._width + self._ahead - len(self.under_way) - len(self._waiting)
        try:
            leased = await keeping.claim(self._lane, room)
        except Exception:
            log.exception("lane %s could not look for work", self._lane)
            return
        self._waiting += leased
        self._begin()
        if len(leased) == room:
            self.woken.set()  # there may be more

    @property
    def _is_full(self) -> bool:
        return len(self.under_way) == self._width and len(self._waiting) >= self._ahead / 2

    def _begin(self) -> None:
        while self._waiting and len(self.under_way) < self._width:
            promise = self._waiting.popleft()
            task = asyncio.create_task(keeping.keep(promise))
            self.under_way[task] = _token(promise)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self.under_way[task]
        self._begin()
        if not self._is_full:
            self.woken.set()
        if not task.cancelled() and task.exception():
            log.error("a promise could not be written down; its lease will end", exc_info=task.exception())

    async def _pause(self) -> None:
        """Until woken, or it is time to look again; while full, until something ends."""
        if self._is_full:
            await asyncio.wait(self.under_way, return_when=asyncio.FIRST_COMPLETED)
            return
        with suppress(TimeoutError):  # of Python 3.11, `wait_for` would forget that it was cancelled while woken
            async with asyncio.timeout(LOOK_EVERY):
                await self.woken.wait()


def _token(promise: Promise) -> UUID:
    assert promise.token is not None
    return promise.token
