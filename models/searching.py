"""What clients are found by, as a filter: `Client.filter(found="dupont")`. Of `clients.search_text`, which triggers
keep, the ORM knows nothing else."""

from typing import Any

from pypika_tortoise.enums import Matching
from pypika_tortoise.terms import BasicCriterion, CustomFunction, Term

from models.client import Client

_pattern = CustomFunction("search_pattern", ["word"])


def _like(column: Term, word: str) -> BasicCriterion:
    return BasicCriterion(Matching.like, column, _pattern(column.wrap_constant(word)))


def declare() -> None:
    """The filter `found`: clients whose text has the word in it."""
    Client._meta.filters["found"] = {
        "field": "company", "source_field": "search_text", "operator": _like, "value_encoder": _as_it_is
    }  # fmt: skip


def _as_it_is(value: Any, *_: Any) -> Any:
    return value
