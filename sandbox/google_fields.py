"""Partial answers: `fields=timeZone,items(id,start/dateTime)`.

https://developers.google.com/workspace/calendar/api/guides/performance#partial-response
"""

import re
from typing import Any

from sandbox.google_errors import invalid

Mask = dict[str, Any]
"""By name, the mask of what is in it; an empty one for all of it."""


def masked(answer: Any, fields: str) -> Any:
    """Of an answer, what `fields` names. Raises GoogleError for what cannot be read."""
    tokens = re.findall(r"[\w*-]+|[(),/]", fields)
    if "".join(tokens) != fields or not tokens:
        raise _wrong(fields)
    mask, left = _read(tokens, fields)
    if left:
        raise _wrong(fields)
    return _apply(answer, mask)


def _read(tokens: list[str], fields: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        if not tokens or not re.match(r"[\w*]", tokens[0]):
            raise _wrong(fields)
        name, tokens = tokens[0], tokens[1:]
        inner: Mask = {}
        if tokens[:1] == ["/"]:
            rest, tokens = _path(tokens[1:], fields)
            inner = rest
        elif tokens[:1] == ["("]:
            inner, tokens = _read(tokens[1:], fields)
            if tokens[:1] != [")"]:
                raise _wrong(fields)
            tokens = tokens[1:]
        mask[name] = _joined(mask[name], inner) if name in mask else inner
        if tokens[:1] != [","]:
            return mask, tokens
        tokens = tokens[1:]


def _path(tokens: list[str], fields: str) -> tuple[Mask, list[str]]:
    """What comes after a slash: one name, with what is in it."""
    depth = next((at for at, token in enumerate(tokens) if token in ",)"), len(tokens))
    if "(" in tokens[:depth]:
        closing = tokens.index(")") + 1
        mask, left = _read(tokens[:closing], fields)
        return mask, left + tokens[closing:]
    mask, left = _read(tokens[:depth], fields)
    return mask, left + tokens[depth:]


def _joined(one: Mask, other: Mask) -> Mask:
    return {**one, **other} if one and other else {}


def _apply(answer: Any, mask: Mask) -> Any:
    if not mask or "*" in mask:
        return answer
    if isinstance(answer, list):
        return [_apply(each, mask) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {name: _apply(answer[name], inner) for name, inner in mask.items() if name in answer}


def _wrong(fields: str) -> Exception:
    return invalid(f"Invalid field selection {fields}", "invalidParameter")
