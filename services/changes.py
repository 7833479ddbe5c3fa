"""What happened to orders, bookings, invoices and notifications, in an order that can be resumed.

The database writes a row of `changes` with every change (migration 0010). Its position is its transaction and its
number. Transactions do not end in the order in which they began: what is told ends before the oldest that is still open
(`pg_snapshot_xmin`), so that nothing can come in behind what was told. See docs/decisions/0014.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from engine.streams.events import Event, News, Topic
from errors import Expired, Invalid
from models.database import reader
from models.fields import Coded
from models.readers import Reader
from services.outside import outside

RESUMABLE = timedelta(hours=24)  # for so long a cursor is good
READ_MOST = 2000  # at once
MISSED_MOST = 5000

RIGHTS = "rights"  # the subject of what changes what callers may do


class Happening(Coded):
    """What happened to a row."""

    CREATED = "CREATED", "It was made"
    CHANGED = "CHANGED", "Something else of it changed, or a payment of it"
    NOTED = "NOTED", "An internal reply was added to a ticket; a client is not told"
    PAID = "PAID", "An order was paid in full"
    CANCELED = "CANCELED", "An order, a booking or an appointment was given up"
    READY = "READY", "An invoice's PDF was made"
    SENT = "SENT", "An invoice was sent to the client"
    SETTLED = "SETTLED", "All that an invoice asks for was paid"
    DELIVERED = "DELIVERED", "A partner accepted a notification"
    FAILED = "FAILED", "A notification was given up"


class Position(NamedTuple):
    """A place in the log: everything before it was told."""

    transaction: int
    number: int

    @property
    def cursor(self) -> str:
        """Opaque; good for `RESUMABLE` from now."""
        now = int(datetime.now(UTC).timestamp())
        text = f"{self.transaction}.{self.number}.{now}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Changes:
    """The log, as the engine's streams read it."""

    async def horizon(self) -> Position:
        async with reader() as connection:
            return await _horizon(connection)

    async def since(self, position: Position) -> News:
        async with reader() as connection:
            rows = await connection.fetch(_SINCE, str(position.transaction), position.number, READ_MOST)
            held = await connection.fetch(_HELD)
        events = [_event(row) for row in rows if row["subject"] != RIGHTS]
        rights = frozenset(row["organization_id"] for row in rows if row["subject"] == RIGHTS)
        if rows:
            position = _position(rows[-1])
        return News(tuple(events), rights, position, len(rows) == READ_MOST, held[0][0])

    async def missed(self, topic: Topic, cursor: str) -> list[Event]:
        """Raises Invalid for what is no cursor of ours, and Expired for what is too old, or too much."""
        position = _read(cursor)
        async with reader() as connection:
            if position > await _horizon(connection):  # of another database
                raise _expired()
            rows = await connection.fetch(
                _MISSED, str(position.transaction), position.number, topic.tenant, topic.subject, topic.row,
                MISSED_MOST + 1,
            )  # fmt: skip
        if len(rows) > MISSED_MOST:
            raise _expired()
        return [_event(row) for row in rows]

    async def wait(self, seconds: float) -> None:
        await outside().bell.wait(seconds)


async def _horizon(connection: Reader) -> Position:
    ((oldest,),) = await connection.fetch(_HORIZON)
    return Position(oldest, 0)


def _event(row: Any) -> Event:
    topic = Topic(row["organization_id"], row["subject"], row["row_id"])
    return Event(topic, (row["happened"],), _position(row))


def _position(row: Any) -> Position:
    return Position(row["transaction"], row["id"])


def _read(cursor: str) -> Position:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        transaction, number, at = (int(part) for part in text.split("."))
    except (ValueError, binascii.Error):
        raise Invalid("This is no cursor of a subscription. Leave it out to begin now.", field="after") from None
    if not (0 <= transaction < 2**63 and 0 <= number < 2**63):
        raise Invalid("This is no cursor of a subscription. Leave it out to begin now.", field="after")
    if at < (datetime.now(UTC) - RESUMABLE).timestamp():
        raise _expired()
    return Position(transaction, number)


def _expired() -> Expired:
    return Expired(
        "This cursor is too old, or too much happened since. Subscribe without `after`, and read anew what you show.",
        field="after",
    )


_COLUMNS = "transaction::text::bigint AS transaction, id, organization_id, subject, row_id, happened"
_TOLD = "(transaction, id) > ($1::text::xid8, $2::bigint) AND transaction < pg_snapshot_xmin(pg_current_snapshot())"
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_SINCE = f"SELECT {_COLUMNS} FROM changes WHERE {_TOLD} ORDER BY transaction, id LIMIT $3"  # noqa: S608
_HELD = "SELECT EXISTS (SELECT FROM changes WHERE transaction >= pg_snapshot_xmin(pg_current_snapshot()))"
_MISSED = (
    f"SELECT {_COLUMNS} FROM changes"  # noqa: S608 - names and numbered parameters
    " WHERE organization_id = $3 AND subject = $4 AND ($5::uuid IS NULL OR row_id = $5)"
    f" AND {_TOLD} ORDER BY transaction, id LIMIT $6"
)
