"""What an invoice says is stored as JSON, comes back the same, and cannot be wrong."""

import json
from datetime import date

import pytest
from pydantic import ValidationError

from models.content import InvoiceContent, VatBreakdown, VatCategory
from tests.invoices.samples import TAX_RETURN, invoice


def test_an_invoice_comes_back_from_json_exactly_as_it_was() -> None:
    content = invoice(TAX_RETURN, ("Atelier CV", 3, 14_00, 2000), ("Bilan", 1, 1_200_00, 0), notes=("Commande n° 42",))

    assert InvoiceContent.model_validate_json(content.model_dump_json()) == content
    assert InvoiceContent.model_validate(json.loads(json.dumps(content.model_dump(mode="json")))) == content


def test_the_unit_price_is_stored_as_text_with_its_decimals() -> None:
    (line,) = invoice(("Atelier CV", 3, 14_00, 2000)).model_dump(mode="json")["lines"]

    assert line["unit_net"] == "11.6667"


def test_what_is_still_due_is_the_total_less_what_was_paid() -> None:
    assert (invoice().due_cents, invoice().is_paid) == (0, True)
    assert (invoice(paid_cents=40_00).due_cents, invoice(paid_cents=40_00).is_paid) == (59_99, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"net_cents": 83_33, "vat_cents": 16_66},
        {"gross_cents": 100_00},
        {"vat": (VatBreakdown(category=VatCategory.STANDARD, rate=1000, net_cents=83_32, vat_cents=16_67),)},
        {"paid_cents": 100_00},
        {"paid_cents": 0},
        {"paid_on": None},
        {"lines": ()},
        {"surprise": 1},
    ],
)
def test_an_invoice_that_does_not_add_up_does_not_exist(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        invoice(**wrong)


def test_a_line_whose_unit_price_does_not_give_its_total_does_not_exist() -> None:
    (line,) = invoice().lines

    with pytest.raises(ValidationError, match="unit price"):
        type(line).model_validate(line.model_dump() | {"unit_net": "83.33"})


def test_an_exemption_names_its_article() -> None:
    with pytest.raises(ValidationError, match="article"):
        VatBreakdown(category=VatCategory.EXEMPT, rate=0, net_cents=1, vat_cents=0)


def test_nothing_in_it_can_be_changed() -> None:
    with pytest.raises(ValidationError):
        invoice().issued_on = date(2026, 1, 1)  # type: ignore[misc]
