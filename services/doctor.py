"""What must hold of any database of ours at any moment, and what to do where it does not: `comptoir doctor`.

INVARIANTS is the list. All of it reads only: PostgreSQL refuses these connections every write.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from models.database import fetch
from services.invariants import appointments, invoicing, money, promises, secrets
from services.invariants.invariant import Invariant, Look
from telemetry.redaction import redacted

SECONDS_MOST = 60.0  # for each invariant
EXAMPLES_MOST = 5
EXAMPLE_LONGEST = 200  # characters

INVARIANTS: tuple[Invariant, ...] = (
    *money.INVARIANTS,
    *invoicing.INVARIANTS,
    *appointments.INVARIANTS,
    *promises.INVARIANTS,
    *secrets.INVARIANTS,
)


@dataclass(frozen=True)
class Verdict:
    """`broken`: how often; None where it could not be looked at, for the reason in `error`."""

    holds: str
    broken: int | None
    examples: tuple[str, ...]
    do: str
    error: str | None = None

    @property
    def good(self) -> bool:
        return self.broken == 0


async def examine(invariant: Invariant) -> Verdict:
    """Look at one invariant, within bounds. Raises nothing: what keeps it from looking is told."""
    try:
        async with asyncio.timeout(SECONDS_MOST):
            broken, examples = await _found(invariant.broken)
    except Exception as error:
        reason = redacted(f"{type(error).__name__}: {error}")
        return Verdict(invariant.holds, None, (), "Mend what kept it from being looked at, and try again.", reason)
    shown = tuple(redacted(example)[:EXAMPLE_LONGEST] for example in examples[:EXAMPLES_MOST])
    return Verdict(invariant.holds, broken, shown, invariant.do)


async def _found(broken: str | Look) -> tuple[int, Sequence[str]]:
    if not isinstance(broken, str):
        examples = await broken()
        return len(examples), examples
    counted = "SELECT example, count(*) OVER () AS broken FROM"
    rows = await fetch(f"{counted} ({broken}) AS found ORDER BY example LIMIT {EXAMPLES_MOST}")
    return (rows[0]["broken"] if rows else 0), [row["example"] for row in rows]
