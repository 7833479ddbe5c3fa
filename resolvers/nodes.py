"""Relay's `node`: anything by its global id."""

from typing import Any

import strawberry

from engine.reading import read_one
from engine.views import VIEWS
from models.base import parse_global_id
from policy import Permission
from schema.base import Node
from schema.context import Info, scope
from schema.roots import query


@query(Node | None, requires=Permission.MEMBER)
async def node(info: Info, id: strawberry.ID) -> Any:
    """Anything by its global id; null for what is not there, or not yours."""
    name, row = parse_global_id(id) or ("", None)
    model = {model.__name__: model for model in VIEWS}.get(name)
    if model is None:
        return None
    selections = [inner for field in info.selected_fields for inner in field.selections]
    return await read_one(scope(info)(model).filter(pk=row), selections, scope(info))
