"""Subscriptions, and the billing portal."""

from typing import Annotated, Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, exchange, one, query
from schema.scalars import URL
from schema.subscriptions import (
    BillingPortalStarted,
    BillingPortalStartInput,
    ClientSubscription,
    SavedPaymentMethod,
    SubscriptionCancelInput,
    SubscriptionFilter,
    SubscriptionOrder,
    SubscriptionResumeInput,
)
from services import billing, subscribing

_Client = Annotated[strawberry.ID, strawberry.argument(description="The client's global id.")]


@connection(ClientSubscription, requires=Permission.ORDERS_READ, order=SubscriptionOrder)
def subscriptions(info: Info, filter: SubscriptionFilter | None = None) -> QuerySet[models.ClientSubscription]:
    """What clients pay for each period, newest first."""
    return filtered(actor(info).rows(models.ClientSubscription), filter)


@one(ClientSubscription, requires=Permission.ORDERS_READ)
def subscription(id: strawberry.ID) -> Wanted:
    """One subscription."""
    return models.ClientSubscription, row_id(models.ClientSubscription, id)


@exchange(ClientSubscription, requires=Permission.SUBSCRIPTIONS_WRITE)
async def subscription_cancel(info: Info, input: SubscriptionCancelInput) -> models.ClientSubscription:
    """End a subscription, with the period that is paid for or at once. Until it has ended it may be resumed."""
    row = await actor(info).get(models.ClientSubscription, input.subscription, field="input.subscription")
    return await subscribing.cancel(row, at_period_end=input.at_period_end)


@exchange(ClientSubscription, requires=Permission.SUBSCRIPTIONS_WRITE)
async def subscription_resume(info: Info, input: SubscriptionResumeInput) -> models.ClientSubscription:
    """Let a subscription go on that was to end with its period."""
    row = await actor(info).get(models.ClientSubscription, input.subscription, field="input.subscription")
    return await subscribing.resume(row)


@exchange(BillingPortalStarted, requires=Permission.ORDERS_PAY, idempotent=True)
async def billing_portal_start(info: Info, input: BillingPortalStartInput) -> BillingPortalStarted:
    """Open Stripe's billing portal for a client, who changes cards, ends and resumes subscriptions there."""
    client = await actor(info).get(models.Client, input.client, field="input.client")
    return BillingPortalStarted(url=URL(await billing.portal_link(client, input.return_url)))


@query(list[SavedPaymentMethod], requires=Permission.ORDERS_PAY)
async def payment_methods(info: Info, client: _Client) -> list[SavedPaymentMethod]:
    """What a client can pay by while they are away, newest first. Stripe is asked at each time."""
    row = await actor(info).get(models.Client, client, field="client")
    methods, default = await billing.payment_methods(row)
    return [_method(method, default) for method in methods]


def _method(method: Any, default: str | None) -> SavedPaymentMethod:
    details: Any = getattr(method, method.type, None)
    return SavedPaymentMethod(
        id=method.id,
        type=method.type,
        brand=getattr(details, "brand", None),
        last4=getattr(details, "last4", None),
        exp_month=getattr(details, "exp_month", None),
        exp_year=getattr(details, "exp_year", None),
        is_default=method.id == default,
    )
