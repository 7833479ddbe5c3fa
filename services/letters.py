"""The e-mails that customers receive. Composed here, sent by a `providers.capabilities.Mailer`."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage

from errors import Invalid
from models.content import Branding, InvoiceContent
from services.wording import templates

_TEMPLATES = templates()


def paid(
    content: InvoiceContent,
    *,
    order_number: int,
    to: str,
    message_id: str,
    sender: str,
    pdf: bytes,
    partner: Branding | None = None,
    sent_at: datetime | None = None,
) -> EmailMessage:
    """The letter that carries the invoice of a paid order, with our contacts and the partner's.

    `to` and `sender` are bare addresses; `message_id` is `<left@right>`, the same at each try; `sent_at` is now unless
    given. Raises Invalid, naming the field, where one of the three could not stand in a header.
    """
    brand = content.brand
    said = dict(content) | {"order_number": order_number, "contacts": list(_contacts(content, partner))}
    test = "" if content.live else "[TEST] "

    letter = EmailMessage()
    letter["From"] = _mailbox(sender, brand.name, field="sender")
    letter["To"] = _mailbox(to, content.buyer.name, field="to")
    letter["Reply-To"] = _mailbox(brand.contact_email, brand.name, field="contactEmail")
    letter["Subject"] = _one_line(f"{test}Votre facture {content.number} – {brand.name}")
    letter["Date"] = sent_at or datetime.now(UTC)
    letter["Message-ID"] = _message_id(message_id)
    letter["Auto-Submitted"] = "auto-generated"  # no holiday answers, please (RFC 3834)
    letter.set_content(_TEMPLATES.get_template("mail/paid.txt").render(said))
    letter.add_alternative(_TEMPLATES.get_template("mail/paid.html").render(said), subtype="html")
    letter.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"Facture-{content.number}.pdf")
    return letter


def _contacts(content: InvoiceContent, partner: Branding | None) -> Iterator[tuple[str, str, str | None]]:
    """(name, e-mail, phone) of everyone the customer may write to, once each."""
    brand, seller = content.brand, content.seller
    known = {brand.contact_email}
    yield brand.name, brand.contact_email, brand.phone
    if partner and partner.contact_email not in known:
        known.add(partner.contact_email)
        yield partner.name, partner.contact_email, partner.phone
    if seller.email and seller.email not in known:
        yield seller.name, seller.email, seller.phone


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
