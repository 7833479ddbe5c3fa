"""The catalogue: products made, changed, and taken out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from babel.numbers import get_currency_precision, is_currency

from errors import Conflict, Invalid
from models import Interval, Organization, Partner, Product, ProductPartner, ProductService, Service, StandIn
from models.database import deleted
from services import catalogue_sync, packs
from services.outbox import later

PRICE_MOST = 99_999_999  # minor units: the most that Stripe takes at once
PERIOD_MOST = {Interval.DAY: 1095, Interval.WEEK: 156, Interval.MONTH: 36, Interval.YEAR: 3}  # Stripe's
PARTNERS_MOST = 20
CHANGED_BY = {
    StandIn.SERVICE: "a service (serviceUpdate)", StandIn.FORMULE: "a formule (formuleUpdate)",
    StandIn.OPPORTUNITY: "an opportunity (opportunityUpdate)",
}  # fmt: skip
METADATA_MOST = 500  # characters of a value in Stripe's metadata, where slugs are listed


async def create(
    organization_id: UUID, values: dict[str, Any], partners: Sequence[Partner], services: Sequence[Service] = ()
) -> Product:
    """A product, who is told when it is sold, and of which services it is a pack. Raises Invalid, naming the field."""
    check_price(values)
    product = Product(organization_id=organization_id, **values)
    _check_periods(product)
    await _check_vat(product)
    _check_partners(partners)
    packs.check(product)
    await product.save()
    await packs.set_services(product, services)
    await _tell(product, partners)
    await later(catalogue_sync.push, product)
    return product


async def update(
    product: Product,
    values: dict[str, Any],
    partners: Sequence[Partner] | None,
    services: Sequence[Service] | None = None,
) -> Product:
    """The product with other values, others who are told, and a pack of other services; None leaves these as they are.
    What was sold keeps its price, name and sessions. Raises Invalid, naming the field, and Conflict for what is none of
    the catalogue."""
    _must_be_in_it(product)
    check_price(values)
    before = _shown(product)
    product.update_from_dict(values)
    _check_periods(product)
    packs.check(product)
    if "vat_rate" in values or "currency" in values:
        await _check_vat(product)
    await product.save()
    if services is not None:
        await packs.set_services(product, services)
    elif product.pack_sessions and not await ProductService.exists(product_id=product.id):
        raise Invalid("A pack is of services: give packServices too.", field="input.packServices")
    others = partners is not None and await _replace(product, partners)
    if others or _shown(product) != before:
        await later(catalogue_sync.push, product)
    return product


async def delete(product: Product) -> None:
    """Take out a product that was never ordered. Raises Conflict for any other."""
    _must_be_in_it(product)
    await ProductPartner.filter(product_id=product.id).delete()
    await ProductService.filter(product_id=product.id).delete()
    if not await deleted(product):
        raise Conflict(
            "This product was ordered, and stays for what was sold. Set `active` to false instead.",
            field="input.product",
        )


def check_price(values: dict[str, Any]) -> None:
    """Raises Invalid for a price that cannot be asked for."""
    if not 0 <= values.get("price_cents", 0) <= PRICE_MOST:
        raise Invalid(f"A price is 0 to {PRICE_MOST} minor units.", field="input.price.amount")
    currency = values.get("currency", "EUR")
    if not is_currency(currency) or get_currency_precision(currency) != 2:
        raise Invalid("Use a currency of two decimals, like EUR.", field="input.price.currency")


def _shown(product: Product) -> tuple[Any, ...]:
    """What Stripe is told of it, beside its partners."""
    periods = (product.price_cents, product.currency, product.interval, product.interval_count)
    return product.name, product.description, periods if product.recurs else None


def _must_be_in_it(product: Product) -> None:
    if product.stands_for:
        raise Conflict(
            f"This stands for {CHANGED_BY[product.stands_for]}, and is kept as that is.", field="input.product"
        )


def _check_periods(product: Product) -> None:
    """Raises Invalid for periods that Stripe does not know, or that are free. One interval is meant unless told."""
    if product.interval is None:
        if product.interval_count is not None:
            raise Invalid("What is sold once has no periods: give an interval too.", field="input.intervalCount")
        return
    product.interval_count = 1 if product.interval_count is None else product.interval_count
    most = PERIOD_MOST[product.interval]
    if not 1 <= product.interval_count <= most:
        raise Invalid(f"A period has 1 to {most} of this interval: three years.", field="input.intervalCount")
    if product.price_cents == 0:
        raise Invalid("What is paid each period costs more than nothing.", field="input.price.amount")


async def _check_vat(product: Product) -> None:
    organization = await Organization.get(id=product.organization_id)
    organization.must_be_able_to_charge(product.vat_rate, product.currency)


def _check_partners(partners: Sequence[Partner]) -> None:
    if len(partners) > PARTNERS_MOST:
        raise Invalid(f"A product has {PARTNERS_MOST} partners at most.", field="input.partners")
    if len(",".join(partner.slug for partner in partners)) > METADATA_MOST:
        raise Invalid("These partners' slugs are too long together: 500 characters at most.", field="input.partners")


async def _replace(product: Product, partners: Sequence[Partner]) -> bool:
    """Whether other partners are told than before, or in another order: the first one's brand is on the invoice."""
    _check_partners(partners)
    links = ProductPartner.filter(product_id=product.id)
    if await links.order_by("id").values_list("partner_id", flat=True) == [each.id for each in dict.fromkeys(partners)]:
        return False
    await links.delete()
    await _tell(product, partners)
    return True


async def _tell(product: Product, partners: Sequence[Partner]) -> None:
    for partner in dict.fromkeys(partners):
        await ProductPartner.create(organization_id=product.organization_id, product=product, partner=partner)
