"""From prices sold with VAT to what an invoice has to say, exact to the cent.

A price sold with VAT often cannot be reached from a price without it: 99.99 € at 20 % is neither 83.32 + 20 % (99.98)
nor 83.33 + 20 % (100.00). So VAT is taken out of the total of each rate, once, and what remains is shared among the
lines: 83.32 + 16.67. Amounts are integer cents, rates are hundredths of a percent (2000 is 20 %, 550 is 5.5 %).
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
    """A line as it was sold: the unit price includes VAT. An exempt line has rate 0."""

    quantity: int
    unit_price_cents: int
    vat_rate: int

    def __post_init__(self) -> None:
        if self.quantity < 1 or self.unit_price_cents < 0 or not 0 <= self.vat_rate <= WHOLE:
            raise ValueError(f"Not something that can be sold: {self}")

    @property
    def gross_cents(self) -> int:
        return self.quantity * self.unit_price_cents


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """One line of the breakdown, in the order given.

    `unit_net` (EN 16931's BT-146) is the price without VAT of `base_quantity` units (BT-149), in currency units:
    `unit_net × quantity / base_quantity`, rounded to the cent, is always `net_cents`. `unit_price_net_cents` is the
    same price for one unit, rounded half up to the cent: what partners are told.
    """

    net_cents: int
    vat_cents: int
    gross_cents: int
    unit_net: Decimal
    base_quantity: int
    unit_price_net_cents: int


@dataclass(frozen=True, slots=True)
class RateAmounts:
    """All that was sold at one rate."""

    vat_rate: int
    net_cents: int
    vat_cents: int
    gross_cents: int


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
        total = _rate_amounts(rate, sum(line.gross_cents for line in sold))
        rates.append(total)
        for position, line, net in zip(positions[rate], sold, _shared(total.net_cents, sold), strict=True):
            amounts[position] = _line_amounts(line, net)

    return Breakdown(
        lines=tuple(amounts[position] for position in range(len(lines))),
        rates=tuple(rates),
        net_cents=sum(rate.net_cents for rate in rates),
        vat_cents=sum(rate.vat_cents for rate in rates),
        gross_cents=sum(rate.gross_cents for rate in rates),
    )


def _rate_amounts(rate: int, gross: int) -> RateAmounts:
    vat = _half_up(gross * rate, WHOLE + rate)
    return RateAmounts(vat_rate=rate, net_cents=gross - vat, vat_cents=vat, gross_cents=gross)


def _shared(net: int, sold: Sequence[Sold]) -> list[int]:
    """Share `net` among lines of one rate by largest remainder; the first line wins a tie."""
    exact = [divmod(line.gross_cents * WHOLE, WHOLE + line.vat_rate) for line in sold]
    shares = [whole for whole, _ in exact]
    by_remainder = sorted(range(len(sold)), key=lambda index: -exact[index][1])
    for index in by_remainder[: net - sum(shares)]:
        shares[index] += 1
    return shares


def _line_amounts(line: Sold, net: int) -> LineAmounts:
    unit_net, base_quantity = _unit_price(net, line.quantity)
    return LineAmounts(
        net_cents=net,
        vat_cents=line.gross_cents - net,
        gross_cents=line.gross_cents,
        unit_net=unit_net,
        base_quantity=base_quantity,
        unit_price_net_cents=_half_up(net, line.quantity),
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
