"""What an order comes to: what is taken off its lines and off the whole, and what is asked for first."""

from collections.abc import Sequence
from dataclasses import dataclass

from errors import Invalid
from models import Order, OrderKind, OrderLine, Product
from models.amounts import WHOLE, off, spread
from models.organization import VAT_CURRENCY, can_be_invoiced

QUANTITY_MOST = 9999
LINES_MOST = 100  # as many as a Checkout Session takes
REASON_MOST = 200  # characters
TOTAL_MOST = 99_999_999  # minor units: the most that Stripe takes at once


@dataclass(frozen=True)
class Part:
    """A part of an amount, as a person asks for it: hundredths of a percent, or minor units; one of the two."""

    percent: int | None = None
    amount: int | None = None
    reason: str | None = None

    def of(self, cents: int, field: str) -> int:
        """How much it is of an amount. Raises Invalid, naming the part that is wrong."""
        if self.reason and ("\x00" in self.reason or len(self.reason) > REASON_MOST):
            raise Invalid(f"A reason is text of {REASON_MOST} characters at most.", field=f"{field}.reason")
        if (self.percent is None) == (self.amount is None):
            raise Invalid("Give a percent or an amount, one of the two.", field=field)
        if self.percent is not None:
            if not 1 <= self.percent <= WHOLE:
                raise Invalid("A percent is 1 to 10000, in hundredths: 1000 is 10 %.", field=f"{field}.percent")
            return off(cents, self.percent)
        assert self.amount is not None
        if not 1 <= self.amount <= cents:
            raise Invalid(f"An amount is 1 to {cents} minor units here.", field=f"{field}.amount")
        return self.amount


@dataclass(frozen=True)
class Item:
    """What is to be sold: a product, how many, and what is taken off."""

    product: Product
    quantity: int
    discount: Part | None = None


def lines_of(items: Sequence[Item]) -> list[OrderLine]:
    """The lines of an order at the catalogue's prices, unsaved. Raises Invalid, naming the line."""
    if not 1 <= len(items) <= LINES_MOST:
        raise Invalid(f"An order has 1 to {LINES_MOST} lines.", field="input.lines")
    if len(items) > 1 and any(item.product.recurs for item in items):
        raise Invalid("A subscription is an order of its own: order the rest by another.", field="input.lines")
    return [_line(item, place, items[0].product.currency) for place, item in enumerate(items)]


def price(order: Order, lines: Sequence[OrderLine]) -> None:
    """Set what the order comes to, and each line's share of the discount on the whole. Raises Invalid."""
    order.subtotal_cents = sum(line.total_cents for line in lines)
    if order.subtotal_cents > TOTAL_MOST:
        raise Invalid("The total is more than can be paid at once: make several orders.", field="input.lines")
    order.total_cents = order.subtotal_cents - order.discount_cents
    for line, share in zip(lines, spread(order.discount_cents, [line.total_cents for line in lines]), strict=True):
        line.share_cents = share


def must_cost(order: Order, field: str) -> None:
    """Raises Invalid, naming what made it so, for a subscription that would begin with nothing to pay."""
    if order.kind is OrderKind.SUBSCRIPTION and order.is_free:
        raise Invalid("The first payment of a subscription is more than nothing.", field=field)


def deposit_of(order: Order, asked: Part | None) -> int:
    """What is to be paid first. Raises Invalid for as much as the total, or more."""
    if asked is None:
        return 0
    field = "input.deposit"
    if order.kind is OrderKind.SUBSCRIPTION:
        raise Invalid("A subscription is paid period by period, and takes no deposit.", field=field)
    named = f"{field}.percent" if asked.percent is not None else f"{field}.amount"
    if asked.amount is not None and asked.amount >= order.total_cents:
        raise Invalid(f"A deposit is less than the total, {order.total_cents} minor units.", field=named)
    deposit = asked.of(order.total_cents, field)
    if not 0 < deposit < order.total_cents:
        raise Invalid("A deposit is more than nothing and less than the total.", field=named)
    return deposit


def _line(item: Item, place: int, currency: str) -> OrderLine:
    field, product = f"input.lines.{place}", item.product
    if not 1 <= item.quantity <= QUANTITY_MOST:
        raise Invalid(f"A quantity is 1 to {QUANTITY_MOST}.", field=f"{field}.quantity")
    if not product.active:
        raise Invalid(f"{product.name} is no longer sold.", field=f"{field}.product")
    if product.currency != currency:
        raise Invalid("All products of an order have one currency.", field=f"{field}.product")
    if not can_be_invoiced(product.vat_rate, currency):
        raise Invalid(
            f"VAT is invoiced in {VAT_CURRENCY}: give {product.name} a price in it.", field=f"{field}.product"
        )
    if product.recurs and item.discount:
        raise Invalid("A subscription takes a discount on the whole, of its first payment.", field=f"{field}.discount")
    full = product.price_cents * item.quantity
    if full > TOTAL_MOST:  # before it meets a column that could not hold it
        raise Invalid("The total is more than can be paid at once: make several orders.", field="input.lines")
    discount = item.discount.of(full, f"{field}.discount") if item.discount else 0
    return OrderLine(
        position=place + 1, product=product, description=product.name, quantity=item.quantity,
        unit_price_cents=product.price_cents, discount_cents=discount, currency=currency, vat_rate=product.vat_rate,
        total_cents=full - discount, interval=product.interval, interval_count=product.interval_count,
    )  # fmt: skip
