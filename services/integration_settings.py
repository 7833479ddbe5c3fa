"""Integrations set up by people: configured, switched on and off, their keys replaced and destroyed.

Of rows the integration is locked first, its secrets after it.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from errors import Conflict, Invalid, NotConfigured, NotFound, Unreachable
from models import Integration, IntegrationSecret, IntegrationStatus
from models.database import transaction
from providers import registry
from providers.base import Provider
from providers.offers import form_of, secrets_of
from services import calendar_switch, integration_checks, integrations, stripe_connecting, vault
from services.integration_health import Outcome, settle, write_down

Reaction = Callable[[Integration], Awaitable[None]]

# What else follows, by provider, where an integration is set up, switched on or off, or removed; in its transaction.
REACTIONS: dict[str, Reaction] = {
    "google_calendar": calendar_switch.changed,
    "stripe": stripe_connecting.changed,
}

TELLING = 12  # characters of a secret, at least, before its last four are shown
LONGEST = 10_000  # characters of a field


async def configure(organization_id: UUID, key: str, values: dict[str, Any]) -> Integration:
    """Fill the form of a provider, whole or in part: what is left out stays, null takes away. Tried at once where it is
    on. Raises Invalid, blaming the field."""
    kind = available(key)
    given = _checked(kind, values)
    secret = secrets_of(kind.offer)
    keys = {name: each for name, each in given.items() if name in secret}
    before = await Integration.get_or_none(organization_id=organization_id, provider=key)
    kept = await integrations.secrets(before, "integrationConfigure, to check the form") if before else {}
    settings = _merged(before.settings if before else {}, {name: given[name] for name in given.keys() - secret})
    provider = _made(kind, settings | _merged(kept, keys))
    async with transaction():
        integration = await _unchanged(before) if before else await _new(organization_id, key)
        integration.update_from_dict({"settings": settings, "removed_at": None})
        await _changed(integration)
        for field, value in keys.items():
            await _seal(integration, field, value)
    if integration.enabled:
        return await _tried(integration, provider)
    await provider.close()
    return integration


async def enable(organization_id: UUID, key: str) -> Integration:
    """Switch an integration on, and try it. Raises NotConfigured where its form is not filled."""
    available(key)
    before = await _configured(organization_id, key, lock=False)
    provider = await integrations.opened(before, "integrationEnable, to try it")
    async with transaction():
        integration = await _unchanged(before)
        integration.enabled = True
        await _changed(integration)
    return await _tried(integration, provider)


async def disable(organization_id: UUID, key: str) -> Integration:
    """Switch an integration off: its keys stay, and nothing uses them."""
    integration = await _configured(organization_id, key)
    integration.enabled = False
    await _changed(integration)
    return integration


async def remove(organization_id: UUID, key: str) -> Integration:
    """Switch an integration off, forget what its form held and destroy its keys."""
    integration = await _configured(organization_id, key)
    integration.update_from_dict({"enabled": False, "settings": {}, "removed_at": datetime.now(UTC)})
    await _changed(integration)
    for secret in await IntegrationSecret.select_for_update().filter(integration_id=integration.id).order_by("id"):
        await _seal(integration, secret.field, None)
    return integration


async def rotate(organization_id: UUID, key: str, field: str, value: str) -> Integration:
    """Replace a key by a new one that works: it is tried first, and where it is refused the one before stays. Raises
    Invalid for one that is refused, Unreachable where the other side does not answer, Conflict where the integration
    was changed meanwhile."""
    kind = available(key)
    if field not in secrets_of(kind.offer):
        raise Invalid(f"{kind.name} has no key {field!r}.", field="input.field")
    new = _text(value, "input.value")
    before = await _configured(organization_id, key, lock=False)
    kept = await integrations.secrets(before, "integrationSecretRotate, to try the new key")
    outcome = await integration_checks.tried(_made(kind, before.settings | kept | {field: new}, blamed="input.value"))
    if outcome.status is IntegrationStatus.DISCONNECTED:
        raise Invalid(f"The new key is refused; the one before stays. {outcome.detail}", field="input.value")
    if outcome.status is not IntegrationStatus.CONNECTED:
        raise Unreachable(f"The new key could not be tried; the one before stays. {outcome.detail}")
    async with transaction():
        integration = await _unchanged(before)
        await _seal(integration, field, new)
        await _changed(integration, outcome)
    return integration


async def test(organization_id: UUID, key: str) -> integration_checks.Tested:
    """Try an integration with what it is set to, on or off. Raises NotConfigured where it is not set up."""
    return await integration_checks.test(await _configured(organization_id, key, lock=False))


def available(key: str) -> type[Provider[Any]]:
    """The provider of a key. Raises NotFound, or Conflict for one that cannot be connected yet."""
    kind = registry.provider(key)
    if kind:
        return kind
    if key in registry.catalogue():
        raise Conflict(
            f"{integrations.name_of(key)} is announced, and cannot be connected yet.", field="input.provider"
        )
    raise NotFound("No such provider: see integrationCatalogue.", field="input.provider")


async def _new(organization_id: UUID, key: str) -> Integration:
    """Of several who set one up at once, one does; the others change nothing. Raises Conflict."""
    integration = Integration(organization_id=organization_id, provider=key, configured_at=datetime.now(UTC))
    await Integration.bulk_create([integration], ignore_conflicts=True)
    return await _unchanged(integration)


async def _unchanged(before: Integration) -> Integration:
    """An integration that was read, locked. Raises Conflict where it was changed since."""
    integration = await Integration.select_for_update().get_or_none(id=before.id)
    if integration is None or integration.configured_at != before.configured_at:
        raise Conflict("This integration was changed meanwhile. Look at it, and try again.", field="input.provider")
    return integration


async def _configured(organization_id: UUID, key: str, *, lock: bool = True) -> Integration:
    rows = Integration.select_for_update() if lock else Integration
    found = await rows.filter(organization_id=organization_id, provider=key, removed_at=None).first()
    if found is None:
        name = integrations.name_of(key)
        raise NotConfigured(
            f"{name} is not set up. Fill its form first (integrationConfigure).", field="input.provider"
        )
    return found


async def _changed(integration: Integration, outcome: Outcome | None = None) -> None:
    """Save an integration that is set to something else: how it does is to be seen anew."""
    integration.configured_at = datetime.now(UTC)
    if integration.enabled:
        settle(integration, outcome or Outcome(IntegrationStatus.UNTESTED), checked=outcome is not None)
    else:
        nothing = dict.fromkeys(("detail", "next_check_at", "failing_since", "alerted_at"))
        integration.update_from_dict({"status": IntegrationStatus.OFF, **nothing})
    await integration.save()
    if react := REACTIONS.get(integration.provider):
        await react(integration)


async def _tried(integration: Integration, provider: Provider[Any]) -> Integration:
    outcome = await integration_checks.confirmed(integration, await integration_checks.tried(provider))
    await write_down(integration, outcome, checked=True)
    return integration


async def _seal(integration: Integration, field: str, value: str | None) -> None:
    """Keep a key, sealed, in place of the one before; None destroys it."""
    now = datetime.now(UTC)
    secret = await IntegrationSecret.get_or_none(integration_id=integration.id, field=field)
    if value is None:
        if secret and secret.sealed:
            secret.update_from_dict({"sealed": None, "last_four": None, "destroyed_at": now})
            await secret.save()
        return
    secret = secret or IntegrationSecret(
        organization_id=integration.organization_id, integration_id=integration.id, provider=integration.provider,
        field=field,
    )  # fmt: skip
    vault.seal(secret, "sealed", value)
    secret.last_four = value[-4:] if len(value) >= TELLING else None
    secret.rotated_at, secret.destroyed_at = now, None
    await secret.save()


def _checked(kind: type[Provider[Any]], values: dict[str, Any]) -> dict[str, Any]:
    """What was given, as the form's model takes it. Raises Invalid."""
    fields, given = kind.offer.credentials.model_fields, dict[str, Any]()
    for name, value in values.items():
        if name not in fields:
            raise Invalid(f"{kind.name} has no field {name[:63]!r}: it has {', '.join(fields)}.", field="input.values")
        given[name] = _text(value, f"input.values.{name}") if isinstance(value, str) else value
        if not isinstance(value, str | int | float | None):
            raise Invalid("This is a text, a number, true or false.", field=f"input.values.{name}")
    return given


def _text(value: str, blamed: str) -> str:
    text = value.strip()
    if "\x00" in text:
        raise Invalid("Text cannot hold a NUL character.", field=blamed)
    if len(text) > LONGEST:
        raise Invalid(f"This is longer than {LONGEST} characters.", field=blamed)
    if not text:
        raise Invalid("This cannot be empty. Null takes it away.", field=blamed)
    return text


def _merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in {**before, **given}.items() if each is not None}


def _made(kind: type[Provider[Any]], values: dict[str, Any], *, blamed: str | None = None) -> Provider[Any]:
    """A provider of what its form holds. Raises Invalid, blaming the field of the form unless told what to blame."""
    try:
        return integrations.made(kind, values)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, problem["loc"]))
        title = form_of(kind.name, kind.offer, french=False)["properties"].get(field, {}).get("title", field)
        said = _without_secrets(kind, problem["msg"], values).removeprefix("Value error, ").rstrip(".")
        raise Invalid(f"{title}: {said}.", field=blamed or _blamed(field)) from None
    except Invalid as error:
        raise Invalid(error.message, field=blamed or _blamed(error.field or "")) from None


def _blamed(field: str) -> str:
    return f"input.values.{field}" if field else "input.values"


def _without_secrets(kind: type[Provider[Any]], text: str, values: dict[str, Any]) -> str:
    """What a model says of a value, without the value where that is a secret."""
    for name in secrets_of(kind.offer):
        value = values.get(name)
        if isinstance(value, str) and value:
            text = text.replace(value, "…")
    return text
