"""What is kept for a while is deleted by a clock."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services import changes

log = logging.getLogger("comptoir.workers")

LOOK_EVERY = 600.0  # seconds


@asynccontextmanager
async def clock() -> AsyncIterator[None]:
    """Forgets while the block runs. Several workers may."""
    forgetting = asyncio.create_task(_forget())
    try:
        yield
    finally:
        forgetting.cancel()
        with suppress(asyncio.CancelledError):
            await forgetting


async def _forget() -> None:
    while True:
        try:
            while await changes.forget():
                await asyncio.sleep(0.1)  # others want the disk too
        except Exception:
            log.exception("old changes could not be deleted")
        await asyncio.sleep(LOOK_EVERY)
