"""The PDF of an invoice as an archive wants it, and with its XML inside: looked at by a checker that is not ours."""

import io
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import page
import pytest
from facturx import get_facturx_xml_from_pdf
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject

from services import archival, facturx
from services.rendering import Renderer
from tests.invoices.cases import CASES
from tests.invoices.samples import brand, drawing, invoice

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20">
    <linearGradient id="a"><stop stop-color="#0b6e4f"/><stop offset="1" stop-color="#fff"/></linearGradient>
    <rect width="100" height="20" fill="url(#a)" opacity=".5"/>
</svg>"""
RED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
LOGOS = {"a logo": brand(logo_svg=LOGO), "a logo that is a picture": brand(logo_png=RED)}


@pytest.fixture(scope="module")
async def renderer(renderer: Renderer) -> Renderer:
    """The run's own, where this machine can render."""
    return await drawing(renderer)


@pytest.mark.parametrize("case", [*CASES, *LOGOS])
async def test_every_kind_of_invoice_is_pdf_a_3b_with_its_xml_inside(renderer: Renderer, case: str) -> None:
    content = CASES.get(case) or invoice(brand=LOGOS[case])

    pdf = await renderer.invoice(content)

    assert broken(pdf) == []
    assert get_facturx_xml_from_pdf(pdf, check_xsd=False, check_schematron=False) == (
        "factur-x.xml",
        facturx.xml(content),
    )


async def test_the_xml_is_attached_as_factur_x_has_it(renderer: Renderer) -> None:
    root: Any = PdfReader(io.BytesIO(await renderer.invoice(invoice()))).trailer["/Root"]

    (attached,) = [each.get_object() for each in root["/AF"]]
    assert (attached["/F"], attached["/UF"], attached["/AFRelationship"]) == ("factur-x.xml", "factur-x.xml", "/Data")
    assert attached["/EF"]["/F"]["/Subtype"] == "/text/xml"
    assert attached["/EF"]["/F"]["/Params"]["/ModDate"] == "D:20251205000000Z"
    metadata = root["/Metadata"]
    assert "/Filter" not in metadata
    said = metadata.get_data().decode()
    assert said.count("<rdf:RDF") == 1
    for each in ("DocumentType>INVOICE<", "DocumentFileName>factur-x.xml<", "ConformanceLevel>EN 16931<"):
        assert f"<fx:{each}" in said


def test_data_that_ends_like_a_line_has_one_length_all_the_same() -> None:
    paper = pytest.importorskip("services.paper", exc_type=OSError)
    document = paper.HTML(string="<p>1").render(stylesheets=[paper._SHEET], font_config=paper._FONTS)
    texts = [f"<a>{'a' * number}</a>".encode() for number in range(256)]
    unlucky = next(text for text in texts if zlib.compress(text, 9).endswith(b"\r"))

    usual, other = (archival.write(document, partial(paper._attached, invoice(), xml)) for xml in (texts[0], unlucky))

    assert (b"/ObjStm" in usual, b"/ObjStm" in other) == (True, False)  # compressed, and not
    assert broken(usual) == broken(other) == []


def _without_fonts(pdf: PdfWriter) -> None:
    for each in pdf._objects:
        if isinstance(each, DictionaryObject):
            each.pop("/FontFile2", None)


def _attached(pdf: PdfWriter) -> Any:
    return pdf.root_object["/AF"][0].get_object()  # type: ignore[index]


ALTERED: list[tuple[str, Callable[[PdfWriter], Any]]] = [
    ("PDFA3B-DEVICE-RGB-001", lambda pdf: pdf.root_object.pop("/OutputIntents")),
    ("PDFA3B-METADATA-STRUCTURE-001", lambda pdf: pdf.root_object.pop("/Metadata")),
    ("PDFA3B-FILE-SPEC-ASSOCIATION-001", lambda pdf: pdf.root_object.pop("/AF")),
    ("PDFA3B-FILE-SPEC-AF-RELATIONSHIP-001", lambda pdf: _attached(pdf).pop("/AFRelationship")),
    ("PDFA3B-EMBEDDED-FILE-MIME-001", lambda pdf: _attached(pdf)["/EF"]["/F"].get_object().pop("/Subtype")),
    ("PDFA3B-FONT-EMBEDDING-001", _without_fonts),
    ("PDFA3B-ENCRYPTION-001", lambda pdf: pdf.encrypt("a password")),
]


@pytest.mark.parametrize(("rule", "alter"), ALTERED, ids=[rule for rule, _ in ALTERED])
async def test_what_was_altered_is_no_archive_any_more(
    renderer: Renderer, rule: str, alter: Callable[[PdfWriter], Any]
) -> None:
    writer, altered = PdfWriter(clone_from=io.BytesIO(await renderer.invoice(invoice()))), io.BytesIO()
    alter(writer)
    writer.write(altered)

    assert rule in broken(altered.getvalue())


def broken(pdf: bytes) -> list[str]:
    """The rules of PDF/A-3b that it breaks."""
    return [failure.rule_id for failure in page.validate_pdf_bytes(pdf, profile="3b").failures]
