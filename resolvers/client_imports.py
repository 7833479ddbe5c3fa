"""Imports of clients: asked for, followed, carried out for good."""

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from policy import Permission, row_id
from schema.client_imports import (
    COLUMNS_MOST,
    ClientImport,
    ClientImportColumnInput,
    ClientImportConfirmInput,
    ClientImportCreateInput,
    ClientImportFilter,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import client_imports as imports_service


@connection(ClientImport, requires=Permission.CLIENTS_WRITE)
def client_imports(info: Info, filter: ClientImportFilter | None = None) -> QuerySet[models.ClientImport]:
    """Imports of clients, newest first."""
    return filtered(actor(info).rows(models.ClientImport), filter)


@one(ClientImport, requires=Permission.CLIENTS_WRITE)
def client_import(id: strawberry.ID) -> Wanted:
    """One import: ask again, or follow `clientImportChanged`, until it is done."""
    return models.ClientImport, row_id(models.ClientImport, id)


@mutation(ClientImport, requires=Permission.CLIENTS_WRITE, idempotent=True)
async def client_import_create(info: Info, input: ClientImportCreateInput) -> models.ClientImport:
    """Have a worker import clients from a CSV file that was sent (`uploadCreate`): as spreadsheets write it, with
    headings in French or in English. Lines that are wrong are told by line and column; either nothing is imported then,
    or all others are. One import at a time."""
    caller = actor(info)
    upload = await caller.get(models.Upload, input.upload, field="input.upload")
    return await imports_service.create(
        caller.organization_id, upload.id, dry_run=input.dry_run, on_existing=input.on_existing,
        on_broken=input.on_broken, mapping=_mapping(input.columns),
        by=caller.membership_id if caller.may(Permission.MEMBER) else None,
    )  # fmt: skip


@mutation(ClientImport, requires=Permission.CLIENTS_WRITE)
async def client_import_confirm(info: Info, input: ClientImportConfirmInput) -> models.ClientImport:
    """Import for good what was only looked at (`dryRun`), or refused because of some lines; within a week, from the
    same file. Any other import is a CONFLICT."""
    row = await actor(info).get(
        models.ClientImport, input.client_import, field="input.clientImport", for_update=True
    )  # fmt: skip
    return await imports_service.confirm(row, input.on_broken)


def _mapping(columns: list[ClientImportColumnInput]) -> dict[str, str | None]:
    if len(columns) > COLUMNS_MOST:
        raise Invalid(f"{COLUMNS_MOST} columns at most can be named.", field="input.columns")
    if any(not each.heading.strip() or "\x00" in each.heading for each in columns):
        raise Invalid("A heading is a text of the file's first line.", field="input.columns")
    return {each.heading: each.field and each.field.value for each in columns}
