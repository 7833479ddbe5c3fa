"""Tickets and timelines are told while one looks, to those who see them."""

import models
from models import Role
from models.base import global_id
from models.database import transaction
from services import tickets
from tests.bilans.test_beneficiaries import came
from tests.shop import Shop
from tests.streams.clients import socket
from tests.streams.test_resuming import settled

CREATE = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"
TICKETS = """subscription ($after: String) { ticketChanged(after: $after) { happened cursor ticket {
  id status replies(first: 1) { nodes { body } } } } }"""
EVENTS = """subscription ($after: String) { timelineEventChanged(after: $after) { happened timelineEvent {
  kind data { ... on TimelineTicket { ticketNumber fromClient } } } } }"""


async def test_a_ticket_is_told_with_its_replies_and_the_timeline_with_its_data(shop: Shop, port: int) -> None:
    client = await shop.client()
    await settled(shop)
    async with socket(port, shop.token) as followed, socket(port, shop.token) as timeline:
        await followed.follow(TICKETS)
        await timeline.follow(EVENTS)
        asked = await shop(CREATE, input={"client": client, "subject": "Bilan", "body": "Bonjour"})
        opened = await followed.event()
        async with transaction():
            row = await models.Ticket.select_for_update().get()
            await tickets.reply(row, "Alors ?", from_client=True)
        replied = await followed.event()
        told = [await timeline.event(), await timeline.event()]

    assert (opened["happened"], opened["ticket"]["id"]) == (["CREATED"], asked["ticket"]["id"])
    assert "CHANGED" in replied["happened"]
    assert replied["ticket"]["replies"]["nodes"] == [{"body": "Alors ?"}]
    assert [(event["timelineEvent"]["kind"], event["timelineEvent"]["data"]) for event in told] == [
        ("TICKET_OPENED", {"ticketNumber": 1, "fromClient": False}),
        ("TICKET_REPLIED", {"ticketNumber": 1, "fromClient": True}),
    ]


async def test_a_consultant_is_told_of_their_own_clients_alone(shop: Shop, port: int) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    theirs = await models.Membership.get(user__email=consultant.email)
    mine, other = await shop.client(consultant=global_id(theirs)), await shop.client()
    await settled(shop)
    async with socket(port, consultant.token) as followed:
        await followed.follow(TICKETS)
        for client in (other, mine):
            await shop(CREATE, input={"client": client, "subject": "Bilan", "body": "Bonjour"})
        event = await followed.event()

    assert event["ticket"]["id"] == global_id(await models.Ticket.get(number=2))


async def test_an_internal_reply_is_told_to_those_who_see_it_and_not_to_the_client(shop: Shop, port: int) -> None:
    client = await shop.client("marie@example.com")
    beneficiary = await came(shop, "marie@example.com")
    await models.Client.all().update(member_id=(await models.Membership.get(role=Role.BENEFICIARY)).id)
    await shop(CREATE, input={"client": client, "subject": "Bilan", "body": "Bonjour"})
    await settled(shop)
    async with socket(port, shop.token) as ours, socket(port, beneficiary.token) as theirs:
        begun = await ours.follow(TICKETS), await theirs.follow(TICKETS)
        row = await models.Ticket.get()
        for body, internal in (("Entre nous", True), ("Alors ?", False)):
            async with transaction():
                await tickets.reply(await models.Ticket.select_for_update().get(), body, internal=internal)
            told = await ours.event()
            assert told["ticket"]["replies"]["nodes"] == [{"body": body}]
            assert ("NOTED" in told["happened"]) is internal
        first = await theirs.event()
        async with socket(port, beneficiary.token) as again:
            await again.ask(TICKETS, after=begun[1]["cursor"])
            missed = await again.event()

    assert first["happened"] == missed["happened"] == ["CHANGED"]
    assert first["ticket"]["replies"]["nodes"] == [{"body": "Alors ?"}]
    assert first["ticket"]["id"] == global_id(row)
