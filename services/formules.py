"""Formules: bilans as they are offered. What was agreed of a bilan stays as it was, whatever becomes of its formule."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from errors import Invalid
from models import Formule, Organization, Product, StandIn, VatRegime
from services import catalogue, stand_ins

HOUR = 60  # minutes
MINUTES_MOST = 100 * HOUR  # longer than the law allows is warned of, not refused

# (slug, name, hours, price TTC in euros), as the trade sells them; each organization has its own from then on.
USUAL = (("express", "Express", 12, 1200), ("standard", "Standard", 18, 1800), ("premium", "Premium", 24, 2400))


async def install(organization_id: UUID) -> Sequence[Formule]:
    """The usual formules, those that the organization has left as they are. Safe to call twice."""
    organization = await Organization.get(id=organization_id)
    made = [
        Formule(
            organization_id=organization_id, slug=slug, name=name, minutes=hours * HOUR, price_cents=euros * 100,
            vat_rate=2000 if organization.vat_regime is VatRegime.STANDARD else 0,
        )
        for slug, name, hours, euros in USUAL
    ]  # fmt: skip
    await Formule.bulk_create(made, ignore_conflicts=True)
    return await Formule.filter(organization_id=organization_id).order_by("minutes", "id")


async def create(organization_id: UUID, values: dict[str, Any]) -> Formule:
    """A formule. Raises Invalid, naming the field; a second of a slug breaks a constraint."""
    formule = Formule(organization_id=organization_id, **values)
    await _check(formule)
    await formule.save()
    return formule


async def update(formule: Formule, values: dict[str, Any]) -> Formule:
    """The formule, locked, with other values. Raises Invalid, naming the field."""
    formule.update_from_dict(values)
    await _check(formule)
    await formule.save()
    return formule


async def product_of(formule: Formule) -> Product:
    """What stands for a formule on orders."""
    locked = await Formule.select_for_update(no_key=True).get(id=formule.id)
    name = f"Bilan de compétences {locked.name}"
    return await stand_ins.product_of(locked, StandIn.FORMULE, name, locked.price_cents)


async def _check(formule: Formule) -> None:
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", formule.slug):
        raise Invalid("A slug is small letters, digits and hyphens: standard.", field="input.slug")
    check_minutes(formule.minutes, "input.minutes")
    check_price(formule.price_cents, formule.currency)
    organization = await Organization.get(id=formule.organization_id)
    organization.must_be_able_to_charge(formule.vat_rate, formule.currency)


def check_minutes(minutes: int, field: str) -> None:
    if not 0 < minutes <= MINUTES_MOST:
        raise Invalid(f"A bilan lasts 1 to {MINUTES_MOST} minutes.", field=field)


def check_price(cents: int, currency: str) -> None:
    catalogue.check_price({"price_cents": cents, "currency": currency})
    if cents == 0:
        raise Invalid("A bilan costs more than nothing.", field="input.price.amount")
