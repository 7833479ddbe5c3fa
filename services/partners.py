"""Partners: made, changed, deleted, their secrets sealed."""

import base64
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from errors import Conflict, Invalid, Refused
from models import NotificationReplay, Partner, PartnerEndpoint, PartnerKey
from models.database import deleted
from providers.webhooks import SECRET_PREFIX, check_url
from services import branding, vault
from services.outside import outside

API_KEY_LEAST = 32
OVERLAP_MOST = 7 * 24  # hours


async def create(organization_id: UUID, values: dict[str, Any], api_key: str | None) -> tuple[Partner, str]:
    """(the partner, the signing secret to give them). Raises Invalid for an address that could not be told, or for no
    event at all."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", values["slug"]):
        raise Invalid("A slug is lower-case letters, digits and hyphens.", field="input.slug")
    values = await branding.drawn(_checked(values))
    partner = Partner(organization_id=organization_id, **values)
    secret = _seal_secret(partner)
    _seal_api_key(partner, api_key)
    await partner.save()
    for live in (False, True):
        await PartnerEndpoint.create(organization_id=organization_id, partner=partner, live=live)
    return partner, secret


async def update(partner: Partner, values: dict[str, Any]) -> Partner:
    """The partner with other values; `api_key` among them is another key, or None for none any more. Raises Invalid as
    `create` does."""
    values = dict(values)
    if "api_key" in values:
        _seal_api_key(partner, values.pop("api_key"))
    partner.update_from_dict(await branding.drawn(_checked(values)))
    await partner.save()
    return partner


async def rotate_secret(partner: Partner, overlap_hours: int) -> str:
    """Another signing secret, with which everything is signed from now on; for so many hours by the one before too, so
    that the partner can change over without missing anything. Of two rotations within that time, the first one's
    secret is the one before, and what was before it ends. Raises Invalid."""
    if not 0 <= overlap_hours <= OVERLAP_MOST:
        raise Invalid(f"Both secrets sign for 0 to {OVERLAP_MOST} hours.", field="input.overlapHours")
    before = await vault.open(partner, "signing_secret", "a rotation that keeps it") if overlap_hours else None
    secret = _seal_secret(partner)
    partner.update_from_dict({"previous_secret": None, "previous_secret_until": None})
    if before:
        vault.seal(partner, "previous_secret", before)
        partner.previous_secret_until = datetime.now(UTC) + timedelta(hours=overlap_hours)
    await partner.save(update_fields=["signing_secret", "previous_secret", "previous_secret_until"])
    return secret


async def delete(partner: Partner) -> None:
    """Delete a partner of no product who was never told anything, with their keys. Raises Conflict for any other."""
    for belonging in (PartnerKey, PartnerEndpoint, NotificationReplay):
        await belonging.filter(partner_id=partner.id).delete()
    if not await deleted(partner):
        raise Conflict(
            "This partner is on products, invoices or notifications. Set `active` to false instead.",
            field="input.partner",
        )


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """The values as columns. Raises Invalid."""
    for column, name, most in (
        ("max_per_minute", "maxPerMinute", 6000),
        ("breaker_threshold", "breakerThreshold", 1000),
    ):
        value = values.get(column)
        if value is not None and not 1 <= value <= most:
            raise Invalid(f"This is 1 to {most:,}, or null for none.", field=f"input.{name}")
    for column, name in (("staging_url", "stagingUrl"), ("production_url", "productionUrl")):
        _check_address(values.get(column), f"input.{name}")
    branding.check(values)
    if "events" not in values:
        return values
    if not values["events"]:
        raise Invalid("Name one event at least; set `active` to false to tell it nothing.", field="input.events")
    return values | {"events": "\n".join(dict.fromkeys(event.value for event in values["events"]))}


def _check_address(url: str | None, field: str) -> None:
    if url is None:
        return
    try:
        check_url(url, sandbox_url=outside().settings.sandbox_url)
    except Refused as refusal:
        raise Invalid(str(refusal), field=field) from refusal


def _seal_secret(partner: Partner) -> str:
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    vault.seal(partner, "signing_secret", secret)
    return secret


def _seal_api_key(partner: Partner, api_key: str | None) -> None:
    if api_key is None:
        partner.update_from_dict({"api_key": None, "api_key_last4": None})
        return
    if not re.fullmatch(rf"[\x21-\x7e]{{{API_KEY_LEAST},200}}", api_key):
        raise Invalid(f"An API key is {API_KEY_LEAST} to 200 characters of visible ASCII.", field="input.apiKey")
    vault.seal(partner, "api_key", api_key)
    partner.api_key_last4 = api_key[-4:]
