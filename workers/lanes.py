"""Lanes: each claims its own promises and keeps so many at once, so that a slow one delays no other."""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

from models import Lane, Promise
from services import (
    account_letters,
    asking,
    catalogue_sync,
    inbox,
    invoices,
    notifications,
    outbox,
    partner_alerts,
    reminders,
    sales,
    telling,
)
from workers.deliveries import Deliveries

log = logging.getLogger("comptoir.lanes")

AREAS = (
    account_letters,
    asking,
    catalogue_sync,
    inbox,
    invoices,
    notifications,
    partner_alerts,
    reminders,
    sales,
    telling,
)  # importing them declares their jobs

WIDTHS = {Lane.EVENTS: 8, Lane.RENDER: 2, Lane.MAIL: 4, Lane.DELIVER: 20, Lane.SYNC: 8}
LOOK_EVERY = 5.0  # seconds: a lost wake-up costs no more
HEARTBEAT = 5.0  # seconds, a third of a lease
GRACE = 8.0  # seconds for what is under way when the worker stops


class Lanes:
    """All lanes of one worker, and what tells partners."""

    def __init__(self) -> None:
        self._deliveries = Deliveries()
        self._lanes = {lane: _Lane(lane, width) for lane, width in WIDTHS.items()}
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        loops = [lane.run() for lane in self._lanes.values()]
        self._loops = [asyncio.create_task(loop) for loop in (*loops, self._deliveries.run(), self._heartbeat())]

    def wake(self, lane: Lane) -> None:
        self._lanes[lane].woken.set()
        if lane is Lane.DELIVER:
            self._deliveries.woken.set()

    async def stop(self) -> None:
        """Take nothing more, give what is under way a moment; what is left is free when its lease ends."""
        for loop in self._loops:
            loop.cancel()
        under_way: list[asyncio.Task[Any]] = [*self._deliveries.under_way]
        under_way += [task for lane in self._lanes.values() for task in lane.under_way]
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=GRACE)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._loops, *under_way, return_exceptions=True)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            held = {token for lane in self._lanes.values() for token in lane.under_way.values()}
            if held:
                try:
                    await outbox.extend(held)
                except Exception:
                    log.exception("the leases could not be extended")


class _Lane:
    def __init__(self, lane: Lane, width: int) -> None:
        self._lane, self._width = lane, width
        self.woken = asyncio.Event()
        self.under_way: dict[asyncio.Task[None], UUID] = {}

    async def run(self) -> None:
        while True:
            self.woken.clear()
            await self._take()
            await self._pause()

    async def _take(self) -> None:
        room = self._width - len(self.under_way)
        if room == 0:
            return
        try:
            leased = await outbox.claim(self._lane, room)
        except Exception:
            log.exception("lane %s could not look for work", self._lane)
            return
        for promise in leased:
            self._begin(promise)
        if len(leased) == room:
            self.woken.set()  # there may be more

    def _begin(self, promise: Promise) -> None:
        assert promise.token is not None
        task = asyncio.create_task(outbox.keep(promise))
        self.under_way[task] = promise.token
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self.under_way[task]
        self.woken.set()
        if not task.cancelled() and task.exception():
            log.error("a promise could not be written down; its lease will end", exc_info=task.exception())

    async def _pause(self) -> None:
        """Until woken, or it is time to look again; while full, until something ends."""
        if len(self.under_way) == self._width:
            await asyncio.wait(self.under_way, return_when=asyncio.FIRST_COMPLETED)
            return
        with suppress(TimeoutError):  # of Python 3.11, `wait_for` would forget that it was cancelled while woken
            async with asyncio.timeout(LOOK_EVERY):
                await self.woken.wait()
