"""Invoices looked at before there are any: of a sample sale or of an order, under a brand as it is or tried on."""

import asyncio
import base64
import io
from typing import Any

from PIL import Image
from pypdf import PdfReader, PdfWriter

from models import Invoice, Product, Role
from models.content import PreviewContent
from services import outside
from services.rendering import PREVIEWS_MOST, Renderer
from tests.invoices.samples import drawing, work_without_pango
from tests.managing.test_logos import SVG, header, logo_png
from tests.printer import Printer
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop

PREVIEW = "mutation ($input: InvoicePreviewInput!) { invoicePreview(input: $input) { pdf } }"
LOGO = SVG.format('<text font-size="9" y="9">Essai</text>')


async def test_a_sample_wears_the_brand_that_is_tried_on_and_is_marked_on_the_page(
    shop: Shop, renderer: Renderer
) -> None:
    await drawing(renderer)

    async with nothing_changes(shop):
        page = await seen(shop, logoSvg=LOGO, brandColor="#7A2E4D")
        english = await seen(shop, language="EN", brandName="Le Comptoir")

    assert "APERÇU" in page and "Aperçu, sans valeur" in page and "Essai" in page and "N° APERÇU" in page
    assert "Indemnité forfaitaire" in page and "732 829 320" in page
    assert "PREVIEW" in english and "Le Comptoir" in english and "Fixed indemnity for recovery costs" in english


async def test_its_pages_come_as_pictures_too(shop: Shop, renderer: Renderer) -> None:
    await drawing(renderer)

    drawn = await shop(PREVIEW.replace("pdf", "pages"), input={"brandColor": "#7A2E4D"})

    (page,) = drawn["pages"]
    with Image.open(io.BytesIO(base64.b64decode(page))) as picture:
        assert (picture.format, picture.size) == ("PNG", (910, 1287))
        colors = {color for _, color in picture.convert("RGB").getcolors(1_000_000)}
    assert (0x7A, 0x2E, 0x4D) in colors


async def test_of_a_long_document_the_first_pages_are_drawn(renderer: Renderer) -> None:
    assert len(await renderer.pictures(blank(None, pages=5))) == 3


async def test_an_orders_invoice_is_shown_as_it_would_be_issued(shop: Shop, printer: Printer) -> None:
    client = await shop.client(company="Smith Ltd", language="EN")
    order = await shop.order(await shop.product(), client=client)

    async with nothing_changes(shop):
        await shop(PREVIEW, input={"order": order["id"], "logoPng": base64.b64encode(logo_png(9, 9)).decode()})

    (content,) = printer.printed.values()
    assert isinstance(content, PreviewContent) and content.number == "PREVIEW"
    assert (content.gross_cents, content.due_cents, content.buyer.name) == (99_99, 99_99, "Smith Ltd")
    assert content.brand.logo_png and content.brand.logo_svg is None
    assert not await Invoice.exists()


async def test_a_partners_brand_is_worn(shop: Shop, printer: Printer) -> None:
    partner = await shop.partner()
    await shop(PREVIEW, input={"partner": partner["id"]})

    (content,) = printer.printed.values()
    assert content.brand.name == "Service Fiscalis"


async def test_what_cannot_be_looked_at_is_refused_and_named(shop: Shop, printer: Printer) -> None:
    theirs = await neighbour(shop)
    foreign = await theirs.order(await theirs.product())
    free = await shop.order(await shop.product(0))
    accountant = await Shop.open(shop.http, shop.sandbox, role=Role.ACCOUNTANT)

    for given, code, field in (
        ({"brandColor": "red"}, "INVALID", "input.brandColor"),
        ({"logoSvg": SVG.format("<script/>")}, "INVALID", "input.logoSvg"),
        ({"logoPng": base64.b64encode(header(10_000, 10_000)).decode()}, "INVALID", "input.logoPng"),
        ({"order": foreign["id"]}, "NOT_FOUND", "input.order"),
        ({"order": free["id"]}, "CONFLICT", "input.order"),
    ):
        assert (await shop.refused(PREVIEW, input=given))[:2] == (code, field), given
    assert (await accountant.refused(PREVIEW, input={}))[0] == "FORBIDDEN"
    assert printer.printed == {} and await Product.exists()


async def test_without_pango_it_says_what_to_install(shop: Shop) -> None:
    before = outside.outside().renderer
    async with Renderer(size=1, render=work_without_pango) as without:
        outside.outside().renderer = without
        try:
            code, _, message = await shop.refused(PREVIEW, input={})
        finally:
            outside.outside().renderer = before

    assert code == "NOT_CONFIGURED" and "apt-get install" in message


async def test_of_those_who_wait_there_are_so_many_at_most(shop: Shop) -> None:
    before = outside.outside().renderer
    async with Renderer(size=1, timeout=30, render=blank) as one:
        outside.outside().renderer = one
        try:
            asked = [shop.post(PREVIEW, {"input": {}}) for _ in range(PREVIEWS_MOST + 3)]
            answers = await asyncio.gather(*asked)
        finally:
            outside.outside().renderer = before

    refused = [answer["errors"][0] for answer in answers if "errors" in answer]
    assert [error["extensions"]["code"] for error in refused] == ["LIMITED"] * 3
    assert all(error["extensions"]["retryAfter"] == 5 for error in refused)


def blank(content: Any, pages: int = 1) -> bytes:
    """Stands in for the rendering: pages with nothing on them."""
    pdf, written = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        pdf.add_blank_page(595, 842)
    pdf.write(written)
    return written.getvalue()


async def seen(shop: Shop, **given: Any) -> str:
    """All that the first page says."""
    pdf = base64.b64decode((await shop(PREVIEW, input=given))["pdf"])
    return " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
