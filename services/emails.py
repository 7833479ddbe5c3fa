"""E-mails that somebody pastes: their MIME source, or what a mail program gives when one copies what one reads.

What is read is bounded in size, lines and nesting before it is parsed, so that it takes as long as it is long. Nothing
of it is trusted, and what is broken is read as far as it goes. Sources: RFC 5322, RFC 2045 to 2047, RFC 2183.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from errors import Invalid
from services import copied_emails
from services.email_charsets import decoded, header_text, plain, transferred
from services.html_text import text_of

SIZE_MOST = 1_000_000  # bytes, as UTF-8
LINES_MOST = 50_000
PARTS_MOST, NESTED_MOST = 200, 20  # in all; of those that hold others
PARAMETERS_MOST = 2_000  # characters of a header with parameters
SUBJECT_MOST, NAME_MOST = 500, 200  # characters; more is cut
ATTACHMENTS_MOST, RECIPIENTS_MOST = 100, 100
ID_MOST = 255  # characters; what is longer is no id


@dataclass(frozen=True)
class Attachment:
    """A file that came along; its size is in bytes."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True)
class Email:
    """What an e-mail says. The body is plain text; of what it does not say there is None, or nothing."""

    sender: str | None  # an address, in lower case
    sender_name: str | None
    recipients: tuple[str, ...]
    subject: str
    body: str
    sent_at: datetime | None
    message_id: str | None = None  # as `<left@right>`
    thread_id: str | None = None  # the id of that with which it began
    attachments: tuple[Attachment, ...] = ()


def parse(source: str, zone: ZoneInfo, *, field: str) -> Email:
    """An e-mail as it was pasted; a moment without a zone is of `zone`. Raises Invalid, blaming the field, for what is
    empty, too long, or nested too deep."""
    if len(source) > SIZE_MOST or len(source.encode("utf-8", "replace")) > SIZE_MOST:
        raise Invalid(f"An e-mail is {SIZE_MOST:,} bytes at most: leave its attachments out.", field=field)
    text = plain(source.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    if not text.strip():
        raise Invalid("Paste an e-mail: its source, or what it says.", field=field)
    if text.count("\n") >= LINES_MOST:
        raise Invalid(f"An e-mail has {LINES_MOST:,} lines at most.", field=field)
    if not _IS_SOURCE.search(text.partition("\n\n")[0]):
        copied = copied_emails.read(text, zone)
        return Email(
            copied.sender, copied.sender_name, copied.recipients, copied.subject[:SUBJECT_MOST], copied.body,
            copied.sent_at,
        )  # fmt: skip
    _must_be_flat(text, field)
    return _of_message(message_from_string(text))


def addresses(header: str) -> list[tuple[str, str]]:
    """(name, address in lower case) of each in a header."""
    found = []
    for each in _ADDRESS.finditer(header):
        name = header[: each.start()].rpartition(",")[2].rpartition(">")[2].strip(" \"<'")
        found.append((name[:NAME_MOST], each[0].lower()))
    return found[:RECIPIENTS_MOST]


def _must_be_flat(text: str, field: str) -> None:
    """Raises Invalid for what would take longer to parse than it is long."""
    if len(_HOLDS_OTHERS.findall(text)) > NESTED_MOST or len(_PART.findall(text)) > PARTS_MOST:
        raise Invalid("This e-mail has too many parts: paste what it says instead.", field=field)
    if any(len(each[0]) > PARAMETERS_MOST for each in _WITH_PARAMETERS.finditer(text)):
        raise Invalid("A header of this e-mail is too long: paste what it says instead.", field=field)


def _of_message(message: Message) -> Email:
    senders = addresses(header_text(message["From"]))
    name, sender = senders[0] if senders else (header_text(message["From"])[:NAME_MOST], None)
    told = ", ".join(header_text(each) for each in [*message.get_all("To", []), *message.get_all("Cc", [])][:10])
    attachments: list[Attachment] = []
    body = _text(message, attachments)
    message_id = _first_id(message["Message-ID"])
    return Email(
        sender, name or None, tuple(address for _, address in addresses(told)),
        header_text(message["Subject"])[:SUBJECT_MOST], body.strip(), _moment(message["Date"]), message_id,
        _first_id(message["References"]) or _first_id(message["In-Reply-To"]) or message_id,
        tuple(attachments[:ATTACHMENTS_MOST]),
    )  # fmt: skip


def _text(part: Message, attachments: list[Attachment]) -> str:
    """What is read of a part; the files in it are listed."""
    if part.get_content_maintype() == "message":
        attachments.append(_enclosed(part))
        return ""
    if part.is_multipart():
        parts: Any = part.get_payload()
        texts = [(each, _text(each, attachments)) for each in parts]
        if part.get_content_subtype() != "alternative":
            return "\n\n".join(text for _, text in texts if text.strip())
        by_type = {each.get_content_type(): text for each, text in texts if text.strip()}
        return by_type.get("text/plain") or next(iter(by_type.values()), "")
    content = transferred(str(part.get_payload()), str(part.get("Content-Transfer-Encoding", "")))
    named = header_text(part.get_filename())
    if (
        part.get_content_maintype() not in ("text", "multipart")
        or part.get_content_disposition() == "attachment"
        or named
    ):
        size = len(content if isinstance(content, bytes) else content.encode())
        attachments.append(Attachment(named[:NAME_MOST] or "(sans nom)", part.get_content_type()[:100], size))
        return ""
    text = plain(content if isinstance(content, str) else decoded(content, part.get_content_charset()))
    return text_of(text) if part.get_content_subtype() == "html" else text.replace("\r\n", "\n")


def _enclosed(part: Message) -> Attachment:
    """An e-mail within, by its subject."""
    enclosed: Any = part.get_payload()
    inner = enclosed[0] if isinstance(enclosed, list) and enclosed else None
    subject = header_text(inner["Subject"]) if inner is not None else ""
    size = len(inner.as_string().encode("utf-8", "replace")) if inner is not None else len(str(enclosed))
    return Attachment((subject or "(sans objet)")[:NAME_MOST], part.get_content_type()[:100], size)


def _first_id(header: str | None) -> str | None:
    found = _MESSAGE_ID.search((header or "")[:PARAMETERS_MOST])
    return found[0] if found and len(found[0]) <= ID_MOST else None


def _moment(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime((header or "")[:100])
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("UTC"))


# What a mail program does not show when one copies what one reads.
_IS_SOURCE = re.compile(
    r"^(message-id|mime-version|received|return-path|content-type|content-transfer-encoding|dkim-signature"
    r"|delivered-to|in-reply-to|references|user-agent|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_HOLDS_OTHERS = re.compile(r"content-type:\s*(?:multipart|message)/", re.IGNORECASE)
_PART = re.compile(r"^content-type:", re.IGNORECASE | re.MULTILINE)
_WITH_PARAMETERS = re.compile(r"^content-(?:type|disposition):[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]{1,100}@[^\s<>,;:\"()\[\]@]{1,153}")
_MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
