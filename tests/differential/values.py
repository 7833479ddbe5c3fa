"""Values for arguments and variables, as JSON has them: of the world's own mostly, some from the edges of a type."""

import base64
import json
from collections import defaultdict
from datetime import date, datetime
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_required_input_field,
)

from engine.views import VIEWS, Column
from models.base import global_id
from schema.scalars import format_datetime
from tests.differential.strings import ODD
from tests.differential.world import Caller, World

ABSENT = object()
NEVER_MADE = "01900000-0000-7000-8000-000000000000"
MALFORMED = ("", "x", "T3JkZXI", "T3JkZXI6", "é", "=", "T3JkZXI6MQ==", "AAAA" * 50)
INTS = (0, 1, -1, 2**31 - 1, -(2**31), 1000, 7.0)
ANYTHING: dict[str, tuple[Any, ...]] = {"String": ODD, "Boolean": (True, False), "Int": INTS}
LOCALES = ("fr-FR", "en-US", "de", "ar-EG", "ja_JP", "xx-YY", "", "f", "fr-FR-x-" + "a" * 40, "\x00")


class Values:
    """Makes values of any input type. What the world's columns hold is found by name of the field, else by scalar."""

    def __init__(self, schema: GraphQLSchema, world: World, random: Random) -> None:
        self.random, self._ids = random, defaultdict[tuple[str, Any], list[str]](list)
        self._by_field, self._by_type = defaultdict[str, list[Any]](list), defaultdict[str, list[Any]](list)
        self._viewed = sorted(view.name for view in VIEWS.values())
        for model, view in VIEWS.items():
            type_: Any = schema.type_map[view.name]
            rows = world.of(model)
            for row in rows:
                self._ids[view.name, getattr(row, "organization_id", None)].append(global_id(row))
            for name, source in view.fields.items():
                if isinstance(source, Column) and name != "id":
                    found = {_json(getattr(row, source.name)) for row in rows} - {None}
                    self._by_field[name] += sorted(found)
                    self._by_type[get_named_type(type_.fields[name].type).name] += sorted(found)

    def make(self, type_: GraphQLInputType, name: str, caller: Caller, *, owner: str = "") -> Any:
        """A value of the type for what is called `name`, of the type `owner` where that is known; ABSENT where
        nothing is known of its kind."""
        if not isinstance(type_, GraphQLNonNull) and self.random.random() < 0.07:
            return None
        named = get_nullable_type(type_)
        if isinstance(named, GraphQLList):
            if self.random.random() < 0.1 and name != "ids":  # one stands for a list of one
                return self.make(GraphQLNonNull(get_nullable_type(named.of_type)), name, caller, owner=owner)
            most = 8 if name == "ids" else 3
            each = (self.make(named.of_type, name, caller, owner=owner) for _ in range(self.random.randint(0, most)))
            made = [value for value in each if value is not ABSENT]
            return made + made[: self.random.randint(0, 1)]  # the first once more, at times
        if isinstance(named, GraphQLInputObjectType):
            return self._object(named, caller)
        if isinstance(named, GraphQLEnumType):
            return self.random.choice(list(named.values))
        return self._scalar(named.name, name, caller, owner)

    def size(self) -> Any:
        """Of a page."""
        if self.random.random() < 0.04:
            return self.random.choice((0, -1, 101, 2**31 - 1))
        return self.random.choice((7, 20, 100)) if self.random.random() < 0.05 else self.random.randint(1, 5)

    def id(self, type_name: str, caller: Caller) -> str:
        """Mostly of the caller's own organization; else the other's, one never made, or no id at all."""
        said = self.random.random()
        if type_name not in self._viewed or self.random.random() < 0.05:
            type_name = self.random.choice(self._viewed)
        if said < 0.06:
            return self.random.choice(MALFORMED)
        if said < 0.12:
            return base64.urlsafe_b64encode(f"{type_name}:{NEVER_MADE}".encode()).decode().rstrip("=")
        organizations = [of for name, of in self._ids if name == type_name]
        own = [of for of in organizations if of == caller.organization_id]
        found = self._ids[type_name, self.random.choice(own if own and said < 0.85 else organizations)]
        return self.random.choice(found)

    def _object(self, type_: GraphQLInputObjectType, caller: Caller) -> dict[str, Any]:
        made: dict[str, Any] = {}
        most = self.random.choice((1, 1, 1, 2, 3))
        for name in self.random.sample(list(type_.fields), len(type_.fields)):
            field = type_.fields[name]
            needed = is_required_input_field(field)
            if needed or (len(made) < most and self.random.random() < 0.7):
                value = self.make(field.type, name, caller)
                if value is not ABSENT:
                    made[name] = value
        return made

    def _scalar(self, scalar: str, name: str, caller: Caller, owner: str) -> Any:
        if scalar == "ID":
            return self.id(owner or name[0].upper() + name[1:], caller)
        if name == "locale":
            return self.random.choice(LOCALES[:4] if self.random.random() < 0.9 else LOCALES)
        pools = [self._by_field.get(name), self._by_type.get(scalar), ANYTHING.get(scalar)]
        known = [pool for pool in pools if pool]
        if not known:
            return ABSENT
        return self.random.choice(known[0] if self.random.random() < 0.8 else self.random.choice(known))


def literal(type_: GraphQLInputType, value: Any) -> str:
    """A JSON value as GraphQL writes it."""
    named = get_nullable_type(type_)
    if value is None:
        return "null"
    if isinstance(value, list):
        assert isinstance(named, GraphQLList)
        return f"[{', '.join(literal(named.of_type, each) for each in value)}]"
    if isinstance(named, GraphQLList):
        return literal(named.of_type, value)
    if isinstance(named, GraphQLInputObjectType):
        members = (f"{name}: {literal(named.fields[name].type, each)}" for name, each in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(named, GraphQLEnumType):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=len(str(value)) % 2 == 0)


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return format_datetime(value) if isinstance(value, datetime) else value.isoformat()
    return getattr(value, "value", value)
