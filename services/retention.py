"""What is kept for a while only, then forgotten by a clock (`workers/forgetting.py`): what came to nothing and holds
people's names and addresses, and what is of no more use.
"""

from datetime import UTC, datetime, timedelta

from models.database import query
from services import (
    bilan_clocks,
    client_imports,
    data_exports,
    documents,
    exports,
    lapsing_words,
    stored_files,
    surveys,
    uploads,
)
from services.changes import RESUMABLE
from services.lockout import KNOWN_FOR

UNCONFIRMED = timedelta(days=7)  # longer than any letter's link is good
ORDERED = timedelta(days=30)  # that somebody ordered a client's data; the file of it goes within a week
RECONCILED = timedelta(days=90)
AT_ONCE = 10_000  # rows

# (table, the moment that counts, how long after it)
KEPT = (
    ("changes", "at", RESUMABLE + timedelta(hours=1)),
    ("idempotency_keys", "created_at", timedelta(hours=24)),
    ("registrations", "created_at", UNCONFIRMED),
    ("password_requests", "created_at", UNCONFIRMED),
    ("email_changes", "created_at", UNCONFIRMED),
    ("uploads", "created_at", uploads.UNUSED),
    ("client_import_lines", "created_at", client_imports.REPORTED),
    ("client_data_exports", "created_at", ORDERED),
    ("oauth_requests", "created_at", timedelta(days=1)),
    ("drifts", "created_at", RECONCILED),
    ("reconciliations", "created_at", RECONCILED + timedelta(days=1)),
    ("known_places", "seen_at", KNOWN_FOR),
)


async def forget() -> int:
    """Delete what is too old, some of each; how many rows that were. What is locked is left for the next time. Of
    bilans that nobody closes it is told, since what they are held with is kept until then."""
    gone = await exports.forget() + await documents.forget() + await stored_files.forget() + await surveys.forget()
    await data_exports.give_up()
    gone += await lapsing_words.forget()
    for table, column, kept in KEPT:
        rows = await query(
            f"WITH old AS (SELECT id FROM {table} WHERE {column} < $1 LIMIT $2 FOR UPDATE SKIP LOCKED),"  # noqa: S608
            f" gone AS (DELETE FROM {table} USING old WHERE {table}.id = old.id RETURNING 1)"
            " SELECT count(*) AS number FROM gone",
            datetime.now(UTC) - kept, AT_ONCE,
        )  # fmt: skip
        gone += int(rows[0]["number"])
    await query(
        "UPDATE partners SET previous_secret = NULL, previous_secret_until = NULL WHERE previous_secret_until < now()"
    )
    await bilan_clocks.look()
    return gone
