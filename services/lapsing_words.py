"""Words of people in rows that stay, taken away once no law keeps them any longer; and quotes of those who were erased
that came to nothing, deleted with their papers.

What has no clock here is kept like the accounts that it explains (art. L123-22 du code de commerce): invoices, which
are a chain that nothing is taken out of; quotes that became orders, with who accepted them; the reasons of refunds,
which their credit notes say, and of discounts; how money that did not fit was settled.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from models import BilanAgreement, DocumentShare, Quote, QuoteLine, QuoteStatus
from models.base import Owned
from models.client import ERASED
from models.database import query, transaction
from services import erasures, files
from services.personal_data import WORD, texts

AGREED = timedelta(days=3 * 365 + 1)  # from the end of a bilan on (art. R6313-7 du code du travail)
CLAIMS = timedelta(days=5 * 365 + 2)  # from when a quote came to nothing (art. L110-4 du code de commerce)
AT_ONCE = 500  # rows

_TO_NOTHING = (QuoteStatus.REFUSED, QuoteStatus.EXPIRED, QuoteStatus.SUPERSEDED, QuoteStatus.CANCELED)
_OVER = "SELECT id FROM bilans WHERE coalesce(completed_at, canceled_at) < $1"
# Of each table what is blanked, in so many rows ($2) of bilans that ended before a moment ($1).
_OF_BILANS: tuple[tuple[type[Owned], dict[str, str], str], ...] = (
    (BilanAgreement, {"signer_name": f"'{WORD}'"}, f"signer_name <> '{WORD}' AND bilan_id IN ({_OVER})"),
    (
        DocumentShare,
        {"recipient_name": f"'{WORD}'", "recipient_email": f"id || '{ERASED}'", "statement": f"'{WORD}'"},
        f"statement <> '{WORD}' AND document_id IN (SELECT id FROM documents WHERE bilan_id IN ({_OVER}))",  # noqa: S608
    ),
)


async def forget(now: datetime | None = None) -> int:
    """Take away what is due, some of each; how many rows that were. `now` is the moment that counts."""
    at = now or datetime.now(UTC)
    return await _blank(at - AGREED) + await _delete_quotes(at - CLAIMS)


async def _blank(before: datetime) -> int:
    gone = 0
    for model, blanked, due in _OF_BILANS:
        table, said = model._meta.db_table, ", ".join(f"{name} = {value}" for name, value in blanked.items())
        async with transaction():
            rows = await query(
                f"UPDATE {table} SET {said} WHERE id IN (SELECT id FROM {table} WHERE {due} LIMIT $2)"  # noqa: S608
                " RETURNING organization_id, id",
                before, AT_ONCE,
            )  # fmt: skip
            by_organization: dict[UUID, list[UUID]] = defaultdict(list)
            for row in rows:
                by_organization[row["organization_id"]].append(row["id"])
            for organization_id, ids in by_organization.items():
                await erasures.blank_log(organization_id, model, ids, sorted(blanked))
        gone += len(rows)
    return gone


async def _delete_quotes(before: datetime) -> int:
    """Of those who were erased: of others they are what was said between them and the organization."""
    due = await query(_DUE, list(_TO_NOTHING), before, AT_ONCE)
    quotes = await Quote.filter(id__in=[row["id"] for row in due])
    for quote in quotes:
        if quote.file_key:  # first: once the row is gone nothing leads to the paper any more
            await files.discard(quote.file_key)
        async with transaction():
            lines: list[UUID] = await QuoteLine.filter(quote_id=quote.id).values_list("id", flat=True)  # type: ignore[assignment]
            for model, ids in ((QuoteLine, lines), (Quote, [quote.id])):
                await erasures.blank_log(quote.organization_id, model, ids, sorted(texts(model)))
            async with erasures.erasing(quote.id):
                await QuoteLine.filter(quote_id=quote.id).delete()
                await quote.delete()
    return len(quotes)


_DUE = (
    "SELECT q.id FROM quotes q JOIN erasures e ON e.client_id = q.client_id WHERE q.status = ANY($1)"
    " AND coalesce(q.refused_at, q.ended_at) < $2 ORDER BY q.id LIMIT $3"
)
