"""The same request by each way of answering, and what is made of their answers."""

import logging
import re
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import jwt
import orjson
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from engine.execution import Asked, Engine, Way
from engine.plans import Plans
from engine.plans.explaining import Heard
from models.database import reader
from resolvers.schema import build
from schema.context import Context
from tests.differential.world import Caller

RACES = 10

planner = logging.getLogger("comptoir.engine")


@dataclass(frozen=True)
class Case:
    """One request."""

    text: str
    variables: dict[str, Any]
    caller: Caller
    operation_name: str | None = None


@dataclass(frozen=True)
class Answers:
    """To one case, by way; `planned` when a plan gave its own."""

    bodies: dict[Way, bytes]
    planned: bool
    raced: bool = False  # they differ in nothing but which of several errors was told

    @property
    def differ(self) -> bool:
        same = self.raced or len(set(self.bodies.values())) == 1
        return not same or any(b'"INTERNAL"' in body for body in self.bodies.values())

    @property
    def clean(self) -> bool:
        return b'"errors":' not in self.bodies[Way.STOCK]


@dataclass
class Tally:
    """What was asked in all."""

    cases: int = 0
    clean: int = 0
    planned: int = 0
    raced: int = 0
    why_not: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)  # `Order.number`, in answers that plans gave


class Ways:
    """An engine that is asked the same thing three times."""

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[Any]] = reader) -> None:
        schema = build()
        self.schema, self.tally = schema._schema, Tally()
        self._plans = Watched(Plans(schema, connect))
        self._engine = Engine(schema, plans=self._plans)

    async def answer(self, case: Case, way: Way = Way.STOCK) -> bytes:
        asked = Asked(case.text, case.variables, case.operation_name)

        async def context() -> Context:
            return Context(case.caller.actor)

        return links_without_expiry((await self._engine.answer(asked, context, way=way)).body)

    async def by_plan(self, case: Case) -> bytes:
        """The answer, which a plan gave unless it has errors."""
        self._plans.answered = False
        body = await self.answer(case, Way.PLAN)
        assert self._plans.answered or b'"errors":' in body, case
        return body

    async def answers(self, case: Case) -> Answers:
        """By every way. Counts it."""
        self._plans.answered = False
        heard, level = Heard(), planner.level
        planner.addHandler(heard)
        planner.setLevel(logging.DEBUG)
        try:
            bodies = {Way.PLAN: await self.answer(case, Way.PLAN)}
        finally:
            planner.setLevel(level)
            planner.removeHandler(heard)
        planned = self._plans.answered
        bodies |= {way: await self.answer(case, way) for way in (Way.COMPILED, Way.STOCK)}
        found = Answers(bodies, planned, len(set(bodies.values())) > 1 and await self._raced(case, bodies))
        self._count(case, found, heard.lines)
        return found

    async def _raced(self, case: Case, bodies: dict[Way, bytes]) -> bool:
        """Whether graphql-core gives the same errors when it is asked again. It runs siblings at once, and where one
        null swallows several failures it tells the one that came first: the same row's one time, another's the next."""
        if any(b'"errors":' not in body for body in bodies.values()):
            return False
        known = set[str]().union(*[errors_of(await self.answer(case)) for _ in range(RACES)])
        return all(errors_of(body) <= known for body in bodies.values())

    def _count(self, case: Case, found: Answers, why_not: list[str]) -> None:
        self.tally.cases += 1
        self.tally.raced += found.raced
        if found.clean:
            self.tally.clean += 1
            self.tally.planned += found.planned
            if found.planned:
                self.tally.fields.update(coordinates(self.schema, case.text))
            else:
                self.tally.why_not.update(why_not or ["asked for none"])


class Watched:
    """Plans, and whether they gave the last answer."""

    def __init__(self, plans: Plans) -> None:
        self._plans, self.answered = plans, False

    async def data(self, *asked: Any) -> dict[str, Any] | None:
        data = await self._plans.data(*asked)
        self.answered = data is not None
        return data


def errors_of(body: bytes) -> set[str]:
    """Each error with the data beside it; of paths, not which row of a list it was."""
    answer = orjson.loads(body)
    errors = []
    for error in answer["errors"]:
        path = [step for step in error.get("path", ()) if isinstance(step, str)]
        errors.append(orjson.dumps([answer.get("data"), error | {"path": path}]).decode())
    return set(errors)


def links_without_expiry(body: bytes) -> bytes:
    """Signed links hold the second at which they were made: nothing is left of it, what they open stays."""
    return re.sub(rb"/(\w+)/(eyJ[\w-]+\.[\w.-]+)", lambda link: b"/%b/%b" % (link[1], _opened(link[2].decode())), body)


def coordinates(schema: Any, text: str) -> set[str]:
    """The fields that a document names."""
    info, found = TypeInfo(schema), set()

    class Finder(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = info.get_parent_type()
            found.add(f"{parent and parent.name}.{node.name.value}")

    visit(parse(text), TypeInfoVisitor(info, Finder()))
    return found


def _opened(token: str) -> bytes:
    claims = jwt.decode(token, options={"verify_signature": False})
    claims.pop("exp")
    return orjson.dumps(claims).replace(b'"', b"'")
