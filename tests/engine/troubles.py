"""A schema of every kind of field, trees whose values are wrong in every way, and documents over them."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum, StrEnum
from random import Random
from typing import Annotated, Any, NewType

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.schema.config import StrawberryConfig

RUNS: list[str] = []  # of `counted`
MUTATED: list[str] = []


class Refusal(Exception):
    """What the resolvers of these tests raise."""


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.enum
class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


Even = NewType("Even", int)
Anything = NewType("Anything", object)


def even(value: Any) -> Any:
    """Half of it: a custom scalar that refuses, and that may say nothing."""
    if value % 2:
        raise Refusal(f"{value} is odd")
    return value // 2 or None


@strawberry.input
class Shape:
    width: int = 1
    sides: list[int] | None = None
    within: "Shape | None" = None


@strawberry.interface
class Named:
    name: str

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"id of {self.name}")


@strawberry.type
class Stone:
    weight: int | None
    owner: "Branch | None"


@strawberry.type
class Bird(Named):
    wings: int
    nest: "Branch"


@strawberry.type
class Branch(Named):
    number: int
    maybe: int | None
    ratio: float
    flag: bool
    colour: Colour
    size: Size | None
    at: datetime
    half: Even
    maybe_half: Even | None
    anything: Anything | None
    words: list[str]
    maybe_words: list[str | None] | None
    grid: list[list[int]] | None
    child: "Branch | None"
    sure: "Branch"
    stone: Stone
    branches: list["Branch"]
    maybe_branches: list["Branch | None"] | None
    found: Annotated["Stone | Bird", strawberry.union("Found")]
    all_found: list[Annotated["Stone | Bird | None", strawberry.union("Found")]]
    named: Named | None
    all_named: list[Named]

    @strawberry.field
    def shout(self, times: int = 2, mark: str | None = None, colour: Colour = Colour.RED) -> str:
        return f"{self.name}{mark}{colour}" * times

    @strawberry.field
    def strict(self, number: int, mark: str = "!") -> str | None:
        return f"{number}{mark}" if number > 0 else None

    @strawberry.field
    def measured(self, shape: Shape | None = None, sides: list[int] | None = None) -> int:
        if shape and shape.sides:
            shape.sides.append(len(shape.sides))  # its own copy: nobody else sees it
        if sides:
            sides.append(1)
        return (len(shape.sides or []) + shape.width if shape else 0) + len(sides or [])

    @strawberry.field
    def counted(self) -> int:
        RUNS.append(self.name)
        return 1

    @strawberry.field
    def raising(self, often: bool = True) -> int | None:
        if often or self.number % 2:
            raise Refusal(f"no {self.name}")
        return self.number

    @strawberry.field
    def strictly_raising(root: Any) -> str:
        return str(root.words[5])

    @strawberry.field
    def itself(root: strawberry.Parent["Branch"]) -> "Branch":
        return root

    @strawberry.field
    def described(self, info: strawberry.Info) -> str:
        return f"{info.path.as_list()} of {info.field_name}"

    @strawberry.field
    async def later(self) -> int:
        await asyncio.sleep(0)
        return self.number

    @strawberry.field
    async def later_branches(self) -> list["Branch"]:
        return self.branches

    @strawberry.field
    def awaitable(self) -> int | None:
        return Later(self.number)  # type: ignore[return-value]

    @strawberry.field
    def made(self) -> list[str]:
        return (word for word in self.words)  # type: ignore[return-value]


class Later:
    """An awaitable that is no coroutine: it may be left alone."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Iterator[Any]:
        yield from asyncio.sleep(0).__await__()
        return self.value

    def __repr__(self) -> str:
        return "Later"


class Text(str):
    pass


class Several(list[Any]):
    pass


@strawberry.type
class Query:
    @strawberry.field
    async def tree(self, info: strawberry.Info) -> Branch | None:
        return info.context()  # type: ignore[no-any-return, operator]

    @strawberry.field
    def trees(self, info: strawberry.Info) -> list[Branch]:
        return [info.context(), info.context()]  # type: ignore[operator]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def grow(self, info: strawberry.Info, name: str) -> Branch:
        MUTATED.append(name)
        return info.context()  # type: ignore[no-any-return, operator]


SCHEMA = strawberry.Schema(
    Query,
    Mutation,
    types=[Branch, Bird, Stone],
    config=StrawberryConfig(
        scalar_map={
            Even: strawberry.scalar(name="Even", serialize=even, parse_value=lambda value: value * 2),
            Anything: strawberry.scalar(name="Anything", serialize=lambda value: value),
        }
    ),
)

_WRONG: tuple[Callable[[Any], Any], ...] = (
    lambda value: None,
    lambda value: Refusal("a value"),
    lambda value: "text",
    lambda value: Text("text"),
    lambda value: 2**31,
    lambda value: -7,
    lambda value: 7.0,
    lambda value: float("nan"),
    lambda value: True,
    lambda value: Undefined,
    lambda value: {"a": 1},
    lambda value: Later(value),
    lambda value: Later(Refusal("later")),
    lambda value: (each for each in value) if isinstance(value, list) else value,
    lambda value: tuple(value) if isinstance(value, list) else value,
    lambda value: Several(value) if isinstance(value, list) else value,
    lambda value: [*value, None] if isinstance(value, list) else [value],
    lambda value: [*value, Refusal("an item")] if isinstance(value, list) else value,
    lambda value: [Later(each) for each in value] if isinstance(value, list) else value,
    lambda value: Colour.RED,
    lambda value: Size.LARGE,
    lambda value: "red",
    lambda value: Stone(weight=1, owner=None),
    lambda value: object,
)


def tree(seed: int, often: float) -> Branch:
    """The same tree for the same seed, `often` of its values being wrong."""
    return _branch(Random(seed), often, depth=1 + seed % 2)


def _branch(random: Random, often: float, depth: int) -> Branch:
    def some(make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(random.choice((0, 1, 2)))] if depth else []

    def branch() -> Branch:
        return _branch(random, often, depth - 1)

    def stone() -> Stone:
        return _spoilt(Stone(weight=random.choice((None, 3)), owner=branch() if depth > 1 else None), random, often)

    def bird() -> Bird:
        return _spoilt(Bird(name="bird", wings=2, nest=branch() if depth > 1 else None), random, often)

    whole = Branch(
        name=f"b{random.randrange(9)}", number=random.randrange(9), maybe=random.choice((None, 5)), ratio=0.5,
        flag=random.random() < 0.5, colour=random.choice([*Colour]), size=random.choice((None, *Size)),
        at=datetime(2026, 1, 31, tzinfo=UTC), half=4, maybe_half=random.choice((None, 2, 6)),
        anything=random.choice((None, {"a": [1, None]}, "text", 3)), words=some(lambda: "word"),
        maybe_words=random.choice((None, ["a", None])), grid=random.choice((None, [[1, 2], []])),
        child=branch() if depth and random.random() < 0.5 else None, sure=branch() if depth else None,
        stone=stone(), branches=some(branch),
        maybe_branches=random.choice((lambda: None, lambda: [*some(branch), None]))(),
        found=random.choice((stone, bird))(),
        all_found=some(lambda: random.choice((stone, bird))()), named=random.choice((lambda: None, bird))(),
        all_named=some(bird),
    )  # fmt: skip
    return _spoilt(whole, random, often)


def _spoilt(whole: Any, random: Random, often: float) -> Any:
    for name, value in vars(whole).items():
        if random.random() < often:
            setattr(whole, name, random.choice(_WRONG)(value))
    if random.random() < often / 2:
        delattr(whole, random.choice([*vars(whole)]))
    return whole


class Documents:
    """Valid documents over a schema, with the variables that they may be given."""

    def __init__(self, schema: GraphQLSchema, random: Random) -> None:
        self._schema, self._random = schema, random
        self._variables: dict[str, str] = {}
        self._fragments: list[str] = []
        self._aliases = 0

    def query(self, kind: str = "query", depth: int = 4) -> str:
        root = self._schema.query_type if kind == "query" else self._schema.mutation_type
        name, field = self._random.choice([*root.fields.items()])  # type: ignore[union-attr]
        selected = f"{{ {self._field(name, field, depth)} }}"
        declared = ", ".join(f"${name}: {type_}" for name, type_ in self._variables.items())
        return "\n".join((f"{kind}{f'({declared})' if declared else ''} {selected}", *self._fragments))

    def variables(self) -> dict[str, Any]:
        """Values for the variables of the documents made so far: some absent, some null."""
        given = {}
        for name, type_ in self._variables.items():
            kind, _, _ = type_.partition(" ")
            absent = self._random.random()
            if absent < 0.2 and (not kind.endswith("!") or "=" in type_):
                continue
            given[name] = None if absent < 0.4 and not kind.endswith("!") else _GIVEN[kind.rstrip("!")](self._random)
        return given

    def _selection(self, type_: Any, depth: int) -> str:
        random, parts = self._random, []
        if is_abstract_type(type_):
            parts.append("__typename")
            for possible in self._schema.get_possible_types(type_):
                if random.random() < 0.7:
                    parts.append(f"... on {possible.name}{self._directive()} {self._selection(possible, depth - 1)}")
        if not hasattr(type_, "fields"):
            return f"{{ {' '.join(parts)} }}"
        names = [name for name, field in type_.fields.items() if depth > 1 or is_leaf_type(get_named_type(field.type))]
        for name in random.choices(names, k=random.randint(1, 6)):
            parts.append(self._field(name, type_.fields[name], depth))
            if random.random() < 0.1:
                parts.append(self._in_fragment(type_, parts[-1]))
        if random.random() < 0.2:
            parts.append(f"... {{ {self._alias()}: __typename }}")
        return f"{{ {' '.join(parts)} }}"

    def _field(self, name: str, field: Any, depth: int) -> str:
        # Fields with arguments always have names of their own, others may be merged with their like.
        alias = f"{self._alias()}: " if field.args or self._random.random() < 0.2 else ""
        named = get_named_type(field.type)
        below = "" if is_leaf_type(named) else f" {self._selection(named, depth - 1)}"
        return f"{alias}{name}{self._arguments(field)}{self._directive()}{below}"

    def _alias(self) -> str:
        self._aliases += 1
        return f"a{self._aliases}"

    def _in_fragment(self, type_: Any, field: str) -> str:
        if self._random.random() < 0.5:
            return f"... on {type_.name}{self._directive()} {{ {field} }}"
        self._fragments.append(f"fragment f{len(self._fragments)} on {type_.name} {{ {field} }}")
        return f"...f{len(self._fragments) - 1}"

    def _arguments(self, field: Any) -> str:
        given = []
        for name, argument in field.args.items():
            required = isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
            if required or self._random.random() < 0.6:
                given.append(f"{name}: {self._value(argument)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, argument: Any) -> str:
        if self._random.random() < 0.5:
            return self._literal(argument.type)
        # Where null may not stand a nullable variable may, if there is a default.
        name = f"v{len(self._variables)}"
        self._variables[name] = str(argument.type)
        if isinstance(argument.type, GraphQLNonNull) and argument.default_value is not Undefined:
            self._variables[name] = str(argument.type.of_type)
        return f"${name}"

    def _literal(self, type_: Any) -> str:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self._random.random() < 0.2:
            return "null"
        if isinstance(type_, GraphQLList):
            return f"[{self._literal(type_.of_type)}, {self._literal(type_.of_type)}]"
        if isinstance(type_, GraphQLInputObjectType):
            return f"{{width: {self._random.randrange(9)}, sides: [1, 2]}}"
        if isinstance(type_, GraphQLEnumType):
            return self._random.choice([*type_.values])
        return {"Int": str(self._random.randint(-2, 9)), "String": '"x"', "Boolean": "false"}[type_.name]

    def _directive(self) -> str:
        if self._random.random() > 0.1:
            return ""
        name = self._random.choice(("skip", "include"))
        if self._random.random() < 0.3:
            return f" @{name}(if: {self._random.choice(('true', 'false'))})"
        variable = self._random.choice(("yes", "no"))
        self._variables[variable] = "Boolean!" if variable == "yes" else "Boolean! = false"
        return f" @{name}(if: ${variable})"


_GIVEN: dict[str, Callable[[Random], Any]] = {
    "Int": lambda random: random.randint(-2, 9),
    "String": lambda random: "given",
    "Boolean": lambda random: random.random() < 0.5,
    "Colour": lambda random: random.choice(("RED", "BLUE")),
    "Shape": lambda random: {"width": 3, "sides": [1, 2], "within": {"width": 2}},
    "[Int!]": lambda random: [1, 2, 3],
}
