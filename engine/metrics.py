"""What the engine counts, for Prometheus. Labels take the few values that the code knows, never a client's text."""

from enum import Enum
from functools import cache

from prometheus_client import Counter, Gauge

_DOCUMENTS = Counter("comptoir_documents", "Documents asked for, by what became of them", ["outcome"])
DOCUMENTS_FOUND = _DOCUMENTS.labels("found")
DOCUMENTS_PREPARED = _DOCUMENTS.labels("prepared")
DOCUMENTS_INVALID = _DOCUMENTS.labels("invalid")
DOCUMENTS_EVICTED = Counter("comptoir_documents_evicted", "Prepared documents that made room for others")

_LIMITED = Counter("comptoir_documents_limited", "Refusals for asking too much, by limit", ["limit"])
_OPERATIONS = Counter("comptoir_operations", "Operations run, by kind and by the way they took", ["kind", "way"])
GIVEN_UP = Counter("comptoir_operations_given_up", "Operations that took longer than they may")
_PLANS = Counter("comptoir_plans", "Plans compiled, and queries that a plan did not answer, by why", ["outcome"])
PLANS_COMPILED = _PLANS.labels("compiled")
UNPLANNABLE, SURPRISED = _PLANS.labels("unplannable"), _PLANS.labels("surprised")

STREAMS_OPEN = Gauge("comptoir_streams_open", "Connections of subscribers: WebSockets and event streams")
SUBSCRIPTIONS_OPEN = Gauge("comptoir_subscriptions_open", "Subscriptions that are open")
_EVENTS = Counter(
    "comptoir_subscription_events",
    "Events of subscriptions: sent, coalesced (told as one with the next of the same row), dropped (their client was"
    " too slow, and told so)",
    ["outcome"],
)
EVENTS_SENT, EVENTS_COALESCED, EVENTS_DROPPED = (_EVENTS.labels(each) for each in ("sent", "coalesced", "dropped"))


def limited(limit: str) -> None:
    _LIMITED.labels(limit).inc()


@cache
def operations(kind: Enum, way: Enum) -> Counter:
    return _OPERATIONS.labels(kind.value, way.value)
