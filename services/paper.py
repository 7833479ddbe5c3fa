"""An invoice as PDF. Only runs in the processes of `rendering.py`: WeasyPrint holds the GIL, and loads Pango."""

from xml.etree import ElementTree

from weasyprint import CSS, HTML  # type: ignore[import-untyped]
from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

from models.content import InvoiceContent
from services.wording import TEMPLATES, templates

LOGO = "invoice:logo"


class _OnlyTheLogo(URLFetcher):  # type: ignore[misc]
    """What a document may fetch: its own logo. No file, no network, nothing that an SVG would bring in."""

    def __init__(self, logo: bytes | None) -> None:
        super().__init__(allowed_protocols=())
        self._logo = logo

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url == LOGO and self._logo:
            return URLFetcherResponse(url, self._logo, {"Content-Type": "image/svg+xml"})
        return super().fetch(url, headers)


# Parsed once: half of the time of a page. The fonts are loaded by the sheet, so no document may add one (see `_safe`).
_FONTS = FontConfiguration()
_SHEET = CSS(filename=TEMPLATES / "invoice.css", font_config=_FONTS, url_fetcher=URLFetcher(allowed_protocols=["file"]))
_TEMPLATE = templates().get_template("invoice.html")


def invoice(content: InvoiceContent) -> bytes:
    """The PDF of an invoice: the same bytes whenever the content is the same."""
    logo = _safe(content.brand.logo_svg) if content.brand.logo_svg else None
    page = HTML(string=html(content, logo=LOGO if logo else None), url_fetcher=_OnlyTheLogo(logo))
    pdf: bytes = page.write_pdf(stylesheets=[_SHEET], font_config=_FONTS)  # Factur-X: `attachments`, `pdf_variant`
    return pdf


def html(content: InvoiceContent, *, logo: str | None) -> str:
    """The page, with all that it says escaped. `logo` is the address of the picture, None to print the name."""
    return _TEMPLATE.render(dict(content), logo=logo, due_cents=content.due_cents)


def _safe(svg: str) -> bytes | None:
    """A logo that cannot change other pages of this process: no at-rule, so no `@font-face` that takes Inter's name.

    None where it is not SVG: an invoice goes out with the brand's name rather than not at all.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return None
    if root.tag != "{http://www.w3.org/2000/svg}svg":
        return None
    for style in root.iter("{http://www.w3.org/2000/svg}style"):
        style.text = "".join(style.itertext()).replace("@", "")
    return ElementTree.tostring(root)
