"""What a provider can do for us, in small interfaces: features ask for one of these, never for a vendor."""

from email.message import EmailMessage
from typing import Protocol


class Mailer(Protocol):
    """Sends e-mail."""

    async def send(self, message: EmailMessage) -> None:
        """Hand the message over; returns once the other side has taken it. Raises a ProviderError."""
        ...
