"""What calls to the outside are counted as, for Prometheus. Labels take the few values that the code knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Histogram

from errors import Disconnected, Refused, Unavailable

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60)

CALLS = Histogram(
    "comptoir_provider_call_duration_seconds",
    "Calls to outside systems, tries within one included, by what came of them",
    ["provider", "outcome"],
    buckets=_BUCKETS,
)
LETTERS = Histogram(
    "comptoir_letter_duration_seconds",
    "Letters handed to the mail server, by what came of it",
    ["outcome"],
    buckets=_BUCKETS,
)
DELIVERIES = Histogram(
    "comptoir_delivery_duration_seconds",
    "Attempts at telling a partner, by what came of them",
    ["outcome"],
    buckets=_BUCKETS,
)

_OUTCOMES = {Refused: "refused", Disconnected: "disconnected", Unavailable: "unavailable"}


@contextmanager
def timed(histogram: Histogram, *labels: str) -> Iterator[None]:
    """Count the block under what came of it: done, refused, disconnected, unavailable, or failed for all else."""
    started, outcome = perf_counter(), "failed"
    try:
        yield
        outcome = "done"
    except (Refused, Disconnected, Unavailable) as error:
        outcome = next(name for kind, name in _OUTCOMES.items() if isinstance(error, kind))
        raise
    finally:
        histogram.labels(*labels, outcome).observe(perf_counter() - started)
