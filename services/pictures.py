"""Pages of a PDF as pictures. Only runs in the processes of `rendering.py`: it is pure CPU."""

import io
from typing import Any

PAGES_MOST = 3
DPI = 110  # an A4 page of 910 × 1286 pixels


def of_pages(pdf: bytes) -> list[bytes]:
    """PNGs of the first pages, in order: `PAGES_MOST` at most, at `DPI`. The PDF is one that we made."""
    import pypdfium2  # of native code: never in the process that serves

    with pypdfium2.PdfDocument(pdf) as document:
        return [_png(document[number]) for number in range(min(len(document), PAGES_MOST))]


def _png(page: Any) -> bytes:
    written = io.BytesIO()
    page.render(scale=DPI / 72).to_pil().save(written, "PNG")
    return written.getvalue()
