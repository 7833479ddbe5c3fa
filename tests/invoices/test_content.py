"""What an invoice says is stored as JSON, comes back the same, and cannot be wrong."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.content import Allowance, InvoiceContent, VatBreakdown, VatCategory
from tests.invoices.samples import BALANCE_TO_PAY, DEPOSIT, TAX_RETURN, invoice

COACHING = ("Coaching", 2, 90_00, 2000, 10_00)
BOOK = ("Livre", 1, 19_90, 550)


@st.composite
def sales(draw: st.DrawFn) -> InvoiceContent:
    """An invoice of up to ten lines at any rates, with discounts on lines and on the whole."""
    lines = []
    for number in range(draw(st.integers(1, 10))):
        quantity, price = draw(st.integers(1, 500)), draw(st.integers(0, 1_000_000))
        discount = draw(st.just(0) | st.integers(0, quantity * price))
        lines.append((f"Article {number}", quantity, price, draw(st.sampled_from([2000, 1000, 550, 210, 0])), discount))
    total = sum(quantity * price - discount for _, quantity, price, _, discount in lines)
    paid = {} if total else {"paid_on": None}
    return invoice(*lines, discount_cents=draw(st.just(0) | st.integers(0, max(total - 1, 0))), **paid)


@settings(max_examples=200, deadline=None)
@given(sales())
def test_whatever_is_sold_with_whatever_discounts_makes_an_invoice_that_adds_up(content: InvoiceContent) -> None:
    lines = sum(line.gross_cents for line in content.lines)

    assert content.gross_cents == lines - sum(each.gross_cents for each in content.allowances)
    assert InvoiceContent.model_validate_json(content.model_dump_json()) == content


def test_an_invoice_comes_back_from_json_exactly_as_it_was() -> None:
    lines = (TAX_RETURN, ("Atelier CV", 3, 14_00, 2000), ("Bilan", 1, 1_200_00, 0), COACHING)
    content = invoice(*lines, discount_cents=50_00, **BALANCE_TO_PAY, notes=("Commande n° 42",))

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
        {"deposits": (DEPOSIT.model_copy(update={"cents": 100_00}),)},
        {"deposits": (DEPOSIT, DEPOSIT), "paid_cents": 50_00},
        {"allowances": (Allowance(reason="Code", vat_category="S", vat_rate=2000, net_cents=1, gross_cents=1),)},
        {"allowances": (Allowance(reason="Code", vat_category="S", vat_rate=1000, net_cents=0, gross_cents=0),)},
        {"surprise": 1},
    ],
)
def test_an_invoice_that_does_not_add_up_does_not_exist(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        invoice(**wrong)


@pytest.mark.parametrize("cents", ["net_cents", "gross_cents"])
def test_a_discount_on_the_whole_that_is_a_cent_off_is_refused(cents: str) -> None:
    first, *others = invoice(COACHING, BOOK, discount_cents=10_00).allowances
    wrong = first.model_copy(update={cents: getattr(first, cents) + 1})

    with pytest.raises(ValidationError, match="at 2000"):
        invoice(COACHING, BOOK, discount_cents=10_00, allowances=(wrong, *others))


def test_a_discount_on_the_whole_that_a_rate_does_not_bear_is_refused() -> None:
    with pytest.raises(ValidationError, match="at 550"):
        invoice(COACHING, BOOK, allowances=invoice(COACHING, BOOK, discount_cents=10_00).allowances[1:])


def test_a_line_whose_discount_is_a_cent_off_does_not_exist() -> None:
    (line,) = invoice(COACHING).lines

    assert line.discount_net_cents == 8_33
    with pytest.raises(ValidationError, match="unit price"):
        type(line).model_validate(line.model_dump() | {"discount_net_cents": 8_34})


def test_a_balance_is_the_total_less_deposits_and_payments() -> None:
    assert invoice(**BALANCE_TO_PAY).due_cents == 69_99
    assert invoice(deposits=(DEPOSIT,)).is_paid


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
