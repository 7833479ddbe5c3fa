"""Timelines of clients: what is paid, what is pasted, and what may be taken out again."""

import asyncpg
import pytest

import models
from engine.execution import Engine
from engine.plans.explaining import explained
from models import BilanStatus, Language, OpportunityStage, TimelineKind
from models.base import global_id
from policy import Actor
from resolvers.schema import build
from schema.context import Context
from services.timeline_words import summary
from tests.bookings.desk import Desk, ahead
from tests.shop import Shop

SCHEMA = build()

EVENTS = """query ($filter: TimelineFilter) { timelineEvents(filter: $filter) { nodes {
  id kind summary occurredAt author { user { email } } client { id }
  data { __typename
    ... on TimelineEmail { sender senderName recipients fromClient subject body truncated messageId threadId
      attachments { name contentType size } }
    ... on TimelinePayment { order orderNumber amount { amount formatted } balance { amount } method conflict }
  } } } }"""
OF_QUOTES = """query ($filter: TimelineFilter) { timelineEvents(filter: $filter) { nodes { kind
  data { ... on TimelineQuote { quote quoteNumber total { amount } acceptedOrder reason } } } } }"""
OF_BOOKINGS = """{ timelineEvents { nodes { kind author { user { email } }
  data { ... on TimelineBooking { booking service staff startsAt endsAt reason } } } } }"""
REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { __typename } }"
ADD = """mutation ($input: ClientEmailAddInput!) { clientEmailAdd(input: $input) {
  timelineEvent { id kind client { id } data { ... on TimelineEmail { subject } } }
  ticket { number source subject body } } }"""
REMOVE = "mutation ($input: ClientEmailRemoveInput!) { clientEmailRemove(input: $input) { id } }"
MAIL = """\
From: Marie <client1@example.com>
To: bonjour@comptappart.test
Subject: =?utf-8?q?Rendez-vous_d=C3=A9plac=C3=A9?=
Date: Mon, 3 Mar 2025 10:12:00 +0100
Message-ID: <2@example.com>
In-Reply-To: <1@comptappart.test>
Content-Type: text/html; charset=utf-8

<p>Bonjour <b>Camille</b></p>"""


async def test_each_payment_of_an_order_is_in_the_timeline_with_what_is_left_to_pay(shop: Shop) -> None:
    order = await shop.order(await shop.product(10_000), deposit={"percent": 3000})
    await shop.do("paymentRecord", order, method="TRANSFER", amount={"amount": 3000})
    await shop.do("paymentRecord", order, method="CHEQUE", amount={"amount": 7000})

    last, first = (await shop(EVENTS, filter={"kind": ["PAYMENT_RECEIVED"]}))["nodes"]

    assert (first["data"]["amount"]["amount"], first["data"]["balance"]["amount"]) == (3000, 7000)
    assert last["data"] == {
        "__typename": "TimelinePayment", "order": order["id"], "orderNumber": 1, "method": "CHEQUE", "conflict": None,
        "amount": {"amount": 7000, "formatted": "70,00\xa0€"}, "balance": {"amount": 0},
    }  # fmt: skip
    assert last["summary"] == "Paiement de 70,00\xa0€ reçu, commande 1"
    assert last["author"]["user"]["email"] == shop.email


async def test_what_stripe_takes_is_in_the_timeline_once(shop: Shop) -> None:
    await shop.sell(await shop.product(1200))
    event = await models.StripeEvent.filter(type="checkout.session.completed").first()
    assert event is not None

    (told,) = (await shop(EVENTS))["nodes"]

    assert (told["kind"], told["data"]["method"], told["author"]) == ("PAYMENT_RECEIVED", "STRIPE", None)


async def test_a_payment_that_is_flagged_is_in_the_timeline_as_one_to_look_into(shop: Shop) -> None:
    order = await shop.order(await shop.product(5000))
    session = await shop.checkout(order)
    await shop.do("orderDiscount", order, discount={"percent": 10_000})

    paid = await shop.sandbox.stripe.pay(session)
    await shop.tell([*paid, *paid])

    (told,) = (await shop(EVENTS))["nodes"]
    assert (told["kind"], told["data"]["amount"]["amount"], told["data"]["conflict"]) == (
        "PAYMENT_FLAGGED", 5000, "OVERPAID",
    )  # fmt: skip
    assert told["summary"] == "Paiement de 50,00\xa0€ à vérifier, commande 1"


async def test_a_refund_is_in_the_timeline(shop: Shop) -> None:
    order = await shop.order(await shop.product(5000))
    await shop.do("paymentRecord", order, method="CASH")
    payment = global_id(await models.Payment.get())

    await shop(REFUND, input={"payment": payment, "amount": {"amount": 2000}})

    refunded, received = (await shop(EVENTS))["nodes"]
    assert (received["kind"], refunded["kind"]) == ("PAYMENT_RECEIVED", "PAYMENT_REFUNDED")
    assert (refunded["data"]["amount"]["amount"], refunded["data"]["balance"]) == (2000, None)
    assert refunded["summary"] == "20,00\xa0€ remboursés, commande 1"


@pytest.mark.usefixtures("printer")
async def test_a_quote_is_followed_from_its_sending_to_its_answer(shop: Shop) -> None:
    client, lines = await shop.client(), [{"product": await shop.product(5000), "quantity": 1}]
    kinds = [TimelineKind.QUOTE_SENT, TimelineKind.QUOTE_ACCEPTED, TimelineKind.QUOTE_REFUSED]
    create = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id } } }"
    first, second = [(await shop(create, input={"client": client, "lines": lines}))["quote"]["id"] for _ in range(2)]
    for each in (first, second):
        await shop("mutation ($input: QuoteInput!) { quoteSend(input: $input) { __typename } }", input={"quote": each})
    accept = "mutation ($input: QuoteAcceptInput!) { quoteAccept(input: $input) { __typename } }"
    await shop(accept, input={"quote": first, "name": "Marie"})
    refuse = "mutation ($input: QuoteRefuseInput!) { quoteRefuse(input: $input) { __typename } }"
    await shop(refuse, input={"quote": second, "refuseReason": "Trop cher"})

    told = (await shop(OF_QUOTES, filter={"kind": kinds}))["nodes"]

    order = global_id(await models.Order.get())
    assert [(event["kind"], event["data"]["quote"]) for event in reversed(told)] == [
        ("QUOTE_SENT", first), ("QUOTE_SENT", second), ("QUOTE_ACCEPTED", first), ("QUOTE_REFUSED", second),
    ]  # fmt: skip
    assert (told[1]["data"]["acceptedOrder"], told[0]["data"]["reason"]) == (order, "Trop cher")
    assert told[1]["data"]["total"] == {"amount": 5000}


async def test_a_booking_is_followed_until_it_is_cancelled(shop: Shop) -> None:
    desk = await Desk.open(shop, "Alix")
    booking = (await desk.book(ahead()))["booking"]["id"]
    await desk.move(booking, ahead(hour=15))
    await desk.cancel(booking, reason="Malade")

    canceled, moved, confirmed = (await shop(OF_BOOKINGS))["nodes"]

    assert [each["kind"] for each in (confirmed, moved, canceled)] == [
        "BOOKING_CONFIRMED", "BOOKING_MOVED", "BOOKING_CANCELED",
    ]  # fmt: skip
    assert confirmed["data"]["startsAt"][:16] == ahead().strftime("%Y-%m-%dT%H:%M")
    assert moved["data"]["startsAt"][:16] == ahead(hour=15).strftime("%Y-%m-%dT%H:%M")
    assert (canceled["data"]["booking"], canceled["data"]["staff"], canceled["data"]["reason"]) == (
        booking, "Alix", "Malade",
    )  # fmt: skip
    assert canceled["author"]["user"]["email"] == shop.email


async def test_a_place_that_is_only_held_is_nobodys_news(shop: Shop) -> None:
    desk = await Desk.open(shop, "Alix", price_cents=5000)
    booking = (await desk.book(ahead()))["booking"]["id"]
    await desk.cancel(booking)

    assert (await shop(OF_BOOKINGS))["nodes"] == []


async def test_a_pasted_email_comes_at_the_time_it_was_sent(shop: Shop) -> None:
    await shop.sell(await shop.product(1200))
    client = global_id(await models.Client.get())
    await models.Client.all().update(email="client1@example.com")

    added = await shop(ADD, input={"client": client, "message": MAIL})

    assert (added["timelineEvent"]["kind"], added["ticket"]) == ("CLIENT_EMAIL", None)
    paid, email = (await shop(EVENTS, filter={"client": client}))["nodes"]
    assert (paid["kind"], email["occurredAt"]) == ("PAYMENT_RECEIVED", "2025-03-03T09:12:00.000Z")
    assert (email["summary"], email["author"]["user"]["email"]) == ("E-mail : Rendez-vous déplacé", shop.email)
    assert email["data"] == {
        "__typename": "TimelineEmail", "sender": "client1@example.com", "senderName": "Marie",
        "recipients": ["bonjour@comptappart.test"], "fromClient": True, "subject": "Rendez-vous déplacé",
        "body": "Bonjour Camille", "truncated": False, "messageId": "<2@example.com>",
        "threadId": "<1@comptappart.test>", "attachments": [],
    }  # fmt: skip
    thread = await shop(EVENTS, filter={"threadId": "<1@comptappart.test>"})
    assert [event["id"] for event in thread["nodes"]] == [email["id"]]


async def test_the_same_email_is_told_with_the_id_of_the_first(shop: Shop) -> None:
    client, other = await shop.client(), await shop.client()
    copied = "De : Marie <marie@example.com>\nObjet : Bilan\n\nBonjour"
    for message in (MAIL, copied):
        first = await shop(ADD, input={"client": client, "message": message})

        answer = await shop.post(ADD, {"input": {"client": client, "message": message.replace("\n", "\r\n")}})

        (error,) = answer["errors"]
        assert error["message"] == "This e-mail is in the timeline already."
        assert error["extensions"] == {
            "code": "CONFLICT", "field": "input.message", "known": first["timelineEvent"]["id"]
        }  # fmt: skip
    await shop(ADD, input={"client": other, "message": MAIL})  # who got it, too
    assert await models.TimelineEvent.all().count() == 3


async def test_a_ticket_is_opened_of_an_email_where_one_is_asked_for(shop: Shop) -> None:
    client = await shop.client()

    added = await shop(ADD, input={"client": client, "message": MAIL, "openTicket": True})

    assert added["ticket"] == {
        "number": 1, "source": "EMAIL", "subject": "Rendez-vous déplacé", "body": "Bonjour Camille"
    }  # fmt: skip


async def test_an_email_with_a_long_text_is_cut_and_says_so(shop: Shop) -> None:
    client = await shop.client()

    await shop(ADD, input={"client": client, "message": "a" * 900_000, "openTicket": True})

    told = (await shop(EVENTS, filter={"kind": ["CLIENT_EMAIL"]}))["nodes"][0]["data"]
    assert (len(told["body"]), told["truncated"], told["sender"], told["fromClient"]) == (100_000, True, None, False)


async def test_what_is_no_email_is_refused_naming_the_field_and_the_limit(shop: Shop) -> None:
    client = await shop.client()

    empty = await shop.refused(ADD, input={"client": client, "message": " "})
    long = await shop.refused(ADD, input={"client": client, "message": "é" * 510_000})

    assert empty == ("INVALID", "input.message", "Paste an e-mail: its source, or what it says.")
    assert long[:2] == ("INVALID", "input.message")
    assert "1,000,000 bytes at most" in long[2]


async def test_a_moment_that_cannot_be_is_not_believed(shop: Shop) -> None:
    client = await shop.client()

    for date in ("Mon, 3 Mar 2525 10:12:00 +0100", "Wed, 1 Jan 1930 00:12:00 +1400", "gestern"):
        await shop(ADD, input={"client": client, "message": f"Message-ID: <{date[8:12]}@b.fr>\nDate: {date}\n\nx"})

    for event in (await shop(EVENTS))["nodes"]:
        assert event["occurredAt"] >= "2026"


async def test_an_email_can_be_taken_out_and_what_happened_cannot(shop: Shop) -> None:
    await shop.sell(await shop.product(1200))
    client = global_id(await models.Client.get())
    email = (await shop(ADD, input={"client": client, "message": MAIL}))["timelineEvent"]["id"]
    payment = (await shop(EVENTS, filter={"kind": ["PAYMENT_RECEIVED"]}))["nodes"][0]["id"]

    removed = await shop(REMOVE, input={"timelineEvent": email})
    refused = await shop.refused(REMOVE, input={"timelineEvent": payment})

    assert removed == {"id": email}
    assert refused[:2] == ("CONFLICT", "input.timelineEvent")
    assert [event["id"] for event in (await shop(EVENTS))["nodes"]] == [payment]
    assert await models.AuditEntry.filter(action="clientEmailRemove", subject_type="TimelineEvent").count() == 1


async def test_a_page_of_events_with_their_data_is_read_by_a_plan(shop: Shop, database_url: str) -> None:
    client = await shop.client()
    await shop(ADD, input={"client": client, "message": MAIL, "openTicket": True})
    owner = await models.Membership.get(user__email=shop.email)
    operation = Engine(SCHEMA).documents.operation(EVENTS, None)
    connection = await asyncpg.connect(database_url)

    for filter in ({}, {"client": client, "kind": ["CLIENT_EMAIL", "TICKET_OPENED"]}, {"threadId": "<2@b.fr>"}):
        values = operation.variables.values({"filter": filter})
        assert not isinstance(values, list)
        caller = Context(Actor(owner.role, shop.organization.id, owner.id))
        shown = await explained(SCHEMA, connection, operation, values, caller)
        assert (shown.why_not, len(shown.statements)) == (None, 1), filter

    await connection.close()


@pytest.mark.parametrize("step", [*OpportunityStage, *BilanStatus])
def test_each_step_is_told_in_words(step: OpportunityStage | BilanStatus) -> None:
    kind = TimelineKind.BILAN_MOVED if isinstance(step, BilanStatus) else TimelineKind.OPPORTUNITY_MOVED

    told = [summary(kind, {"title": "Coaching", "to_step": step}, language) for language in Language]

    assert all("Coaching" in each and step.value not in each for each in told)
