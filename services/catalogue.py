"""The catalogue: products made."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from babel.numbers import get_currency_precision, is_currency

from errors import Invalid
from models import Organization, Partner, Product, ProductPartner
from services import catalogue_sync
from services.outbox import later

PRICE_MOST = 99_999_999  # minor units: the most that Stripe takes at once
PARTNERS_MOST = 20
METADATA_MOST = 500  # characters of a value in Stripe's metadata, where slugs are listed


async def create(organization_id: UUID, values: dict[str, Any], partners: Sequence[Partner]) -> Product:
    """A product, who is told when it is sold, and its twin at Stripe. Raises Invalid, naming the field."""
    if not 0 <= values["price_cents"] <= PRICE_MOST:
        raise Invalid(f"A price is 0 to {PRICE_MOST} minor units.", field="input.price.amount")
    if not is_currency(values["currency"]) or get_currency_precision(values["currency"]) != 2:
        raise Invalid("Use a currency of two decimals, like EUR.", field="input.price.currency")
    if len(partners) > PARTNERS_MOST:
        raise Invalid(f"A product has {PARTNERS_MOST} partners at most.", field="input.partners")
    if len(",".join(partner.slug for partner in partners)) > METADATA_MOST:
        raise Invalid("These partners' slugs are too long together: 500 characters at most.", field="input.partners")
    product = Product(organization_id=organization_id, **values)
    organization = await Organization.get(id=organization_id)
    organization.must_be_able_to_charge(product.vat_rate)
    await product.save()
    for partner in dict.fromkeys(partners):
        await ProductPartner.create(organization_id=organization_id, product=product, partner=partner)
    await later(catalogue_sync.push, product)
    return product
