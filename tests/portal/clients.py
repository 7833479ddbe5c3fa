"""What tests of the portal say: a client who came by their private link, and what they ask."""

from dataclasses import replace
from typing import Any

from tests.shop import Shop

CREATE = """mutation ($input: PortalTokenCreateInput!) {
  portalTokenCreate(input: $input) { token portalToken { id } }
}"""
REVOKE = "mutation ($input: PortalTokenRevokeInput!) { portalTokenRevoke(input: $input) { portalToken { id } } }"
PORTAL = """{ portal {
  quotes { number version lines { description quantity total { amount } } total { amount } validUntil url }
  orders { id number status lines { description quantity total { amount } } balance { amount } due { amount } payUrl }
  bookings { id service staff startsAt endsAt status holdExpiresAt price { amount } freeUntil lateFee { amount } meetUrl
             location payUrl pack }
  packs { id name sessions left endsAt services }
  services { id name durationMinutes price { amount } staff { id name } }
} }"""
SLOTS = """query ($service: ID!, $from: DateTime!, $to: DateTime!, $staff: ID) {
  portalAvailability(service: $service, from: $from, to: $to, staff: $staff) { startsAt available reason staff }
}"""
PAY = """mutation ($input: PortalPayInput!) { portalPay(input: $input) { url amount { amount } expiresAt } }"""
BOOK = """mutation ($input: PortalBookInput!) {
  portalBook(input: $input) { booking startsAt endsAt confirmed holdExpiresAt order }
}"""
MOVE = """mutation ($input: PortalBookingMoveInput!) {
  portalBookingMove(input: $input) { booking startsAt confirmed order }
}"""
CANCEL = (
    "mutation ($input: PortalBookingCancelInput!) {"
    "  portalBookingCancel(input: $input) { booking fee { amount } sessionReturned }"
    "}"
)


async def come(shop: Shop, client: str) -> Shop:
    """A client, of that global id, who came by a link that is made for them."""
    return replace(shop, token=(await shop(CREATE, input={"client": client}))["token"])


async def seen(portal: Shop) -> dict[str, Any]:
    shown: dict[str, Any] = await portal(PORTAL)
    return shown
