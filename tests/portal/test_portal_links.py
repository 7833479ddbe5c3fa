"""How often a private link may ask, that it ends in the middle of what it asked, and that no alert tells it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import jwt
import pytest

import models
from errors import Unauthenticated
from models.database import query, transaction
from policy import Actor
from services import erasures, portal, portal_bookings, portal_payments, portal_tickets, portal_tokens
from telemetry.alerts import Alerts
from telemetry.sentry import Sentry
from tests.bookings.desk import BOOK as BOOK_AT_DESK
from tests.bookings.desk import Desk, ahead
from tests.calendars.test_incoming import WAITING
from tests.portal.clients import CREATE, PAY, PORTAL, come, seen
from tests.portal.test_portal_tickets import ASKED, OPEN
from tests.security.surroundings import coming_from, installed_with
from tests.shop import Shop
from tests.telemetry.test_alerts import DSN, Wire

NOW = datetime.now(UTC)
ERASE = "mutation ($input: ClientEraseInput!) { clientErase(input: $input) { erasure { id } } }"
TICKET = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"
QUOTE = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id } } }"
QUOTE_SEND = "mutation ($input: QuoteInput!) { quoteSend(input: $input) { quote { id } } }"
ASKING: dict[str, Callable[[Actor], Awaitable[object]]] = {
    "portal": lambda link: portal.opened(link, None, None),
    "portalAvailability": lambda link: portal_bookings.availabilities(link, "x", None, NOW, NOW),
    "portalPay": lambda link: portal_payments.start(link, "x"),
    "portalBook": lambda link: portal_bookings.book(
        link, service="x", starts_at=NOW, staff=None, pack=None, notes=None
    ),
    "portalBookingMove": lambda link: portal_bookings.move(link, booking="x", starts_at=NOW, staff=None),
    "portalBookingCancel": lambda link: portal_bookings.cancel(link, booking="x", reason=None),
    "portalTicketCreate": lambda link: portal_tickets.open(link, subject="x", body="x"),
    "portalTicketReply": lambda link: portal_tickets.reply(link, ticket="x", body="x"),
}


async def test_a_link_may_ask_so_often_and_another_client_is_not_hindered(shop: Shop) -> None:
    one, another = [await come(shop, await shop.client()) for _ in range(2)]
    async with installed_with(shop, rate_factor=1):
        async with coming_from(one, "203.0.113.61") as busy:
            for _ in range(5):
                await busy(OPEN, input=ASKED)
            assert (await busy.refused(OPEN, input=ASKED))[0] == "LIMITED"
            assert (await busy(PORTAL))["orders"] == []
        async with coming_from(another, "203.0.113.62") as calm:
            await calm(OPEN, input=ASKED)

    assert await models.Ticket.all().count() == 6


@pytest.mark.parametrize("asked", ASKING)
async def test_a_link_that_is_withdrawn_while_it_asks_does_nothing_more(shop: Shop, asked: str) -> None:
    client = await come(shop, await shop.client())
    link = await portal_tokens.actor_of(client.token)
    assert link
    await models.PortalToken.all().update(revoked_at=NOW)

    with pytest.raises(Unauthenticated, match="no longer good"):
        await ASKING[asked](link)


async def test_what_a_link_shows_leads_nowhere_for_long_once_it_is_withdrawn(shop: Shop) -> None:
    """Addresses that were copied while it was good, and that of the page to which Stripe sends the client back."""
    client = await come(shop, mine := await shop.client())
    order = await shop.order(client=mine)
    await shop(QUOTE_SEND, input={"quote": await quoted(shop, mine)})
    shown = await seen(client)

    paying = await client(PAY, input={"order": order["id"]})

    session = shop.sandbox.stripe.session(paying["url"].rpartition("/")[2])
    told = [shown["orders"][0]["payUrl"], shown["quotes"][0]["url"], session["success_url"], session["cancel_url"]]
    for address in told:
        token = urlsplit(address).path.rpartition("/")[2]
        ends_at = datetime.fromtimestamp(jwt.decode(token, options={"verify_signature": False})["exp"], UTC)
        assert ends_at <= datetime.now(UTC) + timedelta(days=2), address


async def test_who_was_erased_has_no_portal_and_nothing_is_written_of_them_again(shop: Shop) -> None:
    desk = await Desk.open(shop)
    client = await come(shop, mine := await shop.client())
    await shop(ERASE, input={"client": mine})

    assert (await client.refused(PORTAL))[0] == "UNAUTHENTICATED"
    erased = ("CONFLICT", "input.client", "This client was erased. Make another client.")
    assert await shop.refused(CREATE, input={"client": mine}) == erased
    assert await shop.refused(TICKET, input={"client": mine, "subject": "x", "body": "y"}) == erased
    assert await shop.refused(BOOK_AT_DESK, input=desk.asked(ahead(), mine)) == erased


async def test_who_is_erased_while_they_ask_leaves_nothing_behind(shop: Shop) -> None:
    client = await come(shop, await shop.client())
    link = await portal_tokens.actor_of(client.token)
    assert link

    async def ask() -> None:
        async with transaction():
            await portal_tickets.open(link, subject="x", body="y")

    async with transaction():
        row = await models.Client.select_for_update().get()
        asking = asyncio.create_task(ask(), context=Context())
        while not (asking.done() or await query(WAITING)):
            await asyncio.sleep(0.01)
        await erasures.erase(row, None)

    with pytest.raises(Unauthenticated):
        await asking
    assert not await models.Ticket.exists()


async def test_no_alert_tells_a_link(shop: Shop) -> None:
    client = await come(shop, mine := await shop.client())
    order = await shop.order(client=mine)
    wire, ours = Wire(), logging.getLogger("comptoir")
    alerts = Alerts(Sentry(DSN, environment="production", transport=wire))
    ours.addHandler(alerts)
    try:
        shop.sandbox.stripe.fail_next(401)
        await client.refused(PAY, input={"order": order["id"], "idempotencyKey": client.token})
        ours.error("came by /portal#%s, Bearer %s", client.token, client.token)
    finally:
        ours.removeHandler(alerts)

    assert len(wire.events) == 2
    assert client.token not in str(wire.events)


async def quoted(shop: Shop, client: str) -> str:
    """A draft for a client."""
    lines = [{"product": await shop.product(1400), "quantity": 1}]
    made = await shop(QUOTE, input={"client": client, "lines": lines})
    id: str = made["quote"]["id"]
    return id
