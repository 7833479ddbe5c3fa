"""The outside of a letter: who it is from, who it is for. Nothing that anybody typed makes a header of its own."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from errors import Invalid
from models.content import Branding


@dataclass(frozen=True, slots=True)
class Envelope:
    """`to` and `sender` are bare addresses; `message_id` is `<left@right>`, the same at each try; `sent_at` is now
    unless given."""

    to: str
    message_id: str
    sender: str
    sent_at: datetime | None = None

    def letter(self, subject: str, *, brand: Branding, name: str) -> EmailMessage:
        """A letter from the brand to `name`, without its words yet. Raises Invalid, naming the field, where something
        could not stand in a header."""
        letter = EmailMessage()
        letter["From"] = _mailbox(self.sender, brand.name, field="sender")
        letter["To"] = _mailbox(self.to, name, field="to")
        letter["Reply-To"] = _mailbox(brand.contact_email, brand.name, field="contactEmail")
        letter["Subject"] = _one_line(subject)
        letter["Date"] = self.sent_at or datetime.now(UTC)
        letter["Message-ID"] = _message_id(self.message_id)
        letter["Auto-Submitted"] = "auto-generated"  # no holiday answers, please (RFC 3834)
        return letter


def _mailbox(address: str, name: str, *, field: str) -> Address:
    try:
        mailbox = Address(_one_line(name), addr_spec=address)
        local, domain = mailbox.username, mailbox.domain.encode("idna").decode()
    except (ValueError, MessageError, IndexError) as error:
        raise Invalid(f"{address!r} is not an e-mail address.", field=field) from error
    if not local or not domain:
        raise Invalid(f"{address!r} is not an e-mail address.", field=field)
    return Address(mailbox.display_name, local, domain)


def _message_id(value: str) -> str:
    if not re.fullmatch(r"<[^\s<>@]+@[^\s<>@]+>", value) or not value.isascii():
        raise Invalid(f"{value!r} is not a Message-ID.", field="messageId")
    return value


def _one_line(text: str) -> str:
    """A name fit for a header: a line break in it could only be a mistake, or an attack."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
