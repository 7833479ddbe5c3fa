"""Published views and inputs: types, nullability, enums and descriptions come from the model, never written twice."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case
from tortoise.exceptions import ValidationError
from tortoise.fields import Field
from tortoise.fields.relational import RelationalField
from tortoise.models import Model

from engine.reading import behind, loaded
from engine.views import Column, Computed, Expression, Paged, Parts, Relation, Source, View, publish
from errors import Invalid
from models.base import global_id, global_id_in_sql
from models.fields import Coded
from policy import Permission
from schema.connections import Paginated
from schema.context import Info
from schema.scalars import BY_COLUMN, IN_SQL, Money

T = TypeVar("T")

auto = strawberry.auto


class optional:  # noqa: N801 - read as a word of a declaration
    """In an input, a column that may be left out, since a value follows from the others."""


@strawberry.interface(description="Anything with a global id.")
class Node:
    @strawberry.field(description="Opaque and global: `node(id)` finds it again.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(global_id(self))  # type: ignore[arg-type]


@strawberry.type(description="Something was deleted.")
class Deleted:
    id: strawberry.ID = strawberry.field(description="The global id that it had: nothing is found by it any more.")


class through:  # noqa: N801 - read as a word of a declaration
    """A relation under another name or over several hops: `through("partner_links__partner", "Who is told.")`."""

    def __init__(self, path: str, description: str) -> None:
        self.path, self.description = path, description


class pages:  # noqa: N801
    """A relation to many as a list of pages, newest first: `pages("orders", "Their orders.")`."""

    def __init__(self, path: str, description: str) -> None:
        self.path, self.description = path, description


class expression:  # noqa: N801
    """SQL over the row's own columns: `expression("coalesce(company, email)", "What to call them.")`. `of` is the kind
    of column that has such values, where these are not answered as they are: a moment."""

    def __init__(self, sql: str, description: str, *, of: type[Field[Any]] | None = None) -> None:
        self.sql, self.description = sql, description
        self.shown = IN_SQL[of].format(sql) if of else None


def computed(
    description: str, *, needs: tuple[str, ...], requires: Permission | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """A field in Python over a row, given as `root`, which holds the columns that `needs` names and no other; null to
    who lacks the permission that it `requires`."""

    def declare(function: Callable[..., Any]) -> Any:
        source = Computed(function, needs, requires)
        resolver = _required(source) if requires else function
        return strawberry.field(resolver=resolver, description=description, metadata={"source": source})

    return declare


def node(model: type[Model]) -> Callable[[type[T]], type[T]]:
    """Publish a model.

    `name: auto` is a column, `name: Money` the columns `name_cents` and `currency`, a name that is a relation of the
    model (or `through` one) that relation, `pages` of one a list, `expression` is SQL, `@computed` is Python. The type
    is named like the class.
    """

    def declare(cls: type[T]) -> type[T]:
        sources: dict[str, Source] = {"id": Column("id", global_id_in_sql(model))}
        namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        annotations = namespace["__annotations__"] = dict(cls.__annotations__)
        for name, annotation in cls.__annotations__.items():
            declared = _declared(model, name, annotation, namespace.get(name))
            if declared:
                sources[to_camel_case(name)], namespace[name] = declared
                if annotation is auto:
                    annotations[name] = column_type(model, name)
        for name, value in namespace.items():
            if isinstance(value, StrawberryField) and "source" in value.metadata:
                sources[to_camel_case(name)] = value.metadata["source"]
        namespace["is_type_of"] = classmethod(lambda _, row, info: isinstance(row, model))
        publish(View(cls.__name__, model, sources))
        published = type(cls.__name__, (Node,), namespace)
        return strawberry.type(published, description=inspect.getdoc(cls) or inspect.getdoc(model))

    return declare


def input(model: type[Model], *, partial: bool = False) -> Callable[[type[T]], type[T]]:
    """An input made from a model: `name: auto` is the column's type, optional where the column is nullable or has a
    default, or where all is (`partial`, for updates). Absent fields are told apart from null by `given`."""

    def declare(cls: type[T]) -> type[T]:
        for name, annotation in list(cls.__annotations__.items()):
            if annotation in (auto, optional):
                column = model._meta.fields_map[name]
                kind = column_type(model, name)
                may_lack = partial or annotation is optional or column.null or column.default is not None
                cls.__annotations__[name] = kind | None if may_lack else kind
                field = strawberry.field(description=described(model, name), default=UNSET) if may_lack else (
                    strawberry.field(description=described(model, name))
                )  # fmt: skip
                setattr(cls, name, field)
        cls.__model__ = model  # type: ignore[attr-defined]
        return strawberry.input(cls, description=inspect.getdoc(cls))

    return declare


def given(values: Any, *, path: str = "input") -> dict[str, Any]:
    """The fields that the client gave, checked against the model's columns. Raises Invalid, naming the field."""
    columns = values.__model__._meta.fields_map
    present = {name: value for name, value in vars(values).items() if value is not UNSET}
    for name, value in present.items():
        column = columns.get(name)
        if column is None or isinstance(column, RelationalField):
            continue
        blamed = f"{path}.{to_camel_case(name)}"
        if value is None and not column.null:
            raise Invalid("This cannot be null. Leave it out to keep its value.", field=blamed)
        if isinstance(value, str):
            _check_text(value, column, blamed)
        try:
            column.validate(value)
        except ValidationError as error:
            raise Invalid(f"{str(error).removeprefix(f'{name}: ')}.", field=blamed) from error
    return present


def column_type(model: type[Model], name: str) -> Any:
    """The GraphQL type of a column, nullable like it."""
    column = model._meta.fields_map[name]
    coded = getattr(column, "enum_type", None)
    kind = enum(coded) if coded else next(BY_COLUMN[kind] for kind in type(column).__mro__ if kind in BY_COLUMN)
    return kind | None if column.null else kind


def described(model: type[Model], name: str) -> str:
    """What a column is for. A column without a description cannot be published."""
    column = model._meta.fields_map.get(name)
    if column is None:
        raise TypeError(f"{model.__name__} has no column {name}")
    description = _MANY.get((model.__name__, name)) or column.description
    if not description:
        raise TypeError(f"{model.__name__}.{name} is published without a description: give its column one")
    return f"{description}."


# The far sides of relations, which have no column to describe them.
_MANY = {
    ("Client", "contacts"): "People of theirs",
    ("Client", "consents"): "What they agreed to, and took back",
    ("Client", "merges"): "Those who turned out to be the same client",
    ("Order", "lines"): "What was sold, in order",
    ("Order", "payments"): "Money that came or was refused",
    ("Order", "refunds"): "Money given back, or on its way",
    ("Order", "disputes"): "Payments that the client's bank asked back",
    ("Order", "invoices"): "Its invoices, one for each brand, and their credit notes",
    ("Order", "notifications"): "What partners are told of it",
    ("Order", "conflicts"): "What a person has to settle",
    ("Order", "reminders"): "Letters about what is overdue, sent and to come",
    ("Order", "quotes"): "The quote that it was; of no other order anything",
    ("Order", "opportunities"): "The opportunity that it pays; of no other order anything",
    ("Order", "bookings"): "Places in appointments that it pays",
    ("Invoice", "credit_notes"): "What was taken off it",
    ("Refund", "credit_notes"): "What was taken off invoices for it",
    ("Document", "shares"): "With whom it is shared, or was",
    ("Quote", "lines"): "What is offered, in order",
    ("Bilan", "fundings"): "Who pays how much of it",
    ("Bilan", "agreements"): "What the beneficiary was asked to agree to in writing",
    ("Bilan", "phases"): "Its three legal phases, in order",
    ("Bilan", "warnings"): "What breaks a rule of law, past and present",
    ("Booking", "reminders"): "Reminders of it, sent and to come",
    ("Staff", "weekly_hours"): "Hours that they work each week",
    ("Notification", "attempts"): "Every try at telling the partner",
}


def enum(coded: type[Coded]) -> Any:
    """The GraphQL enum of a model's, described value by value."""
    if "__strawberry_definition__" not in vars(coded):
        strawberry.enum(coded, description=inspect.getdoc(coded))
        for value in coded.__strawberry_definition__.values:  # type: ignore[attr-defined]
            value.description = f"{coded(value.value).description}."
    return coded


def _check_text(text: str, column: Any, blamed: str) -> None:
    if "\x00" in text:
        raise Invalid("Text cannot hold a NUL character.", field=blamed)
    if not column.null and not text.strip():
        raise Invalid("This cannot be empty.", field=blamed)
    most = getattr(column, "max_length", None)
    if most and len(text) > most:
        raise Invalid(f"This is longer than {most} characters.", field=blamed)


def _declared(model: type[Model], name: str, annotation: Any, given: Any) -> tuple[Source, Any] | None:
    """What a declaration of a view says: where the field comes from, and how Strawberry resolves it."""
    if annotation is auto:
        return _column(model, name), strawberry.field(description=described(model, name))
    if annotation is Money:
        described_as = described(model, f"{name}_cents")
        return _money(model, name), strawberry.field(resolver=_in_python(name), description=described_as)
    if isinstance(given, through):
        return Relation(given.path), strawberry.field(resolver=_loaded(given.path), description=given.description)
    if isinstance(given, pages):
        rows, description = _behind(given.path), given.description
        return Paged(given.path), strawberry.field(resolver=rows, description=description, extensions=[Paginated()])
    if isinstance(given, expression):
        return Expression(name, given.sql, given.shown), strawberry.field(description=given.description)
    if isinstance(model._meta.fields_map.get(name), RelationalField):
        optional = type(None) in getattr(annotation, "__args__", ())
        return Relation(name, optional), strawberry.field(resolver=_loaded(name), description=described(model, name))
    return None


def _column(model: type[Model], name: str) -> Column:
    column = model._meta.fields_map[name]
    form = next((IN_SQL[kind] for kind in type(column).__mro__ if kind in IN_SQL), "{}")
    return Column(name, form.format(_quoted(model, name)))


def _money(model: type[Model], name: str) -> Parts:
    return Parts({"amount": f"{name}_cents", "currency": "currency"}, Money)


def _quoted(model: type[Model], name: str) -> str:
    return f'"{model._meta.fields_db_projection[name]}"'


def _in_python(name: str) -> Callable[..., Money]:
    def resolve(root: Any) -> Money:
        return Money(amount=getattr(root, f"{name}_cents"), currency=root.currency)

    return resolve


def _required(source: Computed) -> Callable[..., Any]:
    def resolve(root: Any, info: Info) -> Any:
        return source.function(root) if info.context.viewer.may(source.requires) else None

    resolve.__annotations__["return"] = source.function.__annotations__["return"]
    return resolve


def _loaded(path: str) -> Callable[..., Any]:
    hop, _, rest = path.partition("__")

    def resolve(root: Any) -> Any:
        rows = loaded(root, hop)
        # What the caller may not see at the far end of two hops is not there.
        return [far for row in rows if (far := loaded(row, rest)) is not None] if rest else rows

    return resolve


def _behind(path: str) -> Callable[..., Any]:
    def resolve(root: Any, info: Info) -> Any:
        return behind(root, path, info.context.viewer)

    return resolve
