"""All that is kept of a client, for whoever ordered it: a ZIP that a worker makes, kept encrypted for a week.

What is in it is in `services/data_archives.py`. Whoever ordered it, and nobody else, fetches it: what they may not open
is not in it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from errors import Conflict, DomainError, Forbidden
from models import Client, ClientDataExport, ExportStatus, Lane, Membership, Role, StoredFile
from models.data_export import FETCHED_WITHIN
from models.database import transaction
from models.export import UNDER_WAY
from services import data_archives, letters, links, post, scratch, stored_files
from services.invoice_content import brand
from services.outbox import job, later

DAILY = 5  # of a client
STUCK = timedelta(days=1)
UNFINISHED = timedelta(hours=1)  # that a file is kept of which a worker that died said nothing
ZIP = "application/zip"

_FIELD = "input.client"


async def create(client: Client, *, by: UUID) -> ClientDataExport:
    """An export of a client, who is locked, which a worker makes. Raises Conflict while another is being made, and
    where enough were ordered today."""
    ordered = ClientDataExport.filter(client_id=client.id)
    if await ordered.filter(status__in=UNDER_WAY).exists():
        raise Conflict("An export of this client is being made: wait for it.", field=_FIELD)
    if await ordered.filter(created_at__gt=datetime.now(UTC) - timedelta(days=1)).count() >= DAILY:
        raise Conflict(f"{DAILY} exports of this client were ordered within a day: fetch one of them.", field=_FIELD)
    export = await ClientDataExport.create(
        organization_id=client.organization_id, client=client, requested_by_id=by
    )  # fmt: skip
    await later(make, export)
    return export


def must_be_theirs(export: ClientDataExport, member: Membership) -> None:
    """Raises Forbidden for one that somebody else ordered, Conflict for one that cannot be fetched."""
    if not may_fetch(export, member):
        raise Forbidden("Only who ordered an export fetches it. Order one yourself (clientDataExportCreate).")
    if not export.is_kept:
        raise Conflict("This export is not ready, or was kept for a week and is gone.", field="input.clientDataExport")


def may_fetch(export: ClientDataExport, member: Membership) -> bool:
    """Whether a person ordered it, and may have it still: it comes with its `client`."""
    if not member.active or export.requested_by_id != member.id:
        return False
    return member.role in (Role.OWNER, Role.ADMIN) or export.client.member_id == member.id


@job(Lane.SYNC, timeout=1800)
async def make(export: ClientDataExport) -> None:
    """Write the archive, and keep it. What cannot be made says why, and is not tried again."""
    if export.is_finished:
        return
    client = await Client.get(id=export.client_id)
    member = await Membership.get(id=export.requested_by_id)
    total = await data_archives.count(client)
    await _tell(export, status=ExportStatus.RUNNING, total=total, done=0)

    async def told(done: int) -> None:
        await _tell(export, done=done)

    with scratch.folder() as folder:
        path = folder / "archive.zip"
        try:
            await data_archives.write(path, client, member, told)
            async with stored_files.draft(export.organization_id, ZIP, kept_for=UNFINISHED) as draft:
                await draft.write_file(path)
                await draft.store()
        except DomainError as refusal:
            now = datetime.now(UTC)
            await _tell(export, status=ExportStatus.FAILED, error=refusal.message[:500], finished_at=now)
            return
    async with transaction():
        if not await _is_waited_for(export):
            await stored_files.destroy(draft.file)
            return
        now = datetime.now(UTC)
        draft.file.destroy_at = now + FETCHED_WITHIN
        await draft.file.save(update_fields=["stored_sha256", "destroy_at"])
        await _change(export, status=ExportStatus.READY, file_id=draft.file.id, finished_at=now, done=total)
        if client.member_id == member.id:
            await later(tell, export)


@job(Lane.MAIL)
async def tell(export: ClientDataExport) -> None:
    """Write to the client who ordered it that it is ready, once."""
    if export.told_at is not None or not export.is_kept or export.finished_at is None:
        return
    client = await Client.get(id=export.client_id).prefetch_related("organization")
    letter = letters.of_no_order(
        "data_export",
        {"kept_until": (export.finished_at + FETCHED_WITHIN).date()},
        name=client.name,
        brand=brand(client.organization),
        envelope=post.envelope(client.email, links.message_id("data-export", export)),
    )
    await post.send(export.organization_id, letter)
    async with transaction():
        await ClientDataExport.filter(id=export.id).update(told_at=datetime.now(UTC))


async def destroy_all_of(client: Client) -> None:
    """Nobody reads what was put together of the client any more, from the end of the open transaction on."""
    kept = ClientDataExport.filter(client_id=client.id, file_id__not_isnull=True)
    ids: Any = await kept.values_list("file_id", flat=True)
    for file in await StoredFile.filter(id__in=ids).order_by("id").select_for_update():
        await stored_files.destroy(file)


async def give_up() -> int:
    """Those that no worker has made within a day are over, so that another can be ordered; how many."""
    old = ClientDataExport.filter(status__in=UNDER_WAY, created_at__lt=datetime.now(UTC) - STUCK)
    return await old.update(
        status=ExportStatus.FAILED, error="It was not made within a day: order another.", finished_at=datetime.now(UTC)
    )


async def _is_waited_for(export: ClientDataExport) -> bool:
    """Whether nobody was faster, gave it up or erased the client meanwhile. Locked until the open transaction ends."""
    locked = await ClientDataExport.select_for_update().get_or_none(id=export.id)
    return locked is not None and not locked.is_finished


async def _tell(export: ClientDataExport, **values: Any) -> None:
    async with transaction():
        await _change(export, **values)


async def _change(export: ClientDataExport, **values: Any) -> None:
    await export.update_from_dict(values).save(update_fields=list(values))
