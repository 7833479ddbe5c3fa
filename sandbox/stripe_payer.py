"""Who pays and with what, and the payment method that Stripe makes of it."""

from typing import NamedTuple

from sandbox import stripe_cards as cards
from sandbox import stripe_sepa as sepa
from sandbox.stripe_cards import Card
from sandbox.stripe_objects import NO_ADDRESS, Object, new_id
from sandbox.stripe_sepa import Iban

COUNTRY_ALONE = NO_ADDRESS | {"country": "FR"}
"""What Stripe knows of where a customer lives when the page asks for no address."""


class Payer(NamedTuple):
    """What the customer typed. `phone` in E.164; `address` with all the keys of NO_ADDRESS."""

    means: Card | Iban
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Object = COUNTRY_ALONE


def payment_method(payer: Payer, created: int) -> Object:
    kind, details = (
        ("card", cards.details(payer.means))
        if isinstance(payer.means, Card)
        else ("sepa_debit", sepa.details(payer.means))
    )
    return {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {
            "address": payer.address,
            "email": payer.email,
            "name": payer.name,
            "phone": payer.phone,
            "tax_id": None,
        },
        kind: details,
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
