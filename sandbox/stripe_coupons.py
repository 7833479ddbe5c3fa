"""Coupons, and what one takes off the line items of a Checkout Session.

https://docs.stripe.com/api/coupons
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox import stripe_objects as objects
from sandbox.stripe_books import Books
from sandbox.stripe_errors import StripeError, missing
from sandbox.stripe_objects import Object
from sandbox.stripe_params import choice, currency, decimal, integer, metadata, text

COUPON: dict[str, Any] = {
    "amount_off": integer,
    "currency": currency,
    "duration": choice("forever", "once"),
    "expand": [text],
    "id": text,
    "max_redemptions": integer,
    "metadata": metadata,
    "name": text,
    "percent_off": decimal,
}


def create(books: Books, params: Object) -> Object:
    if ("amount_off" in params) == ("percent_off" in params):
        raise StripeError("You must pass either amount_off or percent_off, and not both.", param="amount_off")
    if "amount_off" in params and "currency" not in params:
        raise missing("currency")
    if params.get("amount_off", 1) < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount_off")
    if not 0 < params.get("percent_off", 1) <= 100:
        raise StripeError("percent_off must be more than 0, and 100 at most.", param="percent_off")
    if params.get("max_redemptions", 1) < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="max_redemptions")
    if len(params.get("name", "")) > 40:
        raise StripeError("A coupon's name has at most 40 characters.", param="name")
    if "id" in params and books.store.get("coupon", params["id"]):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    return books.keep(objects.coupon(params, books.now))


def find(books: Books, id: str, currency: str, param: str) -> Object:
    """The coupon, good for a sale in this currency. Raises StripeError for one that is not."""
    coupon = books.find("coupon", id, param)
    if not coupon["valid"]:
        raise StripeError(f"Coupon {id} is used up and cannot be applied.", code="coupon_expired", param=param)
    if coupon["amount_off"] and coupon["currency"] != currency:
        message = f"Coupon {id} is in {coupon['currency']}, and cannot be applied to a sale in {currency}."
        raise StripeError(message, param=param)
    return coupon


def apply(coupon: Object, items: list[Object]) -> int:
    """Take the coupon off the line items, each by its share; gives what was taken off in all, in minor units."""
    amounts: list[int] = [item["amount_subtotal"] for item in items]
    total = min(_reduction(coupon, sum(amounts)), sum(amounts))
    for item, share in zip(items, _shares(total, amounts), strict=True):
        item |= {"amount_discount": share, "amount_total": item["amount_subtotal"] - share}
    return total


def redeem(books: Books, id: str) -> None:
    """Count one more sale with the coupon, which ends with the last one allowed."""
    coupon = books.find("coupon", id)
    redeemed = coupon["times_redeemed"] + 1
    left = coupon["max_redemptions"] is None or redeemed < coupon["max_redemptions"]
    books.keep(coupon | {"times_redeemed": redeemed, "valid": left})


def _reduction(coupon: Object, subtotal: int) -> int:
    if coupon["amount_off"]:
        return int(coupon["amount_off"])
    exact = Decimal(subtotal) * Decimal(str(coupon["percent_off"])) / 100
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _shares(total: int, amounts: list[int]) -> list[int]:
    """The total in proportion to the amounts; the cents that rounding leaves go to the largest remainders."""
    whole = sum(amounts) or 1
    shares = [total * amount // whole for amount in amounts]
    by_remainder = sorted(range(len(amounts)), key=lambda at: total * amounts[at] % whole, reverse=True)
    for at in by_remainder[: total - sum(shares)]:
        shares[at] += 1
    return shares
