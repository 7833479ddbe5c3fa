"""Secrets taken out of what is about to be logged or sent: any by its shape, this installation's own by their value."""

import re
from collections.abc import Iterable

HIDDEN = "…"
SHORTEST = 8  # characters; a shorter value is hidden nowhere, since it may be a word

# (shape, what stands there instead). Lengths are bounded where a shape begins with anything: texts can be long.
_SHAPES = tuple(
    (re.compile(shape), shown)
    for shape, shown in (
        (r"\b([sr]k_(?:test|live)_)\w+", rf"\1{HIDDEN}"),  # Stripe's keys
        (r"\b(whsec_)[\w+/=-]+", rf"\1{HIDDEN}"),  # what signs webhooks, Stripe's and ours
        (r"\b(ptk_|apk_)\w+", rf"\1{HIDDEN}"),  # keys of partners and servers, which we give out
        (r"(?i)\b(bearer\s+)[^\s\"',;]+", rf"\1{HIDDEN}"),
        (r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*", f"eyJ{HIDDEN}"),  # a JWT: access tokens, links to files
        (
            r"(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,100}:)[^\s@]{1,200}@",
            rf"\1{HIDDEN}@",
        ),  # a password in an address
        (r"\b([\w-]{1,20}:)[A-Za-z0-9+/]{43}=", rf"\1{HIDDEN}"),  # a master key
        (r"(?i)\b[0-9a-f]{90,100}\b", HIDDEN),  # a client's private link, or nearly
    )
)
_own: re.Pattern[str] | None = None


def hide(secrets: Iterable[str]) -> None:
    """From now on these are taken out too, wherever they stand."""
    global _own
    longest_first = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
    _own = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def redacted(text: str) -> str:
    """The text without secrets."""
    if _own is not None:
        text = _own.sub(HIDDEN, text)
    for shape, shown in _SHAPES:
        text = shape.sub(shown, text)
    return text
