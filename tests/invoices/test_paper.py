"""The invoice as paper, read back from the PDF."""

import asyncio
import io
import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from models.content import Address, InvoiceContent, Party
from models.invoice import InvoiceType
from models.language import Language
from models.payment import PaymentMethod
from services.rendering import Renderer
from services.wording import TEMPLATES
from services.words import WORDS
from tests.invoices.cases import CASES
from tests.invoices.samples import (
    BALANCE_TO_PAY,
    BUYER,
    DEPOSIT,
    EXEMPTION,
    PAY_URL,
    TAX_RETURN,
    TO_PAY,
    brand,
    drawing,
    invoice,
)

COACHING = ("Coaching", 2, 90_00, 2000, 10_00)
BOOK = ("Livre", 1, 19_90, 550)

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20"><rect width="100" height="20"/></svg>"""
HOSTILE_LOGO = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">
    <style><![CDATA[
        @import url(http://127.0.0.1:{port}/a.css);
        @font-face {{ font-family: Inter; src: local("DejaVu Serif"), url(http://127.0.0.1:{port}/a.ttf) }}
    ]]></style>
    <script>fetch("http://127.0.0.1:{port}/")</script>
    <image href="http://127.0.0.1:{port}/a.png" width="3" height="3"/>
    <image xlink:href="file://{file}" width="3" height="3"/>
    <use href="http://127.0.0.1:{port}/a.svg#a"/>
    <text font-family="Inter" font-size="3" y="5">Un logo</text>
</svg>"""

BILLION_LAUGHS = (
    "<!DOCTYPE svg [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{level} '{f'&a{level - 1};' * 10}'>" for level in range(1, 10))
    + "]><svg xmlns='http://www.w3.org/2000/svg'><text>&a9;</text></svg>"
)


@pytest.fixture(scope="module")
async def renderer(renderer: Renderer) -> Renderer:
    """The run's own, where this machine can render."""
    return await drawing(renderer)


async def test_99_99_at_20_percent_reads_83_32_plus_16_67(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice())

    assert "Facture Invoice N° FQCA-2025-000156" in page
    assert "Déclaration d'impôts - Formule Complète 1 83,32 € 20 % 83,32 €" in page
    assert "Sous-total HT 83,32 € TVA 20 % 16,67 € Total TTC 99,99 €" in page
    assert "Facture acquittée 99,99 € payés en ligne le 5 décembre 2025" in page
    assert "Reste à payer 0,00 €" in page


async def test_the_parties_the_legal_identity_the_terms_and_the_contact_are_there(renderer: Renderer) -> None:
    address = Address(lines=("8 avenue des Ternes",), postal_code="1000", city="Bruxelles", country="BE")
    buyer = BUYER.model_copy(update={"address": address, "phone": "+33687654321"})
    (page,) = await read(renderer, invoice(buyer=buyer))

    for said in (
        "ComptAppart, SAS au capital de 10 000 € · 12 rue de la Paix, 75002 Paris",
        "SIREN 123 456 782 · SIRET 123 456 782 00012 · RCS Paris 123 456 782 · TVA intracommunautaire FR32123456782",
        "contact@comptappart.example · 01 40 00 00 00 · https://comptappart.example",
        "Conditions générales de vente : https://comptappart.example/cgv",
        "Facturé à Marie Martin 8 avenue des Ternes 1000 Bruxelles Belgique marie.martin@example.com 06 87 65 43 21",
        "Pas d’escompte pour paiement anticipé.",
        "Page 1 / 1",
    ):
        assert said in page


async def test_an_exempt_bilan_has_no_vat_and_names_the_article(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(("Bilan de compétences, formule Premium", 1, 2_400_00, 0)))

    assert "1 2 400,00 € exonéré 2 400,00 €" in page
    assert "Sous-total HT 2 400,00 € Exonéré de TVA 0,00 € Total TTC 2 400,00 €" in page
    assert EXEMPTION in page


async def test_each_rate_has_its_vat_and_its_base(renderer: Renderer) -> None:
    (page,) = await read(
        renderer, invoice(("Coaching", 1, 90_00, 2000), ("Livre", 2, 19_90, 550), ("Bilan", 1, 1_200_00, 0))
    )

    assert "TVA 20 % sur 75,00 € 15,00 €" in page
    assert "TVA 5,5 % sur 37,73 € 2,07 €" in page
    assert "Exonéré de TVA sur 1 200,00 € 0,00 €" in page


async def test_a_discount_stands_under_its_line(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(COACHING))

    assert "Coaching Remise −8,33 € HT 2 75,00 € 20 % 141,67 €" in page
    assert "Sous-total HT 141,67 € TVA 20 % 28,33 € Total TTC 170,00 €" in page


async def test_a_discount_on_the_whole_stands_before_the_totals_by_rate(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(COACHING, BOOK, discount_cents=19_00))

    assert (
        "Sous-total HT 160,53 € Remise (Code BIENVENUE) à 20 % −14,18 € Remise (Code BIENVENUE) à 5,5 % −1,88 €"
        " Total HT 144,47 € TVA 20 % sur 127,49 € 25,50 € TVA 5,5 % sur 16,98 € 0,93 € Total TTC 170,90 €"
    ) in page
    (page,) = await read(renderer, invoice(discount_cents=9_99))
    assert "Sous-total HT 83,32 € Remise (Code BIENVENUE) −8,32 € Total HT 75,00 € TVA 20 % 15,00 €" in page


async def test_the_order_and_the_siren_of_a_company_are_named(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(order_number=42, buyer=Party(name="Durand SARL", siren="123456782")))

    assert "Commande N° 42" in page
    assert "Facturé à Durand SARL SIREN 123 456 782" in page


async def test_a_deposit_is_invoiced_as_such(renderer: Renderer) -> None:
    content = invoice(("Acompte de 30 %", 1, 30_00, 2000), type=InvoiceType.PREPAYMENT)
    pdf = PdfReader(io.BytesIO(await renderer.invoice(content)))

    page = " ".join(pdf.pages[0].extract_text().split())
    assert "Facture d’acompte Deposit invoice N° FQCA-2025-000156" in page
    assert "Facture d’acompte acquittée 30,00 € payés en ligne le 5 décembre 2025" in page
    assert pdf.metadata is not None and pdf.metadata.title == "Facture d’acompte FQCA-2025-000156"


async def test_what_was_paid_in_advance_is_taken_off(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(deposits=(DEPOSIT,), payment_method=PaymentMethod.TRANSFER))

    assert "Facture acquittée 69,99 € payés par virement le 5 décembre 2025 et 30,00 € d’acompte" in page
    assert (
        "Total TTC 99,99 € Acompte, facture FQCA-2025-000012 du 1er décembre 2025 −30,00 €"
        " Payé −69,99 € Reste à payer 0,00 €"
    ) in page


async def test_what_is_still_due_is_asked_for_with_all_that_a_transfer_needs(renderer: Renderer) -> None:
    pdf = PdfReader(io.BytesIO(await renderer.invoice(invoice(**TO_PAY))))

    page = " ".join(pdf.pages[0].extract_text().split())
    assert "Échéance 5 janvier 2026" in page
    assert (
        "À régler avant le 5 janvier 2026 99,99 € Payer en ligne Paiement sécurisé sur api.comptappart.example"
        " ou par virement IBAN FR76 3000 6000 0112 3456 7890 189 BIC AGRIFRPPXXX"
        " Référence à indiquer FQCA-2025-000156"
    ) in page
    assert "Reste à payer 99,99 €" in page
    assert "acquittée" not in page
    assert PAY_URL not in page
    assert PAY_URL in links(pdf)


async def test_a_payment_in_part_is_told_and_the_balance_asked_for(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(**BALANCE_TO_PAY))

    assert "À régler avant le 5 janvier 2026 69,99 €" in page
    assert (
        "Total TTC 99,99 € Acompte, facture FQCA-2025-000012 du 1er décembre 2025 −30,00 € Reste à payer 69,99 €"
    ) in page

    by_cheque = BALANCE_TO_PAY | {"deposits": (), "payment_method": PaymentMethod.CHEQUE}
    (page,) = await read(renderer, invoice(**by_cheque))
    assert "Payé par chèque le 1er décembre 2025 −30,00 € Reste à payer 69,99 €" in page


async def test_what_is_paid_asks_for_nothing(renderer: Renderer) -> None:
    settled = TO_PAY | {"paid_on": TO_PAY["due_on"], "paid_cents": 99_99}
    pdf = PdfReader(io.BytesIO(await renderer.invoice(invoice(**settled))))

    page = pdf.pages[0].extract_text()
    assert "acquittée" in page
    assert "À régler" not in page and "IBAN" not in page and PAY_URL not in links(pdf)


async def test_only_a_web_address_is_a_link_to_pay_by(renderer: Renderer) -> None:
    pdf = PdfReader(io.BytesIO(await renderer.invoice(invoice(**TO_PAY | {"pay_url": "javascript:alert(1)"}))))

    assert not any(link.startswith("javascript") for link in links(pdf))
    assert "Par virement IBAN" in " ".join(pdf.pages[0].extract_text().split())


async def test_test_mode_stands_across_every_page_and_live_mode_across_none(renderer: Renderer) -> None:
    lines = [(f"Séance n° {number}", 1, 50_00, 2000) for number in range(1, 60)]

    tested, live = await read(renderer, invoice(*lines, live=False)), await read(renderer, invoice(*lines))

    assert len(tested) > 1
    assert all("TEST" in page for page in tested)
    assert "Document de test, sans valeur" in tested[0]
    assert not any("TEST" in page for page in live)


async def test_two_hundred_lines_run_over_pages_that_all_say_what_they_are(renderer: Renderer) -> None:
    lines = [(f"Séance n° {number}", 1 + number % 7, 9_99 + number, 2000) for number in range(1, 201)]

    pages = await read(renderer, invoice(*lines))

    assert re.findall(r"Séance n° (\d+)", " ".join(pages)) == [str(number) for number in range(1, 201)]
    carried = [re.search("À reporter : ([0-9 ,]+ €)", page) for page in pages]
    brought = [re.search("Report : ([0-9 ,]+ €)", page) for page in pages]
    assert [each and each[1] for each in carried] == [each and each[1] for each in brought[1:]] + [None]
    assert brought[0] is None and all(brought[1:])
    last = re.findall("([0-9 ,]+) €", pages[-1].partition("Sous-total")[0].partition("Total HT")[2])
    assert cents(brought[-1][1]) + sum(map(cents, last[1::2])) == invoice(*lines).net_cents
    for number, page in enumerate(pages, start=1):
        assert "Désignation Qté Prix unitaire HT TVA Total HT" in page
        assert "SIREN 123 456 782" in page
        assert f"Page {number} / {len(pages)}" in page
    assert all("Facture FQCA-2025-000156" in page for page in pages[1:])


async def test_who_reads_english_is_told_all_of_it_with_the_laws_terms_beside(renderer: Renderer) -> None:
    (page,) = await read(renderer, CASES["in English, a balance"])

    for said in (
        "Invoice Facture No. FQCA-2025-000156",
        "Invoice date 5 December 2025 Date of supply 5 December 2025 Due date 5 January 2026 Order No. 42",
        "1 €83.32 20% €83.32 To be paid by 5 January 2026 €69.99 Pay online",
        "or by bank transfer IBAN FR76 3000 6000 0112 3456 7890 189",
        "Total incl. VAT (TTC) €99.99 Deposit, invoice FQCA-2025-000012 of 1 December 2025 −€30.00 Balance due €69.99",
        "No discount for early payment. Pas d’escompte pour paiement anticipé.",
        "75002 Paris France",
        "VAT number (TVA intracommunautaire) FR32123456782",
    ):
        assert said in page, said
    (exempt,) = await read(renderer, CASES["in English, exempt"])
    assert f"French tax code (CGI) – {EXEMPTION}" in exempt
    (note,) = await read(renderer, CASES["in English, a credit note"])
    assert "Credit note Avoir" in note and "Corrects invoice FQCA-2025-000155 of 28 November 2025" in note
    assert "€99.99 refunded online on 5 December 2025 Reason: Session cancelled" in note


def test_every_word_is_there_in_both_languages_and_used() -> None:
    template = "".join((TEMPLATES / name).read_text() for name in ("invoice.html", "quote.html"))

    for words in WORDS.values():
        assert all(words.values())
    titles = {"invoice", "deposit_invoice", "credit_note", "quote"}
    assert set(re.findall(r"\bw\.(\w+)", template)) | titles == set(WORDS[Language.FR])


async def test_goods_say_where_they_are_delivered(renderer: Renderer) -> None:
    (page,) = await read(renderer, CASES["goods delivered elsewhere"])

    assert "Livré à Entrepôt 4 2 rue du Port 13002 Marseille" in page


@pytest.mark.parametrize("count", [1, 3, *range(6, 17), 40])
async def test_the_totals_are_never_alone_on_a_page(renderer: Renderer, count: int) -> None:
    lines = [(f"Séance n° {number}", 1, 50_00, 2000) for number in range(count)]

    for content in (invoice(*lines), invoice(*lines, discount_cents=10_00, **TO_PAY)):
        *_, last = await read(renderer, content)
        assert "Total TTC" in last
        assert f"Séance n° {count - 1} " in last


async def test_names_are_text_whatever_they_hold(renderer: Renderer) -> None:
    long = "X" * 120
    pages = await read(
        renderer,
        invoice(
            ("<b>gras</b> & <script>alert(1)</script> {{ 7 * 7 }}", 1, 1_00, 2000),
            buyer=Party(name=long, email="x@example.com"),
        ),
    )

    assert "<b>gras</b> & <script>alert(1)</script> {{ 7 * 7 }}" in pages[0]
    assert long in pages[0].replace(" ", "")


async def test_what_no_font_has_is_a_question_mark(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(("Yoga \U0001f9d8 du matin", 1, 1_00, 2000)))

    assert "Yoga ? du matin" in page


async def test_the_same_content_always_gives_the_same_bytes(renderer: Renderer) -> None:
    content = invoice(TAX_RETURN, live=False, brand=brand(logo_svg=LOGO))

    async with Renderer(size=1) as another:
        assert await renderer.invoice(content) == await another.invoice(content)


async def test_a_logo_takes_the_place_of_the_name(renderer: Renderer) -> None:
    (page,) = await read(renderer, invoice(brand=brand(logo_svg=LOGO)))

    assert "Service Fiscalité" not in page


@pytest.mark.parametrize("logo", ["<svg", "<html/>", "", BILLION_LAUGHS])
async def test_what_is_no_logo_leaves_the_name(renderer: Renderer, logo: str) -> None:
    (page,) = await read(renderer, invoice(brand=brand(logo_svg=logo)))

    assert "Service Fiscalité" in page


async def test_a_logo_fetches_nothing_and_changes_no_other_invoice(renderer: Renderer, tmp_path: Path) -> None:
    visits: list[object] = []
    listener = await asyncio.start_server(lambda reader, writer: visits.append(writer.close()), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    picture = tmp_path / "picture.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"><text y="9">of the disk</text></svg>')
    before = await renderer.invoice(invoice())

    async with listener:
        (page,) = await read(renderer, invoice(brand=brand(logo_svg=HOSTILE_LOGO.format(port=port, file=picture))))

    assert visits == []
    assert "Un logo" in page
    assert "of the disk" not in page
    assert await renderer.invoice(invoice()) == before


async def read(renderer: Renderer, content: InvoiceContent) -> list[str]:
    """The text of each page, every run of spaces as one."""
    pdf = await renderer.invoice(content)
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def cents(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def links(pdf: PdfReader) -> list[str]:
    """Where the first page's links lead."""
    return [str(link.get_object()["/A"]["/URI"]) for link in pdf.pages[0]["/Annots"]]
