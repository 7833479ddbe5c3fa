"""Published views: which model a GraphQL type shows, and what each of its fields is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tortoise.fields.relational import RelationalField
from tortoise.models import Model
from tortoise.queryset import QuerySet


class Viewer(Protocol):
    """Who reads. Its scopes are functions of its kind, and of its facts as parameters: the tenant first. `constants`
    are values in the scopes of all of its kind."""

    @property
    def kind(self) -> Any: ...

    @property
    def facts(self) -> tuple[Any, ...]: ...

    @property
    def constants(self) -> tuple[Any, ...]: ...

    @property
    def sees_like(self) -> tuple[Any, ...]:
        """Two viewers of a kind see the same where this is the same."""
        ...

    @property
    def unheard(self) -> frozenset[str]:
        """What may happen to rows that it sees, and is not told to any of its kind."""
        ...

    def rows(self, model: type[Model]) -> QuerySet[Any]:
        """The rows of a model that it may see, unevaluated."""
        ...

    def may(self, permission: Any) -> bool:
        """Whether its kind may do something."""
        ...

    def having(self, facts: tuple[Any, ...]) -> "Viewer":
        """The same kind of viewer with other facts."""
        ...


@dataclass(frozen=True)
class Column:
    """A column of the row; `sql` gives it as the answer has it."""

    name: str
    sql: str


@dataclass(frozen=True)
class Expression:
    """SQL over the row's own columns; `shown` gives it as the answer has it, where that is another form."""

    name: str
    sql: str
    shown: str | None = None


@dataclass(frozen=True)
class Parts:
    """An object made of columns, by name of its fields: an amount and its currency."""

    columns: Mapping[str, str]
    make: Callable[..., Any]


@dataclass(frozen=True)
class Relation:
    """A relation of the model, or one over two hops: `lines`, `partner_links__partner`. `optional`: null where the
    viewer does not see what it leads to, although the row always names it."""

    path: str
    optional: bool = False


@dataclass(frozen=True)
class Paged:
    """A relation to many, shown as a list of pages; its order may be chosen where `ordered`."""

    path: str


@dataclass(frozen=True)
class Computed:
    """Python over a row, of which it reads the columns `needs`; null to a viewer who may not do what it `requires`."""

    function: Callable[..., Any]
    needs: tuple[str, ...]
    requires: Any = None


Source = Column | Expression | Parts | Relation | Paged | Computed


@dataclass(frozen=True)
class View:
    """A GraphQL type over a model. Names of fields are those of GraphQL."""

    name: str
    model: type[Model]
    fields: Mapping[str, Source] = field(default_factory=dict)

    @property
    def relations(self) -> dict[str, str]:
        """The paths of what it shows whole, to one or to many."""
        return {name: source.path for name, source in self.fields.items() if isinstance(source, Relation)}

    def target(self, path: str) -> type[Model]:
        """The model at the end of a relation's path."""
        model = self.model
        for hop in path.split("__"):
            model = relation(model, hop).related_model
        return model


VIEWS: dict[type[Model], View] = {}


def publish(view: View) -> None:
    if view.model in VIEWS:
        raise TypeError(f"{view.model.__name__} is published twice: {VIEWS[view.model].name} and {view.name}")
    VIEWS[view.model] = view


def relation(model: type[Model], hop: str) -> RelationalField[Any]:
    """The relation of a model by its name."""
    found = model._meta.fields_map[hop]
    assert isinstance(found, RelationalField)
    return found
