"""Who did what to which row: the audit log, and who is acting at this moment.

Entries are written by PostgreSQL itself, by a trigger on each audited table (migration 0008), for as long as a
transaction knows who acts; `models/database.py` tells it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from tortoise import fields

from models.base import Owned
from models.fields import Coded, belongs_to


class AuditActor(Coded):
    """What kind of caller did it."""

    PERSON = "PERSON", "A member of the organization"
    PUBLISHABLE_KEY = "PUBLISHABLE_KEY", "A storefront, by its key"
    PARTNER_KEY = "PARTNER_KEY", "A partner, by its key"
    API_KEY = "API_KEY", "A program, by a key of the organization"
    PORTAL_TOKEN = "PORTAL_TOKEN", "A client, by their private link"
    SYSTEM = "SYSTEM", "Nobody who was signed in"


class AuditOperation(Coded):
    """What was done to a row."""

    INSERT = "INSERT", "It was made"
    UPDATE = "UPDATE", "It was changed"
    DELETE = "DELETE", "It was deleted"
    NOTE = "NOTE", "Nothing: what was done is no change of a row, as signing in is none"


class AuditEntry(Owned):
    """One change of one row. Append-only: PostgreSQL refuses every other statement."""

    actor_kind = fields.CharEnumField(AuditActor, max_length=20, description="What kind of caller did it")
    actor_id: UUID | None
    actor: Any = belongs_to("Membership", None, "The person who did it, where it was one", null=True)
    key_id = fields.UUIDField(null=True, description="The key by which it was done, where it was one")
    action = fields.CharField(100, description="What was asked for, by the name of the mutation: `orderCancel`")
    operation = fields.CharEnumField(AuditOperation, max_length=10, description="What was done to the row")
    subject_type = fields.CharField(63, null=True, description="Type of the row: `Order`")
    subject_id = fields.UUIDField(null=True, description="The row")
    before: Any = fields.JSONField(default=dict, description="What the columns that changed held, by name; no nulls")
    after: Any = fields.JSONField(default=dict, description="What they hold since; secrets as `[redacted]`")
    address = fields.CharField(45, null=True, description="IP address that it was asked from")
    request_id = fields.CharField(64, null=True, description="Id of the request, as in the log")
    user_agent = fields.CharField(200, null=True, description="What the caller's program calls itself, cut")

    class Meta:
        table = "audit_entries"


@dataclass(frozen=True, slots=True)
class Acting:
    """Who does what, and from where, as columns of an entry."""

    action: str
    organization_id: UUID | None = None  # None for who is not signed in: nothing of it is logged by itself
    actor_kind: AuditActor = AuditActor.SYSTEM
    actor_id: UUID | None = None
    key_id: UUID | None = None
    address: str | None = None
    request_id: str | None = None
    user_agent: str | None = None

    @property
    def told(self) -> str:
        """What the trigger reads."""
        return orjson.dumps(self, default=str).decode()  # the driver has UUIDs of its own


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(who: Acting) -> Iterator[None]:
    """Transactions that are opened in the block are theirs."""
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


def current() -> Acting | None:
    """Who acts, where somebody does."""
    return _acting.get()
