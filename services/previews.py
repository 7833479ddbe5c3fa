"""Invoices as they would look, drawn while somebody waits: of an order, or of a sample sale; nothing is issued."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Unavailable
from models import Client, Language, OperationCategory, Order, Organization, Partner, VatRegime
from models.amounts import Sold
from models.content import Address, InvoiceContent, Party, PreviewContent
from services import branding, invoices, mentions
from services.invoice_content import brand, seller, sums, transfer
from services.outside import outside
from services.settlement import with_everything
from services.words import WORDS

SECONDS_MOST = 30.0  # the start of a process, and those who asked before, included
_BRANDING = {"brand_name": "name", "brand_color": "color", "logo_svg": "logo_svg", "logo_png": "logo_png"}


async def invoice(
    organization_id: UUID, order: Order | None, partner: Partner | None, language: Language | None, look: dict[str, Any]
) -> tuple[bytes, list[bytes]]:
    """The PDF of an order's invoice, of the first brand if there are several, or of a sample sale's; and its first
    pages as PNGs. `look` holds
    columns of a brand that are tried on; `partner` is whose brand a sample wears.

    Raises Invalid for a look that cannot be, Conflict for an order without anything to invoice, Unavailable, and
    NotConfigured without Pango.
    """
    branding.check(look)
    look = await branding.drawn(look)
    organization = await Organization.get(id=organization_id)
    content = await _of_order(order) if order else await _sample(organization, partner, language)
    changed = {_BRANDING[column]: value for column, value in look.items()}
    language = language or content.language
    shown = {"brand": content.brand.model_copy(update=changed), "language": language}
    draft = PreviewContent.model_validate(dict(content) | shown | {"number": WORDS[language]["preview"]})
    renderer = outside().renderer
    if renderer is None:
        raise Unavailable("This process draws no documents.")
    try:
        async with asyncio.timeout(SECONDS_MOST):
            pdf = await renderer.preview(draft)
            return pdf, await renderer.pictures(pdf)
    except TimeoutError as late:
        raise Unavailable("The preview was not drawn in time.") from late


async def _of_order(order: Order) -> InvoiceContent:
    drafts = await invoices.drafts(await with_everything(order))
    if not drafts:
        raise Conflict(f"Order {order.number} is free: there is nothing to invoice.", field="input.order")
    return drafts[0]


async def _sample(organization: Organization, partner: Partner | None, language: Language | None) -> InvoiceContent:
    """A sale to a company, to be paid: all that a page can hold."""
    language = language or organization.language
    english, today = language is Language.EN, datetime.now(ZoneInfo(organization.time_zone)).date()
    rate = 2000 if organization.vat_regime is VatRegime.STANDARD else 0
    names = ("Sample service", "Sample sessions") if english else ("Prestation exemple", "Séances exemple")
    words = mentions.on(today, await mentions.of(organization.id))
    said = [(names[0], Sold(1, 120_00, rate)), (names[1], Sold(3, 49_90, rate, discount_cents=14_97))]
    made = sums(organization, "EUR", said, None, words)
    client = Client(organization_id=organization.id, email="client@example.com", company="Client Exemple SARL")
    category = OperationCategory.SERVICES
    number = WORDS[language]["preview"]
    return InvoiceContent(
        number=number, order_number=42, issued_on=today, operation_on=today, due_on=today, live=True,
        seller=seller(organization), buyer=_buyer(client), language=language,
        mentions=mentions.of_invoice(words, organization, client, made, category, english=english),
        transfer=transfer(organization, number),
        pay_url=outside().settings.app_url, vat_on_debits=organization.vat_on_debits,
        brand=brand(partner or organization), **vars(made),
    )  # fmt: skip


def _buyer(client: Client) -> Party:
    address = Address(lines=("1 place de la République",), postal_code="69002", city="Lyon")
    return Party(name=client.name, address=address, siren="732829320", email=client.email, is_company=True)
