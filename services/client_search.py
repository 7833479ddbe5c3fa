"""Clients found by any part of what they are called and reached by: first as it is written, and where nobody is, by
what it may have been meant to be. Accents and capitals never count.

`clients.search_text` holds it, kept by triggers (`migrations/0036_clients.py`); an index serves every condition here.
What is like it is looked for among so many and for so long: a slip in what everybody has in common is not found.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg

from errors import Invalid
from models.database import fetch, reader

WORDS_MOST = 6
TEXT_MOST = 100  # characters
FOUND_USUALLY, FOUND_MOST = 20, 100
SLIP_LEAST, SLIP_MOST = 4, 12  # letters of a word in which a slip is looked for: of longer ones enough is left
NEAR_MOST = 500  # clients among whom the likest are looked for
UNDER = {
    "statement_timeout": "250ms", "plan_cache_mode": "force_custom_plan", "enable_seqscan": "off",
    "enable_indexscan": "off",
}  # fmt: skip

_PHONE = re.compile(r"\+?[\d\s().-]{3,}")
_APART = re.compile(r"[\s!-/:-@\[-`{-~]+")


def words(text: str, *, field: str = "text") -> list[str]:
    """The words of a search, six at most. A phone number is one, without what stands before it in one's own country.

    Raises Invalid for what has not two letters or digits in it, or is over 100 characters.
    """
    if len(text) > TEXT_MOST:
        raise Invalid(f"Search for {TEXT_MOST} characters at most.", field=field)
    if _PHONE.fullmatch(text.strip()):
        number = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
        found = [number] if number else []
    else:
        found = [word for part in text.replace("\x00", "").split() for word in _split(part)]
    if sum(map(len, found)) < 2:
        raise Invalid("Search for two letters or digits at least.", field=field)
    return found[:WORDS_MOST]


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
    for condition, rank in ((_written, _PLACE), (_meant, _LIKENESS), (_alike, _LIKENESS)):
        parameters = [*values]
        words = [(_number(parameters, word), _number(parameters, pattern), word) for word, pattern in asked]
        narrowed = " AND ".join(part for part in (scope, *(condition(parameters, *each) for each in words)) if part)
        ranks = " + ".join(rank.format(number) for number, *_ in words)
        among = "" if condition is _written else f" LIMIT {NEAR_MOST}"
        yield (
            f"SELECT id FROM (SELECT id, search_text FROM clients WHERE {narrowed}{among}) AS found"  # noqa: S608
            f" ORDER BY {ranks} DESC, id DESC LIMIT {most:d}",
            parameters,
        )


# A whole word comes before the beginning of one, and that before what is inside.
_PLACE = "(strpos(search_text, ' ' || {0} || ' ') > 0)::int + (strpos(search_text, ' ' || {0}) > 0)::int"
_LIKENESS = "strict_word_similarity({}, search_text)"


def _written(_: list[Any], __: str, pattern: str, ___: str) -> str:
    return f"search_text LIKE {pattern}"


def _meant(parameters: list[Any], _: str, pattern: str, word: str) -> str:
    """As it is written, or so but for one slip."""
    slips = (f"search_text LIKE {_number(parameters, slip)}" for slip in _slips(word))
    return f"({' OR '.join((f'search_text LIKE {pattern}', *slips))})"


def _alike(_: list[Any], word: str, pattern: str, __: str) -> str:
    """As it is written, or by most of its letters."""
    return f"(search_text LIKE {pattern} OR search_text %> {word})"


def _slips(word: str) -> list[str]:
    """Patterns of the words of which this may be a slip: two letters swapped, one wrong, left out or too many."""
    if not SLIP_LEAST <= len(word) <= SLIP_MOST or not word.isalpha():
        return []
    swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)]
    wrong = [word[:at] + "_" + word[at + 1 :] for at in range(len(word))]
    left_out = [word[:at] + "_" + word[at:] for at in range(1, len(word))]
    too_many = [word[:at] + word[at + 1 :] for at in range(len(word))]
    return [f"% {each}%" for each in dict.fromkeys((*swapped, *wrong, *left_out, *too_many))]


def _number(parameters: list[Any], value: Any) -> str:
    parameters.append(value)
    return f"${len(parameters)}::text"
