"""Which media type an answer takes (`Accept`), and which bodies are read (`Content-Type`): RFC 9110, 12.5.1 and 8.3.

Both are pure functions of a header, and clients send few different ones: the latest are kept, so give them short ones.
"""

import re
from functools import lru_cache
from typing import NamedTuple

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
PAGE = "text/html"
EVENTS = "text/event-stream"

KEPT = 256  # different headers

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


@lru_cache(KEPT)
def media_type(accept: bytes, page: bool = False, events: bool = False) -> str | None:
    """The media type that a client likes best of JSON, RESPONSE and, where there are such, PAGE and EVENTS; None: not
    one.

    A client that names no preference gets JSON, as clients older than RESPONSE expect. Of two that it likes as much,
    the one it named comes before one that only a wildcard allows, then the one that it named first.
    """
    if not accept.strip():
        return JSON
    ranges = _ranges(accept)
    best, liked = None, (0.0, 0, 0)
    for offered in (JSON, RESPONSE, *([PAGE] if page else []), *([EVENTS] if events else [])):
        likes = _likes(offered, ranges)
        if likes[0] and likes > liked:
            best, liked = offered, likes
    return best


@lru_cache(KEPT)
def is_json(content_type: bytes) -> bool:
    """Whether a body with this `Content-Type` is JSON in UTF-8.

    No other type is read, whatever the body holds: a page of another origin cannot send this one without a preflight.
    """
    essence, parameters = _parsed(content_type.decode("latin-1"))
    return essence == JSON and _is_utf8(parameters)


class _Range(NamedTuple):
    essence: str  # `application/json`, `application/*` or `*/*`
    quality: float
    utf8: bool


def _likes(offered: str, ranges: list[_Range]) -> tuple[float, int, int]:
    """(quality, how precisely it is named, how early): of the most precise range that covers what is offered."""
    names = ("*/*", offered.partition("/")[0] + "/*", offered)
    covering = [
        (names.index(range_.essence), -position, range_.quality)
        for position, range_ in enumerate(ranges)
        if range_.essence in names and range_.utf8
    ]
    precision, earliness, quality = max(covering, default=(0, 0, 0.0))
    return quality, precision, earliness


def _ranges(accept: bytes) -> list[_Range]:
    ranges = []
    for part in accept.decode("latin-1").split(","):
        essence, parameters = _parsed(part)
        quality = parameters.get("q", "1")
        if _QUALITY.fullmatch(quality):
            ranges.append(_Range(essence, float(quality), _is_utf8(parameters)))
    return ranges


def _parsed(media_range: str) -> tuple[str, dict[str, str]]:
    """(type/subtype, parameters), names in lower case."""
    essence, *parameters = media_range.split(";")
    named = (parameter.partition("=") for parameter in parameters)
    return essence.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in named}


def _is_utf8(parameters: dict[str, str]) -> bool:
    return parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")
