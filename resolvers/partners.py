"""Partners, and what they are told."""

from datetime import UTC, datetime

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from policy import Permission, row_id
from schema.base import Deleted, given
from schema.context import Info, actor
from schema.lists import filtered
from schema.partners import (
    Notification,
    NotificationFilter,
    NotificationPreviewed,
    NotificationPreviewInput,
    NotificationReplay,
    NotificationResendInput,
    NotificationsReplayInput,
    Partner,
    PartnerCreated,
    PartnerCreateInput,
    PartnerDeleteInput,
    PartnerEndpoint,
    PartnerEndpointDisableInput,
    PartnerEndpointEnableInput,
    PartnerOrder,
    PartnerRequest,
    PartnerSecretRotated,
    PartnerSecretRotateInput,
    PartnerTested,
    PartnerTestInput,
    PartnerUpdateInput,
)
from schema.roots import Wanted, connection, exchange, mutation, one
from services import notifications as notifications_service
from services import partner_endpoints, partner_previews, replays
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


@mutation(NotificationPreviewed, requires=Permission.PARTNERS_WRITE)
async def notification_preview(info: Info, input: NotificationPreviewInput) -> NotificationPreviewed:
    """Show the exact request by which a partner would be told now, really signed, of a notification or of a paid order;
    nothing is sent. That secrets were opened for it is logged."""
    caller = actor(info)
    if input.notification:
        row = await caller.get(models.Notification, input.notification, field="input.notification")
        return NotificationPreviewed(request=PartnerRequest.of(await partner_previews.of_notification(row)))
    if not (input.order and input.partner):
        raise Invalid("Name a notification, or an order and a partner.", field="input.notification")
    order = await caller.get(models.Order, input.order, field="input.order")
    partner = await caller.get(models.Partner, input.partner, field="input.partner")
    return NotificationPreviewed(request=PartnerRequest.of(await partner_previews.of_order(order, partner)))


@mutation(NotificationReplay, requires=Permission.PARTNERS_WRITE)
async def notifications_replay(info: Info, input: NotificationsReplayInput) -> models.NotificationReplay:
    """Send again all that failed, or was skipped, of a time: 10,000 at most, as fast as the partner takes them. How far
    it is: `notificationReplay`."""
    partner = await actor(info).get(models.Partner, input.partner, field="input.partner")
    until = input.until or datetime.now(UTC)
    return await replays.start(partner, live=input.live, since=input.since, until=until)


@exchange(PartnerTested, requires=Permission.PARTNERS_WRITE)
async def partner_test(info: Info, input: PartnerTestInput) -> PartnerTested:
    """Send a signed event `test` to a partner's staging address, and show what they answer. Nothing is counted."""
    tested = await partner_previews.send_test(
        await actor(info).get(models.Partner, input.partner, field="input.partner")
    )
    answer = tested.answer
    return PartnerTested(
        request=PartnerRequest.of(tested.sent), accepted=answer.accepted, status_code=answer.status,
        error=answer.error, response=answer.kept, duration_ms=answer.duration_ms,
    )  # fmt: skip


@mutation(PartnerEndpoint, requires=Permission.PARTNERS_WRITE)
async def partner_endpoint_disable(info: Info, input: PartnerEndpointDisableInput) -> models.PartnerEndpoint:
    """Send nothing to an endpoint from now on; what falls due is kept until it is enabled."""
    reason = given(input).get("disabled_reason")
    row = await actor(info).get(models.PartnerEndpoint, input.endpoint, field="input.endpoint", for_update=True)
    return await partner_endpoints.disable(row, reason)


@mutation(PartnerEndpoint, requires=Permission.PARTNERS_WRITE)
async def partner_endpoint_enable(info: Info, input: PartnerEndpointEnableInput) -> models.PartnerEndpoint:
    """Tell an endpoint again, as if it had never failed; what it missed is told now, or skipped."""
    row = await actor(info).get(models.PartnerEndpoint, input.endpoint, field="input.endpoint", for_update=True)
    return await partner_endpoints.enable(row, input.missed)
