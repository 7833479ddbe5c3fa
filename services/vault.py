"""Secrets at rest: AES-256-GCM, bound to organization, table, row and field; each opening is logged.

A column holds an envelope: `v1.<generation>.<nonce>.<ciphertext>`. The generation is the id of the master key that
sealed it; `services/rotation.py` moves envelopes from one to the next. An envelope that does not open where it lies was
moved there, or altered: that is an alarm, in the log (and Sentry), in the access log and in the organization's audit
log.
"""

import asyncio
import base64
import logging
import os
from collections.abc import Sequence
from contextvars import Context
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from uuid_utils.compat import uuid7

from errors import NotConfigured
from models import (
    IdempotencyKey,
    IntegrationSecret,
    OAuthGrant,
    OAuthRequest,
    Partner,
    SecretOpening,
    StoredFile,
    StripeAccount,
    User,
)
from models.base import Row
from models.database import in_a_transaction, query
from services import audit
from services.keys import master_keys

log = logging.getLogger("comptoir.vault")

# Every column that holds envelopes: what is rotated, and looked at by `comptoir doctor`. Nothing is sealed into others.
SEALED: tuple[tuple[type[Row], str], ...] = (
    (IdempotencyKey, "answer"),
    (IntegrationSecret, "sealed"),
    (OAuthGrant, "access_token"),
    (OAuthGrant, "refresh_token"),
    (OAuthRequest, "code_verifier"),
    (Partner, "api_key"),
    (Partner, "previous_secret"),
    (Partner, "signing_secret"),
    (StoredFile, "data_key"),
    (StripeAccount, "secret_key"),
    (StripeAccount, "webhook_secrets"),
    (User, "totp_secret"),
)
VERSION = "v1"
ALARMS_MOST = 100  # written down at once; the log has them all


def seal(row: Row, field: str, text: str) -> None:
    """Put a secret in a column of the row. Save the row afterwards."""
    if (type(row), field) not in SEALED:
        raise TypeError(f"{type(row).__name__}.{field} is not in SEALED: nothing would ever seal it with a newer key")
    setattr(row, field, _sealed(row, field, text))


async def open(row: Row, field: str, purpose: str) -> str | None:
    """The secret in a column, None where there is none. `purpose` goes to the access log. Raises NotConfigured."""
    return (await open_several(row, (field,), purpose))[field]


async def open_several(row: Row, fields: Sequence[str], purpose: str) -> dict[str, str | None]:
    """The secrets in columns of a row, each logged as opened once, in one statement. Raises NotConfigured, and an
    alarm, where one does not open."""
    filled = [field for field in fields if getattr(row, field) is not None]
    try:
        opened = {field: _unsealed(row, field) for field in filled}
    except _Unopenable as trouble:
        await _alarm(row, trouble, purpose)
        raise NotConfigured(
            f"{trouble} It was moved there from elsewhere, or altered: set it anew, or restore the row."
        ) from trouble
    if opened:
        await query(_OPENED, _organization_of(row), row._meta.db_table, row.id, purpose, *_columns(opened))
    return dict.fromkeys(fields) | {field: text for field, (text, _) in opened.items()}


def resealed(row: Row, field: str) -> str:
    """An envelope of the newest key for what a column holds, in place of the one that is there; nobody is told the
    secret. Raises NotConfigured."""
    try:
        return _sealed(row, field, _unsealed(row, field)[0])
    except _Unopenable as trouble:
        raise NotConfigured(str(trouble)) from trouble


async def alarms_written() -> None:
    """Once those raised so far are written down."""
    await asyncio.gather(*_writing)


def generation_in_sql(column: str) -> str:
    """The key id of an envelope, said by PostgreSQL, which reads no more than its beginning."""
    return f"split_part(left({column}, 24), '.', 2)"


_OPENED = """
    INSERT INTO secret_openings (id, created_at, organization_id, table_name, row_id, field, key_id, purpose, opened)
    SELECT id, now(), $1, $2, $3, field, key_id, $4, true FROM unnest($5::uuid[], $6::text[], $7::text[])
        AS opened (id, field, key_id)
"""


class _Unopenable(Exception):
    """It was not sealed for this place, or is not what was sealed."""

    def __init__(self, row: Row, field: str, key_id: str) -> None:
        super().__init__(f"{row._meta.db_table}.{field} of row {row.id} does not open with key {key_id!r}.")
        self.field, self.key_id = field, key_id


def _columns(opened: dict[str, tuple[str, str]]) -> tuple[list[UUID], list[str], list[str]]:
    return [uuid7() for _ in opened], list(opened), [key_id for _, key_id in opened.values()]


def _sealed(row: Row, field: str, text: str) -> str:
    key_id, key = next(iter(master_keys().items()))
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound_to(row, field))
    return ".".join((VERSION, key_id, _encode(nonce), _encode(sealed)))


def _unsealed(row: Row, field: str) -> tuple[str, str]:
    """(the secret, the id of the key that sealed it)."""
    version, key_id, nonce, sealed = (*getattr(row, field).split("."), "", "", "")[:4]
    if version != VERSION:
        raise _Unopenable(row, field, "")
    key = master_keys().get(key_id)
    if key is None:
        where = f"{row._meta.db_table}.{field}"
        raise NotConfigured(f"COMPTOIR_MASTER_KEYS lacks key {key_id!r}, which sealed {where}: put it back.")
    try:
        text = AESGCM(key).decrypt(_decode(nonce), _decode(sealed), _bound_to(row, field))
    except (InvalidTag, ValueError) as error:  # ValueError: no base64, no nonce
        raise _Unopenable(row, field, key_id) from error
    return text.decode(), key_id


async def _alarm(row: Row, trouble: _Unopenable, purpose: str) -> None:
    """Say so aloud. What is written down stands whatever becomes of a transaction that is open: it is done beside it,
    and so nobody waits for it there."""
    log.error("%s It was moved there from elsewhere, or altered. Asked for: %s", trouble, purpose)
    if len(_writing) >= ALARMS_MOST:
        return
    writing = asyncio.get_running_loop().create_task(_write_down(row, trouble, purpose), context=Context())
    _writing.add(writing)
    writing.add_done_callback(_writing.discard)
    if not in_a_transaction():
        await writing


_writing: set[asyncio.Task[None]] = set()


async def _write_down(row: Row, trouble: _Unopenable, purpose: str) -> None:
    organization_id, table = _organization_of(row), row._meta.db_table
    try:
        await SecretOpening.create(
            organization_id=organization_id, table_name=table, row_id=row.id, field=trouble.field,
            key_id=trouble.key_id[:20], purpose=purpose, opened=False,
        )  # fmt: skip
        if organization_id:
            await audit.note("secretRefused", organization_id=organization_id, subject=row, field=trouble.field)
    except Exception:
        log.warning("the alarm could not be written down", exc_info=True)


def _bound_to(row: Row, field: str) -> bytes:
    """What an envelope is good for, and nothing else; `bound_to` is what a row adds to it of its own."""
    place = [_organization_of(row), row._meta.db_table, row.id, field]
    return "/".join(map(str, [*place, *filter(None, [getattr(row, "bound_to", None)])])).encode()


def _organization_of(row: Row) -> UUID | None:
    """None for a person's secret, who may belong to several."""
    return getattr(row, "organization_id", None)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
