"""Whether a file is what it says it is: told by its bytes, never by its name.

puremagic knows signatures; what is stricter here is that a file must also end as its kind does, and hold what its kind
holds, so that nothing that hides behind a signature passes for it.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import IO
from zipfile import BadZipFile, ZipFile

import puremagic

from errors import Invalid

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
CSV, TEXT = "text/csv", "text/plain"

HEAD = 8 * 1024  # bytes by which a signature is told
PIECE = 256 * 1024  # bytes read at once
PART_MOST = 1024 * 1024  # bytes of a part of an archive that is looked at
PARTS_MOST = 10_000
_LISTED = b"PK\x01\x02"  # before each part in the directory of an archive (APPNOTE.TXT, 4.3.12)


class WrongType(Invalid):
    """It is not what it says."""


def must_be(content_type: str, file: IO[bytes]) -> None:
    """Raises WrongType, saying why. `file` can be read from anywhere in it."""
    try:
        wrong = _CHECKS[content_type](file)
    except (BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError):  # zipfile's
        wrong = "it cannot be read"
    if wrong:
        raise WrongType(f"This is no {content_type}: {wrong}. Send the file that you announced.", field="contentType")


def _pdf(file: IO[bytes]) -> str | None:
    """ISO 32000-2, 7.5: `%PDF-` at its very beginning, `%%EOF` within the last kilobyte, as readers look for it."""
    if not re.match(rb"%PDF-[12]\.\d", _head(file)):
        return "it does not begin as one"
    return _unlike(file, PDF) or (None if b"%%EOF" in _tail(file, 1024) else "it ends before its end")


def _png(file: IO[bytes]) -> str | None:
    """PNG (third edition), 5: the signature, IHDR first, IEND last and nothing after it."""
    if not re.match(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", _head(file)):
        return "it does not begin as one"
    ended = _tail(file, 12) == b"\0\0\0\0IEND\xaeB`\x82"
    return _unlike(file, PNG) or (None if ended else "it does not end as one")


def _jpeg(file: IO[bytes]) -> str | None:
    """ITU-T T.81, B.1.1.3: SOI and another marker first, EOI last; cameras fill up with zeros."""
    if not re.match(rb"\xff\xd8\xff[\xc0-\xfe]", _head(file)):
        return "it does not begin as one"
    ended = _tail(file, 4096).rstrip(b"\0").endswith(b"\xff\xd9")
    return _unlike(file, JPEG) or (None if ended else "it does not end as one")


def _docx(file: IO[bytes]) -> str | None:
    """ECMA-376-2: an archive whose content types name a Word document, without macros."""
    with _archive(file) as archive:
        types = _part(archive, "[Content_Types].xml")
        if b"wordprocessingml.document.main+xml" not in types or not _part(archive, "word/document.xml"):
            return "it holds no Word document"
        if any(name.lower().endswith("vbaproject.bin") for name in archive.namelist()):
            return "it holds macros"
    return _unlike(file, DOCX)


def _odt(file: IO[bytes]) -> str | None:
    """OpenDocument 1.3, part 2, 3.3: the media type is the first part, stored as it is; without macros."""
    if not _head(file).startswith(b"PK\x03\x04") or _head(file)[30:38] != b"mimetype":
        return "it does not begin as one"
    with _archive(file) as archive:
        if _part(archive, "mimetype").strip() != ODT.encode() or not _part(archive, "content.xml"):
            return "it holds no text document"
        if any(name.startswith(("Basic/", "Scripts/")) and not name.endswith("/") for name in archive.namelist()):
            return "it holds macros"
    return None


def _text(file: IO[bytes]) -> str | None:
    """UTF-8, or a text of one byte a letter as Windows writes it: no control characters but those of lines and tabs."""
    if _head(file).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16 (“Unicode text”); save it as UTF-8 (in Excel: “CSV UTF-8”)"
    if any(_CONTROLS.search(piece) for piece in _pieces(file)):
        return "it holds bytes that no text has; save it as UTF-8"
    if not _is_utf8(file) and any(_NOT_WINDOWS_1252.search(piece) for piece in _pieces(file)):
        return "it is neither UTF-8 nor Windows-1252"
    return None


def _is_utf8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(file):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(PIECE):
        yield piece


_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_NOT_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")

_CHECKS: dict[str, Callable[[IO[bytes]], str | None]] = {
    PDF: _pdf, PNG: _png, JPEG: _jpeg, DOCX: _docx, ODT: _odt, CSV: _text, TEXT: _text,
}  # fmt: skip
KNOWN = tuple(_CHECKS)


def _unlike(file: IO[bytes], content_type: str) -> str | None:
    """What puremagic says where none of its guesses is this type."""
    found = [each.mime_type for each in puremagic.magic_string(_head(file))]
    return None if content_type in found else f"it looks like {found[0] if found else 'something else'}"


def _archive(file: IO[bytes]) -> ZipFile:
    """Counted before it is opened: zipfile reads the whole directory into memory, ten times as large there."""
    if sum(piece.count(_LISTED) for piece in _pieces(file)) > PARTS_MOST:
        raise ValueError("too many parts")
    file.seek(0)
    return ZipFile(file)


def _part(archive: ZipFile, name: str) -> bytes:
    """The beginning of a part, however large it would be."""
    with archive.open(name) as part:
        return part.read(PART_MOST)


def _head(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _tail(file: IO[bytes], size: int) -> bytes:
    end = file.seek(0, 2)
    file.seek(max(0, end - size))
    return file.read(size)
