"""The outside of a letter: who it is from, who it is for. Nothing that anybody typed makes a header of its own."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueAddressHeader, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import formataddr
from typing import Any

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
        letter = EmailMessage(_POLICY)
        letter["From"] = _mailbox(self.sender, brand.name, field="sender")
        letter["To"] = _mailbox(self.to, name, field="to")
        letter["Reply-To"] = _mailbox(brand.contact_email, brand.name, field="contactEmail")
        letter["Subject"] = _one_line(subject, keep=_NO_BREAK)
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


_NO_BREAK = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # « 10 h 30 » stays together in a list of letters too


def _one_line(text: str, *, keep: str = "") -> str:
    """A name fit for a header: a line break in it could only be a mistake, or an attack."""
    plain = "".join(char if char.isprintable() or char in keep else " " for char in text)
    return " ".join(filter(None, plain.split(" ")))


# EmailMessage's own headers are not fit for what people type. They drop spaces between encoded words when they fold
# (github.com/python/cpython, issues 92081 and 144156): « reste à » arrived as « resteà ». And a subject that looks
# encoded is decoded first, line breaks in it included. So a subject is taken literally here, and both fold by the
# older `Header`, as RFC 2047 says.


class _Subject(UniqueUnstructuredHeader):
    name: str

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        super().parse(value, kwds)
        kwds["decoded"] = value

    def fold(self, *, policy: Policy) -> str:
        return _folded(self.name, [str(self)], policy)


class _Mailbox(UniqueAddressHeader):
    name: str

    def fold(self, *, policy: Policy) -> str:
        (mailbox,) = self.addresses
        name, address = mailbox.display_name, mailbox.addr_spec
        parts = [formataddr((name, address))] if _is_plain(name) else [name, f"<{address}>"]
        return _folded(self.name, parts, policy)


def _folded(name: str, parts: list[str], policy: Policy) -> str:
    header = Header(header_name=name)
    for part in parts:
        header.append(part, "us-ascii" if _is_plain(part) else "utf-8")
    return f"{name}: {header.encode(linesep=policy.linesep)}{policy.linesep}"


def _is_plain(text: str) -> bool:
    """Whether it can stand in a header as it is, and is read as it is."""
    return text.isascii() and "=?" not in text


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name, kind in (("Subject", _Subject), ("From", _Mailbox), ("To", _Mailbox), ("Reply-To", _Mailbox)):
        registry.map_to_type(name, kind)  # type: ignore[arg-type]  # it adds BaseHeader
    return registry


_POLICY = SMTP.clone(header_factory=_registry())
