"""Invoices and credit notes: numbers, dates, sums, files and letters."""

import asyncio

from models.database import fetch
from services import organizations, seals
from services.invariants.invariant import WORKERS, Invariant
from services.outside import outside

FILES_MOST = 10_000  # documents read, the newest
FILES_AT_ONCE = 16


async def _lost_files() -> list[str]:
    """Documents that are gone from the store, or not what was stored."""
    rendered = await fetch(
        "SELECT g.slug || ' ' || i.number AS name, i.file_key, i.file_sha256"
        " FROM invoices i JOIN organizations g ON g.id = i.organization_id"
        " WHERE i.file_key IS NOT NULL ORDER BY i.id DESC LIMIT $1",
        FILES_MOST,
    )
    troubles: list[str | None] = []
    for start in range(0, len(rendered), FILES_AT_ONCE):
        several = rendered[start : start + FILES_AT_ONCE]
        troubles += await asyncio.gather(*(_trouble(*row.values()) for row in several))
    return [trouble for trouble in troubles if trouble]


async def _trouble(name: str, key: str, sha256: str) -> str | None:
    kept = await outside().documents.digest(key)
    if kept is None:
        return f"{name} is not there"
    return None if kept == sha256 else f"{name} is not what was stored"


INVARIANTS = (
    Invariant(
        "An order that is paid and not free is invoiced in full",
        """
        SELECT g.slug || ' order ' || o.number || ': ' || coalesce(i.total, 0) || ' of ' || o.total_cents || ' cents'
            AS example
        FROM orders o JOIN organizations g ON g.id = o.organization_id
        LEFT JOIN (SELECT order_id, sum(total_cents) AS total FROM invoices WHERE type = 'INVOICE' GROUP BY order_id) i
            ON i.order_id = o.id
        WHERE o.status IN ('PAID', 'REFUNDED') AND o.total_cents > 0 AND o.total_cents IS DISTINCT FROM i.total
        """,
        "Payment and invoice are one transaction, so somebody changed rows by hand, or restored a part: compare with"
        " the backup. Never insert an invoice by hand.",
    ),
    Invariant(
        "What went back of a paid order is credited, and credit notes come to what their invoices know of them",
        """
        SELECT g.slug || ' ' || i.number || ': ' || i.credited_cents || ' cents known, ' || coalesce(n.cents, 0)
            || ' by its credit notes' AS example
        FROM invoices i JOIN organizations g ON g.id = i.organization_id
        LEFT JOIN (SELECT corrects_id, sum(total_cents) AS cents FROM invoices WHERE corrects_id IS NOT NULL
            GROUP BY corrects_id) n ON n.corrects_id = i.id
        WHERE i.credited_cents <> coalesce(n.cents, 0)
        UNION ALL
        SELECT g.slug || ' order ' || o.number || ': of ' || o.refunded_cents || ' cents given back '
            || o.credited_cents || ' are credited'
        FROM orders o JOIN organizations g ON g.id = o.organization_id
        WHERE o.status IN ('PAID', 'REFUNDED') AND o.credited_cents < least(
            o.refunded_cents, o.total_cents - o.waived_cents - o.written_off_cents)
        """,
        "Refund and credit note are one transaction, so somebody changed rows by hand: compare with the backup. What is"
        " missing can be issued (creditNoteCreate).",
    ),
    Invariant(
        "Invoice numbers are 1 to n in each series and year",
        """
        SELECT slug || ' ' || number || ' comes after ' || before || ' of ' || year AS example FROM (
            SELECT g.slug, i.number, i.year, i.sequence,
                lag(i.sequence, 1, 0) OVER (PARTITION BY i.series_id, i.year ORDER BY i.sequence) AS before
            FROM invoices i JOIN organizations g ON g.id = i.organization_id
        ) AS numbered WHERE sequence <> before + 1
        UNION ALL
        SELECT g.slug || ' ' || s.prefix || ': ' || s.last_number || ' of ' || s.year || ' was taken and is not there'
        FROM invoice_series s JOIN organizations g ON g.id = s.organization_id
        LEFT JOIN (SELECT series_id, year, max(sequence) AS newest FROM invoices GROUP BY series_id, year) i
            ON (i.series_id, i.year) = (s.id, s.year)
        WHERE s.last_number <> coalesce(i.newest, 0)
        """,
        "An invoice was deleted: restore it from the backup. The law wants the series without a gap.",
    ),
    Invariant(
        "Invoice dates follow their numbers",
        """
        SELECT slug || ' ' || number || ' was issued before the one before it' AS example FROM (
            SELECT g.slug, i.number, i.issued_at,
                lag(i.issued_at) OVER (PARTITION BY i.series_id ORDER BY i.year, i.sequence) AS before
            FROM invoices i JOIN organizations g ON g.id = i.organization_id
        ) AS dated WHERE issued_at < before
        """,
        "A date was changed: restore it from the backup, or from the date printed on the PDF.",
    ),
    Invariant(
        f"The newest {seals.MOST:,} invoices are as they were issued, each chained to the one before it",
        seals.broken,
        "A row was changed past the trigger that keeps it: restore it from the backup, and find out who could. What was"
        " issued is in the PDF that the client was sent.",
    ),
    Invariant(
        "An organization that sells has all that its invoices have to say of it",
        organizations.incomplete,
        "Have its owner fill what is named (the mutation organizationUpdate): until then nobody can pay it.",
    ),
    Invariant(
        "An invoice is rendered within 10 minutes",
        """
        SELECT g.slug || ' ' || i.number AS example FROM invoices i JOIN organizations g ON g.id = i.organization_id
        WHERE i.file_key IS NULL AND i.created_at < now() - interval '10 minutes'
        """,
        WORKERS,
    ),
    Invariant(
        "An invoice is sent within 10 minutes of its rendering",
        """
        SELECT g.slug || ' ' || i.number AS example FROM invoices i JOIN organizations g ON g.id = i.organization_id
        WHERE i.emailed_at IS NULL AND i.rendered_at < now() - interval '10 minutes'
        """,
        WORKERS,
    ),
    Invariant(
        f"The files of the newest {FILES_MOST:,} invoices are in the store, as they were stored",
        _lost_files,
        "Restore the files from the backup. An invoice that was sent must not be rendered anew.",
    ),
)
