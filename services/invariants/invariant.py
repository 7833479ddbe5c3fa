"""One thing that must hold of any database of ours at any moment."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

WORKERS = "See that `bin/comptoir worker` runs, and what its log says of the job."

Look = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class Invariant:
    """`broken` finds what breaks it: a statement that gives an `example` a row, or a function that gives them all."""

    holds: str
    broken: str | Look
    do: str
