"""What a quote says, put together as it is sent; its PDF, and the letter that carries it."""

from datetime import UTC, date, datetime

from models import Client, Lane, Quote
from models.content import Mention, QuoteContent
from models.database import transaction
from services import files, letters, links, post
from services.invoice_content import brand, buyer, seller, sold_lines, sums
from services.outbox import job
from services.outside import outside

MENTIONS = (
    Mention(text="Devis gratuit.", english="This quote is free of charge."),
    Mention(
        text="Prix fermes jusqu'à la date indiquée. Paiement à la commande, sauf acompte : le solde est dû ensuite.",
        english="Prices stand until the day given. Payment with the order; after a deposit, the balance later.",
    ),
)


def content_of(quote: Quote, today: date) -> QuoteContent:
    """The document: the quote comes with its organization, client, lines and last day."""
    organization = quote.organization
    return QuoteContent(
        number=quote.document_number,
        issued_on=today,
        valid_until=quote.valid_until,
        live=quote.live,
        seller=seller(organization),
        buyer=buyer(quote.client),
        deposit_cents=quote.deposit_cents,
        note=quote.note,
        language=quote.client.language or organization.language,
        mentions=MENTIONS,
        brand=brand(organization),
        **vars(sums(organization, quote.currency, sold_lines(quote.lines), quote.discount_reason)),
    )


@job(Lane.RENDER, timeout=90)
async def render(quote: Quote) -> None:
    """Make the PDF, once."""
    if quote.is_rendered:
        return
    pdf = await outside().press.quote(QuoteContent.model_validate(quote.content))
    key = f"{quote.organization_id}/quotes/{quote.id}.pdf"
    digest = await files.save(key, pdf)
    async with transaction():
        await Quote.filter(id=quote.id, file_key__isnull=True).update(
            file_key=key, file_sha256=digest, rendered_at=datetime.now(UTC)
        )


@job(Lane.MAIL)
async def write(quote: Quote) -> None:
    """Write to the client, the PDF attached, with the link to answer by; unless it was answered or taken back since."""
    if quote.emailed_at is not None or quote.file_key is None or not quote.is_open_at(datetime.now(UTC)):
        return
    client = await Client.get(id=quote.client_id)
    letter = letters.quote(
        QuoteContent.model_validate(quote.content),
        quote_url=links.quote_link(quote),
        envelope=post.envelope(client.email, str(quote.message_id)),
        pdf=await files.load(quote.file_key),
    )
    await post.send(quote.organization_id, letter)
    async with transaction():
        await Quote.filter(id=quote.id).update(emailed_at=datetime.now(UTC))
