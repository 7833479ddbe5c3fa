"""Integrations are tried by a clock: a few of each provider at once, so that one that is dead delays no other."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from models import Integration
from services import integration_checks

log = logging.getLogger("comptoir.workers")

WIDTH = 3  # of a provider, under way
LOOK_EVERY = 20.0  # seconds
FIRST = 10.0  # seconds after the start at most, one worker not with the other


@asynccontextmanager
async def clock(first: float = FIRST) -> AsyncIterator[None]:
    """Tries what is due while the block runs. Several workers may."""
    checks = Checks()
    checking = asyncio.create_task(checks.run(first))
    try:
        yield
    finally:
        for task in (checking, *checks.under_way):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await checking


class Checks:
    """Those of one worker."""

    def __init__(self) -> None:
        self.under_way: dict[asyncio.Task[None], str] = {}

    async def run(self, first: float) -> None:
        await asyncio.sleep(random.uniform(first / 2, first))  # noqa: S311
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("it could not be seen which integrations are to be tried")
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Begin what is due, of each provider as much as there is room for."""
        busy = Counter(self.under_way.values())
        for key in integration_checks.providers():
            if (room := WIDTH - busy[key]) > 0:
                for integration in await integration_checks.claim(key, room):
                    task = asyncio.create_task(_try(integration))
                    self.under_way[task] = key
                    task.add_done_callback(self.under_way.pop)


async def _try(integration: Integration) -> None:
    try:
        await integration_checks.check(integration, "a check by the clock")
    except Exception:
        log.exception("integration %s (%s) could not be tried", integration.id, integration.provider)
