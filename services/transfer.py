"""Documents copied from one store to the other: how an installation moves them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from errors import Refused
from models import Invoice, Quote
from providers.capabilities import DocumentStore
from services import files

AT_ONCE = 8
PAPERS: tuple[type[Invoice] | type[Quote], ...] = (Invoice, Quote)


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
    return sum([await model.filter(file_key__isnull=False).count() for model in PAPERS])


async def copy(source: DocumentStore, target: DocumentStore) -> AsyncIterator[Copied]:
    """Copy the document of every invoice and quote, eight at once, each proven by the SHA-256 that its row remembers.

    Safe to run again, and while others are made. One that is missing or spoiled is told, and the rest goes on. Raises
    Disconnected or Unavailable where a store is not to be had.
    """
    for model in PAPERS:
        last = UUID(int=0)
        while some := await model.filter(file_key__isnull=False, id__gt=last).order_by("id").limit(AT_ONCE):
            for copied in await asyncio.gather(*(_copy(paper, source, target) for paper in some)):
                yield copied
            last = some[-1].id


async def _copy(paper: Invoice | Quote, source: DocumentStore, target: DocumentStore) -> Copied:
    key, number = str(paper.file_key), str(paper.number)
    try:
        stored, outcome = await target.digest(key), Outcome.THERE
        if stored is None:
            content = await source.load(key)
            if hashlib.sha256(content).hexdigest() != paper.file_sha256:
                return Copied(number, Outcome.FAILED, f"{key} is not what was rendered: another SHA-256")
            stored, outcome = await target.save(key, content, files.PDF), Outcome.COPIED
    except Refused as refusal:
        return Copied(number, Outcome.FAILED, str(refusal))
    if stored != paper.file_sha256:
        return Copied(number, Outcome.FAILED, f"{key} is taken over there by something else: another SHA-256")
    return Copied(number, outcome)
