"""Invoices: numbered and issued, then rendered and sent. `services/invoice_content.py` puts together what they say."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Nonconforming
from models import (
    Invoice,
    InvoiceSeries,
    InvoiceType,
    Lane,
    LegalMention,
    Order,
    OrderLine,
    Partner,
    Payment,
    Promise,
    Refund,
    rows,
)
from models.amounts import spread
from models.content import InvoiceContent
from models.database import transaction
from services import booked_times, files, invoice_archive, letters, mentions, organizations, post, reminders
from services.invoice_content import Ask, content_of, paid_of
from services.links import message_id
from services.outbox import in_turn, job, later
from services.outside import outside
from services.shares import part_of
from services.stripe_accounts import PLATFORM

log = logging.getLogger("comptoir.invoices")

Brands = dict[Partner | None, list[OrderLine]]
Say = Callable[[str, datetime, ZoneInfo], InvoiceContent]  # of a number, the moment of issue, and where it counts


async def issue_paid(order: Order, payment: Payment) -> list[Invoice]:
    """The invoices of an order that is paid, one for each brand: those sent before, now settled, or new ones; none for
    what was free. The order comes with its organization, client, and lines with their products and partners."""
    made = await rows.find(Invoice, "order_id = $1 ORDER BY id", order.id)
    await settle(made)
    before = [invoice for invoice in made if invoice.type is InvoiceType.INVOICE]
    return before or await _issue(order, InvoiceType.INVOICE, payment, made)


async def issue_for_part(order: Order, payment: Payment) -> list[Invoice]:
    """What a part of the money calls for: the deposit's invoice once it is there, or, where no deposit was asked for,
    the invoice of the whole, if it was not sent before (art. 289 I-1-c du CGI: every payment on account is invoiced).
    """
    if order.deposit_cents:
        if not order.has_deposit_paid:
            return []
        await settle(await Invoice.filter(order_id=order.id, type=InvoiceType.PREPAYMENT).order_by("id"))
        if await Invoice.exists(order_id=order.id):
            return []
        return await _issue(order, InvoiceType.PREPAYMENT, payment, [])
    if await Invoice.exists(order_id=order.id, type=InvoiceType.INVOICE):
        return []
    return await _issue_to_pay(order, InvoiceType.INVOICE, payment)


async def issue_ahead(order: Order) -> list[Invoice]:
    """Invoice an order, locked, before it is paid: its deposit first, where it has one, then the rest.

    Raises Conflict where that was done, or the deposit is still to be paid.
    """
    order.must_be_open()
    order.must_be_sold_once()
    if order.is_free:
        raise Conflict(f"Order {order.number} is free: there is nothing to invoice.", field="input.order")
    await organizations.must_be_complete(order.organization_id)
    made = {invoice.type for invoice in await Invoice.filter(order_id=order.id)}
    if InvoiceType.INVOICE in made:
        raise Conflict(f"Order {order.number} is invoiced already.", field="input.order")
    if order.deposit_cents and not order.has_deposit_paid:
        if InvoiceType.PREPAYMENT in made:
            raise Conflict(
                f"The deposit of order {order.number} is invoiced already, and not paid yet.", field="input.order"
            )
        return await _issue_to_pay(order, InvoiceType.PREPAYMENT, await _last_payment(order.id))
    return await _issue_to_pay(order, InvoiceType.INVOICE, await _last_payment(order.id))


async def issue_one(
    order: Order, type: InvoiceType, partner_id: UUID | None, say: Say, *, corrects: Invoice | None = None,
    refund: Refund | None = None,
) -> Invoice:  # fmt: skip
    """Take the next number of the order's series for a document, with its rendering and its letter promised. The order
    comes with its organization."""
    zone = ZoneInfo(order.organization.time_zone)
    series, at = await _locked_series(order)
    number, year, sequence, issued_at = series.take(at, at.astimezone(zone).year)
    content = say(number, issued_at, zone)
    is_settled = content.is_paid or type is InvoiceType.CREDIT_NOTE
    invoice = Invoice(
        organization_id=order.organization_id, order=order, partner_id=partner_id, series=series, type=type,
        corrects=corrects, refund=refund, number=number, year=year, sequence=sequence, issued_at=issued_at,
        due_on=content.due_on,
        settled_at=issued_at if is_settled else None, currency=order.currency,
        net_cents=content.net_cents, vat_cents=content.vat_cents, total_cents=content.gross_cents,
        stripe_account=order.stripe_account, live=order.live, content=content.model_dump(mode="json"),
    )  # fmt: skip
    invoice.message_id = message_id("invoice", invoice)
    series.seal(invoice)
    await rows.update(series, "year", "last_number", "last_issued_at", "chain_sha256")
    await rows.insert(invoice)
    invoice.rendering, _ = await in_turn(invoice, render, send)
    return invoice


async def settle(made: Sequence[Invoice]) -> None:
    """What was sent to be paid is paid, and the client is thanked."""
    unsettled = [invoice for invoice in made if invoice.settled_at is None]
    if not unsettled:
        return
    await Invoice.filter(id__in=[invoice.id for invoice in unsettled]).update(settled_at=datetime.now(UTC))
    for invoice in unsettled:
        await later(acknowledge, invoice, after=await rendering(invoice))


@job(Lane.RENDER, timeout=90)
async def render(invoice: Invoice) -> None:
    """Make the PDF, once. One that would break the rules of e-invoicing is told to people at once."""
    if invoice.is_rendered:
        return
    try:
        pdf = await outside().press.invoice(InvoiceContent.model_validate(invoice.content))
    except Nonconforming as broken:
        log.error("%s. It is not sent.", broken)
        raise
    await keep(invoice, pdf)


async def keep(invoice: Invoice, pdf: bytes) -> None:
    """Store the first PDF of an invoice, and write down which it is."""
    key = f"{invoice.organization_id}/invoices/{invoice.id}.pdf"
    digest = await files.save(key, pdf)
    async with transaction():
        kept = await Invoice.filter(id=invoice.id, file_key__isnull=True).update(
            file_key=key, file_sha256=digest, rendered_at=datetime.now(UTC)
        )
        if kept:
            await invoice_archive.promise(invoice)


@job(Lane.MAIL)
async def send(invoice: Invoice) -> None:
    """Write to the client, the PDF attached, under the Message-ID fixed at issue."""
    if invoice.emailed_at is not None or invoice.file_key is None:
        return
    order = await Order.get(id=invoice.order_id).prefetch_related("client")
    content = InvoiceContent.model_validate(invoice.content)
    if invoice.type is InvoiceType.CREDIT_NOTE:
        compose = letters.credited
    elif content.is_paid:
        compose = letters.paid
    elif invoice.settled_at is None:
        compose = letters.invoiced
    else:
        return  # paid since: `acknowledge` carries it
    letter = compose(
        content,
        order_number=order.number,
        envelope=post.envelope(order.client.email, invoice.message_id),
        pdf=await files.load(invoice.file_key),
    )
    await post.send(invoice.organization_id, letter)
    await Invoice.filter(id=invoice.id, emailed_at=None).update(emailed_at=datetime.now(UTC))


@job(Lane.MAIL)
async def acknowledge(invoice: Invoice) -> None:
    """Thank for the payment of an invoice that was sent before it."""
    payment = await _last_payment(invoice.order_id)
    if invoice.file_key is None or payment is None or payment.paid_at is None:
        return
    await invoice.fetch_related("organization", "order__client")
    content = InvoiceContent.model_validate(invoice.content)
    letter = letters.receipt(
        content,
        order_number=invoice.order.number,
        paid_cents=await part_of(invoice, payment.applied_cents),
        paid_on=payment.paid_at.astimezone(ZoneInfo(invoice.organization.time_zone)).date(),
        method=payment.method,
        envelope=post.envelope(invoice.order.client.email, message_id("receipt", invoice)),
        pdf=await files.load(invoice.file_key),
    )
    await post.send(invoice.organization_id, letter)
    await Invoice.filter(id=invoice.id, emailed_at=None).update(emailed_at=datetime.now(UTC))


async def drafts(order: Order) -> list[InvoiceContent]:
    """What would be issued of an order now, one for each brand, without a number; none for what is free. The order
    comes with its organization, client, and lines with their products and partners. Nothing is issued."""
    brands = _by_brand(order)
    asks = _asks(order, brands, InvoiceType.INVOICE, await Invoice.filter(order_id=order.id))
    own, payment = await mentions.of(order.organization_id), await _last_payment(order.id)
    zone, now, times = ZoneInfo(order.organization.time_zone), datetime.now(UTC), await _times(order)
    return [
        _said(order, partner, lines, ask, payment, own, times, "0", now, zone)
        for (partner, lines), ask in zip(brands.items(), asks, strict=True)
        if ask.total_cents
    ]


async def rendering(invoice: Invoice) -> Promise:
    """The promise that whoever needs its PDF waits for."""
    known: Promise | None = invoice.rendering
    return known or await Promise.get(subject_id=invoice.id, job="invoices.render")


def partners_of(line: OrderLine) -> list[Partner]:
    """Who is told of a line, the one named first on its product before the others."""
    return [link.partner for link in sorted(line.product.partner_links, key=lambda link: link.id)]


def brand_of(line: OrderLine) -> Partner | None:
    """Whose brand a line is invoiced under: its first partner's, else the organization's."""
    return next(iter(partners_of(line)), None)


async def _last_payment(order_id: UUID) -> Payment | None:
    """The newest that counts towards an order."""
    return await Payment.filter(order_id=order_id, applied_cents__gt=0).order_by("-paid_at", "-id").first()


async def _issue_to_pay(order: Order, type: InvoiceType, payment: Payment | None) -> list[Invoice]:
    issued = await _issue(order, type, payment, await Invoice.filter(order_id=order.id).order_by("id"))
    for invoice in issued:
        await reminders.schedule(order, invoice)
    return issued


async def _issue(
    order: Order, type: InvoiceType, payment: Payment | None, made: Sequence[Invoice]
) -> list[Invoice]:  # fmt: skip
    """One for each brand that something is to be invoiced under, with its rendering and its letter promised; `made` are
    those that the order has already."""
    brands = _by_brand(order)
    asks = _asks(order, brands, type, made)
    own, times = await mentions.of(order.organization_id), await _times(order)
    issued = []
    for (partner, lines), ask in zip(brands.items(), asks, strict=True):
        if ask.total_cents == 0:
            continue
        say = partial(_said, order, partner, lines, ask, payment, own, times)
        issued.append(await issue_one(order, type, partner.id if partner else None, say))
    return issued


def _said(
    order: Order, partner: Partner | None, lines: Sequence[OrderLine], ask: Ask, payment: Payment | None,
    own: Sequence[LegalMention], times: str | None, number: str, issued_at: datetime, zone: ZoneInfo,
) -> InvoiceContent:  # fmt: skip
    words = mentions.on(issued_at.astimezone(zone).date(), own)
    return content_of(
        order, partner, lines, ask, payment,
        number=number, issued_at=issued_at, zone=zone, words=words, times=times,
    )  # fmt: skip


async def _times(order: Order) -> str | None:
    return await booked_times.of(order, language=order.client.language or order.organization.language)


def _by_brand(order: Order) -> Brands:
    groups: Brands = {}
    for line in order.lines:
        groups.setdefault(brand_of(line), []).append(line)
    return groups


def _asks(order: Order, brands: Brands, type: InvoiceType, made: Sequence[Invoice]) -> list[Ask]:
    """What each brand's invoice asks for and takes into account: all that was paid is shared out, to the cent."""
    lines = [line for of_brand in brands.values() for line in of_brand]
    shares = dict(zip(lines, spread(order.deposit_cents, [paid_of(line) for line in lines]), strict=True))
    deposits = [sum(shares[line] for line in of_brand) for of_brand in brands.values()]
    if type is InvoiceType.PREPAYMENT:
        paid = spread(min(order.paid_cents, order.deposit_cents), deposits)
        return [
            Ask(type, total, got, tuple(shares[line] for line in of_brand))
            for total, got, of_brand in zip(deposits, paid, brands.values(), strict=True)
        ]
    totals = [sum(map(paid_of, of_brand)) for of_brand in brands.values()]
    before = {each.partner_id: each for each in made if each.type is InvoiceType.PREPAYMENT}
    taken = [before.get(partner.id if partner else None) for partner in brands]
    known = [each.left_cents if each else 0 for each in taken]
    credited = sum(each.credited_cents for each in before.values())
    received = order.paid_cents - min(credited, order.paid_cents - order.kept_cents)
    rest = spread(received - sum(known), [total - got for total, got in zip(totals, known, strict=True)])
    return [
        Ask(type, total, got + more, deposit=deposit)
        for total, got, more, deposit in zip(totals, known, rest, taken, strict=True)
    ]


_SERIES = "organization_id = $1 AND prefix = $2 AND stripe_account = $3 AND live = $4"


async def _locked_series(order: Order) -> tuple[InvoiceSeries, datetime]:
    """The order's series, locked until the transaction ends, and the time at that moment (not the transaction's).

    One for each prefix and mode, whichever account was paid: no number of an organization is given twice.
    """
    mine = {
        "organization_id": order.organization_id, "prefix": order.organization.invoice_prefix,
        "stripe_account": PLATFORM, "live": order.live,
    }  # fmt: skip
    locked = await rows.lock(InvoiceSeries, _SERIES, *mine.values())
    if locked is None:
        await InvoiceSeries.bulk_create([InvoiceSeries(**mine)], ignore_conflicts=True)
        locked = await rows.lock(InvoiceSeries, _SERIES, *mine.values())
    assert locked
    return locked
