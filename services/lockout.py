"""Guessing is slowed down, and nobody is locked out by another's guesses.

What is guessed at (`what`: a password, a code) is counted by who is guessed at and from where, whether that account is
there or not. A place is an address; one from which somebody proved who they are is known for them.

| counted | whose attempts |
| --- | --- |
| of a place at an account | 5 in a quarter of an hour, then one in 3 minutes, in 12, in 72 |
| of a place at all accounts | 100 in an hour |
| of all places together at an account | 50 in an hour |

A place that is known for an account is held to the first alone: whoever else tries, from wherever else, its owner gets
in from where they did before. Each attempt is counted before it is made, so that many at once are many, and what
succeeds is given back.
"""

import hashlib
import hmac
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from errors import Limited
from models import KnownPlace
from models.database import fetch
from services import metrics
from services.buckets import Charge, Rate
from services.keys import derived
from services.limits import HOUR, MINUTE, place
from services.outside import outside

PASSWORD, CODE = "password", "code"
PLACE_AT_ACCOUNT = (Rate(5, 15 * MINUTE), Rate(10, 2 * HOUR), Rate(20, 24 * HOUR))
PLACE = Rate(100, HOUR)
ACCOUNT = Rate(50, HOUR)
KNOWN_FOR = timedelta(days=30)
NOTED_EVERY = timedelta(days=1)


async def tried(what: str, email: str, address: str | None, attempt: Callable[[], Awaitable[bool]]) -> bool:
    """What came of an attempt, counted. Raises Limited, the same for any reason, where there were too many before."""
    await check(what, email, address)
    try:
        good = await attempt()
    except Limited:
        await untried(what, email, address)
        raise
    await (succeeded if good else failed)(what, email, address)
    return good


async def check(what: str, email: str, address: str | None) -> None:
    """Count an attempt that is about to be made. Raises Limited, the same for any reason, where there were too many.

    Each is followed by one of `failed`, `succeeded` and `untried`.
    """
    known = await _seen(what, email, place(address)) is not None
    wait = math.ceil(await outside().buckets.take(_charges(what, email, address, known)))
    if wait:
        metrics.GUESSES.labels(what, "refused").inc()
        raise Limited(f"Too many attempts. Try again in {wait} s.", retry_after=wait)


async def failed(what: str, email: str, address: str | None) -> None:
    """It was wrong, and stays counted."""
    metrics.GUESSES.labels(what, "failed").inc()


async def succeeded(what: str, email: str, address: str | None) -> None:
    """It was right: what this place got wrong before is forgotten, and the place is known from now on."""
    metrics.GUESSES.labels(what, "succeeded").inc()
    seen = await _seen(what, email, place(address))
    emptied = [charge._replace(number=-charge.rate.number) for charge in _at_account(what, email, address)]
    await outside().buckets.take(emptied + _back([] if seen else _elsewhere(what, email, address)))
    if seen is None or seen < datetime.now(UTC) - NOTED_EVERY:
        await _remember(_digest(what, email, place(address)))


async def untried(what: str, email: str, address: str | None) -> None:
    """It was neither right nor wrong, since it could not be looked at: not counted."""
    known = await _seen(what, email, place(address)) is not None
    await outside().buckets.take(_back(_charges(what, email, address, known)))


def _charges(what: str, email: str, address: str | None, known: bool) -> list[Charge]:
    at_account = _at_account(what, email, address)
    return at_account if known else at_account + _elsewhere(what, email, address)


def _at_account(what: str, email: str, address: str | None) -> list[Charge]:
    both = _digest(what, email, place(address))
    return [Charge(f"lockout:{what}:{rate.seconds}:{both}", rate, 1) for rate in PLACE_AT_ACCOUNT]


def _elsewhere(what: str, email: str, address: str | None) -> list[Charge]:
    """What a place that is not known is counted in besides."""
    return [
        Charge(f"lockout:{what}:place:{place(address)}", PLACE, 1),
        Charge(f"lockout:{what}:account:{_digest(what, email)}", ACCOUNT, 1),
    ]


def _back(charges: list[Charge]) -> list[Charge]:
    return [charge._replace(number=-charge.number) for charge in charges]


def _digest(*parts: str) -> str:
    return _digests(*parts)[0]


def _digests(*parts: str) -> list[str]:
    """Under keys, the newest first, so that neither Redis nor a backup tells whose it is."""
    text = "\0".join(parts).encode()
    return [hmac.new(key, text, hashlib.sha256).hexdigest() for key in derived("known-place")]


async def _seen(*parts: str) -> datetime | None:
    """When a place was proved last, where it is known."""
    since = datetime.now(UTC) - KNOWN_FOR
    last = "SELECT max(seen_at) FROM known_places WHERE place_hash = ANY($1) AND seen_at > $2"
    seen: datetime | None = (await fetch(last, _digests(*parts), since))[0][0]
    return seen


async def _remember(known_as: str) -> None:
    now = datetime.now(UTC)
    await KnownPlace.bulk_create(
        [KnownPlace(place_hash=known_as, seen_at=now)], on_conflict=["place_hash"], update_fields=["seen_at"]
    )
