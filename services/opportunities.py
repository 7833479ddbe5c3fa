"""Opportunities: written down, changed, moved from stage to stage. How they are paid is in
`services/opportunity_orders.py`, their payment link in `services/opportunity_links.py`.

Of rows that are locked together this is the order: order, client, opportunity, product; numbers come last.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from babel.numbers import get_currency_precision, is_currency

import errors
from errors import Invalid
from models import (
    Client,
    Membership,
    Opportunity,
    OpportunityMove,
    OpportunityStage,
    Order,
    Organization,
    TimelineKind,
    VatRegime,
)
from models.base import global_id
from services import catalogue, opportunity_orders, timeline
from services.clients import LOOKING_AFTER
from services.outbox import later

PRICED = ("amount_cents", "deposit_cents", "currency", "vat_rate")


class Settled(errors.Conflict):
    """Money came for an opportunity, or is asked for by an invoice: no other order pays it."""


async def create(client: Client, values: dict[str, Any], *, by: UUID | None) -> Opportunity:
    """An opportunity with a client, at its first stage unless `values` say another. Raises Invalid, naming the
    field, and Conflict for a client who was erased."""
    client.must_not_be_erased()
    organization = await Organization.get(id=client.organization_id)
    usual = {"vat_rate": 2000 if organization.vat_regime is VatRegime.STANDARD else 0}
    opportunity = Opportunity(organization_id=client.organization_id, client=client, **usual | values)
    if opportunity.stage is OpportunityStage.LOST:
        raise Invalid("An opportunity is lost by a move, which says why (opportunityMove).", field="input.stage")
    opportunity.come_to(opportunity.stage, at=datetime.now(UTC))
    await _check(opportunity, values)
    await opportunity.save()
    await _note(opportunity, None, by=by)
    return opportunity


async def update(opportunity: Opportunity, values: dict[str, Any]) -> Opportunity:
    """The opportunity with other values; what its order asks for follows. Raises Invalid, naming the field, and
    Conflict where its price stands."""
    order, locked = await opportunity_orders.lock(opportunity)
    before = [getattr(locked, name) for name in PRICED]
    locked.update_from_dict(values)
    await _check(locked, values)
    if order and opportunity_orders.stands(order) and before != [getattr(locked, name) for name in PRICED]:
        await opportunity_orders.price_again(order, locked)
    await locked.save()
    return locked


async def move(
    opportunity: Opportunity, *, seen: OpportunityStage, to: OpportunityStage, reason: str | None, by: UUID | None
) -> Opportunity:
    """The opportunity comes `to` another stage from the one where it was `seen`; what was asked for of one that is won
    no longer is taken back. Raises Conflict where it was moved since or money came, and Invalid for a loss without a
    reason."""
    order, locked = await opportunity_orders.lock(opportunity)
    if locked.stage is not seen:
        raise errors.Conflict(
            f"This opportunity is {locked.stage} by now: look at it again, then move it.", field="input.fromStage"
        )
    reason = _reason(seen, to, reason)
    if locked.is_won and order and opportunity_orders.stands(order):
        await opportunity_orders.must_be_without_consequence(order)
        await later(opportunity_orders.give_up, order)
    locked.come_to(to, at=datetime.now(UTC), reason=reason)
    await locked.save()
    await _note(locked, seen, by=by)
    return locked


async def must_be_unsettled(opportunity: Opportunity) -> None:
    """Raises Settled where another price can no more be agreed."""
    order = await Order.get(id=opportunity.order_id) if opportunity.order_id else None
    if order and opportunity_orders.stands(order) and await opportunity_orders.has_consequence(order):
        raise Settled(
            f"This opportunity is paid or invoiced by order {order.number}, in part at least: quote what comes on top"
            " without it, or for another.",
            field="input.quote",
        )


async def win(opportunity: Opportunity, order: Order) -> None:
    """The client accepted a quote that is for an opportunity: it is won at that price, and paid by the quote's order.
    Raises Settled."""
    locked = await Opportunity.select_for_update(no_key=True).get(id=opportunity.id)
    await must_be_unsettled(locked)
    if locked.order_id:
        before = await Order.get(id=locked.order_id)
        if opportunity_orders.stands(before):
            await later(opportunity_orders.give_up, before)
    locked.order_id, locked.currency = order.id, order.currency
    locked.amount_cents, locked.deposit_cents = order.total_cents, order.deposit_cents
    stage = locked.stage
    if not locked.is_won:
        locked.come_to(OpportunityStage.WON, at=datetime.now(UTC))
    await locked.save()
    if stage is not OpportunityStage.WON:
        await _note(locked, stage, by=None)


def _reason(seen: OpportunityStage, to: OpportunityStage, reason: str | None) -> str | None:
    """Why it is lost; None for any other stage. Raises Invalid."""
    if to is seen:
        raise Invalid(f"It is {seen} already.", field="input.toStage")
    said = (reason or "").strip() or None
    if to is OpportunityStage.LOST and not said:
        raise Invalid("Say why it was lost.", field="input.lostReason")
    if to is not OpportunityStage.LOST and said:
        raise Invalid("Only what is lost has a reason for it.", field="input.lostReason")
    return said


async def _check(opportunity: Opportunity, values: dict[str, Any]) -> None:
    if not 0 <= opportunity.probability <= 100:
        raise Invalid("A probability is 0 to 100 percent.", field="input.probability")
    owner: Membership | None = values.get("owner")
    if owner is not None and not (owner.active and owner.role in LOOKING_AFTER):
        raise Invalid("A consultant, an admin or an owner sees to opportunities.", field="input.owner")
    if opportunity.amount_cents is not None:
        if not 0 < opportunity.amount_cents <= catalogue.PRICE_MOST:
            raise Invalid(
                f"An amount is 1 to {catalogue.PRICE_MOST} minor units; null until it is known.",
                field="input.amount.amount",
            )
        if not is_currency(opportunity.currency) or get_currency_precision(opportunity.currency) != 2:
            raise Invalid("Use a currency of two decimals, like EUR.", field="input.amount.currency")
    if opportunity.deposit_cents and not 0 < opportunity.deposit_cents < (opportunity.amount_cents or 0):
        raise Invalid("A deposit is more than nothing, and less than the amount.", field="input.deposit")
    organization = await Organization.get(id=opportunity.organization_id)
    organization.must_be_able_to_charge(opportunity.vat_rate, opportunity.currency)


async def _note(opportunity: Opportunity, before: OpportunityStage | None, *, by: UUID | None) -> None:
    await OpportunityMove.create(
        organization_id=opportunity.organization_id, opportunity=opportunity, author_id=by, from_stage=before,
        to_stage=opportunity.stage, reason=opportunity.lost_reason,
    )  # fmt: skip
    await timeline.note(
        opportunity.organization_id, opportunity.client_id, TimelineKind.OPPORTUNITY_MOVED, at=datetime.now(UTC),
        author=by, about=global_id(opportunity), title=opportunity.title, from_step=before, to_step=opportunity.stage,
    )  # fmt: skip
