"""Outside systems as an organization's own: opened for a use, and what came of it.

    async with integrations.connected(order.organization_id, "smtp", "invoices.send") as mailer:
        await mailer.send(letter)

Opens the keys, each of which the access log notes, and closes the provider at the end. Where the other side refuses the
keys the integration is disconnected, and is not tried again before they are replaced.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from errors import Disconnected, NotConfigured
from models import Integration, IntegrationSecret, IntegrationStatus
from models.database import transaction
from providers import registry
from providers.base import Provider, Surroundings
from services import vault
from services.outside import outside

PURPOSE_MOST, DETAIL_MOST = 200, 500  # characters


@asynccontextmanager
async def connected(organization_id: UUID, key: str, purpose: str) -> AsyncIterator[Any]:
    """A provider by its key, as the organization set it up; `purpose`, the job that wants it, goes to the access log.

    Raises NotConfigured where it is not switched on, Disconnected where its keys were refused, now or before.
    """
    integration = await enabled(organization_id, key)
    if integration is None:
        raise NotConfigured(f"{_name(key)} is not switched on. Switch it on (integrationEnable).")
    if not integration.is_usable:
        raise Disconnected(f"{_name(key)} refuses its keys. Replace them (integrationConfigure).")
    async with await opened(integration, purpose) as provider:
        try:
            yield provider
        except Disconnected as error:
            await note(integration, IntegrationStatus.DISCONNECTED, str(error))
            raise


async def enabled(organization_id: UUID, key: str) -> Integration | None:
    """An organization's integration that is switched on; None where it has none."""
    return await Integration.get_or_none(organization_id=organization_id, provider=key, enabled=True)


async def opened(integration: Integration, purpose: str) -> Provider[Any]:
    """The provider with the keys that the integration has now; nothing is dialled yet. Raises NotConfigured where
    something is missing."""
    kind = registry.provider(integration.provider)
    if kind is None or kind.offer is None:
        raise NotConfigured(f"{integration.provider} cannot be connected (yet).")
    values = integration.settings | await secrets(integration, purpose)
    try:
        credentials = kind.offer.credentials.model_validate(values)
    except ValidationError as error:
        missing = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise NotConfigured(
            f"{kind.name} is not set up wholly: {missing}. Complete it (integrationConfigure)."
        ) from None
    return kind.connect(credentials, surroundings())


async def secrets(integration: Integration, purpose: str) -> dict[str, str]:
    """Its keys by field, opened: each is noted in the access log."""
    found = {}
    for secret in await IntegrationSecret.filter(integration_id=integration.id, sealed__isnull=False).order_by("field"):
        found[secret.field] = await vault.open(secret, "sealed", purpose[:PURPOSE_MOST]) or ""
    return found


async def note(integration: Integration, status: IntegrationStatus, detail: str | None) -> None:
    """Write down how it does, unless it was switched off or set to something else since it was read."""
    async with transaction():
        await Integration.filter(id=integration.id, enabled=True, configured_at=integration.configured_at).update(
            status=status, detail=detail and detail[:DETAIL_MOST]
        )


def surroundings() -> Surroundings:
    """Where providers run in this process."""
    settings = outside().settings
    urls = {"google_calendar": settings.google_api_base} if settings.google_api_base else {}
    return Surroundings(private=settings.environment == "development", urls=urls)


def _name(key: str) -> str:
    kind = registry.provider(key)
    return kind.name if kind else key
