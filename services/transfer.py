"""Documents copied from one store to the other: how an installation moves them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from errors import Refused
from models import Invoice
from providers.capabilities import DocumentStore
from services import files

AT_ONCE = 8


class Outcome(Enum):
    """What came of one document."""

    COPIED = "copied"
    THERE = "there already"
    FAILED = "failed"


@dataclass(frozen=True)
class Copied:
    """A document, named by the number of its invoice; `why` it failed."""

    number: str
    outcome: Outcome
    why: str = ""


async def count() -> int:
    """How many documents there are to copy."""
    return await Invoice.filter(file_key__isnull=False).count()


async def copy(source: DocumentStore, target: DocumentStore) -> AsyncIterator[Copied]:
    """Copy the document of every invoice, eight at once, each proven by the SHA-256 that its invoice remembers.

    Safe to run again, and while others are made. One that is missing or spoiled is told, and the rest goes on. Raises
    Disconnected or Unavailable where a store is not to be had.
    """
    last = UUID(int=0)
    while some := await Invoice.filter(file_key__isnull=False, id__gt=last).order_by("id").limit(AT_ONCE):
        for copied in await asyncio.gather(*(_copy(invoice, source, target) for invoice in some)):
            yield copied
        last = some[-1].id


async def _copy(invoice: Invoice, source: DocumentStore, target: DocumentStore) -> Copied:
    key = str(invoice.file_key)
    try:
        stored, outcome = await target.digest(key), Outcome.THERE
        if stored is None:
            content = await source.load(key)
            if hashlib.sha256(content).hexdigest() != invoice.file_sha256:
                return Copied(invoice.number, Outcome.FAILED, f"{key} is not what was rendered: another SHA-256")
            stored, outcome = await target.save(key, content, files.PDF), Outcome.COPIED
    except Refused as refusal:
        return Copied(invoice.number, Outcome.FAILED, str(refusal))
    if stored != invoice.file_sha256:
        return Copied(invoice.number, Outcome.FAILED, f"{key} is taken over there by something else: another SHA-256")
    return Copied(invoice.number, outcome)
