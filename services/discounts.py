"""Discount codes: made, changed, held by the orders that use them.

Codes are locked without their key: whoever saves an order refers to its code, and need not wait for who counts on it.
"""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from errors import Invalid, NotFound
from models import DiscountCode, Order, OrderSource
from models.amounts import WHOLE, off
from models.discount import FIELD
from services import asking

PATTERN = r"[A-Z0-9_-]{2,40}"


async def create(organization_id: UUID, values: dict[str, Any]) -> DiscountCode:
    """A code; `amount` and `minimum` are amounts of one currency. Raises Invalid, naming the field."""
    amount, minimum = values.pop("amount", None), values.pop("minimum", None)
    if amount and minimum and amount.currency != minimum.currency:
        raise Invalid("Both amounts are in one currency.", field="input.minimum.currency")
    code = DiscountCode(
        organization_id=organization_id,
        amount_cents=amount.amount if amount else 0,
        minimum_cents=minimum.amount if minimum else 0,
        currency=(amount or minimum).currency if amount or minimum else "EUR",
        **values | {"code": values["code"].strip().upper()},
    )
    if not re.fullmatch(PATTERN, code.code):
        raise Invalid("A code is 2 to 40 letters, digits, hyphens and underscores.", field="input.code")
    if not code.percent and not code.amount_cents:
        raise Invalid("Give a percent or an amount, one of the two.", field="input.percent")
    if code.percent and code.amount_cents:
        raise Invalid("Give a percent or an amount, one of the two.", field="input.amount")
    _check(code)
    await code.save()
    return code


async def update(code: DiscountCode, values: dict[str, Any]) -> DiscountCode:
    """Change its limits and whether it can be used; what it takes off stays as it was told. The row is locked."""
    code.update_from_dict(values)
    _check(code)
    await code.save()
    return code


async def hold(order: Order, code: DiscountCode) -> None:
    """Count the order against the code's limits, and take off what the code gives; both rows are locked.

    Raises Invalid or Conflict where the code does not apply.
    """
    await _count(order, code)
    order.discount_code = code
    order.discount_reason = code.name or f"Code {code.code}"
    order.discount_cents = min(code.amount_cents or off(order.subtotal_cents, code.percent), order.subtotal_cents)


async def hold_again(order: Order) -> None:
    """Count an order that gave its place back; the order is locked. Raises Conflict where the place is taken."""
    if order.discount_code_id is None or order.holds_code:
        return
    code = await DiscountCode.select_for_update(no_key=True).get(id=order.discount_code_id)
    await _count(order, code)
    await order.save(update_fields=["holds_code"])


async def keep(order: Order) -> None:
    """Count an order that is paid, where it gave its place back and there is one left; the order is locked. Its price
    stands in any case."""
    if order.discount_code_id is None or order.holds_code:
        return
    code = await DiscountCode.select_for_update(no_key=True).get(id=order.discount_code_id)
    if code.redemptions_most is None or code.redemptions < code.redemptions_most:
        await _take_place(order, code)
        await order.save(update_fields=["holds_code"])


async def release(order: Order) -> None:
    """Give its place back; the order is locked and saved by the caller."""
    if not order.holds_code:
        return
    code = await DiscountCode.select_for_update(no_key=True).get(id=order.discount_code_id)
    code.redemptions -= 1
    await code.save(update_fields=["redemptions"])
    order.holds_code = False


async def release_if_left(order: Order) -> None:
    """What a client left at a storefront holds no code any longer; the order is locked."""
    left = order.source is OrderSource.STOREFRONT and order.is_open and not order.paid_cents
    if left and not await asking.is_asked(order):
        await release(order)
        await order.save(update_fields=["holds_code"])


async def lock(order: Order, text: str | None) -> None:
    """Lock the code of an order and the one that it is to have, at once and always in the same order: two orders that
    change places would wait for each other."""
    either = Q(id=order.discount_code_id) | Q(organization_id=order.organization_id, code=_clean(text or ""))
    await DiscountCode.filter(either).order_by("id").select_for_update(no_key=True)


async def find(organization_id: UUID, text: str) -> DiscountCode:
    """The code that a client typed, locked. Raises NotFound, the same for one that never was."""
    row = await DiscountCode.select_for_update(no_key=True).get_or_none(
        organization_id=organization_id, code=_clean(text)
    )
    if row is None:
        raise NotFound("No such code.", field=FIELD)
    return row


def _clean(text: str) -> str:
    """The code that somebody typed; empty for what can be none."""
    code = text.strip().upper()
    return code if re.fullmatch(PATTERN, code) else ""


async def _count(order: Order, code: DiscountCode) -> None:
    others = Order.filter(discount_code_id=code.id, client_id=order.client_id, holds_code=True).exclude(id=order.id)
    used = await others.count()
    code.must_apply(
        subtotal_cents=order.subtotal_cents, currency=order.currency, used_by_client=used, now=datetime.now(UTC)
    )
    await _take_place(order, code)


async def _take_place(order: Order, code: DiscountCode) -> None:
    code.redemptions += 1
    await code.save(update_fields=["redemptions"])
    order.holds_code = True


def _check(code: DiscountCode) -> None:
    for name, most in (("percent", WHOLE), ("amount", 99_999_999), ("minimum", 99_999_999)):
        value = code.percent if name == "percent" else getattr(code, f"{name}_cents")
        if not 0 <= value <= most:
            raise Invalid(f"This is 0 to {most}.", field=f"input.{name}")
    if code.redemptions_most is not None and code.redemptions_most < max(1, code.redemptions):
        raise Invalid(f"Used {code.redemptions} times already: allow at least as many.", field="input.redemptionsMost")
    if code.per_client_most is not None and code.per_client_most < 1:
        raise Invalid("This is 1 or more, or null for no limit.", field="input.perClientMost")
    if code.starts_at and code.ends_at and code.ends_at <= code.starts_at:
        raise Invalid("It ends after it starts.", field="input.endsAt")
