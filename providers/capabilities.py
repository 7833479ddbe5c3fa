"""What a provider can do for us, in small interfaces: features ask for one of these, never for a vendor."""

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol


class Mailer(Protocol):
    """Sends e-mail."""

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over; returns once the other side has taken it. Raises a ProviderError."""
        ...


class DocumentStore(Protocol):
    """Keeps documents by key, for good: what lies under a key is never replaced. Each raises a ProviderError."""

    async def save(self, key: str, content: bytes, content_type: str) -> str:
        """Keep a document, whole or not at all; SHA-256 (hexadecimal) of what lies under the key then.

        Where something lies there already it stays, and its digest tells whether it is the same.
        """
        ...

    async def save_file(self, key: str, path: Path, content_type: str) -> str:
        """The same for a file of this machine, however large: it is never in memory whole."""
        ...

    async def load(self, key: str) -> bytes:
        """A document, whole. Raises Gone where there is none."""
        ...

    async def digest(self, key: str) -> str | None:
        """SHA-256 (hexadecimal) of a document, None where there is none."""
        ...

    async def link(self, key: str, *, filename: str, content_type: str, life: timedelta) -> str | None:
        """An address that shows the document to whoever has it, for `life`; None where the store serves nobody.

        `filename` is plain ASCII.
        """
        ...

    async def path(self, key: str) -> Path | None:
        """The file that a document is on this machine; None where it is elsewhere. Raises Gone where there is none."""
        return None

    async def discard(self, key: str) -> None:
        """Delete what was made to be fetched once, if it is there; a store that deletes nothing has rules of its own
        for that."""
        return None

    async def close(self) -> None:
        """Let go of connections."""
        return None
