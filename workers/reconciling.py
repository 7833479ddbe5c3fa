"""What Stripe knows is compared with what we know by a clock."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from errors import Disconnected, ProviderError
from services import reconciliation, stripe_accounts
from services.stripe_accounts import Place

log = logging.getLogger("comptoir.workers")

LOOK_EVERY = 300.0  # seconds: whether an hour is over
FIRST = 60.0  # seconds after the start at most, one worker not with the other


@asynccontextmanager
async def clock(first: float = FIRST) -> AsyncIterator[None]:
    """Reconciles while the block runs, from `first` seconds on at the latest. Several workers may: one of them does."""
    reconciling = asyncio.create_task(_reconcile(first))
    try:
        yield
    finally:
        reconciling.cancel()
        with suppress(asyncio.CancelledError):
            await reconciling


async def compare(place: Place) -> None:
    """One account; whatever is wrong with it holds up no other."""
    try:
        await reconciliation.reconcile(place, only_if_due=True)
    except Disconnected as error:
        await stripe_accounts.note_refused(place)
        log.warning("Stripe refuses the key of account %s: %s", place.account, error)
    except ProviderError as error:
        log.warning("Stripe account %s could not be asked what is missing; it is asked again: %s", place.account, error)
    except Exception:
        log.exception("what Stripe account %s knows could not be compared with what we know", place.account)


async def _reconcile(first: float) -> None:
    await asyncio.sleep(random.uniform(first / 2, first))  # noqa: S311
    while True:
        try:
            places = await reconciliation.places()
        except Exception:
            log.exception("which accounts are to be compared could not be read")
            places = []
        for place in places:
            await compare(place)
        await asyncio.sleep(LOOK_EVERY)
