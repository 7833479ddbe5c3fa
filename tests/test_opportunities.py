"""Opportunities: kept, moved through the pipeline, on the board, won by a quote."""

from typing import Any

import pytest

import models
from models import Role
from models.database import query
from policy import Actor
from tests.differential.counting import Counted
from tests.differential.ways import Case
from tests.differential.world import Caller
from tests.security.test_roles import member, signed_in
from tests.shop import Shop

CREATE = """mutation ($input: OpportunityCreateInput!) { opportunityCreate(input: $input) { opportunity {
  id stage amount { amount currency } paymentStatus probability owner { id }
} } }"""
UPDATE = """mutation ($input: OpportunityUpdateInput!) { opportunityUpdate(input: $input) { opportunity {
  title amount { amount } order { total { amount } }
} } }"""
MOVE = """mutation ($input: OpportunityMoveInput!) { opportunityMove(input: $input) { opportunity {
  stage wonAt lostAt lostReason
} } }"""
ONE = """query ($id: ID!) { opportunity(id: $id) {
  title stage paymentStatus order { id number kind status paid { amount } } lostReason
  moves { nodes { fromStage toStage reason author { id } } } quotes { nodes { id } }
} }"""
BOARD = """query ($filter: OpportunityFilter) { opportunityBoard(filter: $filter) { columns {
  stage count totals { amount currency } opportunities(first: 2) { nodes { title client { email } } totalCount }
} } }"""


async def test_an_opportunity_goes_through_the_pipeline_and_each_move_is_written_down(shop: Shop) -> None:
    made = await create(shop)

    assert (made["stage"], made["amount"], made["paymentStatus"]) == (
        "LEAD", {"amount": 120000, "currency": "EUR"}, "NOT_ASKED",
    )  # fmt: skip
    await move(shop, made, "LEAD", "PROPOSAL")
    won = await move(shop, made, "PROPOSAL", "WON")
    assert won["wonAt"]
    lost = await move(shop, made, "WON", "LOST", lostReason="Budget gone")
    assert (lost["wonAt"], lost["lostReason"], bool(lost["lostAt"])) == (None, "Budget gone", True)

    moves = (await shop(ONE, id=made["id"]))["moves"]["nodes"]
    assert [(each["fromStage"], each["toStage"], each["reason"]) for each in moves] == [
        ("WON", "LOST", "Budget gone"), ("PROPOSAL", "WON", None), ("LEAD", "PROPOSAL", None), (None, "LEAD", None),
    ]  # fmt: skip
    assert all(each["author"]["id"] == made["owner"]["id"] for each in moves)
    told = "{ timelineEvents { nodes { kind summary data { ... on TimelineMove { about fromStep toStep } } } } }"
    events = (await shop(told))["nodes"]
    assert events[0]["data"] == {"about": made["id"], "fromStep": "WON", "toStep": "LOST"}


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"fromStage": "QUALIFIED", "toStage": "WON"}, ("CONFLICT", "input.fromStage")),
        ({"fromStage": "LEAD", "toStage": "LEAD"}, ("INVALID", "input.toStage")),
        ({"fromStage": "LEAD", "toStage": "LOST"}, ("INVALID", "input.lostReason")),
        ({"fromStage": "LEAD", "toStage": "LOST", "lostReason": "  "}, ("INVALID", "input.lostReason")),
        ({"fromStage": "LEAD", "toStage": "WON", "lostReason": "Why"}, ("INVALID", "input.lostReason")),
    ],
)
async def test_a_move_that_makes_no_sense_is_refused(
    shop: Shop, said: dict[str, str], refused: tuple[str, str]
) -> None:
    made = await create(shop)

    assert (await shop.refused(MOVE, input={"opportunity": made["id"], **said}))[:2] == refused


async def test_a_stage_that_does_not_exist_is_refused(shop: Shop) -> None:
    made = await create(shop)

    answer = await shop.post(MOVE, {"input": {"opportunity": made["id"], "fromStage": "LEAD", "toStage": "MAYBE"}})

    assert "MAYBE" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount": {"amount": 0}}, "input.amount.amount"),
        ({"amount": {"amount": -1}}, "input.amount.amount"),
        ({"deposit": {"amount": 120000}}, "input.deposit"),
        ({"deposit": {"amount": 1, "currency": "USD"}}, "input.deposit.currency"),
        ({"probability": 101}, "input.probability"),
        ({"title": " "}, "input.title"),
        ({"stage": "LOST"}, "input.stage"),
        ({"vatRate": 1}, "input.vatRate"),
    ],
)
async def test_what_an_opportunity_cannot_be_is_refused(shop: Shop, values: dict[str, Any], field: str) -> None:
    said = {"client": await shop.client(), "title": "Mission", "amount": {"amount": 120000, "currency": "EUR"}}

    assert (await shop.refused(CREATE, input=said | values))[:2] == ("INVALID", field)


async def test_the_board_has_every_stage_with_its_count_its_totals_and_its_newest(shop: Shop) -> None:
    await shop.charges_no_vat()
    for title, amount in (("One", 100), ("Two", 200), ("Three", None)):
        await create(shop, title=title, amount=amount and {"amount": amount, "currency": "EUR"})
    dollars = await create(shop, title="Four", amount={"amount": 5, "currency": "USD"}, stage="PROPOSAL")
    assert dollars["stage"] == "PROPOSAL"

    columns = (await shop(BOARD))["columns"]

    assert [each["stage"] for each in columns] == ["LEAD", "QUALIFIED", "PROPOSAL", "NEGOTIATION", "WON", "LOST"]
    lead, qualified, proposal = columns[:3]
    assert (lead["count"], lead["totals"]) == (3, [{"amount": 300, "currency": "EUR"}])
    assert [each["title"] for each in lead["opportunities"]["nodes"]] == ["Three", "Two"]
    assert lead["opportunities"]["totalCount"] == 3
    assert (qualified["count"], qualified["totals"], qualified["opportunities"]["nodes"]) == (0, [], [])
    assert proposal["totals"] == [{"amount": 5, "currency": "USD"}]


async def test_a_board_of_thousands_is_one_statement_that_does_not_read_them_all(shop: Shop) -> None:
    await create(shop)
    await shop.tamper(_MANY)  # of five organizations, one of which is there
    await query("VACUUM ANALYZE opportunities")
    counted, owner = Counted(), await models.Membership.get(role=Role.OWNER)
    case = Case(BOARD, {}, Caller("owner", Actor(owner.role, owner.organization_id, owner.id)))

    assert await counted.statements(case) == 1

    (sql,), (values,) = counted.made, counted.given
    plan = "\n".join(row["QUERY PLAN"] for row in await query(f"EXPLAIN ANALYZE {sql}", *values))
    assert "Seq Scan on opportunities" not in plan, plan  # a table of one client may be read whole
    columns = (await shop(BOARD))["columns"]
    assert sum(each["count"] for each in columns) == 5_000
    assert [len(each["opportunities"]["nodes"]) for each in columns] == [2] * 6


async def test_a_consultant_keeps_the_opportunities_of_their_own_clients_alone(shop: Shop) -> None:
    consultant = await member(shop, Role.CONSULTANT, "mine")
    their_own, others = await shop.client("own@example.com"), await create(shop, title="Not theirs")
    await models.Client.filter(email="own@example.com").update(consultant_id=consultant.id)
    caller = signed_in(shop, "consultant-mine@shop.test")

    made = await create(caller, client=their_own, title="Theirs")

    assert [each["count"] for each in (await caller(BOARD))["columns"]] == [1, 0, 0, 0, 0, 0]
    await move(caller, made, "LEAD", "QUALIFIED")
    said = {"opportunity": others["id"], "fromStage": "LEAD", "toStage": "WON"}
    assert (await caller.refused(MOVE, input=said))[:2] == ("NOT_FOUND", "input.opportunity")


async def test_a_quote_that_is_accepted_wins_its_opportunity_and_the_chain_is_read_both_ways(shop: Shop) -> None:
    client = await shop.client()
    made = await create(shop, client=client, amount=None)
    line = {"product": await shop.product(5000), "quantity": 1}
    quoted = await shop(
        "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id opportunity { id } } } }",
        input={"client": client, "lines": [line], "opportunity": made["id"]},
    )
    quote = quoted["quote"]
    assert quote["opportunity"]["id"] == made["id"]
    await shop("mutation ($input: QuoteInput!) { quoteSend(input: $input) { quote { id } } }",
               input={"quote": quote["id"]})  # fmt: skip
    await shop("mutation ($input: QuoteAcceptInput!) { quoteAccept(input: $input) { quote { id } } }",
               input={"quote": quote["id"], "name": "Marie"})  # fmt: skip

    found = await shop(ONE, id=made["id"])

    assert (found["stage"], found["paymentStatus"], found["order"]["kind"]) == ("WON", "AWAITED", "OPPORTUNITY")
    assert [each["id"] for each in found["quotes"]["nodes"]] == [quote["id"]]
    order = await shop("query ($id: ID!) { order(id: $id) { opportunities { id } } }", id=found["order"]["id"])
    assert order["opportunities"] == [{"id": made["id"]}]
    row = await models.Opportunity.first()
    assert row and row.amount_cents == 5000


async def create(shop: Shop, **values: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"title": "Mission", "amount": {"amount": 120000, "currency": "EUR"}}
    said |= {"client": values.pop("client", None) or await shop.client()} | values
    made: dict[str, Any] = (await shop(CREATE, input=said))["opportunity"]
    return made


async def move(shop: Shop, made: dict[str, Any], before: str, after: str, **values: Any) -> dict[str, Any]:
    said = {"opportunity": made["id"], "fromStage": before, "toStage": after, **values}
    moved: dict[str, Any] = (await shop(MOVE, input=said))["opportunity"]
    return moved


_MANY = """
INSERT INTO opportunities (
    id, created_at, organization_id, client_id, title, stage, amount_cents, deposit_cents, currency, vat_rate,
    probability, won_at, lost_at, lost_reason
)
SELECT
    gen_random_uuid(), now(), CASE WHEN place <= 4999 THEN organization_id ELSE md5((place % 4)::text)::uuid END,
    client_id, 'Mission ' || place, stage, nullif(place % 9, 0) * 10000, 0, 'EUR', 2000, 50,
    CASE WHEN stage = 'WON' THEN now() END, CASE WHEN stage = 'LOST' THEN now() END,
    CASE WHEN stage = 'LOST' THEN 'Budget' END
FROM generate_series(1, 24999) AS place,
LATERAL (SELECT ('{LEAD,QUALIFIED,PROPOSAL,NEGOTIATION,WON,LOST}'::text[])[place % 6 + 1] AS stage) AS at,
(SELECT organization_id, client_id FROM opportunities) AS made
"""
