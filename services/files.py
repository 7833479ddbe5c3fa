"""Documents on disk, and the signed links that open them."""

import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from models import Invoice
from services import tokens
from services.outside import outside

LINK_LIFE = timedelta(hours=24)


async def save(key: str, content: bytes) -> str:
    """Store a document, whole or not at all; its SHA-256. The same key again replaces it."""
    await asyncio.to_thread(_write, path_of(key), content)
    return hashlib.sha256(content).hexdigest()


async def load(key: str) -> bytes:
    return await asyncio.to_thread(path_of(key).read_bytes)


def path_of(key: str) -> Path:
    """Where a document lies. Keys are ours, never a client's."""
    return outside().settings.comptoir_home / "files" / key


def invoice_link(invoice: Invoice) -> str:
    """A public address of the PDF, good for 24 hours from now."""
    token, _ = tokens.sign(tokens.FILE, {"invoice": str(invoice.id)}, LINK_LIFE)
    return f"{outside().settings.app_url}/files/{token}/{invoice.number}.pdf"


async def invoice_of_link(token: str) -> Invoice | None:
    """The invoice that a link opens, None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.FILE, token)
    return await Invoice.get_or_none(id=UUID(claims["invoice"]), file_key__isnull=False) if claims else None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
