"""An invoice rendered as a worker does, against WeasyPrint as its manual begins: `HTML(string=…).write_pdf()`."""

import base64
import gc
import io
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson
from pypdf import PdfReader

from benchmarks import load
from benchmarks.figures import OURS, Figure, Turn, Turns, faster, turns_of
from benchmarks.installation import Installation
from local import pango
from models.content import InvoiceContent
from services.rendering import render_document
from tests.invoices.samples import brand, invoice

NAIVE = "naive"
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
    return [faster(f"invoice, lines: {lines}", turns_of(ways), NAIVE) for lines, ways in taken.items()]


def main(rounds: int, seconds: float) -> dict[str, Turns]:
    """The turns for each number of lines. Raises Failed unless both ways print the same text."""
    render_document(invoice())  # says what to do where Pango is missing
    ways = {str(lines): _ways(lines) for lines in LINES}
    for several in ways.values():
        first, other = (_text(render()) for render in several.values())
        if first != other:
            raise load.Failed(f"naively printed is something else:\n{other}\n{first}")
    gc.collect()
    gc.freeze()  # as in services/rendering.py
    return {lines: _turns(several, rounds, seconds) for lines, several in ways.items()}


def _ways(lines: int) -> dict[str, Render]:
    content = invoice(*(SOLD[number % len(SOLD)] for number in range(lines)), brand=brand(logo_svg=LOGO))
    return {OURS: partial(render_document, content), NAIVE: _naive(content)}


def _naive(content: InvoiceContent) -> Render:
    """The same page, as a string that holds all that it needs but the fonts, which lie beside."""
    from weasyprint import HTML

    from services import paper  # like WeasyPrint, loads Pango: only in the process that measures

    logo = f"data:image/svg+xml;base64,{base64.b64encode(LOGO.encode()).decode()}"
    sheet = (paper.TEMPLATES / "invoice.css").read_text()
    page = paper.html(content, logo=logo).replace("</head>", f"<style>{sheet}</style></head>")
    return lambda: HTML(string=page, base_url=str(paper.TEMPLATES)).write_pdf()


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


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
