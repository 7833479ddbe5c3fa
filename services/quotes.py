"""Quotes (devis): written, sent, answered by the client, and once accepted an order. What a version says, its PDF and
its letter are in `services/quote_papers.py`, the page where the client answers in `services/quote_page.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Invalid
from models import (
    Client,
    Lane,
    Opportunity,
    Order,
    OrderKind,
    OrderLine,
    OrderSource,
    Quote,
    QuoteLine,
    QuoteSeries,
    QuoteStatus,
    TimelineKind,
)
from models.database import transaction
from models.quote import FIELD
from services import opportunities, quote_papers, sales, stripe_accounts, timeline
from services.links import message_id
from services.outbox import job, later
from services.pricing import Item, Part
from services.stripe_accounts import Place

NOTE_MOST, NAME_MOST = 2000, 200  # characters
VALID_MOST = timedelta(days=365)
PREFIX = "D"  # before the organization's prefix of invoices: no quote is taken for one

# Columns that a version has of what it offers, an order of what was sold.
AGREED = ("discount_cents", "discount_reason", "deposit_cents")
AMOUNTS = ("currency", "live", "subtotal_cents", "total_cents", *AGREED)
LINE = (
    "position", "product_id", "description", "quantity", "unit_price_cents", "discount_cents", "share_cents",
    "currency", "vat_rate", "total_cents",
)  # fmt: skip
NUMBERED = ("series_id", "number", "year", "sequence")


@dataclass(frozen=True)
class Offer:
    """What a draft is to say: `valid_until` is its last day, the organization's days from its sending where None."""

    items: Sequence[Item]
    discount: Part | None = None
    deposit: Part | None = None
    note: str | None = None
    valid_until: date | None = None


async def create(client: Client, offer: Offer, opportunity: Opportunity | None = None) -> Quote:
    """A draft at the catalogue's prices, discounts taken off, for an opportunity where one is named. Raises Invalid,
    naming the part of the input, and Conflict for a client who was erased."""
    client.must_not_be_erased()
    if opportunity is not None and opportunity.client_id != client.id:
        raise Invalid("This opportunity is another client's.", field="input.opportunity")
    quote = Quote(organization_id=client.organization_id, client=client, opportunity=opportunity)
    return await _write(quote, client, offer)


async def change(quote: Quote, offer: Offer) -> Quote:
    """Write a draft, locked, anew. Raises Conflict once it was sent, and Invalid like `create`."""
    quote.must_be_draft()
    await QuoteLine.filter(quote_id=quote.id).delete()
    return await _write(quote, await quote.client, offer)


async def send(quote: Quote, *, at: datetime | None = None) -> Quote:
    """Number a draft, locked, and have it written to the client; from now on (or `at`) it stands as it is, and takes
    the place of the version before it. Raises Conflict where that was accepted or its opportunity is paid for, and
    Invalid for a last day that is past."""
    quote.must_be_draft()
    if quote.opportunity_id:
        await opportunities.must_be_unsettled(await Opportunity.get(id=quote.opportunity_id))
    await quote.fetch_related("organization", "client", "lines")
    now = at or datetime.now(UTC)
    zone = ZoneInfo(quote.organization.time_zone)
    today = now.astimezone(zone).date()
    quote.valid_until = quote.valid_until or today + timedelta(days=quote.organization.quote_days)
    _must_be_a_last_day(quote.valid_until, today, FIELD)
    quote.expires_at = datetime.combine(quote.valid_until + timedelta(days=1), time(), zone).astimezone(UTC)
    await _supersede(quote, now)
    if quote.number is None:
        await _number(quote, today.year)
    content = quote_papers.content_of(quote, today)
    quote.content, quote.content_sha256 = content.model_dump(mode="json"), content.sha256
    quote.message_id, quote.sent_at, quote.status = message_id("quote", quote), now, QuoteStatus.SENT
    await quote.save()
    rendered = await later(quote_papers.render, quote)
    await later(quote_papers.write, quote, after=rendered)
    await later(expire, quote, at=quote.expires_at)
    await _note(quote, TimelineKind.QUOTE_SENT, now)
    return quote


async def revise(quote: Quote) -> Quote:
    """A draft of the next version of a quote that was sent, locked: it says the same until it is changed, and the one
    before it stays good until it is sent. Raises Conflict."""
    if quote.status not in (QuoteStatus.SENT, QuoteStatus.REFUSED, QuoteStatus.EXPIRED):
        raise Conflict(
            f"Quote {quote.document_number} is {quote.status}: a version that was sent, refused or has expired can be"
            " revised.",
            field=FIELD,
        )
    versions = Quote.filter(**{name: getattr(quote, name) for name in NUMBERED})
    newer = await versions.filter(version__gt=quote.version).exclude(status=QuoteStatus.CANCELED).first()
    if newer is not None:
        raise Conflict(f"Version {newer.version} is newer: go on with that one.", field=FIELD)
    (await quote.client).must_not_be_erased(field=FIELD)
    last = max([each.version for each in await versions.only("id", "version")])
    kept = (*AMOUNTS, *NUMBERED, "organization_id", "client_id", "opportunity_id", "note")
    same = {name: getattr(quote, name) for name in kept}
    revised = await Quote.create(**same, version=last + 1)
    await _copy_lines(await QuoteLine.filter(quote_id=quote.id), revised)
    return revised


async def accept(quote: Quote, name: str, *, address: str | None = None, by: UUID | None = None) -> Order:
    """The client agrees, `name` is who: the order that comes of a version, locked, at its prices, once.

    From an `address`, as it is logged, or on paper, noted by a member. Raises Conflict where it is answered, superseded
    or over, whatever a clock has noted of that, or its opportunity is paid for, and Invalid for no name.
    """
    now = datetime.now(UTC)
    quote.must_be_open(now)
    if not name.strip():
        raise Invalid("Say who accepts it: first and last name.", field="input.name")
    lines = [OrderLine(**_values(line, LINE)) for line in await QuoteLine.filter(quote_id=quote.id)]
    place = Place((await stripe_accounts.of(quote.organization_id)).account, quote.live)
    agreed = _values(quote, AGREED) | ({"kind": OrderKind.OPPORTUNITY} if quote.opportunity_id else {})
    order = await sales.record(await quote.client, lines, source=OrderSource.QUOTE, place=place, **agreed)
    if quote.opportunity_id:
        await opportunities.win(await Opportunity.get(id=quote.opportunity_id), order)
    quote.accept(at=now, name=name.strip(), order_id=order.id, address=address, by=by)
    await quote.save()
    await _note(quote, TimelineKind.QUOTE_ACCEPTED, now, by=by, order=order.id)
    return order


async def refuse(quote: Quote, reason: str | None) -> Quote:
    """The client does not want a version, locked. Raises Conflict where it is answered, superseded or over."""
    now = datetime.now(UTC)
    quote.refuse(at=now, reason=(reason or "").strip() or None)
    await quote.save()
    await _note(quote, TimelineKind.QUOTE_REFUSED, now, reason=quote.refuse_reason)
    return quote


async def cancel(quote: Quote) -> Quote:
    """Take a version, locked, back, before the client answered it. Raises Conflict."""
    quote.end(QuoteStatus.CANCELED, at=datetime.now(UTC))
    await quote.save()
    return quote


@job(Lane.SYNC)
async def expire(quote: Quote) -> None:
    """Note that its last day is over, where nobody has answered; that it can be accepted no more needs no note."""
    async with transaction():
        locked = await Quote.select_for_update().get(id=quote.id)
        now = datetime.now(UTC)
        if locked.status is QuoteStatus.SENT and locked.is_over(now):
            locked.end(QuoteStatus.EXPIRED, at=now)
            await locked.save()


async def _write(quote: Quote, client: Client, offer: Offer) -> Quote:
    order, lines = await sales.priced(
        client, offer.items, discount=offer.discount, deposit=offer.deposit, source=OrderSource.QUOTE
    )
    if order.is_free:
        raise Invalid("A quote offers something that is to be paid.", field="input.lines")
    if offer.note and len(offer.note) > NOTE_MOST:
        raise Invalid(f"This is longer than {NOTE_MOST} characters.", field="input.note")
    if offer.valid_until:
        organization = await client.organization
        today = datetime.now(ZoneInfo(organization.time_zone)).date()
        _must_be_a_last_day(offer.valid_until, today, "input.validUntil")
    quote.update_from_dict(_values(order, AMOUNTS) | {"note": offer.note or None, "valid_until": offer.valid_until})
    await quote.save()
    await _copy_lines(lines, quote)
    return quote


async def _copy_lines(lines: Sequence[OrderLine | QuoteLine], quote: Quote) -> None:
    await QuoteLine.bulk_create(
        [QuoteLine(organization_id=quote.organization_id, quote=quote, **_values(line, LINE)) for line in lines]
    )


def _must_be_a_last_day(day: date, today: date, field: str) -> None:
    if not today <= day <= today + VALID_MOST:
        raise Invalid(f"The last day is today or later, within {VALID_MOST.days} days.", field=field)


async def _supersede(quote: Quote, now: datetime) -> None:
    """The version before it is good no more."""
    if quote.number is None:
        return
    same = {name: getattr(quote, name) for name in NUMBERED}
    good = Quote.filter(**same, status__in=(QuoteStatus.SENT, QuoteStatus.ACCEPTED))
    for before in await good.select_for_update():
        before.end(QuoteStatus.SUPERSEDED, at=now)
        await before.save()


async def _number(quote: Quote, year: int) -> None:
    mine = {
        "organization_id": quote.organization_id, "prefix": f"{PREFIX}-{quote.organization.invoice_prefix}",
        "live": quote.live,
    }  # fmt: skip
    await QuoteSeries.bulk_create([QuoteSeries(**mine)], ignore_conflicts=True)
    quote.series = series = await QuoteSeries.select_for_update().get(**mine)
    quote.number, quote.year, quote.sequence = series.take(year)
    await series.save()


async def _note(
    quote: Quote, kind: TimelineKind, at: datetime, *, by: UUID | None = None, **more: UUID | str | None
) -> None:
    """In the client's timeline."""
    await timeline.note(
        quote.organization_id, quote.client_id, kind, at=at, author=by, quote=quote.id, number=quote.document_number,
        amount_cents=quote.total_cents, currency=quote.currency, **more,
    )  # fmt: skip


def _values(row: Any, columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in columns}
