"""Published views: which model a GraphQL type shows, and which of its fields are relations."""

from dataclasses import dataclass, field

from tortoise.models import Model

Relation = str  # a path over relations of the model: `lines`, `partner_links__partner`


@dataclass(frozen=True)
class View:
    """A GraphQL type over a model. Names of fields are those of GraphQL."""

    name: str
    model: type[Model]
    relations: dict[str, Relation] = field(default_factory=dict)
    needs: dict[str, tuple[Relation, ...]] = field(default_factory=dict)


VIEWS: dict[type[Model], View] = {}


def publish(view: View) -> None:
    if view.model in VIEWS:
        raise TypeError(f"{view.model.__name__} is published twice: {VIEWS[view.model].name} and {view.name}")
    VIEWS[view.model] = view
