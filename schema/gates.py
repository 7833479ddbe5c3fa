"""What stands before each root field, and carries out what its function says (`schema/roots.py`)."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case
from tortoise.exceptions import DoesNotExist
from tortoise.functions import Count, Sum
from tortoise.models import Model

from engine.lists import NEWEST_FIRST
from engine.reading import fields_of, read_all, read_one
from engine.roots import Groups, Kind, Stream
from engine.streams.events import Topic
from engine.streams.hub import Told
from errors import Conflict, Disconnected, NotConfigured, NotFound, Refused, Unavailable, Unreachable
from models.database import in_a_transaction, retried, transaction
from policy import Permission, allowed, row_id
from schema.base import enum
from schema.connections import PAGING, page
from schema.context import Context, Info, actor
from schema.idempotency import Answers, asked
from schema.lists import ordered
from services import audit, idempotency
from services.changes import Happening

log = logging.getLogger("comptoir.gates")

Wanted = tuple[type[Model], UUID] | None


class Gate(FieldExtension):
    """Refuses who lacks the permission; each kind of root field carries out what its function says."""

    kind: Kind | None = None
    groups: Groups | None = None

    def __init__(self, requires: Permission) -> None:
        self.requires = requires

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        allowed(info.context.actor, self.requires)
        return await self.run(lambda **given: _result(next_(source, info, **given)), info, arguments)

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        raise NotImplementedError  # pragma: no cover - each kind of root field has its own


class Plain(Gate):
    """Gives what the function gives, which may ask an outside system."""

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        with _refusals_told():
            return await function(**arguments)


class One(Gate):
    """Reads the row that the function names."""

    kind = Kind.ONE

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        wanted: Wanted = await function(**arguments)
        if wanted is None:
            return None
        viewer = info.context.viewer
        return await read_one(viewer.rows(wanted[0]).filter(pk=wanted[1]), _selections(info), viewer)


class Several(Gate):
    """Reads the rows that the function names."""

    kind = Kind.SEVERAL

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        wanted: list[Wanted] = await function(**arguments)
        wanted = await wanted() if callable(wanted) else wanted
        found: dict[Any, Any] = {}
        for model in dict.fromkeys(each[0] for each in wanted if each):
            keys = [each[1] for each in wanted if each and each[0] is model]
            rows = info.context.viewer.rows(model).filter(pk__in=keys)
            found |= {(model, row.pk): row for row in await read_all(rows, _selections(info), info.context.viewer)}
        return [found.get(each) for each in wanted]


class Paged(Gate):
    """Reads a page of the function's queryset."""

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


class Board(Gate):
    """Groups the rows of the function's queryset."""

    kind = Kind.BOARD

    def __init__(self, requires: Permission, board: Any, groups: Groups) -> None:
        super().__init__(requires)
        self.board, self.groups, self._groups = board, groups, groups

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        rows, groups = await function(**arguments), self._groups
        counted = rows.annotate(number=Count("id"), amount=Sum(groups.amount)).group_by(groups.by, groups.currency)
        found = await counted.order_by(groups.currency).values_list(groups.by, groups.currency, "number", "amount")
        made = [
            groups.make(value, [tuple(sums) for by, *sums in found if by == value], rows.filter(**{groups.by: value}))
            for value in groups.values
        ]
        return self.board(**{groups.groups: made})


class Write(Gate):
    """Calls the function in a transaction, once for a key, as its caller's doing; shows what changed."""

    def __init__(self, requires: Permission, payload: type | None, member: str, answers: Answers | None) -> None:
        super().__init__(requires)
        self.payload, self.member, self.answers = payload, member, answers

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        with _acting(info, self.requires), _gone_told():
            done = await self.done(function, info, arguments)
        return await self.shown(done, info)

    async def done(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        under_key = self.asked(info, arguments)

        async def written() -> Any:
            async with transaction():
                if under_key and self.answers:
                    answers = self.answers.to(actor(info))
                    return await idempotency.once(under_key, lambda: function(**arguments), answers)
                return await function(**arguments)

        return await retried(written)

    def asked(self, info: Info, arguments: dict[str, Any]) -> idempotency.Asked | None:
        """What is asked under a key, where the mutation takes one and the caller gave one."""
        return asked(info.field_name, actor(info), arguments["input"]) if self.answers else None

    async def shown(self, changed: Any, info: Info) -> Any:
        return await _shown(self.payload(**{self.member: changed}) if self.payload else changed, info)


class Exchange(Write):
    """The same without a transaction around it, for what calls out; says what outside systems refused."""

    async def run(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        if in_a_transaction():
            raise RuntimeError("an exchange calls out: no transaction may be open around it")
        with _refusals_told():
            return await super().run(function, info, arguments)

    async def done(self, function: Callable[..., Awaitable[Any]], info: Info, arguments: dict[str, Any]) -> Any:
        under_key = self.asked(info, arguments)
        if under_key and self.answers:
            answers = self.answers.to(actor(info))
            return await idempotency.carry_out(under_key, lambda: function(**arguments), answers)
        return await function(**arguments)


class Tells(Gate):
    """Resolves an event: what the engine hands over as the root of the operation."""

    def __init__(self, requires: Permission, model: type[Model], view: Any) -> None:
        super().__init__(requires)
        self.model, self.member, self.payload = model, member_of(view), _changed(view)

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
            row = await read_one(viewer.rows(self.model).filter(pk=topic.row), _asked_of(self.member, info), viewer)
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


def member_of(view: Any) -> str:
    """Of a payload: `order` for the view Order."""
    name = getattr(view, "__name__", "result")
    return str(name[0].lower() + name[1:])


@contextmanager
def _gone_told() -> Iterator[None]:
    """A row that was there when it was asked for, and that somebody deleted or merged into another since."""
    try:
        yield
    except DoesNotExist as error:
        log.warning("refused: %s", error)
        raise Conflict("What this is about was merged or deleted at this moment. Try again.") from error


@contextmanager
def _refusals_told() -> Iterator[None]:
    """What outside systems refuse, as the caller can act on it."""
    try:
        yield
    except Unavailable as error:
        raise Unreachable(f"{error} Nothing is lost: try again in a moment.") from error
    except Disconnected as error:
        raise NotConfigured(str(error)) from error
    except Refused as error:
        raise Conflict(str(error)) from error


def _acting(info: Info, requires: Permission) -> AbstractContextManager[None]:
    """What the field changes is its caller's doing, for the audit log; but for what anybody may ask, since that is done
    by whom a letter or a password says, whoever else is signed in, and to whichever organization."""
    context = info.context
    actor = None if requires is Permission.PUBLIC else context.actor
    return audit.acting(info.field_name, actor, address=context.address, user_agent=context.user_agent)


def _plain(told: Told) -> dict[str, Any]:
    return {"happened": list(told.event.happened), "cursor": told.event.position.cursor}


def _changed(view: Any) -> Any:
    """`OrderChanged` for the view Order."""
    name = member_of(view)
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


async def _result(value: Any) -> Any:
    """Of a function that may be async. A queryset is awaitable too, and stays as it is."""
    return await value if inspect.iscoroutine(value) else value


async def _shown(result: Any, info: Info) -> Any:
    """The result with its rows read anew: as the caller may see them, with what is asked of them, and nothing that a
    service had loaded for itself."""
    for name, row in list(vars(result).items()):
        if isinstance(row, Model):
            asked, viewer = _asked_of(to_camel_case(name), info), info.context.viewer
            setattr(result, name, await read_one(viewer.rows(type(row)).filter(pk=row.pk), asked, viewer))
    return result


def _asked_of(name: str, info: Info) -> list[Any]:
    """What is asked of a field of the root field's own type."""
    fields = (field for field in fields_of(None, _selections(info)) if field.name == name)
    return [selection for field in fields for selection in field.selections]


def _selections(info: Info) -> list[Any]:
    return [inner for field in info.selected_fields for inner in field.selections]
