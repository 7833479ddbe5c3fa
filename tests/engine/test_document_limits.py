"""Each limit, at the number and one above; and the documents that are made to be expensive."""

import pytest
from graphql import build_schema

from engine import limits
from engine.documents import DocumentErrors, Documents

SCHEMA = build_schema(
    """
    directive @mark(ids: [Int]) repeatable on QUERY | FIELD | VARIABLE_DEFINITION | INLINE_FRAGMENT
    type Query { node(id: ID, ids: [ID], filter: Filter): Query leaf(a: Int): Int LEAVES }
    input Filter { id: ID more: Filter }
    """.replace("LEAVES", " ".join(f"leaf{n}: Int" for n in range(30)))
)


def aliased(count: int) -> str:
    return " ".join(f"a{n}: leaf" for n in range(count))


def nested(depth: int) -> str:
    return "{ node " * (depth - 1) + "{ leaf }" + " }" * (depth - 1)


def written_out(more: int) -> str:
    """992 fields in few words, and some more: 31 times a field, a fragment and its 30 fields."""
    leaves = [f"leaf{n}" for n in range(30)]
    groups = " ".join(f"g{n}: node {{ ...f }}" for n in range(31))
    return f"{{ node {{ {groups} {' '.join(leaves[:more])} }} }} fragment f on Query {{ {' '.join(leaves)} }}"


AT_MOST = {
    "levels": (nested(limits.DEPTH_MOST), nested(limits.DEPTH_MOST + 1)),
    "root fields": (f"{{ {aliased(limits.ROOTS_MOST)} }}", f"{{ {aliased(limits.ROOTS_MOST + 1)} }}"),
    "root fields of fragments": (
        f"{{ ...f }} fragment f on Query {{ {aliased(limits.ROOTS_MOST)} }}",
        f"{{ ...f }} fragment f on Query {{ {aliased(limits.ROOTS_MOST + 1)} }}",
    ),
    "fields, fragments written out": (written_out(7), written_out(8)),
    "aliases": (
        f"{{ node {{ {aliased(limits.ALIASES_MOST)} }} }}",
        f"{{ node {{ {aliased(limits.ALIASES_MOST + 1)} }} }}",
    ),
    "directives": (
        "{ node {" + "... @mark @mark @mark @mark @mark { leaf } " * (limits.DIRECTIVES_MOST // 5) + "} }",
        "{ node {" + "... @mark @mark @mark @mark @mark { leaf } " * (limits.DIRECTIVES_MOST // 5) + "leaf @mark } }",
    ),
    "directives of a field": ("{ leaf" + " @mark" * 5 + " }", "{ leaf" + " @mark" * 6 + " }"),
    "directives of an operation": ("query" + " @mark" * 5 + " { leaf }", "query" + " @mark" * 6 + " { leaf }"),
    "directives of a variable": (
        "query ($v: Int" + " @mark" * 5 + ") { leaf(a: $v) }",
        "query ($v: Int" + " @mark" * 6 + ") { leaf(a: $v) }",
    ),
    "variables": (
        "query (" + " ".join(f"$v{n}: ID" for n in range(100)) + ") { node(ids: ["
        + " ".join(f"$v{n}" for n in range(100)) + "]) { leaf } }",
        "query (" + " ".join(f"$v{n}: ID" for n in range(101)) + ") { node(ids: ["
        + " ".join(f"$v{n}" for n in range(101)) + "]) { leaf } }",
    ),
    "literal values": (
        "{ node(ids: [" + "1 " * (limits.VALUES_MOST - 1) + "]) { leaf } }",
        "{ node(ids: [" + "1 " * limits.VALUES_MOST + "]) { leaf } }",
    ),
    "literal values within others": (
        "{ node(filter: " + "{ more: " * (limits.VALUES_MOST // 4 - 1) + "{ id: 1 }" + " }" * 49 + ") { leaf } }",
        "{ node(filter: { " + " ".join(f"a{n}: {{ id: [1 1 1] }}" for n in range(40)) + " }) { leaf } }",
    ),
    "literal values of a directive": (
        "{ leaf @mark(ids: [" + "1 " * (limits.VALUES_MOST - 1) + "]) }",
        "{ leaf @mark(ids: [" + "1 " * limits.VALUES_MOST + "]) }",
    ),
    "literal values of a default": (
        "query ($v: [ID] = [" + "1 " * (limits.VALUES_MOST - 2) + "]) { node(ids: $v) { leaf } }",
        "query ($v: [ID] = [" + "1 " * limits.VALUES_MOST + "]) { node(ids: $v) { leaf } }",
    ),
    "operations": (
        " ".join(f"query Q{n} {{ leaf }}" for n in range(limits.OPERATIONS_MOST)),
        " ".join(f"query Q{n} {{ leaf }}" for n in range(limits.OPERATIONS_MOST + 1)),
    ),
    "repetitions": ("{ node {" + "leaf " * 63 + "} }", "{ node {" + "leaf " * 64 + "} }"),
    "repetitions where fields merge": (
        "{" + "node { leaf leaf leaf } " * 20 + "}", "{" + "node { leaf leaf leaf } " * 21 + "}",
    ),
    "repetitions in a fragment that is not used": (
        "{ leaf ...g } fragment g on Query { leaf }",
        "{ leaf } fragment f on Query {" + "node { leaf } " * 100 + "}",
    ),
    "tokens": ("{ node { " + "leaf, " * 30 + "} }", "{ " + "leaf " * limits.TOKENS_MOST + "}"),
    "comments": (
        "{ leaf }" + "#\n" * (limits.TOKENS_MOST - 1), "{ leaf }" + "#\n" * (limits.TOKENS_MOST + 1),
    ),
    "characters": (
        "{ leaf }" + " " * (limits.SOURCE_MOST - 8), "{ leaf }" + " " * (limits.SOURCE_MOST - 7),
    ),
}  # fmt: skip


@pytest.mark.parametrize("limit", AT_MOST)
def test_a_document_at_its_limit_runs_and_one_above_is_limited(limit: str) -> None:
    within, above = AT_MOST[limit]
    name = "Q0" if limit == "operations" else None

    assert refusals(within, name) == []
    assert [error["extensions"] for error in refusals(above, name)] == [{"code": "LIMITED"}]


@pytest.mark.parametrize(
    "document",
    [
        "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
        + " fragment f40 on Query { leaf }",
        "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
        + " fragment f40 on Query { }",
        "{ node " + "{ ... " * 300 + "{ leaf }" + " }" * 300 + " }",
        "{ node(filter: " + "{ more: " * 400 + "{ id: 1 }" + " }" * 400 + ") { leaf } }",
        "{ leaf } " + " ".join(f"fragment f{n} on Query {{ leaf }}" for n in range(101)),
        "{ " + " ".join(f"...f{n}" for n in range(90)) + " } "
        + " ".join(f"fragment f{n} on Query {{ node {{ leaf }} }}" for n in range(90)),
        " ".join(f"query Q{n} {{ ...f }}" for n in range(20))
        + " fragment f on Query { node { " + " ".join(f"...g{n}" for n in range(60)) + " } } "
        + " ".join(f"fragment g{n} on Query {{ leaf }}" for n in range(60)),
    ],
    ids=[
        "fragments that double", "empty fragments that double", "nested inline fragments", "nested values",
        "fragments", "the same field in many fragments", "a large fragment in many operations",
    ],
)  # fmt: skip
def test_a_document_made_to_be_expensive_is_limited_before_it_is_validated(document: str) -> None:
    (error,) = refusals(document)

    assert error["extensions"] == {"code": "LIMITED"}
    assert error["message"].endswith(("ask for less at once.", "as variables."))


@pytest.mark.parametrize("limit", ["tokens", "comments", "characters"])
def test_a_document_that_is_too_long_is_not_read_to_its_end(limit: str) -> None:
    (error,) = refusals(AT_MOST[limit][1])

    assert str(error["message"]).startswith("This document is too long")


def test_fragments_that_turn_are_told_so_by_validation() -> None:
    (error,) = refusals("{ ...f } fragment f on Query { node { ...g } } fragment g on Query { ...f }")

    assert error["message"] == "Cannot spread fragment 'f' within itself via 'g'."


def test_no_more_errors_are_looked_for_than_are_shown() -> None:
    assert len(refusals("{ node { " + " ".join(f"unknown{n}" for n in range(900)) + " } }")) <= 21


def refusals(document: str, name: str | None = None) -> list[dict[str, object]]:
    documents = Documents(SCHEMA, documents_most=10, characters_most=100_000)
    try:
        documents.operation(document, name)
    except DocumentErrors as refused:
        return [dict(error.formatted) for error in refused.errors]
    return []
