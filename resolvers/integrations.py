"""Integrations: the catalogue, what is connected, and when its keys were used."""

from typing import Annotated

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Invalid
from models import IntegrationStatus
from policy import Permission, row_id
from providers import registry
from providers.offers import Category
from schema.context import Info, actor
from schema.integrations import (
    REASONS,
    Bilingual,
    Integration,
    IntegrationConfigureInput,
    IntegrationFilter,
    IntegrationInput,
    IntegrationProvider,
    IntegrationSecretRotateInput,
    IntegrationTested,
    SecretOpening,
    SecretOpeningFilter,
)
from schema.lists import filtered
from schema.roots import Wanted, connection, exchange, mutation, one, query
from services import integration_settings


@query(list[IntegrationProvider], requires=Permission.INTEGRATIONS_READ)
async def integration_catalogue(
    category: Annotated[Category | None, strawberry.argument(description="Only those of this category.")] = None,
) -> list[IntegrationProvider]:
    """Every provider: those that can be connected first, then those announced."""
    listed = registry.catalogue().values()
    return [IntegrationProvider.of(each) for each in listed if not category or each.category is category]


@connection(Integration, requires=Permission.INTEGRATIONS_READ)
def integrations(info: Info, filter: IntegrationFilter | None = None) -> QuerySet[models.Integration]:
    """What the organization set up, those that were removed since among them."""
    return filtered(actor(info).rows(models.Integration), filter)


@one(Integration, requires=Permission.INTEGRATIONS_READ)
def integration(id: strawberry.ID) -> Wanted:
    """One integration."""
    return models.Integration, row_id(models.Integration, id)


@connection(SecretOpening, requires=Permission.INTEGRATIONS_READ)
def secret_openings(info: Info, filter: SecretOpeningFilter | None = None) -> QuerySet[models.SecretOpening]:
    """The access log: each use of a key of an integration, when and for what, newest first."""
    return filtered(actor(info).rows(models.SecretOpening), filter)


@one(SecretOpening, requires=Permission.INTEGRATIONS_READ)
def secret_opening(id: strawberry.ID) -> Wanted:
    """One use of a key."""
    return models.SecretOpening, row_id(models.SecretOpening, id)


@exchange(Integration, requires=Permission.INTEGRATIONS_WRITE)
async def integration_configure(info: Info, input: IntegrationConfigureInput) -> models.Integration:
    """Fill the form of a provider, whole or in part. Where it is on, it is tried at once, and its status tells."""
    if not isinstance(input.values, dict):
        raise Invalid("This is an object: fields of the provider's form, and what they hold.", field="input.values")
    return await integration_settings.configure(actor(info).organization_id, input.provider, input.values)


@exchange(Integration, requires=Permission.INTEGRATIONS_WRITE)
async def integration_enable(info: Info, input: IntegrationInput) -> models.Integration:
    """Switch an integration on, and try it: its features appear."""
    return await integration_settings.enable(actor(info).organization_id, input.provider)


@mutation(Integration, requires=Permission.INTEGRATIONS_WRITE)
async def integration_disable(info: Info, input: IntegrationInput) -> models.Integration:
    """Switch an integration off: its keys stay, nothing uses them, and its features disappear."""
    return await integration_settings.disable(actor(info).organization_id, input.provider)


@mutation(Integration, requires=Permission.INTEGRATIONS_WRITE)
async def integration_remove(info: Info, input: IntegrationInput) -> models.Integration:
    """Switch an integration off, forget its settings, and destroy its keys for good."""
    return await integration_settings.remove(actor(info).organization_id, input.provider)


@exchange(Integration, requires=Permission.INTEGRATIONS_WRITE, idempotent=True)
async def integration_secret_rotate(info: Info, input: IntegrationSecretRotateInput) -> models.Integration:
    """Replace a key by a new one, which is tried first: where it is refused, the one before stays."""
    return await integration_settings.rotate(actor(info).organization_id, input.provider, input.field, input.value)


@exchange(IntegrationTested, requires=Permission.INTEGRATIONS_WRITE)
async def integration_test(info: Info, input: IntegrationInput) -> IntegrationTested:
    """Try an integration with what it is set to, on or off, within 15 seconds. Nothing is changed on the other side."""
    tested = await integration_settings.test(actor(info).organization_id, input.provider)
    status = tested.outcome.status
    return IntegrationTested(
        integration=tested.integration, connected=status is IntegrationStatus.CONNECTED,  # type: ignore[arg-type]
        reason=Bilingual.of(REASONS[status]), detail=tested.outcome.detail, duration_ms=tested.duration_ms,
    )  # fmt: skip
