"""What the law has invoices say, and the organization's own words for it."""

from datetime import datetime
from zoneinfo import ZoneInfo

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import Deleted, given
from schema.context import Info, actor
from schema.lists import filtered
from schema.mentions import (
    LegalMention,
    LegalMentionDeleteInput,
    LegalMentionFilter,
    LegalMentionSetInput,
    LegalWords,
    shown,
)
from schema.roots import Wanted, connection, mutation, one, query
from schema.scalars import Date
from services import mentions as mentions_service


@query(list[LegalWords], requires=Permission.MEMBER)
async def legal_words(info: Info, on: Date | None = None) -> list[LegalWords]:
    """What invoices issued on a day say, today's unless given, in the order in which it is printed."""
    organization = await models.Organization.get(id=actor(info).organization_id)
    day = on or datetime.now(ZoneInfo(organization.time_zone)).date()
    return [shown(words) for words in mentions_service.on(day, await mentions_service.of(organization.id))]


@connection(LegalMention, requires=Permission.MEMBER)
def legal_mentions(info: Info, filter: LegalMentionFilter | None = None) -> QuerySet[models.LegalMention]:
    """The organization's own words, past and to come, newest first."""
    return filtered(actor(info).rows(models.LegalMention), filter)


@one(LegalMention, requires=Permission.MEMBER)
def legal_mention(id: strawberry.ID) -> Wanted:
    """The organization's own words, one row of them."""
    return models.LegalMention, row_id(models.LegalMention, id)


@mutation(LegalMention, requires=Permission.ORGANIZATION_WRITE)
async def legal_mention_set(info: Info, input: LegalMentionSetInput) -> models.LegalMention:
    """Have invoices say a mention in one's own words, from a day on. What was issued keeps what it says."""
    return await mentions_service.save(actor(info).organization_id, given(input))


@mutation(Deleted, requires=Permission.ORGANIZATION_WRITE)
async def legal_mention_delete(info: Info, input: LegalMentionDeleteInput) -> Deleted:
    """Take one's own words back: invoices say ours again, or one's own of before."""
    row = await actor(info).get(models.LegalMention, input.legal_mention, field="input.legalMention", for_update=True)
    await row.delete()
    return Deleted(id=input.legal_mention)
