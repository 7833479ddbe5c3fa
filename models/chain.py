"""What makes it show that an issued invoice was changed: a hash of what it says, and one of that, of its columns, and
of the one before it in its series. Whoever changes one has to change all that were issued since.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson

# What the chain holds of a row, for ever: a column that is added later is no part of it.
LINKED = (
    "id", "organization_id", "order_id", "partner_id", "corrects_id", "series_id", "type", "number", "year", "sequence",
    "issued_at", "due_on", "currency", "net_cents", "vat_cents", "total_cents", "stripe_account", "live", "message_id",
)  # fmt: skip


def content_digest(content: Any) -> str:
    """SHA-256 of what an invoice says, hexadecimal."""
    return _digest(content)


def link(columns: Mapping[str, Any], content_sha256: str, before: str | None) -> str:
    """The hash that an invoice adds to its series' chain; `before` is the newest there, None for the first."""
    said = {name: _plain(columns[name]) for name in LINKED}
    return _digest(said | {"content_sha256": content_sha256, "before": before})


def _digest(value: Any) -> str:
    """Of canonical JSON: RFC 8785, for text, whole numbers, booleans and null, which is all that there is."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | str) else value
