"""Reads calendars that are due: leases some, opens each access once for its own, and reads so many at once."""

import asyncio
import logging
from contextlib import suppress

from services import calendar_polling

log = logging.getLogger("comptoir.lanes")

WIDTH = 12  # accesses that are read at once: fewer than Google's client has threads, so that what is pushed finds some
CLAIMED = 60  # calendars at once
LOOK_EVERY = 2.0  # seconds


class Polling:
    """That of one worker."""

    def __init__(self) -> None:
        self.under_way: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        while True:
            self._ended.clear()
            if not await self.look():
                await self._pause()

    async def look(self) -> bool:
        """Begin to read what is due, where there is room; whether there may be more."""
        if len(self.under_way) >= WIDTH:
            return False
        try:
            calendars = await calendar_polling.claim(CLAIMED)
        except Exception:
            log.exception("it could not be seen which calendars are due")
            return False
        for access, theirs in calendar_polling.by_access(calendars).items():
            task = asyncio.create_task(calendar_polling.poll_all(access, theirs))
            self.under_way.add(task)
            task.add_done_callback(self._end)
        return len(calendars) == CLAIMED

    def _end(self, task: "asyncio.Task[None]") -> None:
        self.under_way.discard(task)
        self._ended.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("what was read of calendars could not be written down; the lease will end", exc_info=error)

    async def _pause(self) -> None:
        """Until it is time to look again; while full, until something ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if len(self.under_way) >= WIDTH else LOOK_EVERY):
                await self._ended.wait()
