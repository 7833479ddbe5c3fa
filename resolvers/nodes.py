"""Relay's `node` and `nodes`: anything by its global id."""

from typing import Any
from uuid import UUID

import strawberry
from tortoise.models import Model

from engine.views import VIEWS
from errors import Limited
from models.base import parse_global_id
from policy import Permission
from schema.base import Node
from schema.context import Info
from schema.roots import one, several

NODES_MOST = 100


@one(Node, requires=Permission.MEMBER)
def node(info: Info, id: strawberry.ID) -> Any:
    """Anything by its global id; null for what is not there, or not yours."""
    found = _row(id)
    return info.context.viewer.rows(found[0]).filter(id=found[1]) if found else None


@several(Node, requires=Permission.MEMBER)
def nodes(info: Info, ids: list[strawberry.ID]) -> Any:
    """Anything by its global id, up to 100 at once and in their order; null for what is not there, or not yours."""
    if len(ids) > NODES_MOST:
        raise Limited(f"Ask for {NODES_MOST} ids at once at most.", field="ids")
    return [_row(id) for id in ids]


def _row(id: str) -> tuple[type[Model], UUID] | None:
    name, row = parse_global_id(id) or ("", None)
    model = next((model for model in VIEWS if model.__name__ == name), None)
    return (model, row) if model and row else None
