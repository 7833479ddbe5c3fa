"""Secrets at rest: AES-256-GCM, bound to organization, table, row and field; each opening is logged."""

import base64
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from errors import NotConfigured
from models import SecretOpening
from models.base import Row
from services.keys import master_keys


def seal(row: Row, field: str, text: str) -> None:
    """Put a secret in a column of the row: `v1.<key id>.<nonce>.<ciphertext>`. Save the row afterwards."""
    key_id, key = next(iter(master_keys().items()))
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound_to(row, field))
    setattr(row, field, ".".join(("v1", key_id, _encode(nonce), _encode(sealed))))


async def open(row: Row, field: str, purpose: str) -> str | None:
    """The secret in a column, None where there is none. `purpose` goes to the access log."""
    envelope = getattr(row, field)
    if envelope is None:
        return None
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
    await SecretOpening.create(
        organization_id=_organization_of(row), table_name=row._meta.db_table, row_id=row.id, field=field, key_id=key_id,
        purpose=purpose,
    )  # fmt: skip
    return text.decode()


def _bound_to(row: Row, field: str) -> bytes:
    return f"{_organization_of(row)}/{row._meta.db_table}/{row.id}/{field}".encode()


def _organization_of(row: Row) -> UUID | None:
    """None for a person's secret, who may belong to several."""
    return getattr(row, "organization_id", None)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
