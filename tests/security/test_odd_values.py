"""Values made to trip: each gets a code, and none a stack in the log."""

import base64
import logging
from typing import Any

import orjson
import pytest

from engine.lists import NEWEST_FIRST, Order, Place
from models import Order as Sale
from tests.shop import Shop


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Any:
    """Nothing here is a mistake of ours."""
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("position", [[5], [1.5], [True], [[1]], [{}], [None], [], {"a": 1}, "x", [1, 2, 3], ["x"]])
@pytest.mark.parametrize("order", [NEWEST_FIRST, Order("total_cents"), Order("number", descending=False)])
async def test_a_cursor_made_by_hand_is_invalid(shop: Shop, position: Any, order: Order) -> None:
    place = Place("Query.orders", Sale, order, shop.organization.id)
    mark = base64.urlsafe_b64decode(place.cursor([]) + "==")[:8]
    cursor = base64.urlsafe_b64encode(mark + orjson.dumps(position)).decode().rstrip("=")
    by = {"id": "CREATED_AT", "total_cents": "TOTAL", "number": "NUMBER"}[order.column]
    direction = "DESC" if order.descending else "ASC"

    code, field, _ = await shop.refused(
        "query ($after: String, $by: OrderOrder) { orders(after: $after, orderBy: $by) { nodes { id } } }",
        after=cursor,
        by={"field": by, "direction": direction},
    )

    assert (code, field) == ("INVALID", "after")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_beyond_the_calendar_is_invalid(shop: Shop, moment: str) -> None:
    document = "query ($at: DateTime) { orders(filter: { createdAt: { after: $at } }) { totalCount } }"
    code, field, _ = await shop.refused(document, at=moment)
    assert (code, field) == ("INVALID", "at")

    literal = f'{{ orders(filter: {{ createdAt: {{ after: "{moment}" }} }}) {{ totalCount }} }}'
    assert (await shop.refused(literal))[0] == "INVALID"


async def test_a_filter_by_what_no_column_could_hold_is_invalid(shop: Shop) -> None:
    document = "query ($number: String) { quotes(filter: { number: $number }) { totalCount } }"

    code, field, message = await shop.refused(document, number="x" * 150)

    assert (code, field, message) == (
        "INVALID", "filter.number", "This is longer than 40 characters, and so is of no row."
    )  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        "query ($x: ID = 1{0}) {{ order(id: $x) {{ id }} }}",
        "{{ orders(first: 1{0}) {{ nodes {{ id }} }} }}",
        "{{ orders(filter: {{ number: 1{0} }}) {{ nodes {{ id }} }} }}",
    ],
)
async def test_a_number_of_thousands_of_digits_is_refused(shop: Shop, document: str) -> None:
    assert (await shop.refused(document.format("1" * 5000)))[0] == "LIMITED"
    shop.token = ""
    assert (await shop.refused(document.format("1" * 5000)))[0] == "LIMITED"


async def test_an_unknown_locale_is_refused_before_anything_is_read(shop: Shop) -> None:
    await shop.order()
    rows = "orders { nodes { total { formatted(locale: %s) } } }"

    for document, given in (
        ("{ %s }" % (rows % '"zz-ZZ"'), {}),
        ("query ($l: Locale!) { %s }" % (rows % "$l"), {"l": "x"}),
    ):
        answer = await shop.post(document, given)
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "INVALID"
    assert (await shop('{ orders { nodes { total { formatted(locale: "en-GB") } } } }'))["nodes"][0]["total"] == {
        "formatted": "€99.99"
    }
