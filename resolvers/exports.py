"""Exports: asked for, followed, fetched."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.exports import Export, ExportCreateInput, ExportFilter
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import exports as exports_service


@connection(Export, requires=Permission.EXPORTS)
def exports(info: Info, filter: ExportFilter | None = None) -> QuerySet[models.Export]:
    """Exports, newest first."""
    return filtered(actor(info).rows(models.Export), filter)


@one(Export, requires=Permission.EXPORTS)
def export(id: strawberry.ID) -> Wanted:
    """One export: ask again, or follow `exportChanged`, until it is ready."""
    return models.Export, row_id(models.Export, id)


@mutation(Export, requires=Permission.EXPORTS, idempotent=True)
async def export_create(info: Info, input: ExportCreateInput) -> models.Export:
    """Have a worker make a file of a period: accounting entries (FEC), a list for a spreadsheet, or all PDFs. Of what
    is live, or of test mode, as the installation is; never of both. Three at once."""
    caller = actor(info)
    organization = await models.Organization.select_for_update(no_key=True).get(id=caller.organization_id)
    by = caller.membership_id if caller.may(Permission.MEMBER) else None
    return await exports_service.create(organization, input.kind, *input.days, by=by)
