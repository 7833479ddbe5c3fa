"""What is kept for a while is deleted by a clock."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services import retention

log = logging.getLogger("comptoir.workers")

LOOK_EVERY = 600.0  # seconds
AGAIN_AFTER = 0.1  # seconds, while there is more: others want the disk too


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
        more = False
        try:
            more = await retention.forget() > 0
        except Exception:
            log.exception("what is too old could not be deleted")
        await asyncio.sleep(AGAIN_AFTER if more else LOOK_EVERY)
