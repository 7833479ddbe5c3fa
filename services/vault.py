"""Secrets at rest: AES-256-GCM, bound to organization, table, row and field; each opening is logged."""

import base64
import os
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from uuid_utils.compat import uuid7

from errors import NotConfigured
from models.base import Row
from models.database import query
from services.keys import master_keys


def seal(row: Row, field: str, text: str) -> None:
    """Put a secret in a column of the row: `v1.<key id>.<nonce>.<ciphertext>`. Save the row afterwards."""
    key_id, key = next(iter(master_keys().items()))
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound_to(row, field))
    setattr(row, field, ".".join(("v1", key_id, _encode(nonce), _encode(sealed))))


async def open(row: Row, field: str, purpose: str) -> str | None:
    """The secret in a column, None where there is none. `purpose` goes to the access log."""
    return (await open_several(row, (field,), purpose))[field]


async def open_several(row: Row, fields: Sequence[str], purpose: str) -> dict[str, str | None]:
    """The secrets in columns of a row, each logged as opened once, in one statement."""
    opened = {field: _unsealed(row, field) for field in fields if getattr(row, field) is not None}
    if opened:
        await query(
            "INSERT INTO secret_openings"
            " (id, created_at, organization_id, table_name, row_id, field, key_id, purpose)"
            " SELECT id, now(), $1, $2, $3, field, key_id, $4"
            " FROM unnest($5::uuid[], $6::text[], $7::text[]) AS opened (id, field, key_id)",
            _organization_of(row), row._meta.db_table, row.id, purpose,
            [uuid7() for _ in opened], list(opened), [key_id for _, key_id in opened.values()],
        )  # fmt: skip
    return dict.fromkeys(fields) | {field: text for field, (text, _) in opened.items()}


def _unsealed(row: Row, field: str) -> tuple[str, str]:
    """(the secret, the id of the key that sealed it)."""
    envelope = getattr(row, field)
    _, key_id, nonce, sealed = envelope.split(".")
    where = f"{row._meta.db_table}.{field}"
    key = master_keys().get(key_id)
    if key is None:
        raise NotConfigured(f"COMPTOIR_MASTER_KEYS lacks key {key_id!r}, which sealed {where}: put it back.")
    try:
        text = AESGCM(key).decrypt(_decode(nonce), _decode(sealed), _bound_to(row, field))
    except InvalidTag as error:
        raise NotConfigured(
            f"{where} was not sealed for row {row.id} with this key {key_id!r}: restore the key or the row."
        ) from error
    return text.decode(), key_id


def _bound_to(row: Row, field: str) -> bytes:
    return f"{_organization_of(row)}/{row._meta.db_table}/{row.id}/{field}".encode()


def _organization_of(row: Row) -> UUID | None:
    """None for a person's secret, who may belong to several."""
    return getattr(row, "organization_id", None)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
