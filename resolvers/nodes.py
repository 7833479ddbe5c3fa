"""Relay's `node` and `nodes`: anything by its global id."""

import strawberry

from engine.views import VIEWS
from errors import Limited
from models.base import parse_global_id
from policy import Permission
from schema.base import Node
from schema.roots import Wanted, one, several

NODES_MOST = 100


@one(Node, requires=Permission.MEMBER)
def node(id: strawberry.ID) -> Wanted:
    """Anything by its global id; null for what is not there, or not yours."""
    return _row(id)


@several(Node, requires=Permission.MEMBER)
def nodes(ids: list[strawberry.ID]) -> list[Wanted]:
    """Anything by its global id, up to 100 at once and in their order; null for what is not there, or not yours."""
    if len(ids) > NODES_MOST:
        raise Limited(f"Ask for {NODES_MOST} ids at once at most.", field="ids")
    return [_row(id) for id in ids]


def _row(id: str) -> Wanted:
    name, row = parse_global_id(id) or ("", None)
    model = next((model for model in VIEWS if model.__name__ == name), None)
    return (model, row) if model and row else None
