"""Files that are kept encrypted: each under a key of its own, which the vault seals and `comptoir rotate-keys` rotates.

Whoever has the store alone has noise. A file is destroyed with its key, in the transaction that decides it; the store
then deletes the rest. Nothing of a file is on this machine but in its encrypted form.
"""

import asyncio
import base64
import hashlib
import io
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from tortoise.expressions import Subquery
from uuid_utils.compat import uuid7

from errors import Gone, NotConfigured
from models import DestructionRecord, Document, Lane, StoredFile
from models.database import transaction
from services import scratch, sealed_streams, vault
from services.outbox import job, later
from services.outside import outside
from services.sealed_streams import Altered, Cipher, Reader

log = logging.getLogger("comptoir.files")

OCTETS = "application/octet-stream"  # what it is to the store
PIECE_BYTES = 256 * 1024
AT_ONCE = 100  # files that a clock destroys


class Draft:
    """A file of this machine that is being received: encrypted, not in the store yet."""

    def __init__(self, file: StoredFile, key: bytes, path: Path) -> None:
        self.file, self._path, self._cipher = file, path, Cipher(key, _bound_to(file))

    async def write(self, pieces: AsyncIterator[bytes]) -> None:
        """Encrypt what comes as it comes."""
        digest, size = hashlib.sha256(), 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                yield piece

        with self._path.open("wb") as file:
            async for sealed in sealed_streams.seal(self._cipher, counted()):
                file.write(sealed)
        self.file.sha256, self.file.size_bytes = digest.hexdigest(), size

    async def write_file(self, path: Path) -> None:
        """Encrypt what is in a file of this machine."""
        with path.open("rb") as file:
            await self.write(_pieces(file))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[io.BufferedReader]:
        """What was written, to be looked at."""
        with self._path.open("rb") as file:
            yield io.BufferedReader(Reader(file, self._cipher, self.file.size_bytes))

    async def store(self) -> None:
        """Put it in the store. The row is committed before, so that a clock destroys what nobody comes back for."""
        async with transaction():
            await self.file.save(force_create=True)
        self.file.stored_sha256 = await outside().documents.save_file(self.file.place, self._path, OCTETS)


@asynccontextmanager
async def draft(organization_id: object, content_type: str, *, kept_for: timedelta) -> AsyncIterator[Draft]:
    """A file to be written and stored within the block; a clock destroys it after `kept_for`, unless it is used."""
    id, key = uuid7(), os.urandom(sealed_streams.KEY_BYTES)
    file = StoredFile(
        id=id, organization_id=organization_id, place=f"{organization_id}/sealed/{id}", content_type=content_type,
        destroy_at=datetime.now(UTC) + kept_for,
    )  # fmt: skip
    vault.seal(file, "data_key", base64.b64encode(key).decode())
    with scratch.folder() as folder:
        yield Draft(file, key, folder / "sealed")


async def read(file: StoredFile, purpose: str) -> AsyncIterator[bytes]:
    """What the file holds, a chunk at a time, each proven. `purpose` goes to the access log of the vault.

    Raises NotConfigured where it is not in the store, or was altered there: an operator can bring it back.
    """
    cipher = await _cipher(file, purpose)
    try:
        async for chunk in sealed_streams.open(cipher, outside().documents.stream(file.place)):
            yield chunk
    except (Altered, Gone) as trouble:
        raise _unreadable(file, trouble) from trouble


@asynccontextmanager
async def opened(file: StoredFile, purpose: str) -> AsyncIterator[io.BufferedReader]:
    """The same as a file to read from anywhere, however often, by code that does not wait: use a thread.

    Raises NotConfigured as `read` does; within the block Altered.
    """
    cipher = await _cipher(file, purpose)
    with tempfile.TemporaryFile(prefix="comptoir-read-") as local:
        try:
            async for piece in outside().documents.stream(file.place):
                local.write(piece)
            reader = Reader(local, cipher, file.size_bytes)
        except (Altered, Gone) as trouble:
            raise _unreadable(file, trouble) from trouble
        yield io.BufferedReader(reader)


async def destroy(file: StoredFile) -> None:
    """From the end of the open transaction on nobody reads it any more, whoever has a copy of the store: its key is
    gone. A worker has the store delete the rest. The row is locked by the caller."""
    if file.is_destroyed:
        return
    file.destroy(at=datetime.now(UTC))
    await file.save(update_fields=["data_key", "destroyed_at"])
    await later(delete, file)


@job(Lane.SYNC)
async def delete(file: StoredFile) -> None:
    """Have the store delete a file whose key is destroyed."""
    await outside().documents.delete(file.place)
    now = datetime.now(UTC)
    async with transaction():
        await StoredFile.filter(id=file.id, deleted_at=None).update(deleted_at=now)
        of_it = Subquery(Document.filter(file_id=file.id).values("id"))
        await DestructionRecord.filter(document_id__in=of_it, deleted_at=None).update(deleted_at=now)


async def forget() -> int:
    """Destroy what is kept for a while only, and what nobody came back for; how many."""
    due = StoredFile.filter(destroy_at__lt=datetime.now(UTC), destroyed_at=None)
    async with transaction():
        old = await due.order_by("id").limit(AT_ONCE).select_for_update(skip_locked=True)
        for file in old:
            await destroy(file)
    return len(old)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
        yield piece


async def _cipher(file: StoredFile, purpose: str) -> Cipher:
    key = await vault.open(file, "data_key", purpose)
    if key is None:
        raise NotConfigured(f"File {file.id} was destroyed.")
    return Cipher(base64.b64decode(key), _bound_to(file))


def _bound_to(file: StoredFile) -> bytes:
    return b"/".join((b"comptoir-file-v1", str(file.organization_id).encode(), str(file.id).encode()))


def _unreadable(file: StoredFile, trouble: Exception) -> NotConfigured:
    log.error("file %s cannot be read: %s", file.id, trouble)
    return NotConfigured(f"File {file.id} cannot be read ({trouble}). Restore {file.place} from a backup of the store.")
