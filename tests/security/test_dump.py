"""After a busy run a dump of the database and all logs hold no key: looked for by its value, also in other clothes."""

import base64
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from models import Integration, IntegrationSecret, OAuthGrant, Partner, StripeAccount
from services import oauth, outside, rotation, vault
from services.vault import SEALED
from tests.security.surroundings import TABLES, installed_with
from tests.security.test_rotation import keys
from tests.shop import Shop
from tests.test_consents import FINISH, GRANTS, REVOKE, START

CLIENT_ID, CLIENT_SECRET = "comptoir.apps.googleusercontent.com", "GOCSPX-a-secret-of-our-client"
API_KEY = "a-partners-api-key-that-nobody-else-may-read"
SMTP_PASSWORD = "a password of a mail server"
STRIPE_KEY, STRIPE_SECRET = "sk_test_" + "4f" * 24, "whsec_" + "c3" * 16
API_KEY_CREATE = """mutation {
    apiKeyCreate(input: { name: "ERP", scopes: [ORDERS_READ], idempotencyKey: "once" }) { key }
}"""
ENVELOPE = re.compile(r"^v1\.[\w-]{1,20}\.[\w-]+=*\.[\w-]+=*$")


@pytest.fixture
async def busy(shop: Shop) -> AsyncIterator[Shop]:
    """With a client of ours at Google's stand-in."""
    changed = {
        "google_oauth_client_id": CLIENT_ID, "google_oauth_client_secret": SecretStr(CLIENT_SECRET),
        "google_api_base": shop.sandbox.url,
        "allowed_origins": ("http://127.0.0.1:8000",),
        "comptoir_master_keys": SecretStr(keys(outside.outside().settings)),
    }  # fmt: skip
    async with installed_with(shop, **changed) as installed:
        yield installed


async def agree(shop: Shop) -> None:
    """A person goes to Google's page, agrees there, and comes back."""
    redirect = "http://127.0.0.1:8000/back"
    started = await shop(START, input={"provider": "google_calendar", "redirectUri": redirect})
    url = httpx.URL(started["authorizationUrl"])
    async with httpx.AsyncClient() as browser:
        assert (await browser.get(url)).status_code == 200
        form = dict(url.params) | {"answer": "allow", "email": "camille@demo.test"}
        back = await browser.post(url.copy_with(query=None), data=form)
    returned = httpx.URL(back.headers["location"]).params
    finished = await shop(FINISH, input={"code": returned["code"], "state": returned["state"]})
    assert finished["oauthGrant"]["status"] == "CONNECTED"


async def test_a_consent_at_the_stand_in_is_given_refreshed_and_withdrawn(busy: Shop) -> None:
    await agree(busy)
    grant = await OAuthGrant.get()
    first = await oauth.access_token(grant, "a test")
    await OAuthGrant.all().update(expires_at=datetime.now(UTC))

    assert await oauth.access_token(grant, "a test") != first
    (shown,) = (await busy(GRANTS))["nodes"]
    await busy(REVOKE, input={"oauthGrant": shown["id"]})
    await busy.work_is_done()
    assert (await OAuthGrant.get()).refresh_token is None


async def test_no_key_is_in_a_dump_or_a_log(busy: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    here, now = {"organization_id": busy.organization.id}, datetime.now(UTC)

    partner = await busy.partner(apiKey=API_KEY)
    await busy.sell(await busy.product(partners=(partner,)))
    integration = await Integration.create(provider="smtp", configured_at=now, **here)
    secret = IntegrationSecret(integration=integration, provider="smtp", field="password", rotated_at=now, **here)
    vault.seal(secret, "sealed", SMTP_PASSWORD)
    await secret.save()
    account = StripeAccount(account="acct_1", live=False, **here)
    vault.seal(account, "secret_key", STRIPE_KEY)
    vault.seal(account, "webhook_secrets", STRIPE_SECRET)
    await account.save()
    key = (await busy(API_KEY_CREATE))["key"]
    await agree(busy)
    grant = await OAuthGrant.get()
    await OAuthGrant.all().update(expires_at=now)
    access_token = await oauth.access_token(grant, "a test")
    refresh_token = await vault.open(await OAuthGrant.get(), "refresh_token", "a test")
    assert await rotation.rotate(lambda done: None) == []
    await busy.sell(await busy.product(partners=(partner,)))
    moved = await Partner.get()
    moved.signing_secret = moved.api_key or ""
    with pytest.raises(Exception, match="altered"):
        await vault.open(moved, "signing_secret", "a test")

    stored = await dump(busy)
    master_keys = outside.outside().settings.comptoir_master_keys.get_secret_value()
    secrets = [
        API_KEY, partner["secret"], SMTP_PASSWORD, STRIPE_KEY, STRIPE_SECRET, key, access_token, refresh_token or "",
        CLIENT_SECRET, *(part for part in re.split("[:,]", master_keys) if len(part) > 20),
    ]  # fmt: skip
    for where, text in {"dump": "\n".join(stored.values()), "log": caplog.text}.items():
        for each in secrets:
            assert len(each) >= 16
            for worn in (each, quote(each), base64.b64encode(each.encode()).decode().rstrip("=")[:-1]):
                assert worn not in text, f"{where}: {each[:6]}…"
    assert "INSERT INTO" in caplog.text
    found = {name for name, text in stored.items() if any(ENVELOPE.match(line) for line in text.splitlines())}
    assert found <= {f"{model._meta.db_table}.{field}" for model, field in SEALED}
    assert {"oauth_grants.refresh_token", "stripe_accounts.secret_key", "integration_secrets.sealed"} <= found


async def dump(shop: Shop) -> dict[str, str]:
    """All that any column holds, by `table.column`; bytes as text, where they are some."""
    columns = await shop.sql(
        "SELECT table_name AS table, column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = ANY($1)",
        [row["relname"] for row in await shop.sql(TABLES)],
    )
    found: dict[str, str] = {}
    for column in columns:
        rows: list[dict[str, Any]] = await shop.sql(
            f'SELECT "{column["name"]}"::text AS text, "{column["name"]}" AS raw FROM "{column["table"]}"'
        )
        values = (
            bytes(row["raw"]).decode(errors="replace") if column["type"] == "bytea" and row["raw"] else row["text"]
            for row in rows
        )
        found[f"{column['table']}.{column['name']}"] = "\n".join(filter(None, values))
    return found
