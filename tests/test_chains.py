"""From a quote to a credit note: each step of a sale shows the next, and the one before."""

from typing import Any

import pytest

from models.base import parse_global_id
from tests.shop import Shop
from tests.test_opportunities import create
from tests.test_opportunity_links import linked, paid
from tests.test_refunds import refund

pytestmark = pytest.mark.usefixtures("printer")

QUOTE = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id } } }"
SEND = "mutation ($input: QuoteInput!) { quoteSend(input: $input) { quote { id } } }"
ACCEPT = "mutation ($input: QuoteAcceptInput!) { quoteAccept(input: $input) { quote { id } } }"

# (kind, what leads on from it, what it leads to); the last step leads nowhere.
FORWARD = (
    ("Quote", "opportunity { id }", "opportunity"),
    ("Opportunity", "order { id payUrl }", "order"),
    ("Order", "invoices { id type }", "invoices"),
    ("Invoice", "creditNotes { id }", "creditNotes"),
)
BACK = (
    ("Invoice", "corrects { id }", "corrects"),
    ("Invoice", "order { id }", "order"),
    ("Order", "opportunities { id }", "opportunities"),
    ("Opportunity", "quotes { nodes { id } }", "quotes"),
)


async def test_a_sale_is_followed_from_its_quote_to_its_credit_note_and_all_the_way_back(shop: Shop) -> None:
    made = await create(shop, client=await shop.client(), amount=None)
    quote = await accepted(shop, opportunity=made["id"])
    link = await linked(shop, made)
    await paid(shop, link)
    (payment,) = (await shop.see(link["order"]))["payments"]
    given_back = await refund(shop, payment)

    there = await walked(shop, quote, FORWARD)
    back = await walked(shop, there[-1], BACK)

    kinds = [parse_global_id(id)[0] for id in there]  # type: ignore[index]
    assert kinds == ["Quote", "Opportunity", "Order", "Invoice", "Invoice"]
    assert (there[1], there[2]) == (made["id"], link["order"]["id"])
    assert back == there[::-1]
    note = await shop("query ($id: ID!) { invoice(id: $id) { type refund { id creditNotes { id } } } }", id=there[-1])
    assert note == {"type": "CREDIT_NOTE", "refund": {"id": given_back["id"], "creditNotes": [{"id": there[-1]}]}}


async def test_an_order_that_a_quote_became_shows_it_and_any_other_shows_none(shop: Shop) -> None:
    quote = await accepted(shop, client=await shop.client())
    asked = "query ($id: ID!) { quote(id: $id) { order { id quotes { id } opportunities { id } } } }"

    order = (await shop(asked, id=quote))["order"]

    assert (order["quotes"], order["opportunities"]) == ([{"id": quote}], [])
    other = await shop.order()
    assert await shop("query ($id: ID!) { order(id: $id) { quotes { id } } }", id=other["id"]) == {"quotes": []}


async def accepted(shop: Shop, **values: Any) -> str:
    """The id of a quote that the client signed on paper."""
    lines = [{"product": await shop.product(12000), "quantity": 1}]
    client = values.pop("client", None) or await client_of(shop, values["opportunity"])
    made = await shop(QUOTE, input={"client": client, "lines": lines} | values)
    quote = str(made["quote"]["id"])
    await shop(SEND, input={"quote": quote})
    await shop(ACCEPT, input={"quote": quote, "name": "Marie"})
    return quote


async def client_of(shop: Shop, opportunity: str) -> str:
    asked = "query ($id: ID!) { opportunity(id: $id) { client { id } } }"
    return str((await shop(asked, id=opportunity))["client"]["id"])


async def walked(shop: Shop, begin: str, steps: tuple[tuple[str, str, str], ...]) -> list[str]:
    """The ids that one comes by, one step after the other, each asked of the one before. Of several the first."""
    found = [begin]
    for kind, asked, name in steps:
        row = await shop(f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {asked} }} }} }}", id=found[-1])
        reached = row[name]
        one, *_ = reached["nodes"] if "nodes" in reached else reached if isinstance(reached, list) else [reached]
        found.append(one["id"])
    return found
