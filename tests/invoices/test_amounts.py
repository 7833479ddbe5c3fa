"""Amounts are exact: every sum, every cent, for anything that can be sold."""

from dataclasses import asdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.amounts import WHOLE, Breakdown, Sold, breakdown, off, spread

RATES = (2000, 1000, 550, 210, 0)


@st.composite
def sold(draw: st.DrawFn) -> Sold:
    """A line with a discount of its own and a part of one on the whole, each nothing half of the time."""
    quantity, price = draw(st.integers(1, 5_000)), draw(st.integers(0, 100_000_000))
    discount = draw(st.just(0) | st.integers(0, quantity * price))
    share = draw(st.just(0) | st.integers(0, quantity * price - discount))
    return Sold(quantity, price, draw(st.sampled_from(RATES)), discount, share)


sales = st.lists(sold(), min_size=1, max_size=30)
weights = st.lists(st.integers(0, 100_000_000), min_size=1, max_size=30)


def test_99_99_at_20_percent_is_83_32_and_16_67() -> None:
    amounts = breakdown([Sold(1, 99_99, 2000)])

    assert (amounts.net_cents, amounts.vat_cents, amounts.gross_cents) == (83_32, 16_67, 99_99)
    (line,) = amounts.lines
    assert (line.unit_net, line.base_quantity, line.unit_price_net_cents) == (Decimal("83.32"), 1, 83_32)


def test_three_times_14_euros_is_35_euros_net_by_a_price_of_four_decimals() -> None:
    (line,) = breakdown([Sold(3, 14_00, 2000)]).lines

    assert (line.net_cents, line.unit_net, line.base_quantity) == (35_00, Decimal("11.6667"), 1)
    assert line.unit_price_net_cents == 11_67


def test_a_price_that_four_decimals_cannot_carry_is_given_for_the_whole_quantity() -> None:
    (line,) = breakdown([Sold(2_999, 33, 2000)]).lines

    assert (line.unit_net, line.base_quantity) == (Decimal(line.net_cents).scaleb(-2), 2_999)


def test_an_exempt_line_has_no_vat() -> None:
    amounts = breakdown([Sold(1, 2_400_00, 0)])

    assert (amounts.net_cents, amounts.vat_cents) == (2_400_00, 0)


def test_one_cent_and_a_million_are_exact() -> None:
    cent, million = breakdown([Sold(1, 1, 2000)]), breakdown([Sold(1, 1_000_000_00, 2000)])

    assert (cent.net_cents, cent.vat_cents) == (1, 0)
    assert (million.net_cents, million.vat_cents) == (833_333_33, 166_666_67)


def test_rates_are_listed_from_the_highest_and_lines_stay_in_order() -> None:
    amounts = breakdown([Sold(1, 100, 550), Sold(1, 200, 2000), Sold(1, 300, 0), Sold(1, 400, 550)])

    assert [rate.vat_rate for rate in amounts.rates] == [2000, 550, 0]
    assert [line.gross_cents for line in amounts.lines] == [100, 200, 300, 400]


def test_equal_lines_share_the_odd_cent_in_order() -> None:
    amounts = breakdown([Sold(1, 99_99, 2000)] * 3)

    assert amounts.net_cents == 249_97  # 299.97 − 49.995 rounded up
    assert [line.net_cents for line in amounts.lines] == [83_33, 83_32, 83_32]


def test_a_discount_on_a_line_is_taken_off_before_vat() -> None:
    (line,) = breakdown([Sold(2, 90_00, 2000, 10_00)]).lines

    assert (line.gross_cents, line.net_cents, line.vat_cents) == (170_00, 141_67, 28_33)
    assert (line.unit_net, line.discount_net_cents) == (Decimal("75.00"), 8_33)


def test_a_discount_on_the_whole_is_an_allowance_of_each_rate_and_leaves_the_lines_alone() -> None:
    amounts = breakdown([Sold(1, 100_00, 2000, 0, 10_00), Sold(1, 50_00, 550, 0, 5_00)])

    assert [line.net_cents for line in amounts.lines] == [83_33, 47_39]
    assert [(rate.allowance_net_cents, rate.allowance_gross_cents) for rate in amounts.rates] == [
        (8_33, 10_00),
        (4_74, 5_00),
    ]
    assert (amounts.net_cents, amounts.vat_cents, amounts.gross_cents) == (117_65, 17_35, 135_00)


def test_partners_are_told_a_unit_price_with_all_discounts_off() -> None:
    (line,) = breakdown([Sold(2, 60_00, 2000, 12_00, 12_00)]).lines

    assert line.unit_price_net_cents == 40_00


def test_what_is_taken_off_entirely_comes_to_nothing() -> None:
    amounts = breakdown([Sold(1, 99_99, 2000, 0, 99_99), Sold(1, 10_00, 2000, 10_00)])

    assert (amounts.net_cents, amounts.vat_cents, amounts.gross_cents) == (0, 0, 0)


@pytest.mark.parametrize("line", [(0, 100, 2000), (-1, 100, 2000), (1, -1, 2000), (1, 100, -1), (1, 100, 10_001)])
def test_what_cannot_be_sold_is_refused(line: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Not something that can be sold"):
        Sold(*line)


@pytest.mark.parametrize("taken", [(-1, 0), (0, -1), (101, 0), (0, 101), (60, 41)])
def test_no_more_is_taken_off_than_it_costs(taken: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="More is taken off than it costs"):
        Sold(1, 100, 2000, *taken)


@settings(max_examples=150, deadline=None)
@given(sales)
def test_every_sum_is_exact_and_nothing_is_negative(lines: list[Sold]) -> None:
    amounts = breakdown(lines)

    assert amounts.gross_cents == sum(
        line.quantity * line.unit_price_cents - line.discount_cents - line.share_cents for line in lines
    )
    assert amounts.net_cents + amounts.vat_cents == amounts.gross_cents
    assert sum(rate.net_cents for rate in amounts.rates) == amounts.net_cents
    assert sum(rate.vat_cents for rate in amounts.rates) == amounts.vat_cents
    assert sum(rate.gross_cents for rate in amounts.rates) == amounts.gross_cents
    for rate in amounts.rates:
        of_rate = [line for line, each in zip(amounts.lines, lines, strict=True) if each.vat_rate == rate.vat_rate]
        assert sum(line.net_cents for line in of_rate) - rate.allowance_net_cents == rate.net_cents
        assert sum(line.gross_cents for line in of_rate) - rate.allowance_gross_cents == rate.gross_cents
    for each in (*amounts.lines, *amounts.rates):
        assert each.net_cents + each.vat_cents == each.gross_cents
        assert min(asdict(each).values()) >= 0


@settings(max_examples=150, deadline=None)
@given(sales)
def test_each_rate_bears_what_its_lines_do_of_a_discount_on_the_whole(lines: list[Sold]) -> None:
    for rate in breakdown(lines).rates:
        assert rate.allowance_gross_cents == sum(line.share_cents for line in lines if line.vat_rate == rate.vat_rate)
        assert rate.allowance_net_cents <= rate.allowance_gross_cents


@settings(max_examples=150, deadline=None)
@given(sales)
def test_vat_is_rounded_half_up_by_rate_and_less_than_a_cent_off_by_line(lines: list[Sold]) -> None:
    amounts = breakdown(lines)

    for rate in amounts.rates:
        exact = Fraction(rate.gross_cents * rate.vat_rate, WHOLE + rate.vat_rate)
        assert -Fraction(1, 2) <= exact - rate.vat_cents < Fraction(1, 2)
    for line, each in zip(amounts.lines, lines, strict=True):
        assert abs(line.vat_cents - Fraction(line.gross_cents * each.vat_rate, WHOLE + each.vat_rate)) < 1


@settings(max_examples=150, deadline=None)
@given(sales)
def test_the_unit_price_less_the_discount_always_gives_back_the_net_amount(lines: list[Sold]) -> None:
    for line, each in zip(breakdown(lines).lines, lines, strict=True):
        total = line.unit_net * each.quantity / line.base_quantity
        before = total.quantize(Decimal("0.01"), ROUND_HALF_UP).scaleb(2)
        assert int(before) - line.discount_net_cents == line.net_cents


@settings(max_examples=150, deadline=None)
@given(sales)
def test_partners_are_told_what_was_paid_by_unit_without_vat(lines: list[Sold]) -> None:
    for line, each in zip(breakdown(lines).lines, lines, strict=True):
        exact = Fraction(each.paid_cents * WHOLE, WHOLE + each.vat_rate)  # of the line, which gets a whole number
        assert abs(line.unit_price_net_cents - exact / each.quantity) <= Fraction(1, 2) + Fraction(1, each.quantity)


@settings(max_examples=150, deadline=None)
@given(weights, st.data())
def test_what_is_spread_is_spread_exactly_and_no_share_is_above_its_weight(
    weights: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(weights)))

    shares = spread(amount, weights)

    assert sum(shares) == amount
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - amount * weight) < max(1, sum(weights))


def test_nothing_bears_nothing() -> None:
    assert spread(100, [0, 0]) == [0, 0]
    assert spread(100, []) == []


def test_a_percentage_is_rounded_half_up() -> None:
    assert [off(amount, 1000) for amount in (99_99, 1, 4, 5, 0)] == [10_00, 0, 0, 1, 0]
    assert off(99_99, WHOLE) == 99_99


@settings(max_examples=50, deadline=None)
@given(sales)
def test_the_same_sale_always_gives_the_same_cents(lines: list[Sold]) -> None:
    first: Breakdown = breakdown(lines)

    assert first == breakdown(lines)
