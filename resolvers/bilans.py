"""Formules and bilans: offered, agreed, changed."""

from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Actor, Permission, row_id
from schema.base import given
from schema.bilans import (
    Bilan,
    BilanCreateInput,
    BilanFilter,
    BilanOrder,
    BilanUpdateInput,
    Formule,
    FormuleCreateInput,
    FormuleFilter,
    FormulesInstalled,
    FormuleUpdateInput,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, mutation, one
from services import bilans as bilans_service
from services import formules as formules_service


@connection(Formule, requires=Permission.CATALOGUE_READ)
def formules(info: Info, filter: FormuleFilter | None = None) -> QuerySet[models.Formule]:
    """Bilans as they are offered."""
    return filtered(actor(info).rows(models.Formule), filter)


@one(Formule, requires=Permission.CATALOGUE_READ)
def formule(id: strawberry.ID) -> Wanted:
    """One formule."""
    return models.Formule, row_id(models.Formule, id)


@connection(Bilan, requires=Permission.BILANS_READ, order=BilanOrder)
def bilans(info: Info, filter: BilanFilter | None = None) -> QuerySet[models.Bilan]:
    """Bilans. A consultant sees those that they hold, a beneficiary their own, an employer who pays none."""
    return filtered(actor(info).rows(models.Bilan), filter)


@one(Bilan, requires=Permission.BILANS_READ)
def bilan(id: strawberry.ID) -> Wanted:
    """One bilan."""
    return models.Bilan, row_id(models.Bilan, id)


@mutation(FormulesInstalled, requires=Permission.CATALOGUE_WRITE)
async def formules_install(info: Info) -> Any:
    """Take up the usual formules: express of 12 h, standard of 18 h, premium of 24 h. Those that are there stay."""
    return FormulesInstalled(formules=await formules_service.install(actor(info).organization_id))  # type: ignore[arg-type]


@mutation(Formule, requires=Permission.CATALOGUE_WRITE, idempotent=True)
async def formule_create(info: Info, input: FormuleCreateInput) -> models.Formule:
    """Offer a bilan of so many hours at a price TTC."""
    return await formules_service.create(actor(info).organization_id, _priced(given(input)))


@mutation(Formule, requires=Permission.CATALOGUE_WRITE)
async def formule_update(info: Info, input: FormuleUpdateInput) -> models.Formule:
    """Change a formule. Bilans that were agreed keep their price and time."""
    values = given(input)
    row = await actor(info).get(models.Formule, values.pop("formule"), field="input.formule", for_update=True)
    return await formules_service.update(row, _priced(values))


@mutation(Bilan, requires=Permission.BILANS_WRITE, idempotent=True)
async def bilan_create(info: Info, input: BilanCreateInput) -> models.Bilan:
    """Agree a bilan with a beneficiary. Its appointments can be booked once all of its price is paid or agreed."""
    caller, values = actor(info), _priced(given(input))
    client = await caller.get(models.Client, values.pop("client"), field="input.client", for_update=True)
    formule = await caller.get(models.Formule, values.pop("formule"), field="input.formule")
    if values.get("minutes_planned") is None:
        values.pop("minutes_planned", None)
    return await bilans_service.create(client, formule, await _with_people(caller, values))


@mutation(Bilan, requires=Permission.BILANS_WRITE)
async def bilan_update(info: Info, input: BilanUpdateInput) -> models.Bilan:
    """Change who holds a bilan, its employer, its price, its time or its days."""
    values = _priced(given(input))
    row = await actor(info).get(models.Bilan, values.pop("bilan"), field="input.bilan", for_update=True)
    return await bilans_service.update(row, await _with_people(actor(info), values))


def _priced(values: dict[str, Any]) -> dict[str, Any]:
    """The values with a price in the columns that hold it."""
    price = values.pop("price", None)
    return values | ({"price_cents": price.amount, "currency": price.currency} if price else {})


async def _with_people(caller: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """The values with the rows that are named."""
    named: dict[str, Any] = {}
    for name, model in (("consultant", models.Membership), ("employer", models.Client)):
        if values.get(name) is not None:
            named[name] = await caller.get(model, values[name], field=f"input.{name}")
    return values | named
