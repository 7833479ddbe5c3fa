"""What an invoice says, put together from an order: every row that it needs was loaded before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from models import (
    Client,
    Invoice,
    InvoiceType,
    Language,
    OperationCategory,
    Order,
    OrderLine,
    Organization,
    Partner,
    Payment,
    QuoteLine,
)
from models.amounts import Breakdown, Sold, breakdown
from models.base import Branded
from models.content import (
    Address,
    Allowance,
    Branding,
    Deposit,
    Endpoint,
    InvoiceContent,
    Line,
    Party,
    Sums,
    Transfer,
    VatBreakdown,
    VatCategory,
)
from services import links, mentions
from services.booked_times import named
from services.mentions import Words
from services.wording import money


@dataclass(frozen=True)
class Ask:
    """What one invoice of an order comes to, and what of it was paid, in minor units TTC.

    `shares`, of a deposit's invoice: each line's part. `deposit`: the deposit's invoice that it takes into account.
    """

    type: InvoiceType
    total_cents: int
    paid_cents: int
    shares: tuple[int, ...] = ()
    deposit: Invoice | None = None


def content_of(
    order: Order, partner: Partner | None, lines: Sequence[OrderLine], ask: Ask, payment: Payment | None, *,
    number: str, issued_at: datetime, zone: ZoneInfo, words: Sequence[Words], times: str | None = None,
) -> InvoiceContent:  # fmt: skip
    """The document, one brand's: paid as far as the ask says, and to be paid within the organization's days. `words`
    are the law's of that day, `times` when that is which was booked."""
    organization, today = order.organization, issued_at.astimezone(zone).date()
    paid_on = payment.paid_at.astimezone(zone).date() if payment and payment.paid_at and ask.paid_cents else None
    if ask.deposit and not paid_on:
        paid_on = (ask.deposit.settled_at or ask.deposit.issued_at).astimezone(zone).date()
    is_paid = ask.paid_cents == ask.total_cents
    language = order.client.language or organization.language
    is_deposit = ask.type is InvoiceType.PREPAYMENT
    said = _deposit_lines(order, lines, ask, language, times) if is_deposit else sold_lines(lines, zone, times)
    made = sums(organization, order.currency, said, order.discount_reason, words)
    category = _operation_category(lines)
    return InvoiceContent(
        type=ask.type,
        number=number,
        order_number=order.number,
        issued_on=today,
        operation_on=paid_on or today,
        due_on=paid_on if is_paid and paid_on else today + timedelta(days=organization.payment_days),
        paid_on=paid_on,
        live=order.live,
        seller=seller(organization),
        buyer=buyer(order.client),
        **vars(made),
        deposits=_deposits(ask, zone),
        paid_cents=ask.paid_cents,
        payment_method=payment.method if payment else None,
        transfer=transfer(organization, number) if not is_paid else None,
        pay_url=links.pay_link(order) if not is_paid else None,
        language=language,
        mentions=mentions.of_invoice(
            words, organization, order.client, made, category, english=language is Language.EN
        ),
        operation_category=category,
        vat_on_debits=organization.vat_on_debits,
        deliver_to=_delivery(order.client) if category is not OperationCategory.SERVICES else None,
        brand=brand(partner or organization),
    )


def sums(
    organization: Organization, currency: str, said: Sequence[tuple[str, Sold]], discount_reason: str | None,
    words: Sequence[Words] = (),
) -> Sums:  # fmt: skip
    """What a document says of the lines that it names, of their VAT, and of what they come to."""
    amounts = breakdown([sold for _, sold in said])
    because = mentions.said(words, organization.exemption)
    return Sums(
        currency=currency,
        lines=tuple(
            Line(
                description=description, quantity=sold.quantity, unit_net=amount.unit_net,
                base_quantity=amount.base_quantity, discount_net_cents=amount.discount_net_cents,
                vat_category=_category(sold.vat_rate), vat_rate=sold.vat_rate,
                net_cents=amount.net_cents, vat_cents=amount.vat_cents, gross_cents=amount.gross_cents,
            )
            for (description, sold), amount in zip(said, amounts.lines, strict=True)
        ),
        vat=tuple(
            VatBreakdown(
                category=_category(rate.vat_rate), rate=rate.vat_rate, net_cents=rate.net_cents,
                vat_cents=rate.vat_cents, exemption_code=organization.vat_exemption_code(rate.vat_rate),
                **({} if rate.vat_rate else because),
            )
            for rate in amounts.rates
        ),
        allowances=_allowances(discount_reason, amounts),
        net_cents=amounts.net_cents,
        vat_cents=amounts.vat_cents,
        gross_cents=amounts.gross_cents,
    )  # fmt: skip


def paid_of(line: OrderLine) -> int:
    """What is to be paid of a line, all discounts taken off."""
    return line.total_cents - line.share_cents


def sold(line: OrderLine | QuoteLine) -> Sold:
    """A line as it was sold, for its amounts."""
    return Sold(line.quantity, line.unit_price_cents, line.vat_rate, line.discount_cents, line.share_cents)


def brand(owner: Branded) -> Branding:
    return Branding(
        name=owner.brand_name, color=owner.brand_color, logo_svg=owner.logo_svg, logo_png=owner.logo_png,
        contact_email=owner.contact_email, phone=owner.contact_phone, website=owner.website, terms_url=owner.terms_url,
    )  # fmt: skip


def sold_lines(
    lines: Sequence[OrderLine | QuoteLine], zone: ZoneInfo | None = None, times: str | None = None
) -> list[tuple[str, Sold]]:  # fmt: skip
    """Each line as it is named, with the period that it pays where it is a subscription's, in the seller's days, or
    with when that is which was booked."""
    return [(named(f"{line.description}{_period(line, zone) if zone else ''}", times), sold(line)) for line in lines]


def _period(line: OrderLine | QuoteLine, zone: ZoneInfo) -> str:
    if isinstance(line, QuoteLine) or line.period_start is None or line.period_end is None:
        return ""
    return f" ({line.period_start.astimezone(zone):%d/%m/%Y} – {line.period_end.astimezone(zone):%d/%m/%Y})"


def _deposit_lines(
    order: Order, lines: Sequence[OrderLine], ask: Ask, language: Language, times: str | None
) -> list[tuple[str, Sold]]:  # fmt: skip
    """A deposit is no thing sold: one line for each rate that it is a part of."""
    rates: dict[int, int] = {}
    for line, share in zip(lines, ask.shares, strict=True):
        rates[line.vat_rate] = rates.get(line.vat_rate, 0) + share
    total = money(order.total_cents, order.currency, language=language)
    text = f"Acompte sur la commande n° {order.number}, d'un total de {total}"
    if language is Language.EN:
        text = f"Deposit on order no. {order.number}, of a total of {total}"
    return [(named(text, times), Sold(1, cents, rate)) for rate, cents in rates.items() if cents]


def _allowances(reason: str | None, amounts: Breakdown) -> tuple[Allowance, ...]:
    return tuple(
        Allowance(
            reason=reason or "Remise", vat_category=_category(rate.vat_rate),
            vat_rate=rate.vat_rate, net_cents=rate.allowance_net_cents, gross_cents=rate.allowance_gross_cents,
        )
        for rate in amounts.rates
        if rate.allowance_gross_cents
    )  # fmt: skip


def _deposits(ask: Ask, zone: ZoneInfo) -> tuple[Deposit, ...]:
    if ask.deposit is None or not ask.deposit.left_cents:
        return ()
    issued_on = ask.deposit.issued_at.astimezone(zone).date()
    return (Deposit(number=ask.deposit.number, issued_on=issued_on, cents=ask.deposit.left_cents),)


def transfer(organization: Organization, number: str) -> Transfer | None:
    """Where a transfer goes, with what is written on it; None where the organization has no account."""
    if not organization.iban:
        return None
    return Transfer(iban=organization.iban, bic=organization.bic, reference=number)


def _operation_category(lines: Sequence[OrderLine]) -> OperationCategory:
    categories = {line.product.operation_category for line in lines}
    return categories.pop() if len(categories) == 1 else OperationCategory.MIXED


def _category(vat_rate: int) -> VatCategory:
    return VatCategory.STANDARD if vat_rate else VatCategory.EXEMPT


def seller(organization: Organization) -> Party:
    return Party(
        name=organization.legal_name, legal_form=organization.legal_form, share_capital=organization.share_capital,
        address=_address(organization), siren=organization.siren, siret=organization.siret, rcs=organization.rcs,
        vat_number=organization.invoiced_vat_number, email=organization.contact_email, phone=organization.contact_phone,
    )  # fmt: skip


def buyer(client: Client) -> Party:
    scheme, address = client.endpoint or (None, None)
    return Party(
        name=client.name, address=_address(client), siren=client.siren, vat_number=client.vat_number,
        email=client.email, phone=client.phone, is_company=client.is_company,
        endpoint=Endpoint(scheme=scheme, address=address) if scheme and address else None,
    )  # fmt: skip


def _delivery(client: Client) -> Address | None:
    if not client.delivery_address:
        return None
    return Address(
        lines=tuple(client.delivery_address.splitlines()), postal_code=client.delivery_postal_code,
        city=client.delivery_city, country=client.delivery_country or "FR",
    )  # fmt: skip


def _address(row: Organization | Client) -> Address | None:
    if not (row.address or row.city or row.country):
        return None
    return Address(
        lines=tuple((row.address or "").splitlines()),
        postal_code=row.postal_code,
        city=row.city,
        country=row.country or "FR",
    )
