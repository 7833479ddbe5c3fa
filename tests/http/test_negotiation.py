"""Which media type answers whom, and which bodies are read."""

import pytest

from engine.negotiation import JSON, PAGE, RESPONSE, is_json, media_type

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

ACCEPTED = [
    ("", JSON),
    (" ", JSON),
    ("*/*", JSON),
    ("application/*", JSON),
    ("application/json", JSON),
    ("Application/JSON", JSON),
    ("application/json; charset=utf-8", JSON),
    ('application/json; charset="UTF-8"', JSON),
    ("application/json; charset=iso-8859-1", None),
    ("application/json; charset=iso-8859-1, */*;q=0.1", JSON),
    ("application/graphql-response+json", RESPONSE),
    ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", RESPONSE),
    ("application/graphql-response+json, application/json;q=0.9", RESPONSE),
    ("application/json;q=0.9, application/graphql-response+json", RESPONSE),
    ("application/json;q=0.9 , application/graphql-response+json;q=0.8", JSON),
    ("application/graphql-response+json;q=0.001, application/json;q=0", RESPONSE),
    ("application/json, multipart/mixed", JSON),  # GraphiQL
    ("application/json, text/plain, */*", JSON),  # axios
    ("application/graphql-response+json,application/json;q=0.9", RESPONSE),  # Apollo
    ("application/graphql-response+json, application/graphql+json, application/json, text/event-stream", RESPONSE),
    ("application/json, application/graphql-response+json", JSON),  # as much: the first named
    ("*/*, application/graphql-response+json", RESPONSE),  # as much: the one named
    ("application/json;q=0, */*", RESPONSE),
    ("application/*;q=0.5, application/json;q=0.1", RESPONSE),
    ("*/*;q=0", None),
    ("text/html", None),
    ("text/event-stream", None),
    ("application/graphql+json", None),
    ("text/html, application/json;q=0.2", JSON),
    (BROWSER, JSON),
    ("application/json;q=2", None),  # no quality
    ("application/json;q=nan, application/graphql-response+json;q=0.1", RESPONSE),
    ("application/json;q=", None),
    (",,;q=1,/,application/json", JSON),
    ("json", None),
    ("*", None),
    ("\xff\xfe, application/json", JSON),
]
WITH_A_PAGE = [
    ("", JSON),
    ("*/*", JSON),
    (BROWSER, PAGE),
    ("text/html", PAGE),
    ("text/*", PAGE),
    ("text/html;q=0.5, application/json", JSON),
    ("text/html, application/json", PAGE),
    ("application/json, text/html", JSON),
]


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED)
def test_the_media_type_is_the_one_that_the_client_likes_best(accept: str, expected: str | None) -> None:
    assert media_type(accept.encode("latin-1")) == expected


@pytest.mark.parametrize(("accept", "expected"), WITH_A_PAGE)
def test_a_browser_likes_a_page_best(accept: str, expected: str) -> None:
    assert media_type(accept.encode(), True) == expected


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        ("application/json", True),
        ("Application/JSON ; Charset=UTF-8", True),
        ('application/json;charset="utf-8"', True),
        ("application/json; odd=parameter", True),
        ("application/json; charset=utf-16", False),
        ("application/json, text/plain", False),
        ("application/graphql-response+json", False),
        ("application/graphql", False),
        ("text/plain", False),
        ("text/plain; application/json", False),
        ("multipart/form-data; boundary=application/json", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_only_json_in_utf8_is_read(content_type: str, read: bool) -> None:
    assert is_json(content_type.encode()) is read
