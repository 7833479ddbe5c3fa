"""The invoice as machines read it: every kind of sale passes all rules, and what was altered breaks the right one."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import Nonconforming
from models.content import InvoiceContent, Mention, Party
from services import facturx
from services.conformance import broken_rules, must_conform
from tests.invoices.cases import CASES, COMPANY
from tests.invoices.samples import invoice


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_invoice_passes_all_rules(case: str) -> None:
    assert broken_rules(facturx.xml(CASES[case])) == []


@st.composite
def sales(draw: st.DrawFn) -> InvoiceContent:
    lines = []
    for number in range(draw(st.integers(1, 4))):
        quantity, price = draw(st.integers(1, 500)), draw(st.integers(1, 1_000_000))
        discount = draw(st.just(0) | st.integers(0, quantity * price - 1))
        lines.append((f"Article {number}", quantity, price, draw(st.sampled_from([2000, 1000, 550, 210, 0])), discount))
    total = sum(quantity * price - discount for _, quantity, price, _, discount in lines)
    return invoice(*lines, discount_cents=draw(st.just(0) | st.integers(0, total - 1)))


@settings(max_examples=25, deadline=None)
@given(sales())
def test_whatever_is_sold_passes_all_rules(content: InvoiceContent) -> None:
    assert broken_rules(facturx.xml(content)) == []


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("to a person", ["<ram:ID>S2<", "<ram:TypeCode>380<", ">B2C<", 'schemeID="EM">marie.martin@example.com<']),
        ("to a company", [">B2B<", 'schemeID="0002">732829320<', 'schemeID="0225">732829320<', ">3e étage, 8 quai"]),
        ("to a company, to be paid", ["<ram:ID>S1<", ">58<", ">FR7630006000011234567890189<", ">20260105<"]),
        ("exempt training", [">VATEX-FR-CGI261-4<", ">Exonération de TVA, article 261-4-4° a du CGI<", ">E<"]),
        ("franchise en base", [">VATEX-FR-FRANCHISE<", 'schemeID="FC">123456782<']),
        ("a deposit", ["<ram:TypeCode>386<", "<ram:ID>S2<"]),
        ("the balance after a deposit", ["<ram:ID>S4<", ">FQCA-2025-000012<", ">30.00<", ">69.99<"]),
        ("a credit note, given back", ["<ram:TypeCode>381<", ">FQCA-2025-000155<", ">20251128<", "<ram:ID>S2<"]),
        ("a credit note, not given back", ["<ram:TypeCode>381<", "<ram:ID>S1<", "DuePayableAmount>99.99<"]),
        ("goods", ["<ram:ID>B2<"]),
        ("goods delivered elsewhere", ["<ram:ID>B2<", "<ram:ShipToTradeParty>", ">2 rue du Port<", ">13002<"]),
        ("to where a company says", ['schemeID="0225">732829320_73282932000074<']),
        ("goods and services", ["<ram:ID>M2<"]),
        ("VAT on debits", ["<ram:DueDateTypeCode>5<", "d'après les débits"]),
        ("a price that no cent carries", [">11.6667<", '<ram:BasisQuantity unitCode="C62">9999<']),
        ("names with all sorts of characters", ["&lt;b&gt;&amp;amp; « 100 % » \U0001f600<", ">A &amp; &lt;B&gt;<"]),
    ],
)
def test_what_each_kind_says(case: str, said: list[str]) -> None:
    xml = facturx.xml(CASES[case]).decode()

    for each in said:
        assert each in xml, each
    assert ('schemeID="VA">FR32123456782<' in xml) == (CASES[case].seller.vat_number is not None)


# (case, what stands there, what stands there instead, the rule that it breaks)
ALTERED: list[tuple[str, str, str, str]] = [
    ("to a person", r"<ram:GrandTotalAmount>99.99", "<ram:GrandTotalAmount>99.98", "BR-CO-15"),
    ("to a person", r"<ram:TaxBasisTotalAmount>83.32", "<ram:TaxBasisTotalAmount>83.33", "BR-CO-13"),
    ("to a person", r"<ram:DuePayableAmount>0.00", "<ram:DuePayableAmount>1.00", "BR-CO-16"),
    ("3 lines", r"<ram:LineTotalAmount>141.67", "<ram:LineTotalAmount>141.68", "BR-CO-10"),
    ("to a person", r"<ram:CalculatedAmount>16.67", "<ram:CalculatedAmount>18.67", "BR-CO-17"),
    ("a discount on the whole", r"<ram:AllowanceTotalAmount>16.06", "<ram:AllowanceTotalAmount>16.05", "BR-CO-11"),
    ("to a person", r"<ram:TotalPrepaidAmount>99.99", "<ram:TotalPrepaidAmount>50.00", "BR-FR-CO-09"),
    ("to a person", r"(?s)<ram:SpecifiedTradePaymentTerms>.*?</ram:SpecifiedTradePaymentTerms>", "", "BR-FR-CO-09"),
    ("to a company, to be paid", r">20260105<", ">20251105<", "BR-FR-CO-07"),
    ("to a company, to be paid", r"<ram:IBANID>.*?</ram:IBANID>", "", "BR-50"),
    ("to a company", r"<ram:SubjectCode>PMT", "<ram:SubjectCode>AAI", "BR-FR-05"),
    ("to a company", r"<ram:SubjectCode>PMD", "<ram:SubjectCode>AAI", "BR-FR-05"),
    ("to a company", r"<ram:SubjectCode>AAB", "<ram:SubjectCode>AAI", "BR-FR-05"),
    ("to a company", r"<ram:SubjectCode>PMD", "<ram:SubjectCode>PMT", "BR-FR-06"),
    ("to a company", r'schemeID="0225">732829320', 'schemeID="0225">123456782', "BR-FR-21"),
    ("to a company", r'<ram:ID schemeID="0002">732829320</ram:ID>', "", "BR-FR-11"),
    ("to a person", r'<ram:ID schemeID="0002">123456782</ram:ID>', "", "BR-FR-10"),
    ("to a person", r">12345678200012<", ">73282932000012<", "BR-FR-09"),
    ("to a person", r'(?s)<ram:URIUniversalCommunication>\s*<ram:URIID schemeID="EM">.*?</ram:URIUniv\w+>', "",
     "BR-FR-12"),
    ("to a person", r"<ram:ID>S2<", "<ram:ID>S12<", "BR-FR-08"),
    ("to a person", r"<ram:TypeCode>380<", "<ram:TypeCode>381<", "BR-FR-CO-05"),
    ("to a person", r"<ram:TypeCode>380<", "<ram:TypeCode>999<", "BR-FR-04"),
    ("a credit note in part", r">20251128<", "><", "No rule can be applied: Cannot convert"),
    ("a credit note in part", r"(?s)<ram:InvoiceReferencedDocument>.*?</ram:InvoiceReferencedDocument>", "",
     "BR-FR-CO-05"),
    ("the balance after a deposit", r"<ram:TypeCode>380<", "<ram:TypeCode>386<", "BR-FR-CO-08"),
    ("to a person", r">FQCA-2025-000156<", ">FQCA 2025 000156<", "BR-FR-02"),
    ("to a person", r"RateApplicablePercent>20<", "RateApplicablePercent>18<", "BR-FR-16"),
    ("exempt training", r">VATEX-FR-CGI261-4<", ">VATEX-FR-NOWHERE<", "FX-SCH-A-000589"),
    ("exempt training", r"(?s)<ram:ExemptionReason>.*?</ram:ExemptionReason>|<ram:ExemptionReasonCode>.*?Code>", "",
     "BR-E-10"),
    ("franchise en base", r'(?s)<ram:SpecifiedTaxRegistration>.*?</ram:SpecifiedTaxRegistration>', "", "BR-E-02"),
    ("to a person", r"<ram:InvoiceCurrencyCode>EUR<", "<ram:InvoiceCurrencyCode>USD<", "BR-FR-CO-12"),
    ("to a person", r"<ram:Name>Marie Martin</ram:Name>", "<ram:Name/>", "BR-07"),
    ("to a person", r"<ram:BilledQuantity.*?</ram:BilledQuantity>", "", "XSD"),
    ("to a person", r">20251205<", ">2025-12-05<", "BR-FR-03"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "what", "instead", "rule"), ALTERED, ids=lambda each: each[:24])
def test_what_was_altered_breaks_the_rule_that_forbids_it(case: str, what: str, instead: str, rule: str) -> None:
    xml = facturx.xml(CASES[case]).decode()
    altered = re.sub(what, instead, xml)

    assert altered != xml
    assert any(rule in broken for broken in broken_rules(altered.encode())), broken_rules(altered.encode())


def test_an_invoice_with_vat_in_another_currency_than_euros_does_not_conform() -> None:
    assert [broken[:12] for broken in broken_rules(facturx.xml(invoice(currency="USD")))] == ["BR-FR-CO-12_"]


def test_what_does_not_conform_is_refused_with_its_number_and_its_rules() -> None:
    xml = facturx.xml(invoice(seller=Party(name="Personne", email="a@example.com")))

    with pytest.raises(Nonconforming, match=r"Invoice FQCA-2025-000156 breaks rules of e-invoicing: .*BR-FR-10"):
        must_conform("FQCA-2025-000156", xml)


def test_an_invoice_stored_before_mentions_had_subjects_is_read_and_passes() -> None:
    before: dict[str, Any] = invoice(buyer=COMPANY).model_dump(mode="json")
    for added in ("operation_category", "vat_on_debits"):
        del before[added]
    before["mentions"] = ["Pas d'escompte pour paiement anticipé."]
    for group in before["vat"]:
        del group["exemption_code"]

    content = InvoiceContent.model_validate(before)

    assert content.mentions == (Mention(text="Pas d'escompte pour paiement anticipé."),)
    assert broken_rules(facturx.xml(content)) == []


def test_the_same_content_always_gives_the_same_xml() -> None:
    assert facturx.xml(CASES["several rates"]) == facturx.xml(CASES["several rates"])
