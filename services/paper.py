"""An invoice as PDF. Only runs in the processes of `rendering.py`: WeasyPrint holds the GIL, and loads Pango."""

from xml.etree import ElementTree

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from models.content import InvoiceContent
from services.wording import TEMPLATES, templates

LOGO = "invoice:logo"


class _OnlyTheLogo(URLFetcher):  # type: ignore[misc]
    """What a document may fetch: its own logo. No file, no network, and no font that would stay for later documents."""

    def __init__(self, logo: bytes | None) -> None:
        super().__init__(allowed_protocols=())
        self._logo = logo

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        if url == LOGO and self._logo:
            return URLFetcherResponse(url, self._logo, {"Content-Type": "image/svg+xml"})
        return super().fetch(url, headers)


# Read once: parsing the sheet and loading the fonts would take as long as a page.
_FONTS = FontConfiguration()
_SHEET = CSS(filename=TEMPLATES / "invoice.css", font_config=_FONTS, url_fetcher=URLFetcher(allowed_protocols=["file"]))
_TEMPLATE = templates().get_template("invoice.html")


def invoice(content: InvoiceContent) -> bytes:
    """The PDF of an invoice: the same bytes whenever the content is the same."""
    logo = _readable(content.brand.logo_svg)
    page = HTML(string=html(content, logo=LOGO if logo else None), url_fetcher=_OnlyTheLogo(logo))
    pdf: bytes = page.write_pdf(stylesheets=[_SHEET], font_config=_FONTS)  # Factur-X: `attachments`, `pdf_variant`
    return pdf


def html(content: InvoiceContent, *, logo: str | None) -> str:
    """The page, with all that it says escaped. `logo` is the address of the picture, None to print the name."""
    return _TEMPLATE.render(dict(content), logo=logo, due_cents=content.due_cents)


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
