"""Opportunities: kept and moved by those who look after the client, paid by a link."""

from typing import Any
from uuid import UUID

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Forbidden, Invalid
from policy import Actor, Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.opportunities import (
    BY_STAGE,
    Opportunity,
    OpportunityBoard,
    OpportunityCreateInput,
    OpportunityFilter,
    OpportunityMoveInput,
    OpportunityOrder,
    OpportunityPaymentLink,
    OpportunityPaymentLinkInput,
    OpportunityUpdateInput,
)
from schema.roots import Wanted, board, connection, exchange, mutation, one
from schema.scalars import CurrencyCode, Money
from services import opportunities as opportunities_service
from services import opportunity_links


@connection(Opportunity, requires=Permission.OPPORTUNITIES_READ, order=OpportunityOrder)
def opportunities(info: Info, filter: OpportunityFilter | None = None) -> QuerySet[models.Opportunity]:
    """Opportunities, newest first. A consultant sees those of their clients."""
    return filtered(actor(info).rows(models.Opportunity), filter)


@one(Opportunity, requires=Permission.OPPORTUNITIES_READ)
def opportunity(id: strawberry.ID) -> Wanted:
    """One opportunity."""
    return models.Opportunity, row_id(models.Opportunity, id)


@board(OpportunityBoard, BY_STAGE, requires=Permission.OPPORTUNITIES_READ)
def opportunity_board(info: Info, filter: OpportunityFilter | None = None) -> QuerySet[models.Opportunity]:
    """The pipeline with the opportunities that one sees: of each stage how many, what they come to, and they
    themselves, page by page."""
    return filtered(actor(info).rows(models.Opportunity), filter)


@mutation(Opportunity, requires=Permission.OPPORTUNITIES_WRITE, idempotent=True)
async def opportunity_create(info: Info, input: OpportunityCreateInput) -> models.Opportunity:
    """Write down what a client may buy."""
    caller, values = actor(info), _priced(given(input))
    client = await caller.get(models.Client, values.pop("client"), field="input.client", for_update=True)
    by = _oneself(caller)
    usual = {"owner_id": by} if by and "owner" not in values else {}
    return await opportunities_service.create(client, usual | await _with_owner(caller, values), by=by)


@mutation(Opportunity, requires=Permission.OPPORTUNITIES_WRITE)
async def opportunity_update(info: Info, input: OpportunityUpdateInput) -> models.Opportunity:
    """Change an opportunity. What its order asks for follows, until something of it is paid or invoiced."""
    caller, values = actor(info), _priced(given(input))
    row = await caller.get(models.Opportunity, values.pop("opportunity"), field="input.opportunity")
    return await opportunities_service.update(row, await _with_owner(caller, values))


@mutation(Opportunity, requires=Permission.OPPORTUNITIES_WRITE)
async def opportunity_move(info: Info, input: OpportunityMoveInput) -> models.Opportunity:
    """Move an opportunity to another stage: a CONFLICT where it is not at `fromStage` by then. A loss says why. One
    that was won leaves that stage only while nothing of it is paid or invoiced, and its payment link is taken back."""
    given(input)
    caller = actor(info)
    row = await caller.get(models.Opportunity, input.opportunity, field="input.opportunity")
    return await opportunities_service.move(
        row, seen=input.from_stage, to=input.to_stage, reason=input.lost_reason or None, by=_oneself(caller)
    )


@exchange(OpportunityPaymentLink, requires=Permission.OPPORTUNITIES_WRITE)
async def opportunity_payment_link(info: Info, input: OpportunityPaymentLinkInput) -> Any:
    """Where the client of a won opportunity pays what is due: the same page while it can be used, another once it has
    expired or the amount changed. Of its owner, or an admin."""
    caller = actor(info)
    row: Any = await caller.get(models.Opportunity, input.opportunity, field="input.opportunity")
    if not caller.may(Permission.ORDERS_PAY) and row.owner_id != caller.membership_id:
        raise Forbidden("Its owner makes the payment link of an opportunity, or an admin. Ask one of them.")
    made: Any = await opportunity_links.make(row)
    order, attempt = made
    return OpportunityPaymentLink(
        opportunity=row,
        order=order,
        amount=Money(amount=attempt.amount_cents if attempt else 0, currency=CurrencyCode(order.currency)),
        url=attempt.url if attempt else None,
        expires_at=attempt.expires_at if attempt else None,
    )


def _oneself(caller: Actor) -> UUID | None:
    """Whose doing it is; nobody's by a key."""
    return caller.membership_id if caller.may(Permission.MEMBER) else None


def _priced(values: dict[str, Any]) -> dict[str, Any]:
    """The values with amounts in the columns that hold them. Raises Invalid for a deposit in another currency."""
    if "amount" in values:
        amount = values.pop("amount")
        values["amount_cents"] = amount.amount if amount else None
        values |= {"currency": amount.currency} if amount else {}
    if "deposit" in values:
        deposit = values.pop("deposit")
        if deposit and deposit.currency != values.get("currency", deposit.currency):
            raise Invalid("The deposit is in the currency of the amount.", field="input.deposit.currency")
        values["deposit_cents"] = deposit.amount if deposit else 0
    return values


async def _with_owner(caller: Actor, values: dict[str, Any]) -> dict[str, Any]:
    if values.get("owner") is None:
        return values
    return values | {"owner": await caller.get(models.Membership, values["owner"], field="input.owner")}
