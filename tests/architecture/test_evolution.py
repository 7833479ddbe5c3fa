"""Nothing that front ends rely on goes without having been deprecated, with what replaces it and a day."""

from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from engine.evolution import broken, unexplained
from resolvers.schema import sdl

PUBLISHED = Path(__file__).parent.parent.parent / "schema.published.graphql"
BEFORE = """
type Query {
  orders(first: Int, last: Int @deprecated(reason: "Use `first` instead. Goes on 2027-01-31.")): Order!
}
type Order {
  total: Int!
  price: Int! @deprecated(reason: "Use `total` instead. Goes on 2027-01-31.")
  status: Status!
  name: String
}
enum Status { PAID SETTLED @deprecated(reason: "Use `PAID` instead. Goes on 2027-01-31.") }
input OrderInput { a: Int  b: Int @deprecated(reason: "Use `a` instead. Goes on 2027-01-31.") }
"""
GONE = [  # (from, to) each takes out what is deprecated
    (', last: Int @deprecated(reason: "Use `first` instead. Goes on 2027-01-31.")', ""),
    ('price: Int! @deprecated(reason: "Use `total` instead. Goes on 2027-01-31.")', ""),
    ('SETTLED @deprecated(reason: "Use `PAID` instead. Goes on 2027-01-31.")', ""),
    ('b: Int @deprecated(reason: "Use `a` instead. Goes on 2027-01-31.")', ""),
]


def test_what_is_deprecated_says_what_replaces_it_and_until_when() -> None:
    assert unexplained(build_schema(sdl())) == []


def test_the_published_schema_is_kept_to() -> None:
    assert broken(PUBLISHED.read_text(), sdl(), date.today()) == []


@pytest.mark.parametrize("change", GONE, ids=["argument", "field", "value", "input field"])
def test_what_was_deprecated_may_go_from_its_day_on(change: tuple[str, str]) -> None:
    after = BEFORE.replace(*change)

    assert broken(BEFORE, after, date(2027, 1, 31)) == []
    assert len(broken(BEFORE, after, date(2027, 1, 30))) == 1


@pytest.mark.parametrize(
    "change",
    [
        ("total: Int!", ""),
        ("total: Int!", "total: Int"),
        ("first: Int,", "first: Int!,"),
        ("PAID SETTLED", "SETTLED"),
        ("a: Int ", "a: Int!"),
        ("name: String", "name: Int"),
    ],
)
def test_nothing_else_may(change: tuple[str, str]) -> None:
    assert broken(BEFORE, BEFORE.replace(*change), date(2030, 1, 1))


def test_what_is_new_may_come() -> None:
    after = BEFORE.replace("name: String", "name: String!\n  note: String").replace("a: Int ", "a: Int  c: Int ")

    assert broken(BEFORE, after, date(2026, 1, 1)) == []


@pytest.mark.parametrize(
    "reason",
    ["", "Old.", "Use `total` instead.", "Goes on 2027-01-31.", "Use `nothing` instead. Goes on 2027-01-31."],
)
def test_a_reason_that_explains_nothing_is_found(reason: str) -> None:
    changed = BEFORE.replace("Use `total` instead. Goes on 2027-01-31.", reason)

    assert unexplained(build_schema(changed)) == ["Order.price"]
    assert unexplained(build_schema(BEFORE)) == []
