"""Valid documents made from the schema alone, with variables for whoever asks: what it gains is asked for too."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
)

from tests.differential.cursors import Cursors
from tests.differential.places import Place, Sought, merged
from tests.differential.values import ABSENT, Values, literal
from tests.differential.world import Caller

FIELDS_MOST = 45  # of a document, about
Make = Callable[[Caller, dict[Any, Any]], Awaitable[Any]]

# What is an error here, to which the whole of an answer is lost: the one wants a token, the others a service of its
# own, a calendar outside, words, a client that is there; of two that fail at once, any is told.
REFUSED = {
    "invitationOffer", "availability", "calendarsToConnect", "clientSearch", "clientDuplicates", "clientMergePreview",
}  # fmt: skip


@dataclass
class Draft:
    """A document, and how its variables are made."""

    text: str
    variables: dict[str, Make] = field(default_factory=dict)

    async def values(self, caller: Caller) -> dict[str, Any]:
        """Of all variables, in the order in which the document came by them. A default is used at times."""
        chosen: dict[Any, Any] = {}
        made = {name: await make(caller, chosen) for name, make in self.variables.items()}
        return {name: value for name, value in made.items() if value is not ABSENT}


class Documents:
    """Makes drafts, one after another."""

    def __init__(self, schema: GraphQLSchema, random: Random, values: Values, cursors: Cursors) -> None:
        self.schema, self.random, self.values, self.cursors = schema, random, values, cursors
        self.viewed = set(schema.get_possible_types(schema.type_map["Node"]))  # type: ignore[arg-type]

    def draft(self, caller: Caller) -> Draft:
        """A document; ids and the like in it are chosen as for the caller."""
        return _Draft(self, caller).written()


class _Draft:
    def __init__(self, documents: Documents, caller: Caller) -> None:
        self.schema, self.random, self.values = documents.schema, documents.random, documents.values
        self.cursors, self.viewed, self.caller = documents.cursors, documents.viewed, caller
        self.left = self.random.randint(3, FIELDS_MOST)
        self.declared: list[str] = []
        self.variables: dict[str, Make] = {}
        self.fragments: dict[str, tuple[GraphQLNamedType, str, Place]] = {}
        self.orders: dict[object, Any] = {}  # of lists, where the document itself says it

    def written(self) -> Draft:
        query: Any = self.schema.query_type
        roots = self._selection(query, {}, depth=self.random.randint(1, 4), wanted=self.random.choice((1, 1, 1, 2, 3)))
        name = "Asked" if self.declared or self.random.random() < 0.5 else ""
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        head = f"query {name}{declared} " if name or self.random.random() < 0.5 else ""
        fragments = [text for _, text, _ in self.fragments.values()]
        return Draft("\n".join((head + roots, *fragments)), self.variables)

    # Selections

    def _selection(self, type_: Any, place: Place, depth: int, wanted: int | None = None) -> str:
        wanted = wanted or self.random.randint(1, 5) + (3 if is_abstract_type(type_) else 0)
        parts = [part for _ in range(wanted) if (part := self._part(type_, place, depth))]
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    def _part(self, type_: Any, place: Place, depth: int) -> str:
        said = self.random.random()
        if said < 0.06:
            alias, _ = self._alias(type_, ("__typename", "", "String!"), place)
            return f"{alias}{self._directives()}"
        if said < 0.13 or (is_abstract_type(type_) and said < 0.75) or is_union_type(type_):
            return self._inline(type_, place, depth)
        if said < 0.21 and self.left > 0:
            return self._spread(type_, place, depth)
        return self._field(type_, place, depth)

    def _inline(self, type_: Any, place: Place, depth: int) -> str:
        on = self._condition(type_)
        condition = f" on {on.name}" if on is not type_ or self.random.random() < 0.5 else ""
        selection = self._selection(on, place, depth, self.random.randint(1, 3))
        return f"...{condition}{self._directives()} {selection}"

    def _spread(self, type_: Any, place: Place, depth: int) -> str:
        """A named fragment: one there is, where it fits, or a new one, which may spread those before it."""
        for name, (on, _, known) in self.fragments.items():
            if on is type_ and self.random.random() < 0.5 and merged(known, place):
                return f"...{name}{self._directives()}"
        on, below = self._condition(type_), Place()
        selection = self._selection(on, below, depth, self.random.randint(1, 3))
        if not merged(below, place):
            return ""
        name = f"Part{len(self.fragments)}"
        self.fragments[name] = (on, f"fragment {name} on {on.name} {selection}", below)
        return f"...{name}{self._directives()}"

    def _condition(self, type_: Any) -> Any:
        """A type on which there may be a fragment within a selection on this one."""
        if is_abstract_type(type_):
            possible = self.schema.get_possible_types(type_)
            return self.random.choice(possible) if self.random.random() < 0.9 else type_
        above = [self.schema.type_map[each.name] for each in getattr(type_, "interfaces", ())]
        return self.random.choice((type_, type_, *above))

    def _field(self, type_: Any, place: Place, depth: int) -> str:
        fields = getattr(type_, "fields", {})  # a union has none of its own
        chosen = [name for name, each in fields.items() if name not in REFUSED and self._may(type_, each, depth)]
        if not chosen:
            return ""
        onwards = [name for name in chosen if not is_leaf_type(get_named_type(type_.fields[name].type))]
        name = self.random.choice(onwards if onwards and self.random.random() < 0.4 else chosen)
        definition: GraphQLField = type_.fields[name]
        type_name = str(definition.type)
        repeated = [(at, asked) for at, (asked, _) in place.items() if (asked[0], asked[2]) == (name, type_name)]
        if repeated and self.random.random() < 0.3:  # the same once more, with something else below
            response, asked = self.random.choice(repeated)
            alias = name if response == name else f"{response}: {name}"
        else:
            asked = (name, self._arguments(f"{type_.name}.{name}", definition), type_name)
            alias, response = self._alias(type_, asked, place)
        self.left -= 1
        below = ""
        if not is_leaf_type(get_named_type(definition.type)):
            deeper = depth - (not _is_part(type_))
            below = " " + self._selection(get_named_type(definition.type), place[response][1], deeper)
        return f"{alias}{f'({asked[1]})' if asked[1] else ''}{self._directives()}{below}"

    def _may(self, type_: Any, definition: GraphQLField, depth: int) -> bool:
        """Whether a field still fits."""
        named = get_named_type(definition.type)
        if is_leaf_type(named) or _is_part(type_):
            return True
        goes_on = named in self.viewed or is_abstract_type(named) or _is_part(named)
        return not goes_on or (depth > 0 and self.left > 0)

    def _alias(self, type_: Any, asked: Sought, place: Place) -> tuple[str, str]:
        """(the field with its alias, its response name), which nothing else has at this place."""
        name = asked[0]
        others = [*getattr(type_, "fields", {}), "a", "b", "_1", "constructor", "self", "rows", "class"]
        response = self.random.choice(others) if self.random.random() < 0.2 else name
        while response in place and place[response][0] != asked:
            response = f"{response[:20]}_{self.random.randrange(1000)}"
        place.setdefault(response, (asked, {}))
        return (name if response == name else f"{response}: {name}"), response

    # Arguments

    def _arguments(self, coordinate: str, definition: GraphQLField) -> str:
        paged, slot = "after" in definition.args, object()
        names = sorted(definition.args, key=lambda name: name != "orderBy")  # cursors follow the order
        paging = self._paging() if paged else {}
        written = {}
        for name in names:
            argument = definition.args[name]
            if name in ("first", "last"):
                text = self._size(argument) if name in paging else self._missing(argument)
            elif name in ("after", "before"):
                text = self._cursor(coordinate, slot, argument) if name in paging else self._missing(argument)
            else:
                text = self._value(name, argument, definition, slot)
            if text is not None:
                written[name] = text
        return ", ".join(f"{name}: {written[name]}" for name in definition.args if name in written)

    def _paging(self) -> set[str]:
        """Which of the arguments of a page are given."""
        said = self.random.random()
        sizes = {"first", "last"} if said < 0.02 else {"first"} if said < 0.6 else {"last"} if said < 0.9 else set()
        return sizes | {side for side in ("after", "before") if self.random.random() < 0.25}

    def _missing(self, argument: GraphQLArgument) -> str | None:
        """What is as good as nothing: nothing mostly, null, or a variable that is not given."""
        said = self.random.random()
        if said < 0.9:
            return None
        return "null" if said < 0.95 else self._variable(argument, _absent if self.random.random() < 0.5 else _null)

    def _size(self, argument: GraphQLArgument) -> str:
        if self.random.random() < 0.5:
            return str(self.values.size())

        async def make(*_: Any) -> Any:
            return self.values.size()

        return self._variable(argument, make, default=str(self.random.randint(1, 3)))

    def _cursor(self, coordinate: str, slot: object, argument: GraphQLArgument) -> str:
        async def make(caller: Caller, chosen: dict[Any, Any]) -> Any:
            return await self.cursors.one(coordinate, chosen.get(slot, self.orders.get(slot)), caller)

        known = self.cursors.known(coordinate, self.orders.get(slot), self.caller)
        if known and self.random.random() < 0.15:
            return json.dumps(self.random.choice(known))
        return self._variable(argument, make)

    def _value(self, name: str, argument: GraphQLArgument, definition: GraphQLField, slot: object) -> str | None:
        said, owner = self.random.random(), get_named_type(definition.type).name
        if not is_required_argument(argument) and said < 0.4:
            return None
        if said < 0.7:
            value = self.values.make(argument.type, name, self.caller, owner=owner)
            if name == "orderBy":
                self.orders[slot] = value
            return None if value is ABSENT else literal(argument.type, value)

        async def make(caller: Caller, chosen: dict[Any, Any]) -> Any:
            value = self.values.make(argument.type, name, caller, owner=owner)
            if name == "orderBy":
                chosen[slot] = value
            return value

        return self._variable(argument, make)

    def _variable(self, argument: GraphQLArgument, make: Make, default: str | None = None) -> str:
        name = f"v{len(self.variables)}"
        declared, required = str(argument.type), isinstance(argument.type, GraphQLNonNull)
        if required and not is_required_argument(argument) and self.random.random() < 0.5:
            declared, required = declared.removesuffix("!"), False  # what is not given is the argument's default
        if not required and make not in (_absent, _null) and self.random.random() < 0.2:
            declared += "!"
            self.variables[name] = _never_null(make)
        else:
            self.variables[name] = make if required or self.random.random() < 0.85 else _sometimes(make, self.random)
        with_default = default is not None and self.random.random() < 0.4
        self.declared.append(f"${name}: {declared}{f' = {default}' if with_default else ''}")
        return f"${name}"

    def _directives(self) -> str:
        if self.random.random() < 0.9:
            return ""
        kind, said = self.random.choice(("skip", "include")), self.random.random()
        if said < 0.4:
            return f" @{kind}(if: {self.random.choice(('true', 'false'))})"
        name = f"v{len(self.variables)}"

        async def make(*_: Any) -> Any:
            return self.random.random() < 0.6

        declared, self.variables[name] = self.random.choice(
            (("Boolean!", make), ("Boolean! = true", _sometimes(make, self.random)), ("Boolean = false", _absent))
        )
        self.declared.append(f"${name}: {declared}")
        return f" @{kind}(if: ${name})"


async def _absent(*_: Any) -> Any:
    return ABSENT


async def _null(*_: Any) -> Any:
    return None


def _never_null(make: Make) -> Make:
    async def sure(caller: Caller, chosen: dict[Any, Any]) -> Any:
        for _ in range(50):
            value = await make(caller, chosen)
            if value is not None and value is not ABSENT:
                return value
        return None  # refused, by each way alike

    return sure


def _sometimes(make: Make, random: Random) -> Make:
    async def made(caller: Caller, chosen: dict[Any, Any]) -> Any:
        return await make(caller, chosen) if random.random() < 0.5 else ABSENT

    return made


def _is_part(type_: Any) -> bool:
    """Whether an object is no row, but what leads to rows: a connection, an edge."""
    return "pageInfo" in type_.fields or {"cursor", "node"} <= set(type_.fields)
