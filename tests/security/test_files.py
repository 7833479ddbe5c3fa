"""The signed link to an invoice: opens its PDF for 24 hours, and nothing else opens anything."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from models import Invoice, Lane
from services import files, keeping, tokens
from services.outside import outside
from tests.security.surroundings import never_made
from tests.shop import Shop


@pytest.fixture
async def invoice(shop: Shop) -> Invoice:
    await shop.sell()
    return await Invoice.get()


async def test_the_link_opens_the_pdf_without_signing_in(shop: Shop, invoice: Invoice) -> None:
    order = await shop.see({"id": (await shop("{ orders { nodes { id } } }"))["nodes"][0]["id"]})

    response = await shop.http.get(order["invoices"][0]["pdfUrl"])

    assert response.status_code == 200
    assert response.content.startswith(b"%PDF-")
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_link_is_good_for_24_hours(invoice: Invoice) -> None:
    claims = tokens.read(tokens.FILE, token_of(files.invoice_link(invoice)))
    _, expires_at = tokens.sign(tokens.FILE, {}, timedelta(hours=24))

    assert claims is not None
    assert claims["invoice"] == str(invoice.id)
    assert abs(claims["exp"] - expires_at.timestamp()) < 60


async def test_what_is_no_link_of_ours_opens_nothing(shop: Shop, invoice: Invoice) -> None:
    good = token_of(files.invoice_link(invoice))
    head, body, signature = good.split(".")
    mine: dict[str, Any] = {"invoice": str(invoice.id)}
    bad = {
        "nothing": "x",
        "an altered signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "no signature": f"{head}.{body}.",
        "an altered body": f"{head}.{body[:-2]}AA.{signature}",
        "expired": tokens.sign(tokens.FILE, mine, timedelta(seconds=-1))[0],
        "an access token's key": tokens.sign(tokens.ACCESS, mine, timedelta(hours=1))[0],
        "an access token": shop.token,
        "an invoice that never was": tokens.sign(
            tokens.FILE, {"invoice": "01900000-0000-7000-8000-000000000000"}, timedelta(hours=1)
        )[0],
    }

    for why, token in bad.items():
        response = await shop.http.get(f"/files/{token}/{invoice.number}.pdf")
        assert response.status_code == 404, why
        assert "no longer good" in response.text
    assert (await shop.http.get(f"/files/{never_made('Invoice')}/x.pdf")).status_code == 404


async def test_an_invoice_that_is_not_rendered_yet_has_no_link_and_opens_nothing(shop: Shop) -> None:
    _, events = await shop.paid_events()
    for event in events:
        await shop.deliver(event)
    for promise in await keeping.claim(Lane.EVENTS, 20):
        await keeping.keep(promise)
    invoice = await Invoice.get()

    seen = await shop("{ invoices { nodes { pdfUrl } } }")

    assert seen["nodes"] == [{"pdfUrl": None}]
    assert (await shop.http.get(files.invoice_link(invoice))).status_code == 404


async def test_a_path_in_a_link_leads_nowhere_else(shop: Shop, invoice: Invoice) -> None:
    for path in ("/files/..%2f..%2fetc%2fpasswd/x", "/files/../settings.py", "/files/x/../../main.py", "/files//x"):
        assert (await shop.http.get(path)).status_code == 404, path


async def test_documents_lie_under_the_home_by_organization(invoice: Invoice) -> None:
    path = outside().settings.comptoir_home / "files" / str(invoice.file_key)

    assert path.is_file()
    assert path.parent.parts[-3:] == ("files", str(invoice.organization_id), "invoices")
    assert list(path.parent.glob(".*")) == []


def token_of(link: str) -> str:
    return urlsplit(link).path.split("/")[2]
