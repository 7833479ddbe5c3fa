"""Invoices: issued with the payment, then rendered and sent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from models import Client, Invoice, InvoiceSeries, InvoiceType, Lane, Order, OrderLine, Organization, Partner, Payment
from models.amounts import Breakdown, Sold, breakdown
from models.base import Branded
from models.content import Address, Branding, InvoiceContent, Line, Party, VatBreakdown, VatCategory
from models.database import query, transaction
from services import files, letters
from services.outbox import job, later
from services.outside import outside

# Code de commerce, art. L441-9 and D441-5.
MENTIONS = ("Pas d'escompte pour paiement anticipé.",)
BETWEEN_COMPANIES = (
    "Pénalités de retard : trois fois le taux d'intérêt légal.",
    "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €.",
)


async def issue(order: Order, payment: Payment) -> list[Invoice]:
    """One invoice for each brand on a paid order, numbered, with its rendering and its letter promised; none for what
    was free.

    The order comes with its organization, client, and lines with their products and partners.
    """
    issued = []
    for partner, lines in _by_brand(order).items():
        if not any(line.total_cents for line in lines):
            continue
        invoice = await _issue_one(order, partner, lines, payment)
        rendered = await later(render, invoice)
        await later(send, invoice, after=rendered)
        issued.append(invoice)
    return issued


@job(Lane.RENDER, timeout=90)
async def render(invoice: Invoice) -> None:
    """Make the PDF, once."""
    if invoice.is_rendered:
        return
    renderer = outside().renderer
    if renderer is None:
        raise RuntimeError("this process renders nothing: workers do")
    pdf = await renderer.invoice(InvoiceContent.model_validate(invoice.content))
    key = f"{invoice.organization_id}/invoices/{invoice.id}.pdf"
    digest = await files.save(key, pdf)
    async with transaction():
        await Invoice.filter(id=invoice.id, file_key__isnull=True).update(
            file_key=key, file_sha256=digest, rendered_at=datetime.now(UTC)
        )


@job(Lane.MAIL)
async def send(invoice: Invoice) -> None:
    """Write to the client, the PDF attached, under the Message-ID fixed at issue."""
    if invoice.emailed_at is not None or invoice.file_key is None:
        return
    order = await Order.get(id=invoice.order_id).prefetch_related("client")
    letter = letters.paid(
        InvoiceContent.model_validate(invoice.content),
        order_number=order.number,
        to=order.client.email,
        message_id=invoice.message_id,
        sender=outside().settings.required("smtp_from"),
        pdf=await files.load(invoice.file_key),
    )
    await outside().mailer.send(letter)
    await Invoice.filter(id=invoice.id).update(emailed_at=datetime.now(UTC))


def partners_of(line: OrderLine) -> list[Partner]:
    """Who is told of a line, the one named first on its product before the others."""
    return [link.partner for link in sorted(line.product.partner_links, key=lambda link: link.id)]


def brand_of(line: OrderLine) -> Partner | None:
    """Whose brand a line is invoiced under: its first partner's, else the organization's."""
    return next(iter(partners_of(line)), None)


def _by_brand(order: Order) -> dict[Partner | None, list[OrderLine]]:
    groups: dict[Partner | None, list[OrderLine]] = {}
    for line in order.lines:
        groups.setdefault(brand_of(line), []).append(line)
    return groups


async def _issue_one(order: Order, partner: Partner | None, lines: Sequence[OrderLine], payment: Payment) -> Invoice:
    organization: Organization = order.organization
    zone = ZoneInfo(organization.time_zone)
    amounts = breakdown([Sold(line.quantity, line.unit_price_cents, line.vat_rate) for line in lines])
    series, at = await _locked_series(order)
    number, year, sequence, issued_at = series.take(at, at.astimezone(zone).year)
    await series.save()
    content = _content(order, partner, lines, amounts, payment, number=number, issued_at=issued_at, zone=zone)
    invoice = Invoice(
        organization_id=order.organization_id, order=order, partner=partner, series=series, type=InvoiceType.INVOICE,
        number=number, year=year, sequence=sequence, issued_at=issued_at, due_on=content.due_on,
        settled_at=issued_at, currency=order.currency,
        net_cents=amounts.net_cents, vat_cents=amounts.vat_cents, total_cents=amounts.gross_cents,
        stripe_account=order.stripe_account, live=order.live, content=content.model_dump(mode="json"),
    )  # fmt: skip
    invoice.message_id = f"<invoice-{invoice.id.hex}@{urlsplit(outside().settings.app_url).hostname}>"
    await invoice.save()
    return invoice


async def _locked_series(order: Order) -> tuple[InvoiceSeries, datetime]:
    """The order's series, locked until the transaction ends, and the time at that moment (not the transaction's)."""
    mine = {
        "organization_id": order.organization_id, "prefix": order.organization.invoice_prefix,
        "stripe_account": order.stripe_account, "live": order.live,
    }  # fmt: skip
    await InvoiceSeries.bulk_create([InvoiceSeries(**mine)], ignore_conflicts=True)
    series = await InvoiceSeries.select_for_update().get(**mine)
    (clock,) = await query("SELECT clock_timestamp() AS now")
    return series, clock["now"]


def _content(
    order: Order, partner: Partner | None, lines: Sequence[OrderLine], amounts: Breakdown, payment: Payment, *,
    number: str, issued_at: datetime, zone: ZoneInfo,
) -> InvoiceContent:  # fmt: skip
    organization = order.organization
    today, paid_on = issued_at.astimezone(zone).date(), payment.paid_at.astimezone(zone).date()  # type: ignore[union-attr]
    exempt = {line.vat_rate: organization.vat_exemption(line.vat_rate) for line in lines}

    def category(rate: int) -> VatCategory:
        return VatCategory.EXEMPT if exempt[rate] else VatCategory.STANDARD

    return InvoiceContent(
        number=number,
        issued_on=today,
        operation_on=paid_on,
        due_on=paid_on,
        paid_on=paid_on,
        currency=order.currency,
        live=order.live,
        seller=_seller(organization),
        buyer=_buyer(order.client),
        lines=tuple(
            Line(
                description=line.description, quantity=line.quantity, unit_net=amount.unit_net,
                base_quantity=amount.base_quantity, vat_category=category(line.vat_rate), vat_rate=line.vat_rate,
                net_cents=amount.net_cents, vat_cents=amount.vat_cents, gross_cents=amount.gross_cents,
            )
            for line, amount in zip(lines, amounts.lines, strict=True)
        ),
        vat=tuple(
            VatBreakdown(
                category=category(rate.vat_rate), rate=rate.vat_rate, net_cents=rate.net_cents,
                vat_cents=rate.vat_cents, exemption=exempt[rate.vat_rate],
            )
            for rate in amounts.rates
        ),
        net_cents=amounts.net_cents,
        vat_cents=amounts.vat_cents,
        gross_cents=amounts.gross_cents,
        paid_cents=amounts.gross_cents,
        payment_method=payment.method,
        mentions=MENTIONS + (BETWEEN_COMPANIES if order.client.company else ()),
        brand=_brand(partner or organization),
    )  # fmt: skip


def _seller(organization: Organization) -> Party:
    return Party(
        name=organization.legal_name, legal_form=organization.legal_form, share_capital=organization.share_capital,
        address=_address(organization), siren=organization.siren, siret=organization.siret, rcs=organization.rcs,
        vat_number=organization.vat_number, email=organization.contact_email, phone=organization.contact_phone,
    )  # fmt: skip


def _buyer(client: Client) -> Party:
    return Party(name=client.name, address=_address(client), email=client.email, phone=client.phone)


def _address(row: Organization | Client) -> Address | None:
    if not row.address:
        return None
    return Address(
        lines=tuple(row.address.splitlines()), postal_code=row.postal_code, city=row.city, country=row.country or "FR"
    )


def _brand(owner: Branded) -> Branding:
    return Branding(
        name=owner.brand_name, color=owner.brand_color, logo_svg=owner.logo_svg, contact_email=owner.contact_email,
        phone=owner.contact_phone, website=owner.website, terms_url=owner.terms_url,
    )  # fmt: skip
