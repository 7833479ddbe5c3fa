"""Documents copied from one store to the other: how an installation moves them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from tortoise.models import Model
from tortoise.queryset import QuerySet

from errors import Refused
from models import Invoice, Quote, StoredFile
from providers.capabilities import DocumentStore
from services import files, stored_files

AT_ONCE = 8


@dataclass(frozen=True)
class Kept:
    """A document by its row: what to call it, its key in the store, the SHA-256 of what lies there."""

    number: str
    key: str
    sha256: str
    content_type: str


class Outcome(Enum):
    """What came of one document."""

    COPIED = "copied"
    THERE = "there already"
    FAILED = "failed"


@dataclass(frozen=True)
class Copied:
    """A document, named by the number that it has; `why` it failed."""

    number: str
    outcome: Outcome
    why: str = ""


async def count() -> int:
    """How many documents there are to copy."""
    return sum([await rows.count() for rows in _sources()])


async def copy(source: DocumentStore, target: DocumentStore) -> AsyncIterator[Copied]:
    """Copy the document of every invoice and quote, and every file that somebody sent, eight at once, each proven by
    the SHA-256 that its row remembers.

    Safe to run again, and while others are made. One that is missing or spoiled is told, and the rest goes on. Raises
    Disconnected or Unavailable where a store is not to be had.
    """
    for rows in _sources():
        last = UUID(int=0)
        while some := await rows.filter(id__gt=last).order_by("id").limit(AT_ONCE):
            for copied in await asyncio.gather(*(_copy(_kept(row), source, target) for row in some)):
                yield copied
            last = some[-1].id


def _sources() -> tuple[QuerySet[Any], ...]:
    return (
        Invoice.filter(file_key__isnull=False), Quote.filter(file_key__isnull=False),
        StoredFile.filter(stored_sha256__isnull=False, destroyed_at=None),
    )  # fmt: skip


def _kept(row: Model) -> Kept:
    match row:
        case StoredFile():
            return Kept(str(row.id), row.place, str(row.stored_sha256), stored_files.OCTETS)
        case Invoice() | Quote():
            return Kept(str(row.number), str(row.file_key), str(row.file_sha256), files.PDF)
    raise TypeError(f"no document: {row}")  # pragma: no cover - the type checker's


async def _copy(kept: Kept, source: DocumentStore, target: DocumentStore) -> Copied:
    try:
        stored, outcome = await target.digest(kept.key), Outcome.THERE
        if stored is None:
            content = await source.load(kept.key)
            if hashlib.sha256(content).hexdigest() != kept.sha256:
                return Copied(kept.number, Outcome.FAILED, f"{kept.key} is not what was stored: another SHA-256")
            stored, outcome = await target.save(kept.key, content, kept.content_type), Outcome.COPIED
    except Refused as refusal:
        return Copied(kept.number, Outcome.FAILED, str(refusal))
    if stored != kept.sha256:
        return Copied(kept.number, Outcome.FAILED, f"{kept.key} is taken over there by something else: another SHA-256")
    return Copied(kept.number, outcome)
