"""The compiled executor answers as graphql-core does, to the byte, whatever a document asks and values hold."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Any

import orjson
import pytest
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    execute,
    parse,
    validate,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import FieldExtension, SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

import models
from engine.compiled import CompiledExecutor, source_of
from engine.compiled.keeping import KEPT, Kept, Selection
from resolvers.schema import build
from schema.context import Context
from services import identity
from tests.engine.troubles import MUTATED, RUNS, SCHEMA, Branch, Documents, Refusal, Stone, tree
from tests.security.documents import LISTS, list_document, node_document
from tests.shop import CHECKOUT, Shop
from tests.test_reads import without_links

DOCUMENTS, TREES = 40, (0.0, 0.0, 0.003, 0.01, 0.05, 0.3)  # how often a value is wrong


class Stock(StrawberryGraphQLCoreExecutionContext):
    """graphql-core, counting the fields that it resolves itself."""

    resolved = 0

    def execute_field(self, *args: Any, **kwargs: Any) -> Any:
        type(self).resolved += 1
        return super().execute_field(*args, **kwargs)


class Eager(CompiledExecutor):
    """Makes functions for the first value."""

    after = 0
    resolved = 0

    def execute_field(self, *args: Any, **kwargs: Any) -> Any:
        type(self).resolved += 1
        return super().execute_field(*args, **kwargs)


@pytest.mark.parametrize("part", range(4))
async def test_every_answer_is_that_of_graphql_core(part: int) -> None:
    Stock.resolved = Eager.resolved = 0
    for number in range(part * DOCUMENTS, (part + 1) * DOCUMENTS):
        documents = Documents(SCHEMA._schema, Random(number))
        text = documents.query("mutation" if number % 9 == 0 else "query")
        document = parse(text)
        assert not validate(SCHEMA._schema, document), text
        for place, often in enumerate(TREES):
            variables, seed = documents.variables(), number * len(TREES) + place
            expected = await answer(Stock, document, partial(tree, seed, often), variables)
            assert await answer(Eager, document, partial(tree, seed, often), variables) == expected, (text, variables)

    assert Eager.resolved < Stock.resolved * 0.8, (Eager.resolved, Stock.resolved)  # the functions were put to use


async def test_a_plain_selection_is_completed_without_graphql_core() -> None:
    document = parse("{ trees { id number colour size at words grid itself { child { name } named { id } } } }")

    Eager.resolved = 0
    await answer(Eager, document, lambda: whole())

    assert Eager.resolved == 1  # trees


async def test_what_is_not_plain_is_left_to_graphql_core_alone() -> None:
    document = parse("{ trees { name described number later itself { number } } }")

    Eager.resolved = 0
    given = await answer(Eager, document, lambda: whole())

    assert Eager.resolved == 1 + 2 * 2  # trees; of each described and later
    assert [*orjson.loads(given)["data"]["trees"][0]] == ["name", "described", "number", "later", "itself"]


async def test_rows_compile_below_a_field_that_is_awaited() -> None:
    document = parse("{ tree { laterBranches { name number } later } }")

    Eager.resolved = 0
    await answer(Eager, document, lambda: whole(branches=[whole(), whole()]))

    assert Eager.resolved == 3  # tree, laterBranches, later


async def test_a_resolver_below_a_root_field_runs_twice_at_most() -> None:
    """However deep the wrong value: graphql-core is not asked again at every level."""
    RUNS.clear()
    deep = whole(branches=[whole(branches=[whole(branches=[whole(number="text")])])])

    document = parse("{ tree { counted branches { counted branches { counted branches { counted number } } } } }")
    given = await answer(Eager, document, lambda: deep)

    assert b"Int cannot represent" in given
    assert len(RUNS) == 2 * 4


async def test_a_root_field_runs_once_whatever_fails_below() -> None:
    MUTATED.clear()

    given = await answer(Eager, parse('mutation { grow(name: "oak") { strictlyRaising } }'), lambda: whole(words=[]))

    assert orjson.loads(given)["data"] is None
    assert MUTATED == ["oak"]


async def test_arguments_are_those_of_each_execution() -> None:
    document = parse("query ($times: Int = 3, $mark: String) { tree { shout(times: $times, mark: $mark) } }")
    seen = [
        orjson.loads(await answer(Eager, document, lambda: whole(name="b"), variables))["data"]["tree"]["shout"]
        for variables in ({}, {"times": 1}, {"times": 1, "mark": "!"}, {"mark": None})
    ]

    assert seen == ["bNoneColour.RED" * 3, "bNoneColour.RED", "b!Colour.RED", "bNoneColour.RED" * 3]


async def test_a_resolver_that_changes_its_arguments_changes_its_own() -> None:
    document = parse("{ trees { measured(shape: {sides: [1]}, sides: [1]) } }")
    rows = [whole(), whole()]

    expected = await answer(Stock, document, lambda: rows[0])

    assert await answer(Eager, document, lambda: rows[0]) == expected
    assert orjson.loads(expected)["data"]["trees"][0] == orjson.loads(expected)["data"]["trees"][1]


async def test_what_can_be_read_once_is_read_once() -> None:
    document = parse("{ tree { words branches { words } } }")

    def once() -> Branch:
        return whole(words=(word for word in ("a", "b")), branches=[whole(words=iter("cd")), whole(words=iter("ef"))])

    given = await answer(Eager, document, once)

    assert given == await answer(Stock, document, once)
    assert b"errors" in given or orjson.loads(given)["data"]["tree"]["words"] == ["a", "b"]


async def test_a_path_is_never_made_up() -> None:
    """What decides a type by its place is asked by graphql-core, which knows the place."""

    @strawberry.type
    class First:
        name: str

        @classmethod
        def is_type_of(cls, value: Any, info: Any) -> bool:
            return bool(info.path.as_list()[1] == 0)

    @strawberry.type
    class Later:
        name: str

        @classmethod
        def is_type_of(cls, value: Any, info: Any) -> bool:
            return bool(info.path.as_list()[1] > 0)

    @dataclass
    class Row:
        name: str

    @strawberry.type
    class Holder:
        row: First | Later

    @strawberry.type
    class Query:
        @strawberry.field
        def holders(self) -> list[Holder]:
            return [Holder(row=Row("one")), Holder(row=Row("two"))]  # type: ignore[arg-type]

    document = parse("{ holders { row { __typename ... on First { name } ... on Later { name } } } }")
    schema = strawberry.Schema(Query)

    given = await answer(Eager, document, whole, schema=schema)

    assert given == await answer(Stock, document, whole, schema=schema)
    assert [each["row"]["__typename"] for each in orjson.loads(given)["data"]["holders"]] == ["First", "Later"]


@pytest.mark.parametrize("wrong", [None, Undefined, Stone(weight=1, owner=None), Refusal("no"), [], "text"])
@pytest.mark.parametrize(
    "asked", ["sure { __typename }", "sure { counted }", "branches { __typename }", "stone { __typename }"]
)
async def test_an_object_is_looked_at_before_its_fields(wrong: Any, asked: str) -> None:
    """Of these fields none would notice."""
    document = parse(f"{{ tree {{ {asked} }} }}")
    make = partial(whole, sure=wrong, branches=[wrong], stone=wrong)

    assert await answer(Eager, document, make) == await answer(Stock, document, make)


async def test_what_strawberry_does_around_a_resolver_is_done() -> None:
    class Louder(FieldExtension):
        def resolve(self, next_: Any, source: Any, info: strawberry.Info, **given: Any) -> Any:
            return f"{next_(source, info, **given)}!"

    class Twice(StrawberryField):
        def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
            return super().get_result(source, info, args, kwargs) * 2

    @strawberry.input
    class Told:
        word: str

    Told.__strawberry_definition__.from_input = lambda type_, value, context: (  # type: ignore[attr-defined]
        f"{value['word']} to {context.info and context.info.field_name}"
    )

    def tell(to: Told) -> str:
        return str(to)

    @strawberry.type
    class Row:
        louder: str = strawberry.field(resolver=lambda: "word", extensions=[Louder()])
        twice: str = Twice(python_name="twice", base_resolver=StrawberryResolver(lambda: "word"))
        told: str = strawberry.field(resolver=tell)

    @strawberry.type
    class Query:
        row: Row = strawberry.field(resolver=lambda: Row())

    document = parse('{ row { louder twice told(to: {word: "hi"}) } }')
    given = await answer(Eager, document, whole, schema=strawberry.Schema(Query))

    assert orjson.loads(given) == {"data": {"row": {"louder": "word!", "twice": "wordword", "told": "hi to told"}}}


async def test_extensions_that_resolve_see_every_field() -> None:
    seen: list[str] = []

    class Watching(SchemaExtension):
        def resolve(self, next_: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(info.field_name)
            return next_(root, info, *args, **kwargs)

    @strawberry.type
    class Pebble:
        weight: int

    @strawberry.type
    class Query:
        @strawberry.field
        def pebble(self) -> Pebble:
            return Pebble(weight=1)

    schema = strawberry.Schema(Query, extensions=[Watching], execution_context_class=Eager)
    await schema.execute("{ pebble { weight } }")

    assert seen == ["pebble", "weight"]


async def test_functions_are_made_once_they_are_worth_it() -> None:
    document = parse("{ tree { name branches { name } } }")

    for _ in range(CompiledExecutor.after):
        await answer(CompiledExecutor, document, lambda: whole(branches=[whole()]))
    assert not source_of(operation_of(document))

    await answer(CompiledExecutor, document, lambda: whole(branches=[whole()]))
    assert '"name": v if type(v := value.name) is str' in source_of(operation_of(document))


async def test_functions_die_with_their_document() -> None:
    gc.collect()
    before = KEPT.operations
    document = parse("{ tree { name } }")
    await answer(Eager, document, whole)
    assert KEPT.operations == before + 1

    del document
    gc.collect()

    assert KEPT.operations == before


def test_what_is_kept_is_bounded() -> None:
    kept = Kept(operations_most=3, fields_most=10)
    operations = [operation_of(parse("{ tree { name } }")) for _ in range(8)]

    for operation in operations[:4]:
        selections = kept.of(operation, ())
        assert kept.operations <= 3
    assert kept.of(operations[3], ()) is selections

    selections.add("key", Selection([[]] * 10))
    assert kept.fields == 10
    kept.of(operations[4], ())

    assert kept.fields == 0


async def test_each_state_of_skip_has_functions_of_its_own() -> None:
    document = parse("query ($no: Boolean!) { tree { name number @skip(if: $no) ...more @include(if: $no) } } "
                     "fragment more on Branch { flag }")  # fmt: skip

    for no in (True, False, True):
        given = orjson.loads(await answer(Eager, document, whole, {"no": no}))["data"]["tree"]
        assert [*given] == (["name", "flag"] if no else ["name", "number"])


async def test_no_text_of_a_client_comes_near_the_source() -> None:
    """A document is text no more: this name could not have been parsed."""
    evil = '": __import__("os").abort(), "'
    names = [FieldNode(name=NameNode(value="name"), alias=NameNode(value=evil)), FieldNode(name=NameNode(value="flag"))]
    below = FieldNode(name=NameNode(value="tree"), selection_set=SelectionSetNode(selections=tuple(names)))
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY, selection_set=SelectionSetNode(selections=(below,)), directives=()
    )
    document = DocumentNode(definitions=(operation,))

    assert orjson.loads(await answer(Eager, document, lambda: whole(name="b")))["data"]["tree"][evil] == "b"
    assert not source_of(operation)


async def test_comptoir_answers_the_same_on_both(shop: Shop) -> None:
    sold = await shop.sell(await shop.product(1000, (await shop.partner("one"), await shop.partner("two"))))
    await models.Conflict.create(
        organization=shop.organization, order_id=(await models.Order.first()).id,
        kind=models.ConflictKind.DUPLICATE_PAYMENT, reference="pi_2", message="Paid twice",
    )  # fmt: skip
    asked: list[tuple[str, dict[str, Any]]] = [(list_document(name), {"first": 2}) for name in LISTS]
    asked += [(node_document("Order", depth=2), {"id": sold["id"]}), (node_document("Client"), {"id": sold["id"]})]
    asked += [(MONEY, {"locale": "en-US"}), (MONEY, {"locale": "nowhere"}), (MONEY, {})]

    Stock.resolved = Eager.resolved = 0
    for document, variables in asked:
        assert without_links(await served(shop, Eager, document, variables)) == without_links(
            await served(shop, Stock, document, variables)
        ), document

    assert Eager.resolved < Stock.resolved / 2


async def test_results_of_mutations_compile_too(shop: Shop) -> None:
    order = await shop.order(await shop.product(1000))

    Eager.resolved = 0
    started = await served(shop, Eager, CHECKOUT, {"input": shop.checkout_input(order)})

    assert started["data"]["checkoutStart"]["order"]["number"] == order["number"]
    assert started == await served(shop, Stock, CHECKOUT, {"input": shop.checkout_input(order)})
    assert Eager.resolved == 1  # checkoutStart


MONEY = """query ($locale: String) {
  orders(first: 5) {
    nodes { total { formatted(locale: $locale) } lines { unitPrice { amount formatted(locale: "de-DE") } } }
    edges { cursor node { __typename id ... on Node { id } } }
    pageInfo { hasNextPage startCursor }
  }
}"""


@cache
def comptoir(executor: type[StrawberryGraphQLCoreExecutionContext]) -> strawberry.Schema:
    schema = build.__wrapped__()  # of its own, since it is changed
    schema.execution_context_class = executor
    return schema


async def served(shop: Shop, executor: type[StrawberryGraphQLCoreExecutionContext], text: str, given: Any) -> Any:
    """What Comptoir's schema answers its owner by an executor."""
    context = Context(await identity.actor_of(shop.token))
    result = await comptoir(executor).execute(text, given, context)
    return {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation


def whole(**given: Any) -> Branch:
    """A branch where nothing is wrong."""
    branch = tree(0, 0)
    for name, value in given.items():
        setattr(branch, name, value)
    return branch


async def answer(
    executor: type[StrawberryGraphQLCoreExecutionContext],
    document: DocumentNode,
    make: Callable[[], Branch],
    variables: dict[str, Any] | None = None,
    *,
    schema: strawberry.Schema = SCHEMA,
) -> bytes:
    result = execute(
        schema._schema, document, context_value=make, variable_values=variables, executor_class=executor,
        is_awaitable=optimized_is_awaitable,
    )  # fmt: skip
    whole = result if isinstance(result, ExecutionResult) else await result
    errors = [error.formatted for error in whole.errors or ()]
    return orjson.dumps({"data": whole.data} | ({"errors": errors} if errors else {}), default=repr)
