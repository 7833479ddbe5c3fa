"""The cost of operations: every field 1, every row of a list 1, and what is asked of a row for each row."""

from typing import Any

import pytest
from graphql import build_schema

from engine.documents import Documents

SCHEMA = build_schema(
    """
    type Query { me: Person people(first: Int, last: Int, after: String): People! any: Thing list: [Person!]! }
    interface Named { name: String }
    type Person implements Named { name: String friends: [Person!] people(first: Int, last: Int): People! tags: [Int] }
    type Robot implements Named { name: String model: String }
    union Thing = Person | Robot
    type People { nodes: [Person!]! edges: [Edge] pageInfo: Info! totalCount: Int }
    type Edge { node: Person cursor: String }
    type Info { more: Boolean }
    """
)

COSTS = {
    "{ me { name } }": 2,
    "{ me { name tags } }": 3,  # a list of leaves is one field
    "{ list { name } }": 1 + 10 * 2,
    "{ list { friends { name } } }": 1 + 10 * (2 + 10 * 2),
    "{ people { nodes { name } } }": 2 + 20 * 2,
    "{ people(first: 3) { nodes { name } } }": 2 + 3 * 2,
    "{ people(last: 3) { nodes { name } } }": 2 + 3 * 2,
    "{ people(first: 3, last: 5) { nodes { name } } }": 2 + 5 * 2,
    "{ people(first: null) { nodes { name } } }": 2 + 20 * 2,
    "{ people(first: 1000) { nodes { name } } }": 2 + 100 * 2,
    "{ people(first: -7) { nodes { name } } }": 2,
    "{ people(first: 3) { edges { cursor node { name } } pageInfo { more } totalCount } }": 2 + 3 * 4 + 3,
    "{ people(first: 3) { nodes { friends { name } } } }": 2 + 3 * (2 + 10 * 2),
    "{ people(first: 100) { nodes { people(first: 100) { nodes { name } } } } }": 2 + 100 * (3 + 100 * 2),
    "{ people(first: 3) { ...page } } fragment page on People { nodes { ...on Named { name } } }": 2 + 3 * 2,
    "{ any { ...on Person { name } ...on Robot { name model } } }": 4,
    "{ __schema { types { fields { name } } } }": 4,  # of the schema's size, whatever the client asks
    "{ list { ... @skip(if: true) { name } } }": 1 + 10 * 2,
}


@pytest.mark.parametrize("document", COSTS)
def test_what_a_document_costs(document: str) -> None:
    assert cost(document) == COSTS[document]


@pytest.mark.parametrize(
    ("variables", "rows"),
    [
        ({}, 20),
        ({"n": None}, 20),
        ({"n": 3}, 3),
        ({"n": 3.0}, 3),
        ({"n": 1000}, 100),
        ({"n": 10**30}, 100),
        ({"n": -1}, 0),
        ({"n": "3"}, 20),
        ({"n": True}, 20),
        ({"n": [3]}, 20),
        ({"n": float("inf")}, 20),
    ],
)
def test_a_variable_says_how_long_a_page_is(variables: dict[str, Any], rows: int) -> None:
    assert cost("query ($n: Int) { people(first: $n) { nodes { name } } }", **variables) == 2 + rows * 2


def test_the_default_of_a_variable_counts_when_it_is_not_given() -> None:
    document = "query ($n: Int = 7) { people(first: $n) { nodes { name } } }"

    assert [cost(document), cost(document, n=3), cost(document, n=None)] == [2 + 7 * 2, 2 + 3 * 2, 2 + 20 * 2]


def test_of_two_sizes_the_longer_counts() -> None:
    document = "query ($a: Int, $b: Int) { people(first: $a, last: $b) { nodes { name } } }"

    assert [cost(document, a=3, b=5), cost(document, a=5, b=3)] == [2 + 5 * 2, 2 + 5 * 2]


def test_pages_within_pages_multiply_whichever_way_their_sizes_come() -> None:
    document = """query ($a: Int, $b: Int) {
      people(first: $a) { nodes { name people(first: 5) { nodes { people(last: $b) { nodes { name } } } } } }
    }"""

    assert cost(document, a=2, b=3) == 2 + 2 * (1 + 1 + 2 + 5 * (1 + 2 + 3 * 2))


def cost(document: str, **variables: Any) -> int:
    return Documents(SCHEMA, documents_most=1, characters_most=10_000).operation(document, None).cost(variables)
