"""Tells partners: leases endpoints that something is due to, and tells so many at once, each a round at a time."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime

from services import deliveries

log = logging.getLogger("comptoir.lanes")

WIDTH = 20  # endpoints
LOOK_EVERY = 5.0  # seconds: a lost wake-up costs no more
CLOCKS = 0.05  # seconds by which PostgreSQL's may be late


class Deliveries:
    """Those of one worker."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.under_way: set[asyncio.Task[datetime | None]] = set()

    async def run(self) -> None:
        while True:
            self.woken.clear()
            await self._take()
            await self._pause()

    async def _take(self) -> None:
        room = WIDTH - len(self.under_way)
        if room == 0:
            return
        try:
            leased = await deliveries.claim(room)
        except Exception:
            log.exception("it could not be seen which partners are to be told")
            return
        for endpoint in leased:
            task = asyncio.create_task(deliveries.tell(endpoint))
            self.under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[datetime | None]") -> None:
        """There may be more to tell: now, or once the endpoint is held no longer."""
        self.under_way.discard(task)
        self.woken.set()
        if task.cancelled():
            return
        if error := task.exception():
            log.error("what a partner was told could not be written down; the lease will end", exc_info=error)
        elif held_until := task.result():
            delay = (held_until - datetime.now(UTC)).total_seconds() + CLOCKS
            if delay < LOOK_EVERY:
                asyncio.get_running_loop().call_later(max(0.0, delay), self.woken.set)

    async def _pause(self) -> None:
        """Until woken, or it is time to look again."""
        with suppress(TimeoutError):  # of Python 3.11, `wait_for` would forget that it was cancelled while woken
            async with asyncio.timeout(LOOK_EVERY):
                await self.woken.wait()
