"""Clients' data, put together for them (GDPR, articles 15 and 20)."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.data_exports import (
    ClientDataExport,
    ClientDataExportCreateInput,
    ClientDataExportInput,
    ClientDataExportOpened,
)
from schema.roots import Wanted, connection, mutation, one
from schema.scalars import URL, DateTime
from services import data_exports as data_exports_service
from services import document_access


@connection(ClientDataExport, requires=Permission.DATA_EXPORTS)
def client_data_exports(info: Info) -> QuerySet[models.ClientDataExport]:
    """Exports of clients' data that were ordered in the last 30 days, newest first."""
    return actor(info).rows(models.ClientDataExport)


@one(ClientDataExport, requires=Permission.DATA_EXPORTS)
def client_data_export(id: strawberry.ID) -> Wanted:
    """One of them: ask again, or follow `clientDataExportChanged`, until it is ready."""
    return models.ClientDataExport, row_id(models.ClientDataExport, id)


@mutation(ClientDataExport, requires=Permission.DATA_EXPORTS, idempotent=True)
async def client_data_export_create(info: Info, input: ClientDataExportCreateInput) -> models.ClientDataExport:
    """Have a worker put together all that is kept of a client: JSON by kind, the PDFs they were sent, documents, and
    why each is kept. Owners and admins order it of their clients, a client of themselves, who alone is given their
    synthesis, and is written to once it is ready. A CONFLICT while one is being made, and after five within a day."""
    caller = actor(info)
    client = await caller.get(models.Client, input.client, field="input.client", for_update=True)
    return await data_exports_service.create(client, by=caller.membership_id)


@mutation(ClientDataExportOpened, requires=Permission.DATA_EXPORTS)
async def client_data_export_open(info: Info, input: ClientDataExportInput) -> ClientDataExportOpened:
    """Where an export is fetched, within five minutes, by who ordered it and nobody else: for a week after it was
    ready. That it is fetched is in the audit log."""
    caller = actor(info)
    export = await caller.get(models.ClientDataExport, input.client_data_export, field="input.clientDataExport")
    await export.fetch_related("client")
    data_exports_service.must_be_theirs(export, await models.Membership.get(id=caller.membership_id))
    url, expires_at = document_access.data_export_link(export.id, caller.membership_id)
    return ClientDataExportOpened(url=URL(url), expires_at=DateTime(expires_at))
