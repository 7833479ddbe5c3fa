"""What a client asks by their private link, and reads of the answers."""

from typing import Any

import pytest

import models
from tests.portal.clients import come
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import Shop

TICKETS = "{ portal { tickets { id number subject body type status replies { fromClient body } } } }"
OPEN = "mutation ($input: PortalTicketCreateInput!) { portalTicketCreate(input: $input) { ticket number } }"
REPLY = "mutation ($input: PortalTicketReplyInput!) { portalTicketReply(input: $input) { ticket } }"
ANSWER = "mutation ($input: TicketReplyInput!) { ticketReply(input: $input) { ticketReply { id } } }"
WRITE_DOWN = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"
UPDATE = "mutation ($input: TicketUpdateInput!) { ticketUpdate(input: $input) { ticket { id } } }"
ASKED = {"subject": "Facture", "body": "Où est ma facture ?"}


async def tickets_of(client: Shop) -> list[dict[str, Any]]:
    return list((await client(TICKETS))["tickets"])


async def test_a_client_asks_and_reads_what_is_answered_and_not_what_is_internal(shop: Shop) -> None:
    client = await come(shop, await shop.client())

    made = await client(OPEN, input=ASKED)
    await shop(ANSWER, input={"ticket": made["ticket"], "body": "Elle est jointe."})
    await shop(ANSWER, input={"ticket": made["ticket"], "body": "Il est pénible.", "internal": True})
    await client(REPLY, input={"ticket": made["ticket"], "body": "Merci."})

    (ticket,) = await tickets_of(client)
    assert (ticket["id"], ticket["number"], ticket["type"], ticket["status"]) == (made["ticket"], 1, "QUESTION", "OPEN")
    assert ticket["replies"] == [
        {"fromClient": False, "body": "Elle est jointe."}, {"fromClient": True, "body": "Merci."},
    ]  # fmt: skip
    row = await models.Ticket.get()
    assert (row.source, row.opened_by_id) == (models.TicketSource.PORTAL, None)


async def test_html_is_kept_as_text_and_too_much_is_refused(shop: Shop) -> None:
    client = await come(shop, await shop.client())
    script = "<script>alert(1)</script>"
    await client(OPEN, input={"subject": script, "body": f"<b>Bonjour</b> {script}"})

    (ticket,) = await tickets_of(client)
    assert (ticket["subject"], ticket["body"]) == (script, f"<b>Bonjour</b> {script}")
    async with nothing_changes(shop):
        for bad, field in (
            ({"body": "x" * 20_001}, "input.body"), ({"body": " "}, "input.body"), ({"subject": ""}, "input.subject"),
            ({"subject": "x" * 201}, "input.subject"), ({"body": "\x00"}, "input.body"),
        ):  # fmt: skip
            assert (await client.refused(OPEN, input=ASKED | bad))[:2] == ("INVALID", field)
        headers = {"Authorization": f"Bearer {client.token}"}
        large = {"query": OPEN, "variables": {"input": ASKED | {"body": "x" * 1024 * 1024}}}
        assert (await shop.http.post("/graphql", json=large, headers=headers)).status_code == 413


async def test_a_ticket_of_anybody_elses_is_as_one_that_never_was(shop: Shop) -> None:
    theirs, client = await neighbour(shop), await come(shop, await shop.client("marie@example.com"))
    others = [
        (await each(WRITE_DOWN, input={"client": await each.client("paul@example.com"), **ASKED}))["ticket"]["id"]
        for each in (shop, theirs)
    ]

    async with nothing_changes(shop):
        for ticket in (*others, never_made("Ticket"), "x"):
            refusal = await client.refused(REPLY, input={"ticket": ticket, "body": "Bonjour"})
            assert refusal == ("NOT_FOUND", "input.ticket", "No such ticket.")
    assert await tickets_of(client) == []


async def test_what_is_closed_is_answered_no_more(shop: Shop) -> None:
    client = await come(shop, await shop.client())
    made = await client(OPEN, input=ASKED)
    await shop(UPDATE, input={"ticket": made["ticket"], "status": "CLOSED"})

    refusal = await client.refused(REPLY, input={"ticket": made["ticket"], "body": "Et alors ?"})

    assert refusal == ("CONFLICT", "input.ticket", "Ticket 1 is closed: open another one.")


@pytest.mark.parametrize("times", [1, 3])
async def test_under_a_key_a_ticket_is_opened_once(shop: Shop, times: int) -> None:
    client = await come(shop, await shop.client())

    made = [await client(OPEN, input=ASKED | {"idempotencyKey": "k1"}) for _ in range(times)]

    assert made == [made[0]] * times
    assert await models.Ticket.all().count() == 1
