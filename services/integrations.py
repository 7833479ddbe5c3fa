"""Outside systems as an organization's own, opened for a use.

    async with integrations.connected(order.organization_id, "smtp", "invoices.send") as mailer:
        await mailer.send(letter)

Opens the keys, each of which the access log notes, and closes the provider at the end. Where the other side refuses the
keys the integration is disconnected, and is not used again before they are replaced, or work again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from errors import Disconnected, DomainError, NotConfigured
from models import Integration, IntegrationSecret, IntegrationStatus
from providers import registry
from providers.base import Provider, Surroundings
from services import vault
from services.integration_health import Outcome, write_down
from services.outside import outside

PURPOSE_MOST = 200  # characters


@asynccontextmanager
async def connected(organization_id: UUID, key: str, purpose: str) -> AsyncIterator[Any]:
    """A provider by its key, as the organization set it up; `purpose`, the job that wants it, goes to the access log.

    Raises NotConfigured where it is not switched on, Disconnected where its keys were refused, now or before.
    """
    integration = await enabled(organization_id, key)
    if integration is None:
        raise NotConfigured(f"{name_of(key)} is not switched on. Switch it on (integrationEnable).")
    if not integration.is_usable:
        raise Disconnected(f"{name_of(key)} refuses its keys. Replace them (integrationConfigure).")
    async with await opened(integration, purpose) as provider:
        try:
            yield provider
        except Disconnected as error:
            await note(integration, IntegrationStatus.DISCONNECTED, str(error))
            raise


async def note(integration: Integration, status: IntegrationStatus, detail: str | None) -> None:
    """Write down how it does, unless it was switched off or set to something else since it was read."""
    await write_down(integration, Outcome(status, detail), checked=False)


async def enabled(organization_id: UUID, key: str) -> Integration | None:
    """An organization's integration that is switched on; None where it has none."""
    return await Integration.get_or_none(organization_id=organization_id, provider=key, enabled=True)


async def opened(integration: Integration, purpose: str) -> Provider[Any]:
    """The provider with the keys that the integration has now; nothing is dialled yet. Raises NotConfigured where
    something is missing."""
    kind = registry.provider(integration.provider)
    if kind is None:
        raise NotConfigured(f"{integration.provider} cannot be connected.")
    try:
        return made(kind, integration.settings | await secrets(integration, purpose))
    except (ValidationError, DomainError):
        raise NotConfigured(f"{kind.name} is not set up wholly. Complete it (integrationConfigure).") from None


def made(kind: type[Provider[Any]], values: dict[str, Any]) -> Provider[Any]:
    """A provider of what its form holds. Raises ValidationError, or Invalid for what cannot be dialled from here."""
    credentials: BaseModel = kind.offer.credentials.model_validate(values)
    return kind.connect(credentials, surroundings())


async def secrets(integration: Integration, purpose: str) -> dict[str, str]:
    """Its keys by field, opened: each is noted in the access log."""
    found = {}
    for secret in await IntegrationSecret.filter(integration_id=integration.id, sealed__isnull=False).order_by("field"):
        found[secret.field] = await vault.open(secret, "sealed", purpose[:PURPOSE_MOST]) or ""
    return found


def surroundings() -> Surroundings:
    """Where providers run in this process."""
    settings = outside().settings
    stand_ins = {"stripe": settings.stripe_api_base, "google_calendar": settings.google_api_base}
    urls = {key: url for key, url in stand_ins.items() if url}
    return Surroundings(private=settings.environment == "development", urls=urls)


def name_of(key: str) -> str:
    """What people call a provider."""
    listed = registry.catalogue().get(key)
    return listed.name if listed else key
