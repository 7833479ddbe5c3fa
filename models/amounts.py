"""From prices sold with VAT to what an invoice has to say, exact to the cent.

A price sold with VAT often cannot be reached from a price without it: 99.99 € at 20 % is neither 83.32 + 20 % (99.98)
nor 83.33 + 20 % (100.00). So VAT is taken out of the total of each rate, once, and what remains is shared among the
lines: 83.32 + 16.67. Amounts are integer cents, rates are hundredths of a percent (2000 is 20 %, 550 is 5.5 %).

A discount on the whole is shared among the lines by what they come to, so that each rate, and each brand that invoices
its own lines, bears its part (EN 16931's BG-20).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
PRICE_STEP = Decimal("0.0001")  # the finest unit price worth printing
WHOLE = 10_000  # 100 %, in hundredths of a percent


@dataclass(frozen=True, slots=True)
class Sold:
    """A line as it was sold: all amounts include VAT. An exempt line has rate 0.

    `discount_cents` is taken off the line, `share_cents` is its part of what is taken off the whole.
    """

    quantity: int
    unit_price_cents: int
    vat_rate: int
    discount_cents: int = 0
    share_cents: int = 0

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.unit_price_cents < 0 or not 0 <= self.vat_rate <= WHOLE:
            raise ValueError(f"Not something that can be sold: {self}")
        if self.discount_cents < 0 or not 0 <= self.share_cents <= self.gross_cents:
            raise ValueError(f"More is taken off than it costs: {self}")

    @property
    def gross_cents(self) -> int:
        """What the line comes to, its own discount taken off."""
        return self.quantity * self.unit_price_cents - self.discount_cents

    @property
    def paid_cents(self) -> int:
        """What is left to be paid of it."""
        return self.gross_cents - self.share_cents


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """One line of the breakdown, in the order given.

    `unit_net` (EN 16931's BT-146) is the price without VAT of `base_quantity` units (BT-149), in currency units:
    `unit_net × quantity / base_quantity`, rounded to the cent, is always `net_cents`. `unit_price_net_cents` is the
    same price for one unit, rounded half up to the cent, all discounts taken off: what partners are told.
    `discount_net_cents` (BT-136) is taken off `unit_net × quantity`; `net_cents` (BT-131) is what remains.
    """

    net_cents: int
    vat_cents: int
    gross_cents: int
    unit_net: Decimal
    base_quantity: int
    unit_price_net_cents: int
    discount_net_cents: int = 0


@dataclass(frozen=True, slots=True)
class RateAmounts:
    """All that was sold at one rate; `allowance_net_cents` (BT-92) is what it bears of the discount on the whole."""

    vat_rate: int
    net_cents: int
    vat_cents: int
    gross_cents: int
    allowance_net_cents: int = 0
    allowance_gross_cents: int = 0


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`lines` in the order sold, `rates` from the highest to the lowest, and the totals of both."""

    lines: tuple[LineAmounts, ...]
    rates: tuple[RateAmounts, ...]
    net_cents: int
    vat_cents: int
    gross_cents: int


def breakdown(lines: Sequence[Sold]) -> Breakdown:
    """Take the VAT out of what was sold. The same lines always give the same cents."""
    positions: dict[int, list[int]] = defaultdict(list)
    for position, line in enumerate(lines):
        positions[line.vat_rate].append(position)

    rates: list[RateAmounts] = []
    amounts: dict[int, LineAmounts] = {}
    for rate in sorted(positions, reverse=True):
        sold = [lines[position] for position in positions[rate]]
        before, total = _net(rate, sum(line.gross_cents for line in sold)), _rate_amounts(rate, sold)
        rates.append(total)
        nets = _shared(before, rate, [line.gross_cents for line in sold])
        told = _shared(total.net_cents, rate, [line.paid_cents for line in sold])
        for position, line, net, left in zip(positions[rate], sold, nets, told, strict=True):
            amounts[position] = _line_amounts(line, net, left)

    return Breakdown(
        lines=tuple(amounts[position] for position in range(len(lines))),
        rates=tuple(rates),
        net_cents=sum(rate.net_cents for rate in rates),
        vat_cents=sum(rate.vat_cents for rate in rates),
        gross_cents=sum(rate.gross_cents for rate in rates),
    )


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """Share an amount in proportion to natural weights, exactly, by largest remainder; the first one wins a tie.

    No share is larger than its weight where the amount is no larger than all of them. All weights 0: all shares 0.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    return _by_remainder(amount, [divmod(amount * weight, whole) for weight in weights])


def off(amount: int, hundredths: int) -> int:
    """So many hundredths of a percent of an amount, rounded half up."""
    return _half_up(amount * hundredths, WHOLE)


def vat_within(gross: int, rate: int) -> int:
    """The VAT in an amount sold with it, rounded half up."""
    return _half_up(gross * rate, WHOLE + rate)


def _rate_amounts(rate: int, sold: Sequence[Sold]) -> RateAmounts:
    before, gross = sum(line.gross_cents for line in sold), sum(line.paid_cents for line in sold)
    net = _net(rate, gross)
    return RateAmounts(
        vat_rate=rate, net_cents=net, vat_cents=gross - net, gross_cents=gross,
        allowance_net_cents=_net(rate, before) - net, allowance_gross_cents=before - gross,
    )  # fmt: skip


def _net(rate: int, gross: int) -> int:
    return gross - vat_within(gross, rate)


def _shared(net: int, rate: int, grosses: Sequence[int]) -> list[int]:
    """Share `net` among lines of one rate by largest remainder."""
    return _by_remainder(net, [divmod(gross * WHOLE, WHOLE + rate) for gross in grosses])


def _by_remainder(amount: int, exact: Sequence[tuple[int, int]]) -> list[int]:
    """Whole parts, and what is left of the amount to the largest remainders; the first one wins a tie."""
    shares = [whole for whole, _ in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: -exact[index][1])
    for index in by_remainder[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def _line_amounts(line: Sold, net: int, left: int) -> LineAmounts:
    discount = _net(line.vat_rate, line.discount_cents)
    unit_net, base_quantity = _unit_price(net + discount, line.quantity)
    return LineAmounts(
        net_cents=net,
        vat_cents=line.gross_cents - net,
        gross_cents=line.gross_cents,
        unit_net=unit_net,
        base_quantity=base_quantity,
        unit_price_net_cents=_half_up(left, line.quantity),
        discount_net_cents=discount,
    )


def _unit_price(net: int, quantity: int) -> tuple[Decimal, int]:
    """A price in cents, else with four decimals, else the price of the whole quantity: whichever carries `net`."""
    total = Decimal(net).scaleb(-2)
    if net % quantity == 0:
        return Decimal(net // quantity).scaleb(-2), 1
    price = (total / quantity).quantize(PRICE_STEP, ROUND_HALF_UP)
    if (price * quantity).quantize(CENT, ROUND_HALF_UP) == total:
        return price, 1
    return total, quantity


def _half_up(numerator: int, denominator: int) -> int:
    """The quotient of two natural numbers, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)
