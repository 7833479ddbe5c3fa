"""What a client pays by their private link: on the page of Stripe's to which it leads, and back by ours."""

import logging

from errors import Conflict, Disconnected, Invalid, Limited, NotConfigured, NotFound, Refused, SlotTaken
from models import Attempt, Opportunity, OpportunityStage, Order, OrderKind
from policy import Actor
from services import checkout, links, portal_tokens

log = logging.getLogger("comptoir.portal")


async def start(actor: Actor, order: str) -> tuple[Order, str, Attempt | None]:
    """(the client's order, where it is paid, what was asked of Stripe); our own page, and nothing asked, where it was
    free and is complete now.

    The client comes back to the page of its payment link, which nobody chooses. Raises NotFound, for what is won no
    more as for none; Conflict where nothing is to be paid, or cannot be at this moment, for a reason that is none of
    the client's business; Unavailable where Stripe does not answer.
    """
    client = await portal_tokens.client_of(actor)
    row = await portal_tokens.theirs(client, Order, order, field="input.order")
    row.must_be_open()
    await _must_be_agreed(row)
    here = links.pay_link(row, links.SHOWN)
    try:
        attempt = await checkout.start(row, success_url=f"{here}?back=1", cancel_url=here)
    except (SlotTaken, Limited):  # the client can act on it
        raise
    except (Conflict, Invalid, NotConfigured, Refused, Disconnected) as refusal:
        log.warning("order %s: not to be paid by its client's link: %s", row.id, refusal)
        await row.refresh_from_db()
        row.must_be_open()
        raise Conflict("This cannot be paid at this moment. Ask those who sold it.", field="input.order") from refusal
    return row, str(attempt.url) if attempt else here, attempt


async def _must_be_agreed(order: Order) -> None:
    """Raises NotFound for the order of an opportunity that is not won any more: it is about to be given up."""
    if order.kind is not OrderKind.OPPORTUNITY:
        return
    if not await Opportunity.exists(order_id=order.id, stage=OpportunityStage.WON):
        raise NotFound("No such order.", field="input.order")
