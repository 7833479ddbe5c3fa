"""Files for tests, and sending them to signed addresses."""

import io
import struct
import zlib
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx

from services import file_types
from tests.shop import Shop

CREATE = """mutation ($input: UploadCreateInput!) { uploadCreate(input: $input) {
  upload { id url name contentType sizeBytes expiresAt receivedAt usedAt createdBy { user { email } } }
} }"""
UPLOAD = "query ($id: ID!) { upload(id: $id) { url receivedAt usedAt } }"

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
CSV = "Nom;E-mail\nZoé;zoe@example.com\n".encode()


async def asked(shop: Shop, content: bytes = PDF, **input: Any) -> dict[str, Any]:
    """An upload that a file may be sent to."""
    given = {"purpose": "DOCUMENT", "name": "a.pdf", "contentType": file_types.PDF, "sizeBytes": len(content)}
    made: dict[str, Any] = (await shop(CREATE, input={**given, "idempotencyKey": str(uuid4()), **input}))["upload"]
    return made


async def send(
    shop: Shop, upload: dict[str, Any], content: Any = PDF, type_: str | None = None, **headers: str
) -> httpx.Response:
    headers = {"Content-Type": type_ or upload["contentType"], **headers}
    return await shop.http.put(upload["url"], content=content, headers=headers)


async def sent(shop: Shop, content: bytes = PDF, **input: Any) -> dict[str, Any]:
    """An upload that was received."""
    upload = await asked(shop, content, **input)
    answer = await send(shop, upload, content)
    assert answer.status_code == 201, answer.text
    return upload


def png() -> bytes:
    """One black pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    drawn = zlib.compress(b"\0\0")
    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", drawn) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    """Markers alone, as far as anybody looks."""
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\x00" * 32 + b"\xff\xd9"


def archive(**parts: str) -> bytes:
    held = io.BytesIO()
    with ZipFile(held, "w") as written:
        for name, content in parts.items():
            written.writestr(name, content)
    return held.getvalue()


DOCX_TYPES = f'<Types><Override PartName="/word/document.xml" ContentType="{file_types.DOCX}.main+xml"/></Types>'


def docx(**more: str) -> bytes:
    return archive(**{"[Content_Types].xml": DOCX_TYPES, "word/document.xml": "<w:document/>", **more})


def odt(**more: str) -> bytes:
    return archive(**{"mimetype": file_types.ODT, "content.xml": "<office:document-content/>", **more})
