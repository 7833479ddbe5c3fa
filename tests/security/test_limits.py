"""Documents that ask for too much are refused before anything is done with them."""

import pytest

from engine.cost import COST_MOST
from resolvers.schema import build
from tests.shop import ORDER, Shop

TOO_MUCH = {
    "root fields": "{" + " ".join(f"a{n}: me {{ role }}" for n in range(21)) + "}",
    "a cycle of relations": "{ orders { nodes " + "{ notifications { order " * 7 + "{ id }" + " } }" * 7 + " } }",
    "aliases": "{ orders { nodes { " + " ".join(f"a{n}: client {{ id }}" for n in range(101)) + " } } }",
    "tokens": "{" + " ".join(f"a{n}: me {{ role }}" for n in range(50_000)) + "}",
    "fragments that double": "query { me { ...f0 } } "
    + " ".join(f"fragment f{n} on Membership {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
    + " fragment f40 on Membership { role }",
    "the same field again and again": "{ me { " + "role " * 500 + "} }",
    "directives": "{ me { role" + " @a" * 10 + " } }",
    "literal values": "{ order(id: [" + "1 " * 300 + "]) { id } }",
    "operations": " ".join(f"query Q{n} {{ me {{ role }} }}" for n in range(30)),
    "long pages in long pages": (
        "{ orders(first: 100) { nodes { client { orders(first: 100) { nodes { id kind } } } } } }"
    ),
    "lists within lists": "{ orders(first: 100) { nodes { lines { product { partners { id name } } } } } }",
}
ORDERS_PAGE = """query ($first: Int) {
  orders(first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id number status paidAt total { amount currency formatted }
      client { id email firstName lastName }
      lines { description quantity unitPrice { amount } total { amount } product { id name } }
      invoices { id number total { amount } }
    }
  }
}"""


@pytest.mark.parametrize("document", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_a_document_that_asks_for_too_much_is_refused_whoever_asks(shop: Shop, document: str) -> None:
    for token in ("", shop.token):
        shop.token = token
        answer = await shop.post(document, {})

        assert answer.get("data") is None
        assert [error["extensions"] for error in answer["errors"]] == [{"code": "LIMITED"}]


@pytest.mark.parametrize("document", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_strawberry_s_own_execution_refuses_it_too(document: str) -> None:
    result = await build().execute(document, operation_name="Q0" if "query Q0" in document else None)

    assert result.data is None
    assert [error.extensions for error in result.errors or ()] == [{"code": "LIMITED"}]


async def test_fragments_that_turn_are_refused(shop: Shop) -> None:
    code, _, message = await shop.refused("query { me { ...f } } fragment f on Membership { ...f }")

    assert (code, message) == ("INVALID", "Cannot spread fragment 'f' within itself.")


async def test_a_page_of_fifty_orders_with_all_that_a_screen_shows_is_within_the_budget(shop: Shop) -> None:
    answer = await shop.post(ORDERS_PAGE, {"first": 50})

    assert answer["data"]["orders"]["totalCount"] == 0
    assert answer["extensions"]["cost"]["requested"] < COST_MOST / 2
    assert "errors" not in await shop.post(ORDER, {"id": "nothing"})


async def test_the_cost_is_told_with_every_answer_to_a_document_that_is_valid(shop: Shop) -> None:
    order = await shop.order()
    for document, variables in (
        (ORDER, {"id": order["id"]}),
        (ORDER, {}),
        ("{ orders(first: 0) { nodes { id } } }", {}),
        ("mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }", {"input": {}}),
    ):
        answer = await shop.post(document, variables)

        assert answer["extensions"]["cost"]["most"] == COST_MOST
        assert answer["extensions"]["cost"]["requested"] > 0


async def test_of_several_operations_none_is_run_without_a_name(shop: Shop) -> None:
    create = 'clientCreate(input: { email: "a@b.fr" }) { client { id } }'
    code, _, message = await shop.refused(f"mutation A {{ {create} }} mutation B {{ {create} }}")

    assert (code, message) == ("INVALID", "Must provide operation name if query contains multiple operations.")
    assert await shop.count("clients") == 0
