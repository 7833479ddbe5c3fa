"""A sheet of ours in place of WeasyPrint's own changes nothing that is drawn."""

from typing import Any

import pytest

from tests.invoices.cases import CASES
from tests.invoices.samples import brand

DRAWN = (
    "to a company",
    "to a company, to be paid",
    "discounts on all, at several rates",
    "the balance after a deposit",
    "a credit note in part",
    "a price that no cent carries",
    "a test",
)
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20"><rect width="100" height="20"/></svg>"""


@pytest.fixture(scope="module")
def paper() -> Any:
    """Where this machine can render."""
    try:
        from services import paper
    except OSError:
        pytest.skip("invoices need Pango")
    return paper


@pytest.mark.parametrize("case", [*DRAWN, "a logo"])
def test_what_is_drawn_is_the_same_to_the_byte(paper: Any, case: str) -> None:
    import weasyprint

    content = CASES.get(case) or CASES["to a person"].model_copy(update={"brand": brand(logo_svg=LOGO)})
    said = paper.html(content, logo=paper.LOGO if content.brand.logo_svg else None)

    def drawn(kind: Any) -> Any:
        page = kind(string=said, url_fetcher=paper._OnlyTheLogo(LOGO.encode()))
        return page.write_pdf(stylesheets=[paper._SHEET], font_config=paper._FONTS)

    assert drawn(paper.HTML) == drawn(weasyprint.HTML)
