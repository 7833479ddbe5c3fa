"""Cursors of lists, taken from answers: for each list, order and caller."""

import base64
import json
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from graphql import GraphQLSchema, get_named_type

from tests.differential.values import literal
from tests.differential.world import Caller

MOST = 40
GARBAGE = ("", "x", "é", "AAAA", base64.urlsafe_b64encode(b"12345678[1]").decode(), "null", "=" * 8)
Ask = Callable[[str, Caller], Awaitable[Any]]  # (document, who) → the answer


class Cursors:
    """Known cursors; a list is asked for its own when one of them is first wanted."""

    def __init__(self, schema: GraphQLSchema, random: Random, ask: Ask) -> None:
        self._schema, self._random, self._ask = schema, random, ask
        self._known: dict[Any, list[str]] = {}

    async def one(self, coordinate: str, order: Any, caller: Caller) -> str:
        """A cursor of that list in that order mostly; else of another list, order or caller, or none at all."""
        said = self._random.random()
        others = [cursor for cursors in self._known.values() for cursor in cursors]
        if said < 0.03:
            return self._random.choice(GARBAGE)
        if others and said < 0.06:
            return self._random.choice(others)
        found = await self.all(coordinate, order, caller)
        return self._random.choice(found or GARBAGE)

    def known(self, coordinate: str, order: Any, caller: Caller) -> list[str]:
        return self._known.get((coordinate, _key(order), caller.name), [])

    async def all(self, coordinate: str, order: Any, caller: Caller) -> list[str]:
        """The first cursors of a list."""
        key = (coordinate, _key(order), caller.name)
        if key not in self._known:
            self._known[key] = cursors_in(await self._ask(self._document(coordinate, order), caller))
        return self._known[key]

    def _document(self, coordinate: str, order: Any) -> str:
        type_name, _, name = coordinate.partition(".")
        query: Any = self._schema.query_type
        if type_name == query.name:
            written = literal(query.fields[name].args["orderBy"].type, order) if order else ""
            return f"{{ {name}(first: {MOST}{written and f', orderBy: {written}'}) {{ edges {{ cursor }} }} }}"
        root = next(name for name, field in query.fields.items() if "after" in field.args and _rows(field) == type_name)
        return f"{{ {root}(first: 15) {{ nodes {{ {name}(first: 5) {{ edges {{ cursor }} }} }} }} }}"


def cursors_in(answer: Any) -> list[str]:
    if isinstance(answer, list):
        return [cursor for each in answer for cursor in cursors_in(each)]
    if isinstance(answer, dict):
        own = [answer["cursor"]] if "cursor" in answer else []
        return own + [cursor for each in answer.values() for cursor in cursors_in(each)]
    return []


def _rows(field: Any) -> str:
    named: Any = get_named_type(field.type)
    return str(get_named_type(named.fields["nodes"].type).name)


def _key(order: Any) -> str:
    return json.dumps(order, sort_keys=True)
