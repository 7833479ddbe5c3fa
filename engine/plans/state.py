"""What a plan is made of while it is compiled."""

from dataclasses import dataclass, replace
from typing import Any

from engine.plans.arguments import Given
from engine.plans.statements import Parameters, Source, Statement
from engine.views import View


@dataclass
class Level:
    """One statement and its assembler."""

    name: str
    sql: str = ""
    arguments: str = ""  # source of `lambda facts, values, keys, parts: (…)`
    assembler: str = ""  # source of a function
    parent: int | None = None
    parent_key: int = 0  # where the parent's rows hold the key
    keyed: bool = True  # whether its own rows begin with the key of their parent
    paged: int | None = None  # which slice this is a page of
    count: "Level | None" = None

    def filled(self, sql: str, parameters: Parameters, assembler: str) -> None:
        self.sql, self.arguments, self.assembler = sql, parameters.source(), assembler


@dataclass(frozen=True)
class Compiled:
    """What a root field's plan is made of, before it is Python."""

    levels: list[Level]
    names: dict[str, Any]  # of the assemblers
    dynamic: list[Given]  # arguments of Python fields that name variables


@dataclass(frozen=True)
class Here:
    """Where in a plan a selection is compiled: rows of a source within the statement of a level."""

    level: int
    statement: Statement
    parameters: Parameters
    source: Source
    view: View
    nests: bool = False  # whether lists may be part of this statement
    path: tuple[str, ...] = ()

    def under(self, name: str) -> "Here":
        return replace(self, path=(*self.path, name))
