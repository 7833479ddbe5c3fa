"""Clients' private links, made and withdrawn by those who run the shop, and the portal that they open."""

from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.portal import (
    Portal,
    PortalInvoice,
    PortalOrder,
    PortalToken,
    PortalTokenCreated,
    PortalTokenCreateInput,
    PortalTokenFilter,
    PortalTokenRevokeInput,
)
from schema.roots import Wanted, connection, mutation, one, query
from schema.scalars import URL, CurrencyCode, Date, DateTime, Money
from services import access_keys, files, links
from services import portal as portal_service


@query(Portal, requires=Permission.PORTAL)
async def portal(info: Info) -> Portal:
    """The portal of the client whose private link it is. Nothing else is opened by one."""
    context = info.context
    seen = await portal_service.opened(actor(info), context.address, context.user_agent)
    return Portal(
        storefront=seen.storefront,  # type: ignore[arg-type]
        client_name=seen.client.name,
        orders=[_order(row) for row in seen.orders],
        invoices=[_invoice(row) for row in seen.invoices],
    )


@connection(PortalToken, requires=Permission.KEYS_READ)
def portal_tokens(info: Info, filter: PortalTokenFilter | None = None) -> QuerySet[models.PortalToken]:
    """Clients' private links, newest first."""
    return filtered(actor(info).rows(models.PortalToken), filter)


@one(PortalToken, requires=Permission.KEYS_READ)
def portal_token(id: strawberry.ID) -> Wanted:
    """One private link of a client's."""
    return models.PortalToken, row_id(models.PortalToken, id)


@mutation(PortalTokenCreated, requires=Permission.KEYS_WRITE, idempotent=True)
async def portal_token_create(info: Info, input: PortalTokenCreateInput) -> PortalTokenCreated:
    """Make a private link for a client: with it they see their orders and invoices. It is shown this once, and the one
    before is good for nothing from then on."""
    client = await actor(info).get(models.Client, input.client, field="input.client", for_update=True)
    kept, token = await portal_service.create(client, given(input).get("expires_at"))
    return PortalTokenCreated(portal_token=kept, token=token)  # type: ignore[arg-type]


@mutation(PortalToken, requires=Permission.KEYS_WRITE)
async def portal_token_revoke(info: Info, input: PortalTokenRevokeInput) -> models.PortalToken:
    """Withdraw a client's private link, for good and at once."""
    token = await actor(info).get(models.PortalToken, input.portal_token, field="input.portalToken", for_update=True)
    return await access_keys.revoke(token)


def _order(row: models.Order) -> PortalOrder:
    return PortalOrder(
        number=row.number,
        status=row.status,
        total=_money(row, row.total_cents),
        balance=_money(row, row.balance_cents),
        created_at=DateTime(row.created_at),
        paid_at=DateTime(row.paid_at) if row.paid_at else None,
        pay_url=URL(links.pay_link(row)) if row.is_open else None,
    )


def _invoice(row: models.Invoice) -> PortalInvoice:
    return PortalInvoice(
        number=row.number,
        type=row.type,
        issued_at=DateTime(row.issued_at),
        due_on=Date(row.due_on),
        settled_at=DateTime(row.settled_at) if row.settled_at else None,
        total=_money(row, row.total_cents),
        pdf_url=URL(files.invoice_link(row)) if row.is_rendered else None,
    )


def _money(row: Any, cents: int) -> Money:
    return Money(amount=cents, currency=CurrencyCode(row.currency))
