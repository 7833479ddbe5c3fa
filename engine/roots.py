"""Root fields that read, as plans see them; those that are subscribed to, as streams do."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Kind(Enum):
    """What the function of a root field says, and what it becomes."""

    ONE = auto()  # a model and an id, or None: the row, or null
    SEVERAL = auto()  # a list of such, or what finds one: for each its row, or null
    PAGE = auto()  # a queryset: a page of it


@dataclass(frozen=True)
class Root:
    """A root field that reads: `function` says which rows, `gate(context)` raises for who may not."""

    kind: Kind
    function: Callable[..., Any]
    gate: Callable[[Any], None]


ROOTS: dict[str, Root] = {}


@dataclass(frozen=True)
class Stream:
    """A root field of subscriptions: tells of rows of a model, each as the field `member` of an event, beside `plain`
    fields, given here as in the answer. `topic(context, id)` is what it follows, raising for what is not there; `seen`
    says which of the ids the caller sees."""

    model: Any
    member: str
    plain: Callable[[Any], dict[str, Any]]
    topic: Callable[[Any, str | None], Awaitable[Any]]
    seen: Callable[[Any, Collection[Any]], Awaitable[set[Any]]]
    gate: Callable[[Any], None]


STREAMS: dict[str, Stream] = {}
