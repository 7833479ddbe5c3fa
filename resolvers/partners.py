"""Partners, and what they are told."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import Deleted, given
from schema.context import Info, actor
from schema.lists import filtered
from schema.partners import (
    Notification,
    NotificationFilter,
    NotificationReplay,
    NotificationResendInput,
    Partner,
    PartnerCreated,
    PartnerCreateInput,
    PartnerDeleteInput,
    PartnerOrder,
    PartnerSecretRotated,
    PartnerSecretRotateInput,
    PartnerUpdateInput,
)
from schema.roots import Wanted, connection, mutation, one
from services import notifications as notifications_service
from services import partners as partners_service


@connection(Partner, requires=Permission.PARTNERS_READ, order=PartnerOrder)
def partners(info: Info) -> QuerySet[models.Partner]:
    """Those whose products are sold."""
    return actor(info).rows(models.Partner)


@one(Partner, requires=Permission.PARTNERS_READ)
def partner(id: strawberry.ID) -> Wanted:
    """One partner."""
    return models.Partner, row_id(models.Partner, id)


@connection(Notification, requires=Permission.PARTNERS_READ)
def notifications(info: Info, filter: NotificationFilter | None = None) -> QuerySet[models.Notification]:
    """What partners were told, newest first."""
    return filtered(actor(info).rows(models.Notification), filter)


@one(Notification, requires=Permission.PARTNERS_READ)
def notification(id: strawberry.ID) -> Wanted:
    """One notification."""
    return models.Notification, row_id(models.Notification, id)


@connection(NotificationReplay, requires=Permission.PARTNERS_READ)
def notification_replays(info: Info) -> QuerySet[models.NotificationReplay]:
    """What failed within a time and was sent again, newest first."""
    return actor(info).rows(models.NotificationReplay)


@one(NotificationReplay, requires=Permission.PARTNERS_READ)
def notification_replay(id: strawberry.ID) -> Wanted:
    """One of these, with how far it is."""
    return models.NotificationReplay, row_id(models.NotificationReplay, id)


@mutation(PartnerCreated, requires=Permission.PARTNERS_WRITE, idempotent=True)
async def partner_create(info: Info, input: PartnerCreateInput) -> PartnerCreated:
    """Make a partner. The signing secret is shown this once."""
    values = given(input)
    made, secret = await partners_service.create(actor(info).organization_id, values, values.pop("api_key"))
    return PartnerCreated(partner=made, signing_secret=secret)  # type: ignore[arg-type]


@mutation(Partner, requires=Permission.PARTNERS_WRITE)
async def partner_update(info: Info, input: PartnerUpdateInput) -> models.Partner:
    """Change a partner: where and with which key it is told, its brand, whether it is told at all."""
    values = given(input)
    row = await actor(info).get(models.Partner, values.pop("partner"), field="input.partner", for_update=True)
    return await partners_service.update(row, values)


@mutation(PartnerSecretRotated, requires=Permission.PARTNERS_WRITE, idempotent=True)
async def partner_secret_rotate(info: Info, input: PartnerSecretRotateInput) -> PartnerSecretRotated:
    """Give a partner another signing secret, with which everything is signed from now on, for some hours by the one
    before too (two signatures in `webhook-signature`). It is shown this once."""
    row = await actor(info).get(models.Partner, input.partner, field="input.partner", for_update=True)
    secret = await partners_service.rotate_secret(row, input.overlap_hours)
    return PartnerSecretRotated(partner=row, signing_secret=secret)  # type: ignore[arg-type]


@mutation(Deleted, requires=Permission.PARTNERS_WRITE)
async def partner_delete(info: Info, input: PartnerDeleteInput) -> Deleted:
    """Delete a partner of no product who was never told anything. Any other is a CONFLICT: set `active` to false."""
    row = await actor(info).get(models.Partner, input.partner, field="input.partner", for_update=True)
    await partners_service.delete(row)
    return Deleted(id=input.partner)


@mutation(Notification, requires=Permission.PARTNERS_WRITE)
async def notification_resend(info: Info, input: NotificationResendInput) -> models.Notification:
    """Tell a partner again: three fresh attempts, with the same ids."""
    row = await actor(info).get(models.Notification, input.notification, field="input.notification", for_update=True)
    return await notifications_service.resend(row)
