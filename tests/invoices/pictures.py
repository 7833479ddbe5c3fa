"""A picture of every kind of invoice, to be looked at: `python -m local.pango HOME -m tests.invoices.pictures FOLDER`.

Needs poppler's `pdftoppm`; the PDFs are written beside."""

import re
import subprocess
import sys
from pathlib import Path

from services import paper
from tests.invoices.cases import CASES


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CASES.items():
        pdf = folder / f"{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}.pdf"
        pdf.write_bytes(paper.invoice(content))
        subprocess.run(["pdftoppm", "-r", "70", "-png", pdf, pdf.with_suffix("")], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
