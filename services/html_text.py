"""HTML of e-mails as plain text, in one pass however broken it is."""

import html
import re
from collections.abc import Iterator

_TOKEN = re.compile(r"(<[^<>]*>)")  # each ends where another begins: nothing is looked at twice
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_HUGE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")  # no character has such a number
_SPACE = re.compile(r"[ \t\n\r\f\v\xa0]+")
_BLANK_LINES = re.compile(r"\n{3,}")

_UNSEEN = {"script", "style", "head", "title", "template"}
_LINES = {"br", "div", "tr", "li", "ul", "ol", "table", "blockquote", "pre", "hr", "section", "article"}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6"}


def text_of(source: str) -> str:
    """What a reader sees of it: tags gone, blocks on lines of their own, nothing of styles, scripts and comments."""
    lines = "".join(_pieces(source)).split("\n")
    return _BLANK_LINES.sub("\n\n", "\n".join(line.strip(" ") for line in lines)).strip()


def _pieces(source: str) -> Iterator[str]:
    until: str | None = None  # what ends that which is not seen
    for token in _TOKEN.split(source):
        if until == "-->":
            until = None if "-->" in token else until
        elif token.startswith("<!--"):
            until = None if token.endswith("-->") else "-->"
        elif not (token.startswith("<") and token.endswith(">")):
            if until is None:
                yield _SPACE.sub(" ", html.unescape(_HUGE.sub("\ufffd", token)))
        elif name := _NAME.match(token):
            tag, closes = name[1].lower(), token.startswith("</")
            if until is not None:
                until = None if closes and tag == until else until
            elif tag in _UNSEEN:
                until = None if closes or token.endswith("/>") else tag
            else:
                yield "\n\n" if tag in _PARAGRAPHS else "\n" if tag in _LINES else ""
