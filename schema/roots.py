"""Root fields. Each names the permission that it asks; what it returns is read, paged, committed or called for it.

@one           a model and an id, or None         → the row as the caller sees it, or null
@several       a list of such                     → for each its row, or null
@connection    a queryset                         → a Relay page of it
@board         a queryset                         → its rows in groups, a page of each
@mutation      one transaction                    → a payload that returns what changed
@exchange      commit, call out, commit           → whatever it returns; no transaction is open meanwhile
@subscription  a model                            → what happens to its rows, and each as the caller sees it then

`idempotent=True` is for what creates or pays: its input gets `idempotencyKey`, and the same key the same answer.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import strawberry
from strawberry import UNSET
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from engine import metrics
from engine.documents import Operation
from engine.roots import ROOTS, STREAMS, Groups, Root
from engine.views import VIEWS
from errors import Limited
from policy import Permission, allowed
from schema.connections import Connection
from schema.context import Context
from schema.gates import Board, Exchange, Gate, One, Paged, Plain, Several, Tells, Write, member_of
from schema.gates import Wanted as Wanted  # what functions under @one and @several return
from schema.idempotency import Answers, keyed
from services import limits

QUERIES: dict[str, StrawberryField] = {}
MUTATIONS: dict[str, StrawberryField] = {}
SUBSCRIPTIONS: dict[str, StrawberryField] = {}
PERMISSIONS: dict[str, Permission] = {}

_DESCRIBED = {
    "id": "Its global id.",
    "ids": "Global ids.",
    "booking": "The booking's global id.",
    "after": "The last `cursor` that one was told: nothing that happened since is left out. Good for 24 hours.",
    "input": "What to do, and to what.",
    "token": "What a letter's link carries behind the `=`.",
    "on": "Of invoices that are issued on this day; today unless given.",
    "filter": "Only those of which all of this is true.",
    "client": "Of whom, or who would be kept: the client's global id.",
    "duplicate": "Who would be one with them, and be no more: the client's global id.",
    "first": "How many at most, 1 to 100; 20 unless told.",
    "search": "Only those of whom each of these words is a part of the name, an address or a number, as it is written "
    "but for accents and capitals, in pages. For a box that one types in ask `clientSearch`: the best first, slips "
    "forgiven.",
    "text": "Any parts of a name, an e-mail address or a phone number, up to 100 characters.",
}

Declare = Callable[[Callable[..., Any]], StrawberryField]


def query(result: Any, *, requires: Permission) -> Declare:
    """A value in Python: for what is not a row, or is not found by a queryset."""
    return lambda function: _declare(QUERIES, function, result, Plain(requires))


def one(view: Any, *, requires: Permission) -> Declare:
    """The caller's row of the (model, id) that the function returns; null where there is none, or for None."""
    return lambda function: _declare(QUERIES, function, view | None, One(requires))


def several(view: Any, *, requires: Permission) -> Declare:
    """For each (model, id) of the list that the function returns the caller's row; null where there is none. Where they
    have to be looked for first, it returns an async function of nothing that does."""
    return lambda function: _declare(QUERIES, function, list[view | None], Several(requires))


def connection(view: Any, *, requires: Permission, order: Any = None) -> Declare:
    """A page of the queryset that the function returns: adds `first`, `after`, `last`, `before`, and `orderBy` where
    the list has orders (`schema/lists.py`)."""
    return lambda function: _declare(QUERIES, function, Connection[view], Paged(requires, order))


def board(result: Any, groups: Groups, *, requires: Permission) -> Declare:
    """The rows of the queryset that the function returns, in groups: how many, what they come to, a page of each."""
    return lambda function: _declare(QUERIES, function, result, Board(requires, result, groups))


def mutation(result: Any, *, requires: Permission, idempotent: bool = False, deprecated: str | None = None) -> Declare:
    """One transaction around the function. A published view is returned in a payload of its own
    (`orderCancel { order { … } }`); another type is its own payload. `deprecated` says what to ask for instead."""
    return lambda function: _declare_change(Write, function, result, requires, idempotent, deprecated)


def exchange(result: Any, *, requires: Permission, idempotent: bool = False) -> Declare:
    """What must call out while the client waits. The function is given no transaction: `services/exchange.py` commits
    the intent, calls, and commits the answer. Its payload is made like a mutation's."""
    return lambda function: _declare_change(Exchange, function, result, requires, idempotent)


def subscription(view: Any, *, requires: Permission) -> Declare:
    """What happens to rows of a view, to one by its id or to all that the caller sees: the function returns the model.
    `OrderChanged { happened cursor order { … } }`, with the row as the caller may see it by then."""

    def declare(function: Callable[..., Any]) -> StrawberryField:
        gate = Tells(requires, function(), view)
        STREAMS[to_camel_case(function.__name__)] = gate.stream
        return _declare(SUBSCRIPTIONS, function, gate.payload, gate)

    return declare


async def admitted(operation: Operation, context: Context) -> None:
    """Count an operation's root fields against what its caller may ask. Raises Limited."""
    try:
        await limits.spend(context.actor, context.address, _asked(operation.roots))
    except Limited:
        metrics.limited("rate")
        raise


@lru_cache(maxsize=2000)
def _asked(roots: tuple[str, ...]) -> tuple[limits.Root, ...]:
    """What limits go by. Introspection is public, and reads."""
    return tuple(
        limits.Root(name, PERMISSIONS.get(name, Permission.PUBLIC), writes=name in MUTATIONS) for name in roots
    )


def _declare_change(
    gate: type[Write], function: Callable[..., Any], result: Any, requires: Permission, idempotent: bool,
    deprecated: str | None = None,
) -> StrawberryField:  # fmt: skip
    payload = _payload(function, result)
    answers = Answers.of(result) if idempotent else None
    if idempotent and requires is Permission.PUBLIC:
        raise TypeError(f"{function.__name__}: a key is its caller's, and anybody may ask this")
    if idempotent:
        function.__annotations__["input"] = keyed(function.__annotations__["input"])
    made = gate(requires, payload, member_of(result), answers)
    return _declare(MUTATIONS, function, payload or result, made, deprecated)


def _declare(
    fields: dict[str, StrawberryField], function: Callable[..., Any], result: Any, gate: Gate,
    deprecated: str | None = None,
) -> StrawberryField:  # fmt: skip
    name = to_camel_case(function.__name__)
    description = inspect.getdoc(function)
    if not description:
        raise TypeError(f"{name} has no docstring: it is what clients read")
    field: StrawberryField = strawberry.field(
        resolver=function, graphql_type=result, description=description, extensions=[gate],
        deprecation_reason=deprecated,
    )  # fmt: skip
    for argument in field.arguments:
        argument.description = argument.description or _DESCRIBED.get(argument.python_name)
        if argument.default is None:
            argument.default = UNSET  # optional, and no `= null` for clients to read
    fields[name], PERMISSIONS[name] = field, gate.requires
    if gate.kind:
        ROOTS[name] = Root(
            gate.kind, function, lambda context: allowed(context.actor, gate.requires), gate.groups
        )  # fmt: skip
    return field


def _payload(function: Callable[..., Any], view: Any) -> type | None:
    """`OrderCancelPayload { order: Order! }` for order_cancel over the view Order."""
    if getattr(view, "__name__", None) not in {published.name for published in VIEWS.values()}:
        return None
    field = strawberry.field(name=member_of(view), graphql_type=view, description="What changed.")
    title = function.__name__.title().replace("_", "")
    return create_type(f"{title}Payload", [field], description=f"What `{to_camel_case(function.__name__)}` returns.")
