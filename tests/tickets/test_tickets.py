"""Tickets: opened, answered, seen to; who sees what of them, and what the timeline says."""

import asyncio
from typing import Any

import pytest

import models
from models import Role, TicketSource
from models.base import global_id
from models.database import transaction
from services import tickets
from services.tickets import Asked
from tests.shop import Shop, said

SEEN = """
  id number subject body type priority status source repliedAt resolvedAt closedAt
  client { id } assignee { id } openedBy { user { email } }
  replies { nodes { body internal fromClient author { user { email } } } }
"""
TICKET = f"query ($id: ID!) {{ ticket(id: $id) {{ {SEEN} }} }}"
CREATE = f"mutation ($input: TicketCreateInput!) {{ ticketCreate(input: $input) {{ ticket {{ {SEEN} }} }} }}"
UPDATE = f"mutation ($input: TicketUpdateInput!) {{ ticketUpdate(input: $input) {{ ticket {{ {SEEN} }} }} }}"
REPLY = """mutation ($input: TicketReplyInput!) {
  ticketReply(input: $input) { ticketReply { body internal fromClient } } }"""
TIMELINE = """query ($filter: TimelineFilter) { timelineEvents(filter: $filter) { nodes {
  kind summary english: summary(language: EN) author { user { email } }
  data { ... on TimelineTicket { ticket ticketNumber subject type fromClient } } } } }"""


async def test_a_ticket_is_numbered_seen_to_and_answered_until_it_is_closed(shop: Shop) -> None:
    client = await shop.client()
    first = await asked(shop, client, subject=" Une\n question ", type="INCIDENT", priority="HIGH")
    second = await asked(shop, client)

    assert (first["number"], second["number"]) == (1, 2)
    assert (first["subject"], first["status"], first["source"]) == ("Une question", "NEW", "BACK_OFFICE")
    assert first["openedBy"]["user"]["email"] == shop.email
    await shop(REPLY, input={"ticket": first["id"], "body": "À vérifier.", "internal": True})
    assert (await shop(TICKET, id=first["id"]))["status"] == "NEW"
    await shop(REPLY, input={"ticket": first["id"], "body": "C'est fait."})
    assert (await shop(TICKET, id=first["id"]))["status"] == "WAITING"
    resolved = await change(shop, first, status="RESOLVED")
    assert (resolved["status"], resolved["resolvedAt"] is not None) == ("RESOLVED", True)
    await from_client(first, "Pas tout à fait.")
    again = await shop(TICKET, id=first["id"])
    assert (again["status"], again["resolvedAt"]) == ("OPEN", None)
    assert [reply["body"] for reply in again["replies"]["nodes"]] == ["Pas tout à fait.", "C'est fait.", "À vérifier."]
    closed = await change(shop, first, status="CLOSED")
    assert closed["closedAt"]


async def test_what_is_closed_is_over(shop: Shop) -> None:
    ticket = await asked(shop, await shop.client())
    await change(shop, ticket, status="CLOSED")

    reopened = await shop.refused(UPDATE, input={"ticket": ticket["id"], "status": "OPEN"})
    replied = await shop.refused(REPLY, input={"ticket": ticket["id"], "body": "Encore"})

    assert reopened == ("CONFLICT", "input.ticket", "Ticket 1 is CLOSED, and cannot become OPEN.")
    assert replied == ("CONFLICT", "input.ticket", "Ticket 1 is closed: open another one.")
    await shop(REPLY, input={"ticket": ticket["id"], "body": "Pour mémoire.", "internal": True})


async def test_html_is_kept_as_text(shop: Shop) -> None:
    html = "<script>alert('é')</script>\n<b>Bonjour</b> &amp; merci"

    ticket = await asked(shop, await shop.client(), subject="<i>Bilan</i>", body=html.replace("\n", "\r\n"))

    assert (ticket["subject"], ticket["body"]) == ("<i>Bilan</i>", html)


@pytest.mark.parametrize(
    ("values", "field", "why"),
    [
        ({"body": "x" * 1_000_000}, "input.body", "This is longer than 20000 characters."),
        ({"subject": "x" * 201}, "input.subject", "This is longer than 200 characters."),
        ({"body": " \n"}, "input.body", "This cannot be empty."),
        ({"subject": "\t"}, "input.subject", "This cannot be empty."),
        ({"body": "a\x00b"}, "input.body", "Text cannot hold a NUL character."),
    ],
)
async def test_what_is_empty_or_too_long_is_refused_with_its_limit(
    shop: Shop, values: dict[str, str], field: str, why: str
) -> None:
    client = await shop.client()

    refused = await shop.refused(CREATE, input={"client": client, "subject": "Bilan", "body": "Bonjour"} | values)

    assert refused == ("INVALID", field, why)
    assert not await models.Ticket.exists()


async def test_tickets_opened_at_once_have_numbers_of_their_own(shop: Shop) -> None:
    client = await shop.client()

    opened = await asyncio.gather(*(asked(shop, client) for _ in range(5)))

    assert sorted(ticket["number"] for ticket in opened) == [1, 2, 3, 4, 5]


async def test_only_who_may_see_to_tickets_is_assigned_one(shop: Shop) -> None:
    accountant = await member(shop, Role.ACCOUNTANT)
    consultant = await member(shop, Role.CONSULTANT)
    ticket = await asked(shop, await shop.client())

    refused = await shop.refused(UPDATE, input={"ticket": ticket["id"], "assignee": accountant})
    assigned = await change(shop, ticket, assignee=consultant)
    nobody = await change(shop, ticket, assignee=None)

    assert refused == ("INVALID", "input.assignee", "Only an active owner, admin or consultant sees to tickets.")
    assert (assigned["assignee"]["id"], nobody["assignee"]) == (consultant, None)


async def test_who_is_given_a_ticket_by_somebody_else_is_written_to(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    theirs = await models.Membership.get(user__email=consultant.email)
    own = global_id(await models.Membership.get(user__email=shop.email))
    ticket = await asked(shop, await shop.client("marie@example.com"), body="Un <script>")

    for assignee in (own, global_id(theirs), global_id(theirs)):
        await change(shop, ticket, assignee=assignee, priority="HIGH")
    await shop.work_is_done()

    assert shop.mails(shop.email) == shop.mails("marie@example.com") == []
    (told,) = shop.mails(consultant.email)
    assert "Cette demande est à vous : ticket n° 1, Bilan" in told.message["Subject"]
    assert "Un &lt;script&gt;" in told.message.get_body(("html",)).get_content()


async def test_a_consultant_has_the_tickets_and_timelines_of_their_own_clients(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    theirs = await models.Membership.get(user__email=consultant.email)
    mine, other = await shop.client(consultant=global_id(theirs)), await shop.client()
    seen, hidden = await asked(shop, mine), await asked(shop, other)

    own = await consultant("{ tickets { nodes { id } } }")
    told = await consultant(TIMELINE)

    assert [ticket["id"] for ticket in own["nodes"]] == [seen["id"]]
    assert [event["data"]["ticket"] for event in told["nodes"]] == [seen["id"]]
    assert (await consultant.refused(REPLY, input={"ticket": hidden["id"], "body": "Non"}))[0] == "NOT_FOUND"
    await consultant(REPLY, input={"ticket": seen["id"], "body": "Oui"})


async def test_a_client_who_signs_in_reads_no_internal_reply_and_no_timeline(shop: Shop) -> None:
    beneficiary = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    client = await shop.client()
    whose = await models.Membership.get(user__email=beneficiary.email)
    await models.Client.all().update(member_id=whose.id)
    ticket = await asked(shop, client)
    for internal in (True, False):
        await shop(REPLY, input={"ticket": ticket["id"], "body": f"{internal}", "internal": internal})
    kept = await models.TicketReply.get(internal=True)

    read = await beneficiary(TICKET, id=ticket["id"])
    by_id = await beneficiary("query ($id: ID!) { node(id: $id) { id } }", id=global_id(kept))

    assert [reply["body"] for reply in read["replies"]["nodes"]] == ["False"]
    assert by_id is None
    assert (await beneficiary.refused(TIMELINE))[0] == "FORBIDDEN"
    assert (await beneficiary.refused(UPDATE, input={"ticket": ticket["id"], "status": "CLOSED"}))[0] == "FORBIDDEN"


async def test_a_client_who_signs_in_asks_and_replies_as_in_the_portal(shop: Shop) -> None:
    beneficiary = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    mine, other = await shop.client("marie@example.com"), await shop.client("paul@example.com")
    whose = await models.Membership.get(user__email=beneficiary.email)
    await models.Client.filter(email="marie@example.com").update(member_id=whose.id)
    theirs = await asked(shop, other)

    ticket = await asked(beneficiary, mine, subject="Séance", type="REQUEST")
    await shop(REPLY, input={"ticket": ticket["id"], "body": "Quand ?"})
    await beneficiary(REPLY, input={"ticket": ticket["id"], "body": "Lundi"})

    row = await models.Ticket.get(number=ticket["number"])
    assert (row.source, row.opened_by_id, row.status) == ("PORTAL", None, "OPEN")
    read = await beneficiary(TICKET, id=ticket["id"])
    written = [(reply["body"], reply["fromClient"]) for reply in read["replies"]["nodes"]]
    assert written == [("Lundi", True), ("Quand ?", False)]
    await shop.work_is_done()
    assert len(shop.mails("bonjour@comptappart.test")) == 2
    between_us = {"ticket": ticket["id"], "body": "x", "internal": True}
    assert (await beneficiary.refused(REPLY, input=between_us))[0] == "FORBIDDEN"
    assert (await beneficiary.refused(REPLY, input={"ticket": theirs["id"], "body": "x"}))[0] == "NOT_FOUND"
    for more in ({"priority": "URGENT"}, {"assignee": global_id(whose)}):
        refused = await beneficiary.refused(CREATE, input={"client": mine, "subject": "x", "body": "y"} | more)
        assert refused[0] == "FORBIDDEN", more
    assert (await beneficiary.refused(CREATE, input={"client": other, "subject": "x", "body": "y"}))[0] == "NOT_FOUND"


async def test_an_accountant_sees_neither_tickets_nor_timelines(shop: Shop) -> None:
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)

    assert (await accountant.refused("{ tickets { nodes { id } } }"))[0] == "FORBIDDEN"
    assert (await accountant.refused(TIMELINE))[0] == "FORBIDDEN"


async def test_the_timeline_tells_what_became_of_a_ticket(shop: Shop) -> None:
    ticket = await asked(shop, await shop.client(), subject="Bilan")
    await from_client(ticket, "Alors ?")
    await shop(REPLY, input={"ticket": ticket["id"], "body": "Entre nous", "internal": True})
    await change(shop, ticket, status="RESOLVED")

    told = (await shop(TIMELINE, filter={"client": ticket["client"]["id"]}))["nodes"]

    assert [event["kind"] for event in reversed(told)] == ["TICKET_OPENED", "TICKET_REPLIED", "TICKET_RESOLVED"]
    assert told[1]["summary"] == "Le client a écrit, ticket 1 : Bilan"
    assert told[1]["english"] == "The client wrote, ticket 1: Bilan"
    assert told[1]["data"] == {
        "ticket": ticket["id"], "ticketNumber": 1, "subject": "Bilan", "type": "QUESTION", "fromClient": True
    }  # fmt: skip
    assert told[0]["author"]["user"]["email"] == shop.email
    only = await shop(TIMELINE, filter={"kind": ["TICKET_OPENED"]})
    assert [event["kind"] for event in only["nodes"]] == ["TICKET_OPENED"]


async def asked(shop: Shop, client: str, **values: Any) -> dict[str, Any]:
    made = await shop(CREATE, input={"client": client, "subject": "Bilan", "body": "Bonjour"} | values)
    found: dict[str, Any] = made["ticket"]
    return found


async def change(shop: Shop, ticket: dict[str, Any], **values: Any) -> dict[str, Any]:
    changed: dict[str, Any] = (await shop(UPDATE, input={"ticket": ticket["id"]} | values))["ticket"]
    return changed


async def from_client(ticket: dict[str, Any], body: str) -> None:
    """As the portal writes it."""
    async with transaction():
        row = await models.Ticket.select_for_update().get(number=ticket["number"])
        await tickets.reply(row, body, from_client=True)


async def member(shop: Shop, role: Role) -> str:
    opened = await Shop.open(shop.http, shop.sandbox, role=role)
    return global_id(await models.Membership.get(user__email=opened.email))


async def test_a_client_opens_one_by_their_portal(shop: Shop) -> None:
    await shop.client()
    client = await models.Client.get()

    async with transaction():
        ticket = await tickets.open(client, Asked("Bilan", "Bonjour"), source=TicketSource.PORTAL)

    told = (await shop(TIMELINE))["nodes"]
    assert (ticket.type, ticket.status, ticket.opened_by_id) == ("QUESTION", "NEW", None)
    assert (told[0]["author"], told[0]["data"]["fromClient"]) == (None, True)


async def test_who_is_written_to_is_told_and_the_letter_shows_html_as_text(shop: Shop) -> None:
    ticket = await asked(shop, await shop.client("marie@example.com", firstName="Marie"), subject="<b>Bilan</b>")
    await shop(REPLY, input={"ticket": ticket["id"], "body": "Entre nous", "internal": True})
    await shop(REPLY, input={"ticket": ticket["id"], "body": "Un <script>\nDeux & trois"})
    await from_client(ticket, "Merci <3")
    await shop.work_is_done()

    (answer,) = shop.mails("marie@example.com")
    (told,) = shop.mails("bonjour@comptappart.test")
    html = answer.message.get_body(("html",)).get_content()
    assert "Un &lt;script&gt;" in html
    assert "Deux &amp; trois" in html
    assert "<script>" not in html
    assert "Entre nous" not in said(answer)
    assert "Réponse à votre demande n° 1 : <b>Bilan</b>" in answer.message["Subject"]
    assert "Merci <3" in said(told)
    assert answer.message["References"] == told.message["References"]


async def test_what_comes_by_the_portal_is_told_to_who_looks_after_the_client(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    theirs = await models.Membership.get(user__email=consultant.email)
    await shop.client(consultant=global_id(theirs))
    async with transaction():
        await tickets.open(await models.Client.get(), Asked("Bilan", "Bonjour"), source=TicketSource.PORTAL)
    await shop.work_is_done()

    (told,) = shop.mails(consultant.email)
    assert "Nouvelle demande : ticket n° 1, Bilan" in told.message["Subject"]
