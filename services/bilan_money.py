"""Money of bilans moved: the funding that an order pays follows it, and the bilan follows its fundings.

Locks the bilan, then the funding, after the order (`services/bilans.py` has the whole order).
"""

from datetime import UTC, datetime

from models import Bilan, BilanFunding, BilanNews, FundingNews, Order, OrderKind, OrderStatus
from services import bilan_rules, bilan_steps

COUNTED = ("minutes_done", "allotted_cents", "secured_cents", "due_cents")  # kept by the database


async def paid(order: Order) -> None:
    """An order, locked, is paid: so is the funding that it is of. Safe to call twice."""
    await _tell(order, FundingNews.PAID)


async def order_given_up(order: Order, reason: str | None) -> None:
    """Nobody will pay an order, locked: its part of the price is free for somebody else."""
    await _tell(order, FundingNews.WITHDRAWN, reason)


async def follow_money(order: Order) -> None:
    """Money of an order, locked, went back, or came back after all: a funding of which nothing is left is none."""
    await _tell(order, FundingNews.EMPTIED if order.status is OrderStatus.REFUNDED else FundingNews.REFILLED)


async def recount(bilan: Bilan) -> None:
    """The bilan, locked, is funded once nothing of its price is due, and no more when something is; what
    it breaks is noted."""
    await bilan.refresh_from_db(COUNTED)
    now = datetime.now(UTC)
    await bilan_steps.move(bilan, BilanNews.UNFUNDED if bilan.due_cents else BilanNews.FUNDED, at=now)
    if bilan.begun_at:  # it goes on from where it was
        await bilan_steps.move(bilan, BilanNews.BEGAN, at=now)
    await bilan_rules.note(bilan)


async def _tell(order: Order, news: FundingNews, reason: str | None = None) -> None:
    if order.kind is not OrderKind.BILAN:
        return
    known = await BilanFunding.get(order_id=order.id)
    bilan = await Bilan.select_for_update(no_key=True).get(id=known.bilan_id)
    funding = await BilanFunding.select_for_update(no_key=True).get(id=known.id)
    if news is FundingNews.REFILLED and bilan.unallotted_cents < funding.amount_cents:
        return  # somebody else pays this part by now; that the refund failed waits for a person
    if funding.hear(news, at=datetime.now(UTC)):
        funding.end_reason = reason
        await funding.save()
        await recount(bilan)
