"""How often a private link may ask, that it ends in the middle of what it asked, and that no alert tells it."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

import models
from errors import Unauthenticated
from policy import Actor
from services import portal, portal_bookings, portal_payments, portal_tickets, portal_tokens
from telemetry.alerts import Alerts
from telemetry.sentry import Sentry
from tests.portal.clients import PAY, PORTAL, come
from tests.portal.test_portal_tickets import ASKED, OPEN
from tests.security.surroundings import coming_from, installed_with
from tests.shop import Shop
from tests.telemetry.test_alerts import DSN, Wire

NOW = datetime.now(UTC)
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
