"""The engine, from a request to bytes: what is told, what is hidden, what is given up."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from engine.compiled import CompiledExecutor
from engine.cost import COST_MOST
from engine.execution import Answer, Asked, Engine, Way
from engine.extensions import Limits, MaskErrors
from engine.masking import ERRORS_MOST
from errors import Conflict, Unauthenticated


class Done:
    """What happened in a resolver."""

    started = ended = written = 0


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def broken(self) -> str | None:
        raise ZeroDivisionError("the secret")

    @strawberry.field
    def conflict(self) -> str | None:
        raise Conflict("Settle this first.", field="input.order")

    @strawberry.field
    def slow_database(self) -> str | None:
        raise TimeoutError("the secret")

    @strawberry.field
    def several(self) -> list["Query"]:
        return [Query()] * (ERRORS_MOST + 5)

    @strawberry.field
    def page(self, first: int | None = None) -> list["Query"]:
        Done.started += 1
        return []

    @strawberry.field
    async def forever(self) -> str | None:
        Done.started += 1
        try:
            await asyncio.Event().wait()
        finally:
            Done.ended += 1
        return None

    @strawberry.field
    def odd(self) -> JSON:
        return object()

    @strawberry.field
    def caller(self, info: Info) -> str:
        return str(info.context)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> int:
        Done.written += 1
        return Done.written


SCHEMA = strawberry.Schema(Query, Mutation, extensions=[MaskErrors, Limits])
COST = {"requested": 1, "most": COST_MOST}


@pytest.fixture(autouse=True)
async def nothing_done() -> AsyncIterator[None]:
    yield
    Done.started = Done.ended = Done.written = 0


async def test_an_answer_is_data_then_errors_then_extensions() -> None:
    assert (
        await body("{ hello }") == b'{"data":{"hello":"hello you"},"extensions":{"cost":{"requested":1,"most":30000}}}'
    )
    assert list(orjson.loads(await body("{ conflict }"))) == ["data", "errors", "extensions"]


@pytest.mark.parametrize("way", Way)
async def test_every_way_gives_the_same_answer(way: Way) -> None:
    answer = await Engine(SCHEMA).answer(Asked("{ hello conflict several { hello } }"), nobody, way=way)

    assert orjson.loads(answer.body)["data"]["conflict"] is None
    assert answer == await Engine(SCHEMA).answer(Asked("{ hello conflict several { hello } }"), nobody, way=Way.STOCK)


async def test_the_operation_that_is_named_is_run() -> None:
    asked = Asked('query A { hello } query B { hello(name: "Ada") }', operation_name="B")

    assert orjson.loads((await Engine(SCHEMA).answer(asked, nobody)).body)["data"] == {"hello": "hello Ada"}


async def test_a_refusal_of_ours_is_shown_and_a_mistake_of_ours_masked(caplog: pytest.LogCaptureFixture) -> None:
    for document in ("{ broken }", "{ slowDatabase }"):
        (error,) = (await told(document))["errors"]

        assert "secret" not in error["message"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["extensions"]["id"] in caplog.text
        assert error["path"]

    (error,) = (await told("{ conflict }"))["errors"]
    assert (error["message"], error["extensions"]) == (
        "Settle this first.",
        {"code": "CONFLICT", "field": "input.order"},
    )


async def test_no_more_errors_are_shown_than_the_most(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "comptoir.errors")

    assert len((await told("{ several { broken } }"))["errors"]) == ERRORS_MOST


@pytest.mark.parametrize(
    ("asked", "parsed", "costs"),
    [
        (Asked("{"), False, False),
        (Asked("{ nope }"), True, False),
        (Asked("query A { hello } query B { hello }"), True, False),
        (Asked("query A { hello }", operation_name="B"), True, False),
        (Asked("query ($n: Int!) { page(first: $n) { hello } }"), True, True),
        (Asked("query ($n: Int!) { page(first: $n) { hello } }", {"n": "many"}), True, True),
    ],
)
async def test_what_is_refused_has_no_data_not_even_null(asked: Asked, parsed: bool, costs: bool) -> None:
    answer = await Engine(SCHEMA).answer(asked, nobody)
    told = orjson.loads(answer.body)

    assert (answer.executed, answer.parsed, answer.allowed) == (False, parsed, True)
    assert list(told) == (["errors", "extensions"] if costs else ["errors"])
    assert {error["extensions"]["code"] for error in told["errors"]} == {"INVALID"}
    assert Done.started == 0


async def test_a_variable_that_cannot_be_read_is_named() -> None:
    answer = await Engine(SCHEMA).answer(Asked("query ($n: Int!) { page(first: $n) { hello } }", {"n": "many"}), nobody)

    (error,) = orjson.loads(answer.body)["errors"]
    assert error["extensions"] == {"code": "INVALID", "field": "n"}


async def test_what_costs_too_much_is_refused_before_anything_is_done() -> None:
    nested = "{ page(first: 100) { page(first: 100) { hello again: hello } } }"
    by_variable = "query ($n: Int) { page(first: $n) { page(first: $n) { hello again: hello } } }"

    for asked in (Asked(nested), Asked(by_variable, {"n": 100})):
        answer = await Engine(SCHEMA).answer(asked, never)
        told = orjson.loads(answer.body)

        assert not answer.executed
        assert [error["extensions"] for error in told["errors"]] == [{"code": "LIMITED"}]
        assert told["extensions"]["cost"] == {"requested": 30201, "most": COST_MOST}
        assert Done.started == 0
    assert (await Engine(SCHEMA).answer(Asked(by_variable, {"n": 90}), nobody)).executed


async def test_where_nothing_may_change_mutations_are_not_allowed() -> None:
    answer = await Engine(SCHEMA).answer(Asked("mutation { write }"), never, mutations=False)

    assert (answer.executed, answer.allowed, Done.written) == (False, False, 0)
    assert orjson.loads(answer.body)["errors"][0]["extensions"] == {"code": "INVALID"}
    assert (await Engine(SCHEMA).answer(Asked("{ hello }"), nobody, mutations=False)).executed


async def test_an_operation_that_lasts_too_long_is_given_up_and_what_it_did_is_ended() -> None:
    answer = await Engine(SCHEMA, seconds=0.05).answer(Asked("{ forever }"), nobody)
    told = orjson.loads(answer.body)

    assert answer.executed
    assert (told["data"], told["extensions"]["cost"]) == (None, COST)
    assert told["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
    assert (Done.started, Done.ended) == (1, 1)


async def test_an_operation_whose_client_leaves_is_ended() -> None:
    task = asyncio.create_task(Engine(SCHEMA).answer(Asked("{ forever }"), nobody))
    while not Done.started:
        await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert Done.ended == 1


async def test_who_is_calling_may_be_refused_or_not_be_known_by_a_mistake_of_ours() -> None:
    async def refused() -> Any:
        raise Unauthenticated("Sign in again.")

    async def broken() -> Any:
        raise ConnectionError("the secret")

    for make_context, code in ((refused, "UNAUTHENTICATED"), (broken, "INTERNAL")):
        told = orjson.loads((await Engine(SCHEMA).answer(Asked("{ hello }"), make_context)).body)

        assert (told["data"], told["extensions"]["cost"]) == (None, COST)
        assert told["errors"][0]["extensions"]["code"] == code
        assert "secret" not in told["errors"][0]["message"]


async def test_a_value_that_json_has_no_word_for_is_a_mistake_of_ours() -> None:
    told_of = await told("{ odd }")

    assert (told_of["data"], told_of["errors"][0]["extensions"]["code"]) == (None, "INTERNAL")


async def test_without_introspection_nothing_of_the_schema_is_told() -> None:
    engine = Engine(SCHEMA, introspection=False)

    for document in ("{ __schema { types { name } } }", "{ helo }", "{ hello(nam: 1) }"):
        answer = await engine.answer(Asked(document), nobody)

        assert not answer.executed
        assert b"Did you mean" not in answer.body
    assert b"Did you mean 'hello'?" in (await Engine(SCHEMA).answer(Asked("{ helo }"), nobody)).body
    assert (await engine.answer(Asked("{ __typename }"), nobody)).executed


async def test_a_plan_answers_what_it_can_and_the_rest_is_executed() -> None:
    class Plans:
        asked = 0

        async def data(self, operation: Any, values: Any, context: Any, until: float) -> dict[str, Any] | None:
            self.asked += 1
            assert context == "somebody"
            return {"hello": f"planned {values.coerced['name']}"} if operation.name == "Planned" else None

    plans = Plans()
    engine = Engine(SCHEMA, plans=plans)
    given = {"name": "Ada"}

    async def ask(document: str, way: Way = Way.PLAN) -> Any:
        return orjson.loads((await engine.answer(Asked(document, given), somebody, way=way)).body)["data"]

    assert await ask("query Planned($name: String!) { hello(name: $name) }") == {"hello": "planned Ada"}
    assert await ask("query Other($name: String!) { hello(name: $name) caller }") == {
        "hello": "hello Ada",
        "caller": "somebody",
    }
    assert await ask("query Planned($name: String!) { hello(name: $name) }", Way.STOCK) == {"hello": "hello Ada"}
    assert await ask("mutation { write }") == {"write": 1}
    assert plans.asked == 2


@pytest.mark.parametrize(
    "document",
    [
        "{ hello }", "{ nope }", "{ conflict hello }", "query A { hello } query B { hello }", "{",
        "{ page(first: 100) { page(first: 100) { hello } } }", "{ several { several { hello } } }",
        "{ " + " ".join(f"a{n}: hello" for n in range(21)) + " }", "{ " + "hello " * 3000 + "}",
    ],
)  # fmt: skip
async def test_strawberry_s_own_execution_keeps_the_same_rules(document: str) -> None:
    ours = await told(document)
    theirs = await SCHEMA.execute(document)

    assert [dict(error.formatted) for error in theirs.errors or ()] == ours.get("errors", [])
    assert theirs.data == ours.get("data")
    assert (theirs.extensions or {}) == ours.get("extensions", {})


def test_the_compiled_executor_is_strawberry_s_with_more() -> None:
    assert issubclass(CompiledExecutor, SCHEMA.execution_context_class)


async def told(document: str) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(await body(document))
    return answer


async def body(document: str) -> bytes:
    answer: Answer = await Engine(SCHEMA).answer(Asked(document), nobody)
    return answer.body


async def nobody() -> None:
    return None


async def somebody() -> str:
    return "somebody"


async def never() -> None:
    raise AssertionError("nobody was to be asked who calls")
