"""Prepared documents: once each, within bounds, gone when they are."""

import gc
import weakref

import pytest
from graphql import FieldNode, GraphQLError, build_schema
from prometheus_client import REGISTRY

from engine.documents import DocumentErrors, Documents

SCHEMA = build_schema("type Query { hello: String number: Int other(id: ID): Query }")


def test_the_same_text_is_prepared_once() -> None:
    documents = kept()

    assert documents.operation("{ hello }", None) is documents.operation("{ hel" + "lo }", None)
    assert documents.operation("{ hello  }", None) is not documents.operation("{ hello }", None)


def test_an_operation_is_found_by_its_name() -> None:
    documents, text = kept(), "query One { hello } query Two { number }"

    one, two = documents.operation(text, "One"), documents.operation(text, "Two")

    assert [one.name, two.name] == ["One", "Two"]
    assert one.document is two.document


def test_the_only_operation_needs_no_name_but_a_wrong_one_is_refused() -> None:
    documents = kept()

    assert documents.operation("query One { hello }", None).name == "One"
    assert refused(documents, "query One { hello }", "Other") == ["Unknown operation named 'Other'."]
    assert refused(documents, "{ hello }", "") == ["Unknown operation named ''."]


def test_of_several_operations_none_is_run_without_a_name() -> None:
    assert refused(kept(), "query One { hello } query Two { hello }") == [
        "Must provide operation name if query contains multiple operations."
    ]


def test_its_root_fields_are_known_once_for_each_name_in_the_answer_fragments_written_out() -> None:
    text = """query ($no: Boolean = false) { hello hello again: hello ...some @include(if: $no) ... { number } }
              fragment some on Query { ...more other { hello } } fragment more on Query { a: other { number } hello }"""

    assert sorted(kept().operation(text, None).roots) == ["hello", "hello", "number", "other", "other"]


def test_what_does_not_parse_is_told_apart_from_what_the_schema_refuses() -> None:
    documents = kept()
    for text, parsed in (("{", False), ("", False), ("{ nope }", True), ("fragment f on Query { hello }", True)):
        with pytest.raises(DocumentErrors) as refusal:
            documents.operation(text, None)

        assert refusal.value.parsed is parsed, text


def test_what_is_refused_is_not_kept() -> None:
    documents = kept()

    refused(documents, "{ nope }")
    refused(documents, "{")

    assert len(documents) == 0


def test_the_last_used_documents_are_kept() -> None:
    documents = kept(documents_most=2)
    first = documents.operation("{ hello }", None)
    documents.operation("{ number }", None)
    documents.operation("{ hello }", None)
    documents.operation("{ hello number }", None)

    assert len(documents) == 2
    assert documents.operation("{ hello }", None) is first


def test_long_documents_make_room_by_their_length() -> None:
    documents = kept(characters_most=2000)
    for number in range(50):
        documents.operation(f"{{ hello }} # {number}" + " " * 500, None)

    assert len(documents) == 3


def test_what_is_compiled_for_a_document_goes_with_it() -> None:
    documents = kept(documents_most=1)
    operation = documents.operation("{ hello }", None)
    operation.plans["plan"] = plan = Plan()
    seen = weakref.ref(plan)
    del operation, plan

    documents.operation("{ number }", None)
    gc.collect()

    assert seen() is None


def test_a_document_keeps_none_of_its_tokens_and_all_of_its_places() -> None:
    operation = kept().operation("query {\n  hello\n  other(id: 1) { number }\n}", None)
    fields = operation.node.selection_set.selections

    assert [GraphQLError("", node).formatted["locations"] for node in fields] == [
        [{"line": 2, "column": 3}],
        [{"line": 3, "column": 3}],
    ]
    gc.collect()
    assert isinstance(fields[0], FieldNode)
    assert all(node.loc.start_token.next is None for node in (operation.node, fields[0], fields[0].name) if node.loc)


def test_what_became_of_documents_is_counted() -> None:
    documents, before = kept(documents_most=1), counted()
    documents.operation("{ hello }", None)
    documents.operation("{ hello }", None)
    documents.operation("{ number }", None)
    refused(documents, "{ nope }")
    refused(documents, "{ hello" + " hello" * 500 + " }")

    assert {name: value - before[name] for name, value in counted().items()} == {
        "prepared": 2, "found": 1, "invalid": 2, "evicted": 1, "limited": 1,
    }  # fmt: skip


def counted() -> dict[str, float]:
    outcomes = {
        name: REGISTRY.get_sample_value("comptoir_documents_total", {"outcome": name})
        for name in ("prepared", "found", "invalid")
    }
    outcomes["evicted"] = REGISTRY.get_sample_value("comptoir_documents_evicted_total")
    limit = {"limit": "repetitions of the same fields"}
    outcomes["limited"] = REGISTRY.get_sample_value("comptoir_documents_limited_total", limit)
    return {name: value or 0 for name, value in outcomes.items()}


class Plan:
    """Something that can be watched."""


def kept(documents_most: int = 100, characters_most: int = 100_000) -> Documents:
    return Documents(SCHEMA, documents_most=documents_most, characters_most=characters_most)


def refused(documents: Documents, text: str, name: str | None = None) -> list[str]:
    with pytest.raises(DocumentErrors) as refusal:
        documents.operation(text, name)
    return [error.message for error in refusal.value.errors]
