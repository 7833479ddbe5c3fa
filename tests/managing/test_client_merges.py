"""Two clients turn out to be one: what names the one goes over to the other, and why it cannot where it cannot."""

import asyncio
from typing import Any

import pytest

from models import Attempt, AttemptStatus, Client, ClientMerge, Operation, Order, PortalToken, Role
from models.base import global_id
from tests.bilans.agreed import Agreed
from tests.documents import CHECKOUT
from tests.managing.test_clients import membership
from tests.managing.test_crm import CONSENT, NOTE, OFFERS, TAG, TAG_CREATE
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

MERGE = """mutation ($input: ClientMergeInput!) {
  clientMerge(input: $input) {
    client { id email firstName phone tags { name } consents { withdrawnAt } notes { nodes { body } } ordersCount
      merges { duplicateEmail movedCount mergedBy { user { email } } } }
  }
}"""
PREVIEW = """query ($client: ID!, $duplicate: ID!) {
  clientMergePreview(client: $client, duplicate: $duplicate) { moved { kind count } learned refusals }
}"""
LINK = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { __typename } }"
RECORD = "mutation ($input: PaymentRecordInput!) { paymentRecord(input: $input) { __typename } }"
ACCEPT = "mutation ($input: QuoteAcceptInput!) { quoteAccept(input: $input) { __typename } }"
TICKET = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"
REPLY = "mutation ($input: TicketReplyInput!) { ticketReply(input: $input) { __typename } }"
QUOTE = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id } } }"
QUOTE_SEND = "mutation ($input: QuoteInput!) { quoteSend(input: $input) { quote { client { email } } } }"


async def test_all_that_names_the_duplicate_goes_over_and_both_are_one(shop: Shop) -> None:
    kept = await shop.client("marie@example.com", firstName="Marie")
    other = await shop.client("m.curie@example.com", firstName="M.", phone="+33612345678")
    product, tag = await shop.product(), (await shop(TAG_CREATE, input={"name": "VIP"}))["tag"]["id"]
    for client in (kept, other):
        await shop.sell(product, client=client)
        await shop(TAG, input={"client": client, "tag": tag})
        await shop(CONSENT, input={"client": client, **OFFERS})
        await shop(NOTE, input={"client": client, "body": "Rappeler"})
        await shop(LINK, input={"client": client})
    lines = [{"product": product, "quantity": 1}]
    quote = (await shop(QUOTE, input={"client": other, "lines": lines}))["quote"]["id"]
    await shop(QUOTE_SEND, input={"quote": quote})
    shown = await shop(PREVIEW, client=kept, duplicate=other)
    assert shown["refusals"] == []
    assert {"kind": "Order", "count": 1} in shown["moved"]

    merged = (await shop(MERGE, input={"client": kept, "duplicate": other}))["client"]

    assert (merged["id"], merged["email"], merged["firstName"]) == (kept, "marie@example.com", "Marie")
    assert merged["tags"] == [{"name": "VIP"}]
    assert [bool(each["withdrawnAt"]) for each in merged["consents"]] == [True, False]
    assert len(merged["notes"]["nodes"]) == merged["ordersCount"] == 2
    (record,) = merged["merges"]
    assert (record["duplicateEmail"], record["mergedBy"]) == ("m.curie@example.com", {"user": {"email": shop.email}})
    assert record["movedCount"] > 5
    (client,) = await Client.all()
    assert {order.client_id for order in await Order.all()} == {client.id}
    assert await PortalToken.filter(revoked_at=None).count() == 1
    made = await Attempt.filter(operation=Operation.CREATE_CUSTOMER).order_by("number")
    assert [(each.client_id, each.number) for each in made] == [(client.id, 1), (client.id, 2)]
    assert (await shop("query ($id: ID!) { quote(id: $id) { client { id } } }", id=quote))["client"]["id"] == kept
    assert await shop("query ($id: ID!) { client(id: $id) { id } }", id=other) is None


async def test_a_sent_quote_goes_to_nobody_else_otherwise(shop: Shop) -> None:
    product, other = await shop.product(), await shop.client()
    lines = [{"product": product, "quantity": 1}]
    quote = (await shop(QUOTE, input={"client": await shop.client(), "lines": lines}))["quote"]["id"]
    await shop(QUOTE_SEND, input={"quote": quote})
    client = next(each for each in await Client.all() if global_id(each) == other)

    with pytest.raises(Exception, match="a quote that was sent is not changed"):
        await shop.sql("UPDATE quotes SET client_id = $1", client.id)


async def test_why_two_cannot_be_one_is_said_beforehand_and_nothing_changes(shop: Shop) -> None:
    kept = await shop.client("a@example.com", siren="732829320")
    other = await shop.client("b@example.com", siren="552100554")
    says = "Each has a SIREN of its own: correct one of them first."
    assert (await shop(PREVIEW, client=kept, duplicate=other))["refusals"] == [says]
    assert (await shop(PREVIEW, client=kept, duplicate=kept))["refusals"] == ["These are the same client already."]

    async with nothing_changes(shop):
        for duplicate, message in ((other, says), (kept, "These are the same client already.")):
            refusal: Any = await shop.refused(MERGE, input={"client": kept, "duplicate": duplicate})
            assert refusal == ("CONFLICT", "input.duplicate", message)


async def test_who_pays_for_somebodys_bilan_as_their_employer_never_becomes_one_with_them(shop: Shop) -> None:
    employer = await shop.client("rh@example.com", company="ACME")
    agreed = await Agreed.open(shop, employer=employer)

    for kept, other in ((employer, agreed.client), (agreed.client, employer)):
        refused = await shop.refused(MERGE, input={"client": kept, "duplicate": other})
        assert refused[0] == "CONFLICT" and "employer" in refused[2]


async def test_an_address_is_taken_over_whole_or_not_at_all(shop: Shop) -> None:
    kept = await shop.client("a@example.com", city="Lyon")
    other = await shop.client("b@example.com", address="1 rue de la Paix", postalCode="75002", city="Paris")
    third = await shop.client("c@example.com")
    assert (await shop(PREVIEW, client=kept, duplicate=other))["learned"] == []
    assert (await shop(PREVIEW, client=third, duplicate=other))["learned"] == ["address", "postalCode", "city"]


async def test_a_number_of_a_company_that_is_anothers_is_not_learned(shop: Shop) -> None:
    kept = await shop.client("a@example.com", vatNumber="FR44732829320")
    other = await shop.client("b@example.com", siren="552100554")

    refused = await shop.refused(MERGE, input={"client": kept, "duplicate": other})

    assert refused[:2] == ("CONFLICT", "input.duplicate")
    assert await Client.all().count() == 2


async def test_what_was_asked_of_stripe_for_both_keeps_numbers_of_its_own(shop: Shop) -> None:
    kept, other = await shop.client("a@example.com"), await shop.client("b@example.com")
    rows = {client.email: client for client in await Client.all()}
    for email, number in (("a@example.com", 1), ("b@example.com", 1), ("b@example.com", 2)):
        client = rows[email]
        await Attempt.create(
            organization_id=client.organization_id, client=client, operation=Operation.CREATE_CUSTOMER, number=number,
            status=AttemptStatus.FAILED, request={}, stripe_account="acct_1", live=False,
        )  # fmt: skip

    await shop(MERGE, input={"client": kept, "duplicate": other})

    assert sorted([attempt.number for attempt in await Attempt.all()]) == [1, 2, 3]


async def test_of_merges_at_once_one_is_done_and_none_is_half_done(shop: Shop) -> None:
    one, two, three = [await shop.client(f"{name}@example.com") for name in "abc"]
    for client in (one, two, three):
        await shop.sell(await shop.product(), client=client)
    pairs = [(one, two), (two, one), (two, three), (one, two)]

    answers = await asyncio.gather(
        *(shop(MERGE, input={"client": kept, "duplicate": other}) for kept, other in pairs), return_exceptions=True
    )

    done = [answer for answer in answers if isinstance(answer, dict)]
    assert len(done) == await ClientMerge.all().count() == 3 - await Client.all().count()
    assert all("NOT_FOUND" in str(answer) for answer in answers if not isinstance(answer, dict))
    assert await Order.all().count() == 3


async def test_an_order_that_is_begun_meanwhile_goes_over_or_is_refused(shop: Shop) -> None:
    kept, other = await shop.client("a@example.com"), await shop.client("b@example.com")
    product = await shop.product()

    answers = await asyncio.gather(
        *(shop.order(product, client=other) for _ in range(4)),
        shop(MERGE, input={"client": kept, "duplicate": other}),
        *(shop.order(product, client=other) for _ in range(4)),
        return_exceptions=True,
    )

    assert isinstance(answers[4], dict)
    made = [answer for answer in answers if not isinstance(answer, Exception)]
    assert await Order.all().count() == len(made) - 1
    assert {order.client_id for order in await Order.all()} <= {(await Client.get()).id}


async def test_what_is_done_with_a_duplicate_at_the_moment_of_a_merge_is_done_or_refused_and_none_waits_for_another(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    kept, other = await shop.client("a@example.com"), await shop.client("b@example.com")
    product = await shop.product()
    asked, recorded = [await shop.order(product, client=other) for _ in range(2)]
    _, events = await shop.paid_events(product, client=other)
    lines = [{"product": product, "quantity": 1}]
    quote = (await shop(QUOTE, input={"client": other, "lines": lines}))["quote"]["id"]
    await shop(QUOTE_SEND, input={"quote": quote})
    ticket = (await shop(TICKET, input={"client": other, "subject": "s", "body": "b"}))["ticket"]["id"]
    cash = {"order": recorded["id"], "amount": {"amount": 500}, "method": "CASH"}

    done = await asyncio.gather(
        shop.post(MERGE, {"input": {"client": kept, "duplicate": other}}),
        shop.post(CHECKOUT, {"input": shop.checkout_input(asked)}),
        shop.post(RECORD, {"input": cash}),
        shop.post(ACCEPT, {"input": {"quote": quote, "name": "Marie"}}),
        shop.post(REPLY, {"input": {"ticket": ticket, "body": "b"}}),
        shop.tell(events),
    )

    refused = [answer["errors"][0]["extensions"]["code"] for answer in done[:5] if answer and "errors" in answer]
    assert set(refused) <= {"CONFLICT", "NOT_FOUND"}
    assert "deadlock" not in caplog.text
    (client,) = await Client.all()
    assert {order.client_id for order in await Order.all()} == {client.id}


async def test_a_consultant_merges_their_own_clients_alone(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    mine, others = await shop.client("a@example.com"), await shop.client("b@example.com")
    await shop(
        "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { id } } }",
        input={"client": mine, "consultant": await membership(consultant)},
    )

    async with nothing_changes(shop):
        for kept, other, field in ((mine, others, "duplicate"), (others, mine, "client")):
            refused = await consultant.refused(MERGE, input={"client": kept, "duplicate": other})
            assert refused[0] in ("NOT_FOUND", "FORBIDDEN")
            assert refused[1] in (f"input.{field}", None)


async def test_an_address_that_any_company_has_is_no_sign_of_being_the_same(shop: Shop) -> None:
    client = await shop.client("contact@garage.example")
    await shop.client("contact@imprimerie.example")

    assert await shop("query ($client: ID!) { clientDuplicates(client: $client) { id } }", client=client) == []


async def test_who_may_be_the_same_is_suggested_the_most_likely_first(shop: Shop) -> None:
    asked = "query ($client: ID!) { clientDuplicates(client: $client) { email } }"
    client = await shop.client("marie.curie@example.com", firstName="Marie", lastName="Curie", phone="+33612345678")
    await shop.client("mc@example.org", firstName="Marie", lastName="CURIE", phone="+33612345678")
    await shop.client("marie.curie@example.org")
    await shop.client("contact@example.org", firstName="Curie", lastName="Márie")
    await shop.client("pierre@example.com", firstName="Pierre", lastName="Curie")

    found = [row["email"] for row in await shop(asked, client=client)]

    assert found == ["mc@example.org", "contact@example.org", "marie.curie@example.org"]
    assert await ClientMerge.all().count() == 0
