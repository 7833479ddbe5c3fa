"""An invoice or a quote as PDF. Only runs in the processes of `rendering.py`: WeasyPrint holds the GIL, loads Pango."""

import base64
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial
from typing import Any
from xml.etree import ElementTree

from weasyprint import CSS, Attachment
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from models.content import Branding, InvoiceContent, PreviewContent, QuoteContent
from models.language import Language
from services import archival, conformance, facturx
from services.light_html import HTML
from services.wording import TEMPLATES, templates
from services.words import WORDS

LOGO = "invoice:logo"


@dataclass(frozen=True)
class _Logo:
    content: bytes
    media_type: str


class _OnlyTheLogo(URLFetcher):  # type: ignore[misc]
    """What a document may fetch: its own logo. No file, no network, and no font that would stay for later documents."""

    def __init__(self, logo: _Logo | None) -> None:
        super().__init__(allowed_protocols=())
        self._logo = logo

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url == LOGO and self._logo:
            return URLFetcherResponse(url, self._logo.content, {"Content-Type": self._logo.media_type})
        return super().fetch(url, headers)


# Read once: parsing the sheet and loading the fonts would take as long as a page.
_FONTS = FontConfiguration()
_SHEET = CSS(filename=TEMPLATES / "invoice.css", font_config=_FONTS, url_fetcher=URLFetcher(allowed_protocols=["file"]))
_INVOICES = {language: templates(language).get_template("invoice.html") for language in Language}
# What the page asks of an invoice, and a quote has none of.
_NO_INVOICE = {"type": "QUOTE", "preview": False, "deposits": (), "paid_cents": 0, "deliver_to": None}
_QUOTES = {language: templates(language).get_template("quote.html") for language in Language}


def invoice(content: InvoiceContent) -> bytes:
    """The invoice as Factur-X: PDF/A-3b with its XML inside, the same bytes whenever the content is the same.

    Raises Nonconforming where the XML breaks a rule: nothing is printed then.
    """
    xml = facturx.xml(content)
    conformance.must_conform(content.number, xml)
    logo = _logo_of(content.brand)
    said = html(content, logo=LOGO if logo else None)
    pdf, unprintable = _printed(content, said, logo, xml)
    if unprintable:  # PDF/A has no sign for what no font has; the XML says it as it is
        pdf, _ = _printed(content, said.translate(dict.fromkeys(unprintable, "?")), logo, xml)
    return pdf


def preview(content: PreviewContent) -> bytes:
    """The page of an invoice that is not issued, marked as such."""
    logo = _logo_of(content.brand)
    page = HTML(string=html(content, logo=LOGO if logo else None), url_fetcher=_OnlyTheLogo(logo))
    pdf: bytes = page.write_pdf(stylesheets=[_SHEET], font_config=_FONTS)
    return pdf


def quote(content: QuoteContent) -> bytes:
    """The PDF/A of a quote, in the look of invoices: the same bytes whenever the content is the same."""
    logo = _logo_of(content.brand)
    said = _QUOTES[content.language].render(_said(content) | _NO_INVOICE, logo=LOGO if logo else None)
    page = HTML(string=said, url_fetcher=_OnlyTheLogo(logo))
    pdf: bytes = page.write_pdf(stylesheets=[_SHEET], font_config=_FONTS, pdf_variant="pdf/a-3b")
    return pdf


def html(content: InvoiceContent, *, logo: str | None) -> str:
    """The page, with all that it says escaped. `logo` is the address of the picture, None to print the name."""
    return _INVOICES[content.language].render(
        _said(content), logo=logo, due_cents=content.due_cents, preview=isinstance(content, PreviewContent)
    )


def _said(content: InvoiceContent | QuoteContent) -> dict[str, Any]:
    """What a document says, and the words to say it in."""
    in_english = content.language is Language.EN
    return dict(content) | {
        "in_english": in_english,
        "w": WORDS[content.language],
        "other": WORDS[Language.FR if in_english else Language.EN],
        "colon": ":" if in_english else "\N{NO-BREAK SPACE}:",
    }


def _printed(content: InvoiceContent, said: str, logo: _Logo | None, xml: bytes) -> tuple[bytes, set[int]]:
    """The PDF of a page, and the code points in it that no font has."""
    page = HTML(string=said, url_fetcher=_OnlyTheLogo(logo))
    document = page.render(stylesheets=[_SHEET], font_config=_FONTS)
    pdf = archival.write(document, partial(_attached, content, xml))
    return pdf, {point for font in document.fonts.values() for point in font.missing}


def _attached(content: InvoiceContent, xml: bytes) -> Attachment:
    issued = datetime.combine(content.issued_on, time())  # not now: the bytes would differ each time
    return Attachment(
        string=xml,
        name=facturx.NAME,
        description="Factur-X",
        relationship="Data",
        created=issued,
        modified=issued,
    )


def _logo_of(brand: Branding) -> _Logo | None:
    """The brand's logo; None where there is none that can be drawn."""
    if brand.logo_png and not brand.logo_svg:
        return _Logo(base64.b64decode(brand.logo_png), "image/png")
    svg = _readable(brand.logo_svg)
    return _Logo(svg, "image/svg+xml") if svg else None


def _readable(svg: str | None) -> bytes | None:
    """A logo that WeasyPrint can draw; None where it is not SVG: the invoice goes out with the brand's name instead.

    At-rules are taken out: one `@import`, which is never fetched, would lose the whole picture.
    """
    try:
        root = ElementTree.fromstring(svg or "")  # noqa: S314  # expat fetches no entity, and bounds the others
    except ElementTree.ParseError:
        return None
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        return None
    for style in root.iter("{http://www.w3.org/2000/svg}style"):
        style.text = (style.text or "").replace("@", "")
    return ElementTree.tostring(root)
