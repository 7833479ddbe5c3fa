"""Quotes: written, sent, and answered by those who look after the client."""

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from policy import Permission, row_id
from resolvers.orders import items, part
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.quotes import (
    Quote,
    QuoteAcceptInput,
    QuoteCreateInput,
    QuoteFilter,
    QuoteInput,
    QuoteOrder,
    QuoteRefuseInput,
    QuoteUpdateInput,
)
from schema.roots import Wanted, connection, mutation, one
from services import quotes as quotes_service
from services.quotes import NAME_MOST, Offer


@connection(Quote, requires=Permission.QUOTES_READ, order=QuoteOrder)
def quotes(info: Info, filter: QuoteFilter | None = None) -> QuerySet[models.Quote]:
    """Quotes, each version of them, newest first."""
    return filtered(actor(info).rows(models.Quote), filter)


@one(Quote, requires=Permission.QUOTES_READ)
def quote(id: strawberry.ID) -> Wanted:
    """One version of a quote."""
    return models.Quote, row_id(models.Quote, id)


@mutation(Quote, requires=Permission.QUOTES_WRITE, idempotent=True)
async def quote_create(info: Info, input: QuoteCreateInput) -> models.Quote:
    """Write a draft at the catalogue's prices, discounts taken off. It has no number before it is sent."""
    client = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    opportunity = None
    if input.opportunity:
        opportunity = await actor(info).get(models.Opportunity, input.opportunity, field="input.opportunity")
    return await quotes_service.create(client, await _offer(info, input), opportunity)


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_update(info: Info, input: QuoteUpdateInput) -> models.Quote:
    """Write a draft anew, at the prices of today."""
    return await quotes_service.change(await _locked(info, input.quote), await _offer(info, input))


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_send(info: Info, input: QuoteInput) -> models.Quote:
    """Number a draft and write to the client, with the PDF and a link to answer by. From then on it stands as it is;
    the version before it is superseded."""
    return await quotes_service.send(await _locked(info, input.quote))


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_revise(info: Info, input: QuoteInput) -> models.Quote:
    """Begin the next version of a quote that was sent, as a draft of the same number that says the same."""
    return await quotes_service.revise(await _locked(info, input.quote))


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_accept(info: Info, input: QuoteAcceptInput) -> models.Quote:
    """Note that the client signed a quote on paper: it becomes an order, at its prices, once."""
    row, caller = await _locked(info, input.quote), actor(info)
    if "\x00" in input.name or len(input.name) > NAME_MOST:
        raise Invalid(f"A name is text of {NAME_MOST} characters at most.", field="input.name")
    by = caller.membership_id if caller.may(Permission.MEMBER) else None
    await quotes_service.accept(row, input.name, by=by)
    return row


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_refuse(info: Info, input: QuoteRefuseInput) -> models.Quote:
    """Note that the client does not want a quote, and why."""
    given(input)
    return await quotes_service.refuse(await _locked(info, input.quote), input.refuse_reason or None)


@mutation(Quote, requires=Permission.QUOTES_WRITE)
async def quote_cancel(info: Info, input: QuoteInput) -> models.Quote:
    """Take a quote back before the client answers it: its page says so."""
    return await quotes_service.cancel(await _locked(info, input.quote))


async def _locked(info: Info, key: str) -> models.Quote:
    return await actor(info).get(models.Quote, key, field="input.quote", for_update=True)


async def _offer(info: Info, input: QuoteCreateInput | QuoteUpdateInput) -> Offer:
    values = given(input)
    return Offer(
        await items(actor(info), input.lines),
        discount=part(input.discount),
        deposit=part(input.deposit),
        note=values.get("note"),
        valid_until=values.get("valid_until"),
    )
