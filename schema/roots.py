"""Root fields. Each names the permission that it asks; what it returns is read, paged, committed or called for it.

@one           a model and an id, or None         → the row as the caller sees it, or null
@several       a list of such                     → for each its row, or null
@connection    a queryset                         → a Relay page of it
@mutation      one transaction                    → a payload that returns what changed
@exchange      commit, call out, commit           → whatever it returns; no transaction is open meanwhile
@subscription  a model                            → what happens to its rows, and each as the caller sees it then

`idempotent=True` is for what creates or pays: its input gets `idempotencyKey`, and the same key the same answer.
"""

import inspect
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET
from strawberry.extensions import FieldExtension
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case
from tortoise.models import Model

from engine import metrics
from engine.documents import Operation
from engine.lists import NEWEST_FIRST
from engine.reading import fields_of, read_all, read_one
from engine.roots import ROOTS, STREAMS, Kind, Root, Stream
from engine.streams.events import Topic
from engine.streams.hub import Told
from engine.views import VIEWS
from errors import Conflict, Disconnected, Limited, NotConfigured, NotFound, Refused, Unavailable, Unreachable
from models.database import in_a_transaction, transaction
from policy import Permission, allowed, row_id
from schema.base import enum
from schema.connections import PAGING, Connection, page
from schema.context import Context, Info, actor
from schema.idempotency import Answers, asked, keyed
from schema.lists import ordered
from services import audit, idempotency, limits
from services.changes import Happening

QUERIES: dict[str, StrawberryField] = {}
MUTATIONS: dict[str, StrawberryField] = {}
SUBSCRIPTIONS: dict[str, StrawberryField] = {}
PERMISSIONS: dict[str, Permission] = {}

_DESCRIBED = {
    "id": "Its global id.",
    "ids": "Global ids.",
    "after": "The last `cursor` that one was told: nothing that happened since is left out. Good for 24 hours.",
    "input": "What to do, and to what.",
    "token": "What a letter's link carries behind the `=`.",
    "filter": "Only those of which all of this is true.",
}

Wanted = tuple[type[Model], UUID] | None
Declare = Callable[[Callable[..., Any]], StrawberryField]


def query(result: Any, *, requires: Permission) -> Declare:
    """A value in Python: for what is not a row, or is not found by a queryset."""
    return lambda function: _declare(QUERIES, function, result, _Plain(requires))


def one(view: Any, *, requires: Permission) -> Declare:
    """The caller's row of the (model, id) that the function returns; null where there is none, or for None."""
    return lambda function: _declare(QUERIES, function, view | None, _One(requires))


def several(view: Any, *, requires: Permission) -> Declare:
    """For each (model, id) of the list that the function returns the caller's row; null where there is none."""
    return lambda function: _declare(QUERIES, function, list[view | None], _Several(requires))


def connection(view: Any, *, requires: Permission, order: Any = None) -> Declare:
    """A page of the queryset that the function returns: adds `first`, `after`, `last`, `before`, and `orderBy` where
    the list has orders (`schema/lists.py`)."""
    return lambda function: _declare(QUERIES, function, Connection[view], _Paged(requires, order))


def mutation(result: Any, *, requires: Permission, idempotent: bool = False, deprecated: str | None = None) -> Declare:
    """One transaction around the function. A published view is returned in a payload of its own
    (`orderCancel { order { … } }`); another type is its own payload. `deprecated` says what to ask for instead."""
    return lambda function: _declare_change(_Write, function, result, requires, idempotent, deprecated)


def exchange(result: Any, *, requires: Permission, idempotent: bool = False) -> Declare:
    """What must call out while the client waits. The function is given no transaction: `services/exchange.py` commits
    the intent, calls, and commits the answer. Its payload is made like a mutation's."""
    return lambda function: _declare_change(_Exchange, function, result, requires, idempotent)


def subscription(view: Any, *, requires: Permission) -> Declare:
    """What happens to rows of a view, to one by its id or to all that the caller sees: the function returns the model.
    `OrderChanged { happened cursor order { … } }`, with the row as the caller may see it by then."""

    def declare(function: Callable[..., Any]) -> StrawberryField:
        gate = _Told(requires, function(), view)
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


class _Gate(FieldExtension):
    kind: Kind | None = None

    def __init__(self, requires: Permission) -> None:
        self.requires = requires

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        allowed(info.context.actor, self.requires)
        return await self.run(lambda **given: _result(next_(source, info, **given)), info, arguments)

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        raise NotImplementedError  # pragma: no cover - each kind of root field has its own


class _Plain(_Gate):
    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        return await function(**arguments)


class _One(_Gate):
    kind = Kind.ONE

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        wanted: Wanted = await function(**arguments)
        if wanted is None:
            return None
        viewer = info.context.viewer
        return await read_one(viewer.rows(wanted[0]).filter(pk=wanted[1]), _selections(info), viewer)


class _Several(_Gate):
    kind = Kind.SEVERAL

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        wanted: list[Wanted] = await function(**arguments)
        found: dict[Any, Any] = {}
        for model in dict.fromkeys(each[0] for each in wanted if each):
            keys = [each[1] for each in wanted if each and each[0] is model]
            rows = info.context.viewer.rows(model).filter(pk__in=keys)
            found |= {(model, row.pk): row for row in await read_all(rows, _selections(info), info.context.viewer)}
        return [found.get(each) for each in wanted]


class _Paged(_Gate):
    kind = Kind.PAGE

    def __init__(self, requires: Permission, order: Any) -> None:
        super().__init__(requires)
        self.order = order

    def apply(self, field: StrawberryField) -> None:
        field.arguments = [*field.arguments, *([ordered(self.order)] if self.order else []), *PAGING]

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        paging = {argument.python_name: arguments.pop(argument.python_name, None) for argument in PAGING}
        chosen = arguments.pop("order_by", None)
        return await page(await function(**arguments), info, chosen.order if chosen else NEWEST_FIRST, paging)


class _Write(_Gate):
    def __init__(self, requires: Permission, payload: type | None, member: str, answers: Answers | None) -> None:
        super().__init__(requires)
        self.payload, self.member, self.answers = payload, member, answers

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        with _acting(info, self.requires):
            done = await self.done(function, info, arguments)
        return await self.shown(done, info)

    async def done(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        under_key = self.asked(info, arguments)
        async with transaction():
            if under_key and self.answers:
                return await idempotency.once(under_key, lambda: function(**arguments), self.answers)
            return await function(**arguments)

    def asked(self, info: Info, arguments: dict[str, Any]) -> idempotency.Asked | None:
        """What is asked under a key, where the mutation takes one and the caller gave one."""
        return asked(info.field_name, actor(info), arguments["input"]) if self.answers else None

    async def shown(self, changed: Any, info: Info) -> Any:
        return await _shown(self.payload(**{self.member: changed}) if self.payload else changed, info)


class _Exchange(_Write):
    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        if in_a_transaction():
            raise RuntimeError("an exchange calls out: no transaction may be open around it")
        try:
            return await super().run(function, info, arguments)
        except Unavailable as error:
            raise Unreachable(f"{error} Nothing is lost: try again in a moment.") from error
        except Disconnected as error:
            raise NotConfigured(str(error)) from error
        except Refused as error:
            raise Conflict(str(error)) from error

    async def done(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        under_key = self.asked(info, arguments)
        if under_key and self.answers:
            return await idempotency.carry_out(under_key, lambda: function(**arguments), self.answers)
        return await function(**arguments)


def _declare_change(
    gate: type[_Write], function: Callable[..., Any], result: Any, requires: Permission, idempotent: bool,
    deprecated: str | None = None,
) -> StrawberryField:  # fmt: skip
    payload = _payload(function, result)
    answers = Answers.of(result) if idempotent else None
    if idempotent and requires is Permission.PUBLIC:
        raise TypeError(f"{function.__name__}: a key is its caller's, and anybody may ask this")
    if idempotent:
        function.__annotations__["input"] = keyed(function.__annotations__["input"])
    made = gate(requires, payload, _member(result), answers)
    return _declare(MUTATIONS, function, payload or result, made, deprecated)


def _acting(info: Info, requires: Permission) -> AbstractContextManager[None]:
    """What the field changes is its caller's doing, for the audit log; but for what anybody may ask, since that is done
    by whom a letter or a password says, whoever else is signed in, and to whichever organization."""
    context = info.context
    actor = None if requires is Permission.PUBLIC else context.actor
    return audit.acting(info.field_name, actor, address=context.address, user_agent=context.user_agent)


class _Told(_Gate):
    """Resolves an event: what the engine hands over as the root of the operation."""

    def __init__(self, requires: Permission, model: type[Model], view: Any) -> None:
        super().__init__(requires)
        self.model, self.member, self.payload = model, _member(view), _changed(view)

    @property
    def stream(self) -> Stream:
        """The same, as the engine's streams see it."""
        return Stream(
            self.model, self.member, _plain, self._topic, self._seen,
            lambda context: allowed(context.actor, self.requires),
        )  # fmt: skip

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        told: Told = info.root_value  # type: ignore[assignment]
        topic, viewer = told.event.topic, info.context.viewer
        row = None
        if topic.row is not None:
            fields = [field for field in fields_of(None, _selections(info)) if field.name == self.member]
            asked = [selection for field in fields for selection in field.selections]
            row = await read_one(viewer.rows(self.model).filter(pk=topic.row), asked, viewer)
            told.seen = row is not None
        plain = _plain(told)
        return self.payload(**plain | {"happened": [Happening(each) for each in plain["happened"]], self.member: row})

    async def _topic(self, context: Context, id: str | None) -> Topic:
        tenant, table = context.viewer.facts[0], self.model._meta.db_table
        if id is None:
            return Topic(tenant, table)
        row = row_id(self.model, id)
        if not await context.viewer.rows(self.model).filter(pk=row).exists():
            raise NotFound(f"No such {self.member}.", field="id")
        return Topic(tenant, table, row)

    async def _seen(self, context: Context, rows: Collection[UUID]) -> set[UUID]:
        found = context.viewer.rows(self.model).filter(pk__in=list(rows))
        return {row[0] for row in await found.values_list("id")} if rows else set()


def _declare(
    fields: dict[str, StrawberryField], function: Callable[..., Any], result: Any, gate: _Gate,
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
        ROOTS[name] = Root(gate.kind, function, lambda context: allowed(context.actor, gate.requires))
    return field


def _payload(function: Callable[..., Any], view: Any) -> type | None:
    """`OrderCancelPayload { order: Order! }` for order_cancel over the view Order."""
    if getattr(view, "__name__", None) not in {published.name for published in VIEWS.values()}:
        return None
    field = strawberry.field(name=_member(view), graphql_type=view, description="What changed.")
    title = function.__name__.title().replace("_", "")
    return create_type(f"{title}Payload", [field], description=f"What `{to_camel_case(function.__name__)}` returns.")


def _plain(told: Told) -> dict[str, Any]:
    return {"happened": list(told.event.happened), "cursor": told.event.position.cursor}


def _changed(view: Any) -> Any:
    """`OrderChanged` for the view Order."""
    name = _member(view)
    return create_type(
        f"{view.__name__}Changed",
        [
            strawberry.field(
                name="happened",
                graphql_type=list[enum(Happening)],  # type: ignore[misc]
                description="What happened to it since the last event; nothing in the first, which says where one is.",
            ),
            strawberry.field(name="cursor", graphql_type=str, description="Give it as `after` to resume from here."),
            strawberry.field(
                name=name,
                graphql_type=view | None,
                description="As the caller may see it now; null where nobody may, and in a first event without `id`.",
            ),
        ],
        description=f"What happened to {name}s: several things of one {name} that come close are one event.",
    )


def _member(view: Any) -> str:
    """Of a payload: `order` for the view Order."""
    name = getattr(view, "__name__", "result")
    return str(name[0].lower() + name[1:])


async def _result(value: Any) -> Any:
    """Of a function that may be async. A queryset is awaitable too, and stays as it is."""
    return await value if inspect.iscoroutine(value) else value


async def _shown(result: Any, info: Info) -> Any:
    """The result with its rows read anew: as the caller may see them, with what is asked of them, and nothing that a
    service had loaded for itself."""
    for name, row in list(vars(result).items()):
        if isinstance(row, Model):
            fields = [field for field in fields_of(None, _selections(info)) if field.name == to_camel_case(name)]
            asked = [selection for field in fields for selection in field.selections]
            viewer = info.context.viewer
            setattr(result, name, await read_one(viewer.rows(type(row)).filter(pk=row.pk), asked, viewer))
    return result


def _selections(info: Info) -> list[Any]:
    return [inner for field in info.selected_fields for inner in field.selections]
