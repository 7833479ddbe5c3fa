"""The payment link of an opportunity: Stripe's Checkout page of its order."""

from contextlib import suppress

from errors import Conflict
from models import Attempt, Opportunity, Order
from models.database import transaction
from models.opportunity import FIELD
from services import checkout, links, opportunity_orders

TRIES = 3  # somebody else may make its order at the same time


async def make(opportunity: Opportunity) -> tuple[Order, Attempt | None]:
    """The order of a won opportunity, and its Checkout page, the same while it can be used; None where a discount made
    it free, and it is complete.

    Another page is made once that has expired or the amount changed, and the old one is taken back at Stripe before.
    Raises Conflict where it is not won, has no amount or is paid, and what `checkout.start` raises.
    """
    order = await _order_of(opportunity)
    here = links.pay_link(order, links.SHOWN)
    return order, await checkout.start(order, success_url=f"{here}?back=1", cancel_url=here)


async def _order_of(opportunity: Opportunity) -> Order:
    """The order by which it is paid, made where there is none that stands. Of two who ask at once one makes it."""
    for _ in range(TRIES):
        with suppress(opportunity_orders.Changed):
            async with transaction():
                order, locked = await opportunity_orders.lock(await Opportunity.get(id=opportunity.id))
                locked.must_be_payable()
                if order is not None and opportunity_orders.stands(order):
                    return order
                return await opportunity_orders.make(locked)
    raise Conflict("This opportunity has changed at this moment. Try again.", field=FIELD)
