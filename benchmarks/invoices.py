"""An invoice rendered as a worker does, against WeasyPrint as its manual begins: `HTML(string=…).write_pdf()`.

Ours is Factur-X in PDF/A-3b, validated. The naive page is a plain PDF: with web fonts (woff2, Latin as Google and
fontsource cut it) and flexbox around its table of lines.
"""

import base64
import gc
import io
import os
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

import orjson
from pypdf import PdfReader

from benchmarks import load
from benchmarks.figures import OURS, Figure, Turn, Turns, faster, turns_of
from benchmarks.installation import Installation
from local import pango
from models.content import InvoiceContent
from services.rendering import render_document
from tests.invoices.samples import brand, invoice

NAIVE, XML = "naive", "its XML"
TARGET, ONE_PAGE = 3.5, 7  # lines
XML_MOST = 0.7
FONTS = ("Inter-Regular", "Inter-SemiBold")
LATIN = "U+0000-00FF,U+0131,U+0152-0153,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2212,U+2215,U+FEFF,U+FFFD"
LINES = (1, 7, 40)
SOLD = (
    ("Déclaration d'impôts - Formule Complète", 1, 99_99, 2000),
    ("Accompagnement à la création d'entreprise", 2, 450_00, 2000),
    ("Guide du créateur, édition papier", 3, 19_90, 550),
    ("Bilan de compétences, entretien", 1, 120_00, 0),
)
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 30">
  <rect width="30" height="30" rx="6" fill="#0b6e4f"/>
  <path d="M8 15l5 5 9-10" fill="none" stroke="#fff" stroke-width="3"/>
  <rect x="40" y="9" width="80" height="12"/>
</svg>"""

Render = Callable[[], bytes]


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """Invoices of one page and of several, in one process that is warm."""
    home = Path(os.environ.get("COMPTOIR_HOME", "var"))
    taken = installed.run("benchmarks.invoices", rounds, seconds, **pango.environment(home))
    return [figure for lines, ways in taken.items() for figure in _figures(lines, turns_of(ways))]


def _figures(lines: str, turns: Turns) -> list[Figure]:
    target = TARGET if int(lines) <= ONE_PAGE else None
    return [faster(f"invoice, lines: {lines}", turns, NAIVE, target=target), _share(f"its XML, lines: {lines}", turns)]


def _share(case: str, turns: Turns) -> Figure:
    """The CPU that building and validating the XML takes, for that of all the rest."""
    shares = [xml.cpu / (whole.cpu - xml.cpu) for whole, xml in zip(turns[OURS], turns[XML], strict=True)]
    middle, spread = median(shares), (min(shares), max(shares))
    return Figure(case, "the rest", middle, XML_MOST, at_least=False, spread=spread, by_cpu=middle)


def main(rounds: int, seconds: float) -> dict[str, Turns]:
    """The turns for each number of lines. Raises Failed unless both ways print the same text."""
    render_document(invoice())  # says what to do where Pango is missing
    ways = {str(lines): _ways(lines) for lines in LINES}
    for several in ways.values():
        first, other = (_text(several[way]()) for way in (OURS, NAIVE))
        if first != other:
            raise load.Failed(f"naively printed is something else:\n{other}\n{first}")
    gc.collect()
    gc.freeze()  # as in services/rendering.py
    return {lines: _turns(several, rounds, seconds) for lines, several in ways.items()}


def _ways(lines: int) -> dict[str, Render]:
    content = invoice(*(SOLD[number % len(SOLD)] for number in range(lines)), brand=brand(logo_svg=LOGO))
    return {OURS: partial(render_document, content), NAIVE: _naive(content), XML: partial(_xml, content)}


def _xml(content: InvoiceContent) -> bytes:
    from services import conformance, facturx  # loads Saxon

    xml = facturx.xml(content)
    conformance.must_conform(content.number, xml)
    return xml


def _naive(content: InvoiceContent) -> Render:
    """The same page, as a string that holds all that it needs but the fonts, which lie beside."""
    from weasyprint import HTML

    from services import paper  # like WeasyPrint, loads Pango: only in the process that measures

    logo = f"data:image/svg+xml;base64,{base64.b64encode(LOGO.encode()).decode()}"
    sheet = (paper.TEMPLATES / "invoice.css").read_text()
    for font in FONTS:
        sheet = sheet.replace(f"fonts/{font}.ttf", f"{_web_fonts()}/{font}.woff2")
    page = paper.html(content, logo=logo).replace("</head>", f"<style>{sheet}{_flexbox()}</style></head>")
    return lambda: HTML(string=page, base_url=str(paper.TEMPLATES)).write_pdf()


@cache
def _web_fonts() -> str:
    """A folder with the fonts as a front end has them."""
    from fontTools import subset

    folder = mkdtemp()
    options = subset.Options(flavor="woff2", layout_features=["*"])
    for font in FONTS:
        cut = subset.Subsetter(options)
        cut.populate(unicodes=subset.parse_unicodes(LATIN))
        loaded = subset.load_font(f"templates/fonts/{font}.ttf", options)
        cut.subset(loaded)
        subset.save_font(loaded, f"{folder}/{font}.woff2", options)
    return folder


def _flexbox() -> str:
    """Rows of boxes where ours has tables; the lines are a table in both."""
    tables = (".footer", ".head", ".parties", ".dates", ".sums", ".totals")
    rows = {
        f"{table}, {table} > tbody {{ display: block }} {table} > tbody > tr {{ display: flex }}"
        f" {table} > tbody > tr > td {{ display: block; flex: 1 }}"
        for table in tables
    }
    return " ".join(sorted(rows))


def _text(pdf: bytes) -> str:
    """All that is read, but for where lines break."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def _turns(ways: dict[str, Render], rounds: int, seconds: float) -> Turns:
    taken: Turns = {way: [] for way in ways}
    for _ in range(rounds):
        for way, turn in _round(ways, seconds).items():
            taken[way].append(turn)
    return taken


def _round(ways: dict[str, Render], seconds: float) -> dict[str, Turn]:
    """Page by page in turn: each way has its share of whatever else the machine does. One page of each at least."""
    took, used, pages = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0), 0
    end = time.perf_counter() + seconds
    while not pages or time.perf_counter() < end:
        for way, render in ways.items():
            began, had = time.perf_counter(), time.process_time()
            render()
            took[way] += time.perf_counter() - began
            used[way] += time.process_time() - had
        pages += 1
    return {way: Turn(pages / took[way], used[way] / pages * 1e6) for way in ways}


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(main(int(sys.argv[1]), float(sys.argv[2]))))
