"""Partners: made, their secrets sealed."""

import base64
import re
import secrets
from typing import Any
from uuid import UUID

from errors import Invalid, Refused
from models import Partner
from providers.webhooks import SECRET_PREFIX, check_url
from services import vault
from services.outside import outside

API_KEY_LEAST = 32


async def create(organization_id: UUID, values: dict[str, Any], api_key: str | None) -> tuple[Partner, str]:
    """(the partner, the signing secret to give them). Raises Invalid for an address that could not be told."""
    for column in ("staging_url", "production_url"):
        _check_address(values.get(column), f"input.{_camel(column)}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", values["slug"]):
        raise Invalid("A slug is lower-case letters, digits and hyphens.", field="input.slug")
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", values.get("brand_color", "#000000")):
        raise Invalid("A colour is written #rrggbb.", field="input.brandColor")
    partner = Partner(organization_id=organization_id, **values)
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    vault.seal(partner, "signing_secret", secret)
    if api_key is not None:
        if not re.fullmatch(rf"[\x21-\x7e]{{{API_KEY_LEAST},200}}", api_key):
            raise Invalid(f"An API key is {API_KEY_LEAST} to 200 characters of visible ASCII.", field="input.apiKey")
        vault.seal(partner, "api_key", api_key)
        partner.api_key_last4 = api_key[-4:]
    await partner.save()
    return partner, secret


def _check_address(url: str | None, field: str) -> None:
    if url is None:
        return
    try:
        check_url(url, sandbox_url=outside().settings.sandbox_url)
    except Refused as refusal:
        raise Invalid(str(refusal), field=field) from refusal


def _camel(column: str) -> str:
    first, *rest = column.split("_")
    return first + "".join(word.title() for word in rest)
