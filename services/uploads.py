"""Signed uploads: who may send a file asks for an address, and sends it there with PUT, once.

The address is signed and names the upload, which says for which organization, for what, of which type and how large to
the byte. What comes is encrypted as it comes, cut off where it is too large, and looked at before it is kept.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Invalid, Limited, NotFound
from models import Upload, UploadPurpose
from models.database import transaction
from policy import Permission
from services import file_types, limits, stored_files, tokens
from services.outside import outside
from services.stored_files import Draft

LINK_LIFE = timedelta(hours=1)
UNUSED = timedelta(days=1)  # how long a file is kept of which nothing is made
STALLED, TOO_LONG = 30.0, 900.0  # seconds without a byte; for all of it
AT_ONCE = 20  # files that a process receives

_under_way: set[object] = set()


@dataclass(frozen=True)
class Terms:
    """What a file may be that is sent for a purpose, and what whoever sends it must be allowed to do."""

    requires: Permission
    size_most: int  # bytes
    types: tuple[str, ...]
    kept_for: timedelta | None = None  # once something was made of it; None: that decides


TERMS: Mapping[UploadPurpose, Terms] = {
    UploadPurpose.CLIENT_IMPORT: Terms(
        Permission.CLIENTS_WRITE, 20 * 2**20, (file_types.CSV, file_types.TEXT), timedelta(days=7)
    ),
    UploadPurpose.DOCUMENT: Terms(Permission.DOCUMENTS_WRITE, 25 * 2**20, file_types.KNOWN),
}


class TooLarge(Invalid):
    """More came than was announced."""


def must_be_acceptable(purpose: UploadPurpose, name: str, content_type: str, size: int) -> None:
    """Raises Invalid for a file that is not taken for the purpose."""
    terms = TERMS[purpose]
    if re.search(r"[/\\\x00-\x1f\x7f]", name):
        raise Invalid("A file's name has no slashes and no control characters.", field="input.name")
    if content_type not in terms.types:
        raise Invalid(f"Send one of these for {purpose.value}: {', '.join(terms.types)}.", field="input.contentType")
    if not 1 <= size <= terms.size_most:
        raise Invalid(
            f"A file for {purpose.value} is 1 byte at least and {terms.size_most // 2**20} MB at most.",
            field="input.sizeBytes",
        )


async def create(
    organization_id: UUID, purpose: UploadPurpose, name: str, content_type: str, size: int, *, by: UUID | None
) -> Upload:
    """An upload that is good for an hour. Raises Invalid as `must_be_acceptable` does."""
    must_be_acceptable(purpose, name, content_type, size)
    return await Upload.create(
        organization_id=organization_id, purpose=purpose, name=name, content_type=content_type, size_bytes=size,
        created_by_id=by, expires_at=datetime.now(UTC) + LINK_LIFE,
    )  # fmt: skip


def link(id: UUID, expires_at: datetime) -> str | None:
    """Where the file of an upload is to be sent, until it expires; None where it has."""
    left = expires_at - datetime.now(UTC)
    if left <= timedelta():
        return None
    token, _ = tokens.sign(tokens.UPLOAD, {"upload": str(id)}, left)
    return f"{outside().settings.app_url}/uploads/{token}"


async def receive(
    token: str,
    content_type: str,
    length: int | None,
    body: AsyncIterator[bytes],
    address: str | None,
    *,
    stalled: float = STALLED,
) -> Upload:
    """Take a file in, whole or not at all; what failed may be sent again to the same address.

    `length` is what the client says it sends, where it does; `stalled` is how long nothing may come, in seconds. Raises
    NotFound, Conflict or Expired for an address that takes nothing, TooLarge, WrongType, Invalid, Limited,
    TimeoutError, NotConfigured or a ProviderError.
    """
    await limits.spend_link("uploads", token, address)
    upload = await _of_link(token)
    if content_type != upload.content_type:
        raise file_types.WrongType(f"Send it as {upload.content_type}, as announced.", field="contentType")
    if length is not None and length != upload.size_bytes:
        raise (TooLarge if length > upload.size_bytes else Invalid)(_other_size(upload), field="sizeBytes")
    turn = _take_turn()
    try:
        async with (
            asyncio.timeout(TOO_LONG),
            stored_files.draft(upload.organization_id, upload.content_type, kept_for=UNUSED) as draft,
        ):
            await _write(draft, upload, body, stalled)
            await draft.store()
            return await _note(upload, draft)
    finally:
        _under_way.discard(turn)


async def take(organization_id: UUID, upload_id: UUID, purpose: UploadPurpose) -> Upload:
    """An upload that was received, with its `file`, to make something of it: nobody else can from now on. In the open
    transaction. Raises NotFound, and Conflict where it was not received, was used, or was sent for something else."""
    upload = await Upload.select_for_update().get_or_none(id=upload_id, organization_id=organization_id)
    if upload is None:
        raise NotFound("No such upload.", field="input.upload")
    now = datetime.now(UTC)
    upload.use(purpose, at=now)
    await upload.save(update_fields=["used_at"])
    await upload.fetch_related("file")
    if upload.file.is_destroyed:
        raise NotFound("This file was kept for a day, and is gone: send it again (uploadCreate).", field="input.upload")
    kept_for = TERMS[purpose].kept_for
    upload.file.destroy_at = now + kept_for if kept_for else None
    await upload.file.save(update_fields=["destroy_at"])
    return upload


async def _of_link(token: str) -> Upload:
    claims = tokens.read(tokens.UPLOAD, token)
    upload = await Upload.get_or_none(id=UUID(claims["upload"])) if claims else None
    if upload is None:
        raise NotFound("This address is not, or no longer, good. Ask for another (uploadCreate).")
    upload.must_be_open_at(datetime.now(UTC))
    return upload


def _take_turn() -> object:
    """One of so many at once, until it is discarded. Raises Limited."""
    if len(_under_way) >= AT_ONCE:
        raise Limited("Many files are being received. Try again in a moment.", retry_after=5)
    turn = object()
    _under_way.add(turn)
    return turn


async def _write(draft: Draft, upload: Upload, body: AsyncIterator[bytes], stalled: float) -> None:
    await draft.write(_at_most(upload, body, stalled))
    if draft.file.size_bytes < upload.size_bytes:
        raise Invalid(_other_size(upload), field="sizeBytes")
    async with draft.opened() as file:
        await asyncio.to_thread(file_types.must_be, upload.content_type, file)


async def _at_most(upload: Upload, body: AsyncIterator[bytes], stalled: float) -> AsyncIterator[bytes]:
    """What comes, as long as it comes, and cut off where it is more than was announced."""
    size = 0
    while True:
        try:
            async with asyncio.timeout(stalled):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        size += len(piece)
        if size > upload.size_bytes:
            raise TooLarge(_other_size(upload), field="sizeBytes")
        yield piece


async def _note(upload: Upload, draft: Draft) -> Upload:
    """It was received. Of two who send at once, one is told that the other was faster."""
    async with transaction():
        locked = await Upload.select_for_update().get(id=upload.id)
        locked.must_be_open_at(datetime.now(UTC))
        locked.received_at, locked.file_id = datetime.now(UTC), draft.file.id
        await draft.file.save(update_fields=["stored_sha256"])
        await locked.save(update_fields=["received_at", "file_id"])
    locked.file = draft.file
    return locked


def _other_size(upload: Upload) -> str:
    return f"This file is {upload.size_bytes} bytes, as announced: send all of them, and no more."
