"""Clients found by any part of what they are called and reached by: first as it is written, and where nobody is, by
what it may have been meant to be. Accents and capitals never count.

`clients.search_text` holds it, kept by triggers (`migrations/0036_clients.py`); an index serves every condition here.
What is like it is looked for among so many and for so long: a slip in what everybody has in common is not found. Of an
address that is what stands behind the @: those who are found by what is before it are only ranked by the whole.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any
from uuid import UUID

import asyncpg

from errors import Invalid
from models.database import fetch, reader

WORDS_MOST = 6
TEXT_MOST = 100  # characters
FOUND_USUALLY, FOUND_MOST = 20, 100
SLIP_LEAST, SLIP_MOST = 4, 16  # letters of a word in which a slip is looked for: of longer ones enough is left
NEAR_MOST = 500  # clients among whom the likest are looked for
UNDER = {
    "statement_timeout": "250ms", "plan_cache_mode": "force_custom_plan", "enable_seqscan": "off",
    "enable_indexscan": "off",
}  # fmt: skip

_NUMBER = re.compile(r"\+?[\d().-]+")
_APART = re.compile(r"[\s!-/:-@\[-`{-~]+")


def words(text: str, *, field: str = "text") -> list[str]:
    """The words of a search, six at most. A number is one, without what stands before it in one's own country.

    Raises Invalid for what has not two letters or digits in it, or is over 100 characters.
    """
    if len(text) > TEXT_MOST:
        raise Invalid(f"Search for {TEXT_MOST} characters at most.", field=field)
    parts = groupby(text.replace("\x00", "").split(), lambda part: bool(_NUMBER.fullmatch(part)))
    found = [word for is_number, near in parts for word in (_digits(near) if is_number else chain(*map(_split, near)))]
    if sum(map(len, found)) < 2:
        raise Invalid("Search for two letters or digits at least.", field=field)
    return found[:WORDS_MOST]


def _digits(parts: Iterable[str]) -> list[str]:
    """Groups of digits that stand together are one number."""
    digits = re.sub(r"\D", "", "".join(parts).replace("(0)", ""))
    return [number] if (number := digits.lstrip("0")) else []


def _split(part: str) -> list[str]:
    """An address is a word; of anything else, what stands between signs."""
    return [part] if "@" in part.strip("@") else [word for word in _APART.split(part) if word]


async def best(scope: str, values: list[Any], asked: list[str], most: int) -> list[UUID]:
    """The ids of those found, the best first; `scope` is SQL over clients with `values` as `$1` and on."""
    folded = await fetch(_FOLDED, asked)
    written, *near = statements(scope, values, [(row["word"], row["pattern"]) for row in folded], most)
    if found := await fetch(written[0], *written[1]):
        return [row["id"] for row in found]
    for sql, parameters in near:
        if found := await _near(sql, parameters):
            return [row["id"] for row in found]
    return []


async def _near(sql: str, parameters: list[Any]) -> list[asyncpg.Record]:
    """Nobody where it takes too long. By bitmaps of the index alone, whatever is expected of so many conditions."""
    try:
        async with reader() as connection:
            return await connection.fetch_under(UNDER, sql, *parameters)
    except asyncpg.QueryCanceledError:
        return []


# As the database folds what it is looked for in. As parameters of the rest: planned for what they are.
_FOLDED = (
    "SELECT folded(word) AS word, search_pattern(word) AS pattern"
    " FROM unnest($1::text[]) WITH ORDINALITY AS asked (word, place) ORDER BY place"
)


def statements(
    scope: str, values: list[Any], asked: list[tuple[str, str]], most: int
) -> Iterator[tuple[str, list[Any]]]:
    """(SQL, parameters) of each way to find, to be tried one after the other. Of each word: folded, and its pattern."""
    apart, tried = [_before_at(*each) for each in asked], []
    for condition, words, rank in ((_written, asked, _PLACE), (_meant, apart, _LIKENESS), (_alike, apart, _LIKENESS)):
        parameters = [*values]
        narrowed = " AND ".join(part for part in (scope, *(condition(parameters, *each) for each in words)) if part)
        if (narrowed, parameters) in tried:
            continue
        tried.append((narrowed, [*parameters]))
        ranks = " + ".join(rank.format(_number(parameters, word)) for word, _ in asked)
        among = "" if condition is _written else f" LIMIT {NEAR_MOST}"
        yield (
            f"SELECT id FROM (SELECT id, search_text FROM clients WHERE {narrowed}{among}) AS found"  # noqa: S608
            f" ORDER BY {ranks} DESC, id DESC LIMIT {most:d}",
            parameters,
        )


# A whole word comes before the beginning of one, and that before what is inside.
_PLACE = "(strpos(search_text, ' ' || {0} || ' ') > 0)::int + (strpos(search_text, ' ' || {0}) > 0)::int"
_LIKENESS = "strict_word_similarity({}, search_text)"


def _before_at(word: str, pattern: str) -> tuple[str, str]:
    """Of an address what is before the @, if it is long enough to tell anybody apart."""
    before, at, _ = word.partition("@")
    return (before, f"{pattern.partition('@')[0]}@%") if at and len(before) >= SLIP_LEAST else (word, pattern)


def _written(parameters: list[Any], _: str, pattern: str) -> str:
    return f"search_text LIKE {_number(parameters, pattern)}"


def _meant(parameters: list[Any], word: str, pattern: str) -> str:
    """As it is written, or so but for one slip."""
    return _any(_written(parameters, word, each) for each in (pattern, *_slips(word)))


def _alike(parameters: list[Any], word: str, pattern: str) -> str:
    """As it is written, or by most of its letters."""
    likeness = [f"search_text %> {_number(parameters, word)}"] if len(word) >= SLIP_LEAST else []
    return _any((_written(parameters, word, pattern), *likeness))


def _any(conditions: Iterable[str]) -> str:
    first, *others = conditions
    return f"({' OR '.join((first, *others))})" if others else first


def _slips(word: str) -> list[str]:
    """Patterns of the words of which this may be a slip: two letters swapped, one wrong, left out or too many."""
    if not SLIP_LEAST <= len(word) <= SLIP_MOST or not word.replace(".", "").isalnum() or word.isdecimal():
        return []
    swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)]
    wrong = [word[:at] + "_" + word[at + 1 :] for at in range(len(word))]
    left_out = [word[:at] + "_" + word[at:] for at in range(1, len(word))]
    too_many = [word[:at] + word[at + 1 :] for at in range(len(word))]
    return [f"% {each}%" for each in dict.fromkeys((*swapped, *wrong, *left_out, *too_many))]


def _number(parameters: list[Any], value: Any) -> str:
    parameters.append(value)
    return f"${len(parameters)}::text"
