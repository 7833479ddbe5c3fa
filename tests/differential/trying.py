"""Case after case: generated, asked each way, and told of where the answers differ."""

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import orjson
from graphql import parse, validate

from models import Role
from tests.differential.cursors import Cursors
from tests.differential.documents import Documents
from tests.differential.shrinking import shrunk
from tests.differential.spoiling import spoilt
from tests.differential.values import Values
from tests.differential.ways import Case, Ways
from tests.differential.world import Caller, World

SEE_ALL = (Role.OWNER, Role.ADMIN)


class Differ(AssertionError):
    """The ways do not give the same answer."""


async def cases(ways: Ways, world: World, random: Random) -> AsyncIterator[Case]:
    """Without end: a valid document for several callers, and each time something invalid made of it."""

    async def ask(text: str, caller: Caller) -> Any:
        return orjson.loads(await ways.answer(Case(text, {}, caller)))

    cursors = Cursors(ways.schema, random, ask)
    documents = Documents(ways.schema, random, Values(ways.schema, world, random), cursors)
    while True:
        callers = some(world.callers, random)
        draft = documents.draft(callers[0])
        if validate(ways.schema, parse(draft.text)):
            continue
        for caller in callers:
            case = Case(draft.text, await draft.values(caller), caller)
            yield case
        yield spoilt(case, random)


async def try_case(ways: Ways, case: Case, name: str = "") -> None:
    """Raises Differ, with the case made as small as it gets."""
    found = await ways.answers(case)
    if not found.differ:
        return

    async def fails(smaller: Case) -> bool:
        return (await ways.answers(smaller)).differ

    smallest = await shrunk(case, fails)
    raise Differ(f"{name}\n{told(smallest)}\n{await answers_told(ways, smallest)}\nIt began as:\n{told(case)}")


def some(callers: list[Caller], random: Random) -> list[Caller]:
    """One, the same role in the other organization so that a plan is used by both, and anyone. Those who may see
    everything come more often."""
    signed_in = [each for each in callers if each.actor]
    see_all = [each for each in signed_in if each.actor.kind in SEE_ALL]
    first = random.choice(see_all if random.random() < 0.6 else callers)
    alike = [
        each
        for each in signed_in
        if first.actor and each.actor.kind == first.actor.kind
        and each.organization_id != first.organization_id
    ]  # fmt: skip
    return [first, random.choice(alike or callers), random.choice(callers)]


def told(case: Case) -> str:
    variables = json.dumps(case.variables, ensure_ascii=False)
    return f"as {case.caller.name}, operation {case.operation_name}\n{case.text}\n{variables}"


async def answers_told(ways: Ways, case: Case) -> str:
    found = await ways.answers(case)
    return "\n".join(f"{way.value:8} {body.decode()[:3000]}" for way, body in found.bodies.items()) + (
        "" if found.planned else "\n(no plan answered)"
    )
