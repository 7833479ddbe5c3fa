"""Documents in a folder of this machine, or of a volume that all processes share."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

from errors import Gone
from providers.capabilities import DocumentStore

PIECE = 256 * 1024  # bytes read at once


class Disk(DocumentStore):
    """A folder, made when needed. Keys are relative paths, ours and never a client's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, key: str, content: bytes, content_type: str) -> str:
        return await asyncio.to_thread(_save, self._folder / key, BytesIO(content))

    async def save_file(self, key: str, path: Path, content_type: str) -> str:
        with path.open("rb") as file:
            return await asyncio.to_thread(_save, self._folder / key, file)

    async def load(self, key: str) -> bytes:
        try:
            return await asyncio.to_thread((self._folder / key).read_bytes)
        except FileNotFoundError as error:
            raise Gone(f"{key} is not in {self._folder}") from error

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        with await asyncio.to_thread((await self.path(key)).open, "rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    async def digest(self, key: str) -> str | None:
        try:
            return hashlib.sha256(await self.load(key)).hexdigest()
        except Gone:
            return None

    async def link(self, key: str, *, filename: str, content_type: str, life: timedelta) -> None:
        return None

    async def path(self, key: str) -> Path:
        path = self._folder / key
        if not await asyncio.to_thread(path.is_file):
            raise Gone(f"{key} is not in {self._folder}")
        return path

    async def discard(self, key: str) -> None:
        await self.delete(key)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread((self._folder / key).unlink, missing_ok=True)


def _save(path: Path, content: IO[bytes]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with draft.open("wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # a link, unlike a renaming, never replaces
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)
    with path.open("rb") as kept:
        return hashlib.file_digest(kept, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """Have the names in it outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
