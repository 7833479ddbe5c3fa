"""Root fields that read, as plans see them; those that are subscribed to, as streams do."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any


class Kind(Enum):
    """What the function of a root field says, and what it becomes."""

    ONE = auto()  # a model and an id, or None: the row, or null
    SEVERAL = auto()  # a list of such, or what finds one: for each its row, or null
    PAGE = auto()  # a queryset: a page of it
    BOARD = auto()  # a queryset: its rows in groups, a page of each


# Of a group: currency, how many there are, what those of a known amount come to; null where no amount is known.
Sum = tuple[str, int, int | None]


@dataclass(frozen=True)
class Groups:
    """How a board groups rows of a model: by a column, each of whose `values` is a group, in this order, whether or not
    it has rows. `make(value, sums, rows)` is a group as the schema shows it; its rows are None where a plan reads them.
    """

    model: Any
    by: str
    values: Sequence[str]
    amount: str  # the column of what a row comes to, in minor units of `currency`
    currency: str
    make: Callable[[str, Sequence[Sum], Any], Any]
    groups: str  # the board's field of groups
    rows: str  # a group's field of rows


@dataclass(frozen=True)
class Root:
    """A root field that reads: `function` says which rows, `gate(context)` raises for who may not."""

    kind: Kind
    function: Callable[..., Any]
    gate: Callable[[Any], None]
    groups: Groups | None = None  # of a board


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
