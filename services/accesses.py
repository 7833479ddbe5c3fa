"""What clients may use: each order, once paid, grants what it sold, of a subscription for the period that it pays, and
takes it back with its money."""

from datetime import UTC, datetime, timedelta

from tortoise.expressions import Subquery

from models import (
    Access,
    AccessWithdrawal,
    ClientSubscription,
    Dispute,
    DisputeStatus,
    Order,
    OrderLine,
    OrderStatus,
    Organization,
    rows,
)
from services import packs, telling
from services.outbox import later


async def grant(order: Order) -> None:
    """The client may use what was sold from now on, or in the period that was paid. Whoever may use something for the
    first time is welcomed. The order comes with its lines and its client, locked: of two orders that are paid at once
    not both are the first."""
    known = await rows.find(Access, "client_id = $1 AND live = $2", order.client_id, order.live)
    granted = {access.product_id for access in known if access.order_id == order.id}
    lines = {line.product_id: line for line in order.lines}
    for product_id in sorted({*lines} - granted):
        line = lines[product_id]
        starts_at = line.period_start or datetime.now(UTC)
        access = Access(
            organization_id=order.organization_id, client_id=order.client_id, live=order.live, order_id=order.id,
            product_id=product_id, starts_at=starts_at, ends_at=line.period_end or packs.ends_at(line, starts_at),
        )  # fmt: skip
        await rows.insert(access)
        await packs.grant(access, line)
    if not known:
        await later(telling.welcome, order)


async def lock(subscription: ClientSubscription) -> None:
    """What its periods opened, before any number is taken: a refund of one of them takes its number last."""
    orders = Subquery(Order.filter(subscription_id=subscription.id).values("id"))
    await Access.filter(order_id__in=orders).order_by("id").select_for_update()


async def follow(subscription: ClientSubscription, organization: Organization) -> None:
    """The access of the newest period that was paid goes on for some days while the next is awaited, and ends with the
    subscription; that of the period before ends where this one begins."""
    grace = timedelta(days=organization.grace_days)
    paid = OrderLine.filter(order__subscription_id=subscription.id, order__paid_at__isnull=False)
    lines = await paid.filter(period_end__isnull=False).order_by("-period_end", "-id").limit(2)
    for place, line in enumerate(lines):
        assert line.period_end is not None
        for access in await Access.filter(order_id=line.order_id, ends_at__isnull=False):
            if place == 0:
                access.ends_at = subscription.access_until(line.period_end, access.starts_at, grace)
            else:
                access.ends_at = line.period_end
            await access.save(update_fields=["ends_at"])


async def follow_money(order: Order) -> None:
    """What an order granted, locked, is withdrawn where its money is gone or, if the organization wishes so, disputed;
    and given again where it is not, or not any more."""
    reason = await _withdrawn(order)
    for access in await Access.filter(order_id=order.id):
        if access.withdrawn_reason is reason:
            continue
        if reason:
            access.withdraw(reason)
        else:
            access.restore()
        await access.save(update_fields=["withdrawn_at", "withdrawn_reason"])


async def _withdrawn(order: Order) -> AccessWithdrawal | None:
    if order.status is OrderStatus.REFUNDED:
        return AccessWithdrawal.REFUNDED
    if order.charged_back_cents:
        return AccessWithdrawal.DISPUTE_LOST
    if await Dispute.exists(order_id=order.id, status=DisputeStatus.OPEN):
        organization = await Organization.get(id=order.organization_id)
        return AccessWithdrawal.DISPUTED if organization.suspend_disputed else None
    return None
