"""Bytes of e-mails as text, whatever they say that they are."""

import base64
import binascii
import codecs
import quopri
import re
from email.errors import HeaderParseError
from email.header import decode_header

HEADER_MOST = 4_000  # characters of a header that are looked at; decoding takes longer than they are long

# Of what Python knows, what e-mails are in: some others take far longer than the text is long, or are no text.
_TRUSTED = re.compile(
    r"utf-(8|16|16-le|16-be|7)|ascii|iso8859-\d+|cp\d{3,4}|koi8-[ru]|mac-roman|gb2312|gbk|gb18030|big5|big5hkscs"
    r"|shift_jis|euc_jp|euc_kr|iso2022_jp\w*"
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def decoded(content: bytes, charset: str | None) -> str:
    """In the charset that is named, where there is such a one and it fits; else as UTF-8, else as Windows-1252."""
    for each in (_trusted(charset), "utf-8"):
        try:
            return content.decode(each)
        except (UnicodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def transferred(content: str, encoding: str) -> bytes | str:
    """The payload of a part: bytes where its Content-Transfer-Encoding says so, else the text that it is already."""
    match encoding.strip().lower():
        case "base64":
            return _of_base64(content)
        case "quoted-printable":
            return quopri.decodestring(content.encode())
    return content


def header_text(value: str | None) -> str:
    """A header as people read it (RFC 2047), on one line; what cannot be decoded stays as it is."""
    text = (value or "")[:HEADER_MOST]
    try:
        parts = [part if isinstance(part, str) else decoded(part, charset) for part, charset in decode_header(text)]
        text = "".join(parts)
    except (HeaderParseError, ValueError):
        pass
    return " ".join(plain(text).split())


def plain(text: str) -> str:
    """Without what no column can hold and no page shows."""
    return _UNSEEN.sub("", text).encode("utf-8", "replace").decode()


def _trusted(charset: str | None) -> str:
    try:
        name = codecs.lookup(charset or "utf-8").name
    except (LookupError, ValueError):
        return "utf-8"
    # What calls itself one of these is mostly what Windows wrote.
    name = "cp1252" if name in ("iso8859-1", "ascii") else name
    return name if _TRUSTED.fullmatch(name) else "utf-8"


def _of_base64(content: str) -> bytes:
    """As much of it as there is."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", content)
    try:
        return base64.b64decode(letters[: len(letters) - (len(letters) % 4 == 1)] + "==")
    except binascii.Error:
        return b""
