"""The timeline of clients: what happened with them, written in the transaction in which it happened.

| kind | what is said of it |
| --- | --- |
| `PAYMENT_RECEIVED` | `order`, `order_number`, `payment`, `amount_cents`, `currency`, `method`, `balance_cents` |
| `PAYMENT_FLAGGED` | the same, and `conflict`: the kind of it |
| `PAYMENT_REFUNDED` | `order`, `order_number`, `refund`, `amount_cents`, `currency`, `method` |
| `QUOTE_…` | `quote`, `number`, `amount_cents`, `currency`; accepted `order`, refused `reason` |
| `BOOKING_…` | `booking`, `service`, `staff`, `starts_at`, `ends_at`; cancelled `reason` |
| `TICKET_…` | `ticket`, `number`, `subject`, `type`, `from_client`: whether it was their doing |
| `OPPORTUNITY_MOVED`, `BILAN_MOVED` | `about`, by its global id, `title`, `from_step` (None at first), `to_step` |
| `CLIENT_EMAIL` | see `services/client_emails.py` |

Rows are named by their ids, amounts are minor units, moments aware.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from models import TimelineEvent, TimelineKind, rows


async def note(
    organization_id: UUID,
    client_id: UUID,
    kind: TimelineKind,
    *,
    at: datetime,
    author: UUID | None = None,
    **about: Any,
) -> None:
    """Something happened with a client `at` a moment; `author` is the membership that did it. Written with the
    caller's transaction, at last when it ends."""
    await rows.insert(event(organization_id, client_id, kind, at=at, author=author, **about))


def event(
    organization_id: UUID,
    client_id: UUID,
    kind: TimelineKind,
    *,
    at: datetime,
    author: UUID | None = None,
    **about: Any,
) -> TimelineEvent:
    """Such an event, not written. Its id is of its moment, so that lists by id are by time."""
    return TimelineEvent(
        id=_id_at(at), organization_id=organization_id, client_id=client_id, kind=kind, occurred_at=at,
        author_id=author, data=_plain(about),
    )  # fmt: skip


def _id_at(moment: datetime) -> UUID:
    milliseconds = int(moment.timestamp() * 1000)
    return uuid7(nanoseconds=max(milliseconds, 0) * 1_000_000)  # what is older than 1970 comes last


def _plain(about: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it: ids, asyncpg's own too, and moments are texts."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(about, default=str))
    return plain
