"""Letters of an organization: by its own mail server where that is on, else by the platform's.

By its own they come from its own address (`sender` of its form), which is the envelope's sender too; answers go to its
contact address either way. Nothing falls back to the platform's: a letter that its server does not take is tried again
like any, and the integration shows why. What concerns accounts (passwords, invitations), and that something fails, goes
by the platform's alone. To those who were erased nothing is sent.
"""

from email.headerregistry import Address
from email.message import EmailMessage
from uuid import UUID

from models.client import ERASED
from services import integrations
from services.envelopes import Envelope
from services.outside import outside
from telemetry.context import current

SMTP = "smtp"


def envelope(to: str, message_id: str) -> Envelope:
    """From the platform's address. Raises NotConfigured where it has none."""
    return Envelope(to, message_id, outside().settings.required("smtp_from"))


async def send(organization_id: UUID, letter: EmailMessage) -> None:
    """Hand a letter over, by the job that is under way, which the access log names. Raises a ProviderError."""
    if all(to.addr_spec.endswith(ERASED) for to in letter["To"].addresses):
        return
    own = await integrations.enabled(organization_id, SMTP)
    if own is None:
        await outside().mailer.send(letter)
        return
    _from(letter, own.settings["sender"])
    job = str(current().get("job", "a letter"))
    async with integrations.connected(organization_id, SMTP, job) as server:
        await server.send(letter)


def _from(letter: EmailMessage, address: str) -> None:
    """The name stays, the address is another."""
    (before,) = letter["From"].addresses
    del letter["From"]
    letter["From"] = Address(before.display_name, addr_spec=address)
