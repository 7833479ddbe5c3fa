"""What was invoiced and paid in a period, read page by page in the order in which it happened: no more than a page of
each is ever in memory."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from models import InvoiceType, OperationCategory, Organization, PaymentMethod
from models.client import ERASED
from models.database import fetch
from services.accounting import Entry, Issued, Moved, Vat, of_document, of_money

PAGE = 500  # rows
CURRENCY = "EUR"

Row = asyncpg.Record


@dataclass(frozen=True)
class Period:
    """Days of an organization, the last one included, in one mode."""

    organization_id: UUID
    zone: ZoneInfo
    starts_on: date
    ends_on: date
    live: bool

    @classmethod
    def of(cls, organization: Organization, starts_on: date, ends_on: date, *, live: bool) -> "Period":
        return cls(organization.id, ZoneInfo(organization.time_zone), starts_on, ends_on, live)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """From when on, and before when."""
        start = datetime.combine(self.starts_on, time(), self.zone)
        end = datetime.combine(self.ends_on + timedelta(days=1), time(), self.zone)
        return start.astimezone(UTC), end.astimezone(UTC)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


@dataclass(frozen=True)
class Source:
    """A table that entries come of: `columns` and `tables` of its statement, the column that says `when`, and what else
    a row has to be. The first table is `t`."""

    tables: str
    columns: str
    when: str
    condition: str
    entry: Callable[[Row, Period], Entry]


def _issued(row: Row, period: Period) -> Entry:
    return of_document(
        Issued(
            type=InvoiceType(row["type"]), number=row["number"], on=period.day(row["at"]), client_id=row["client_id"],
            client=row["client"], category=OperationCategory(row["category"]), vat=_vat(row["vat"]),
            deposits=(*_all(row["deposits"]), *map(Vat.taken_off, _all(row["deposits_credited"]))),
            corrects=InvoiceType(row["corrects"]) if row["corrects"] else None,
        )
    )  # fmt: skip


def _paid(row: Row, period: Period) -> Entry:
    return of_money(
        Moved(
            piece=row["piece"], label=row["label"], on=period.day(row["at"]), client_id=row["client_id"],
            client=row["client"], method=PaymentMethod(row["method"]), cents=row["cents"],
        )
    )  # fmt: skip


# Of one who was erased the name that their invoice has: what was exported once is the same again.
_CLIENT = (
    "coalesce("  # noqa: S608
    f"CASE WHEN c.email LIKE '%{ERASED}' THEN (SELECT i.content->'buyer'->>'name' FROM invoices i"
    " WHERE i.order_id = o.id ORDER BY i.id DESC LIMIT 1) END,"
    " c.company, nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.email) AS client"
)
_OF_ORDER = " JOIN orders o ON o.id = t.order_id JOIN clients c ON c.id = o.client_id"
_DEPOSIT = (  # that the invoice of a sale takes into account
    "d.order_id = t.order_id AND d.type = 'PREPAYMENT'"
    " AND d.number IN (SELECT e->>'number' FROM jsonb_array_elements(t.content->'deposits') e)"
)

INVOICES = Source(
    "invoices t JOIN orders o ON o.id = t.order_id LEFT JOIN invoices r ON r.id = t.corrects_id",
    "t.type, t.number, o.client_id, t.content->'buyer'->>'name' AS client,"  # noqa: S608
    " coalesce(t.content->>'operation_category', 'SERVICES') AS category, t.content->'vat' AS vat, r.type AS corrects,"
    f" (SELECT jsonb_agg(d.content->'vat') FROM invoices d WHERE {_DEPOSIT}) AS deposits,"
    " (SELECT jsonb_agg(n.content->'vat') FROM invoices n JOIN invoices d ON d.id = n.corrects_id"
    f" WHERE n.issued_at < t.issued_at AND {_DEPOSIT}) AS deposits_credited",
    "issued_at", "true", _issued,
)  # fmt: skip
PAYMENTS = Source(
    "payments t" + _OF_ORDER,
    f"o.client_id, {_CLIENT}, t.method, t.amount_cents AS cents, 'Règlement' AS label,"
    " coalesce(t.stripe_id, t.reference, t.id::text) AS piece",
    "paid_at", "t.status = 'SUCCEEDED'", _paid,
)  # fmt: skip
REFUNDS = Source(
    "refunds t" + _OF_ORDER,
    f"o.client_id, {_CLIENT}, t.method, -t.amount_cents AS cents, 'Remboursement' AS label,"
    " coalesce(t.stripe_id, t.reference, t.id::text) AS piece",
    "refunded_at", "t.status = 'SUCCEEDED'", _paid,
)  # fmt: skip
LOST = Source(  # in disputes: the client owes it again
    "disputes t" + _OF_ORDER,
    f"o.client_id, {_CLIENT}, 'STRIPE' AS method, -t.amount_cents AS cents, 'Impayé (litige)' AS label,"
    " t.stripe_id AS piece",
    "closed_at", "t.status = 'LOST'", _paid,
)  # fmt: skip
SOURCES = (INVOICES, PAYMENTS, REFUNDS, LOST)


async def count(period: Period, source: Source, *, foreign: bool = False) -> int:
    """How many rows of a source are of the period, in euros or, `foreign`, in other currencies."""
    table = source.tables.split(" ", 1)[0]
    currency = f"t.currency {'<>' if foreign else '='} '{CURRENCY}'"
    rows = await fetch(
        f"SELECT count(*) FROM {table} t WHERE t.organization_id = $1 AND t.live = $2 AND t.{source.when} >= $3"  # noqa: S608
        f" AND t.{source.when} < $4 AND {source.condition} AND {currency}",
        period.organization_id, period.live, *period.bounds,
    )  # fmt: skip
    return int(rows[0][0])


async def entries(period: Period, *, page: int = PAGE) -> AsyncIterator[Entry]:
    """Those of the period, in the order in which they happened, of what is in euros; `page` rows are read at once."""
    streams = [_entries(period, source, page) for source in SOURCES]
    heads = [await anext(stream, None) for stream in streams]
    while any(heads):
        first = min((head[0], place) for place, head in enumerate(heads) if head)[1]
        head = heads[first]
        assert head
        yield head[1]
        heads[first] = await anext(streams[first], None)


async def rows(
    period: Period, source: Source, columns: str = "", *, currency: str | None = CURRENCY, page: int = PAGE
) -> AsyncIterator[Row]:
    """Rows of a source, by when they were and their id; with other `columns` than those that entries are made of."""
    (start, end), last = period.bounds, UUID(int=0)
    narrowed = f" AND t.currency = '{currency}'" if currency else ""
    statement = (
        f"SELECT t.id, t.{source.when} AS at, {columns or source.columns} FROM {source.tables}"  # noqa: S608
        f" WHERE t.organization_id = $1 AND t.live = $2 AND t.{source.when} < $4 AND {source.condition}{narrowed}"
        f" AND (t.{source.when}, t.id) > ($3, $5) ORDER BY t.{source.when}, t.id LIMIT {page}"
    )
    while some := await fetch(statement, period.organization_id, period.live, start, end, last):
        for row in some:
            yield row
        if len(some) < page:
            return
        start, last = some[-1]["at"], some[-1]["id"]


async def _entries(period: Period, source: Source, page: int) -> AsyncIterator[tuple[datetime, Entry]]:
    async for row in rows(period, source, page=page):
        yield row["at"], source.entry(row, period)


def _all(breakdowns: Any) -> tuple[Vat, ...]:
    return tuple(group for each in _parsed(breakdowns) or () for group in _vat(each))


def _vat(groups: Any) -> tuple[Vat, ...]:
    return tuple(Vat(each["rate"], each["net_cents"], each["vat_cents"]) for each in _parsed(groups))


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
