"""A renderer where nobody looks at the page."""

from models.content import InvoiceContent, PreviewContent, QuoteContent


class Printer:
    """Prints nothing, and keeps what it was given to print, by number."""

    def __init__(self) -> None:
        self.printed: dict[str, InvoiceContent | QuoteContent] = {}

    async def invoice(self, content: InvoiceContent) -> bytes:
        self.printed[content.number] = content
        return b"%PDF-1.7 " + content.number.encode()

    async def preview(self, content: PreviewContent) -> bytes:
        return await self.invoice(content)

    async def quote(self, content: QuoteContent) -> bytes:
        self.printed[content.number] = content
        return b"%PDF-1.7 " + content.number.encode()

    async def pictures(self, pdf: bytes) -> list[bytes]:
        return [b"\x89PNG of " + pdf]

    def close(self) -> None:
        """Nothing was opened."""
