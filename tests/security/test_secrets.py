"""Over a whole sale, with everything that can be read read and everything logged, no secret is anywhere."""

import logging
from dataclasses import replace

import orjson
import pytest
from graphql import get_named_type, is_leaf_type

from models import User
from services.outside import outside
from tests.portal.clients import CANCEL, PAY
from tests.security.documents import LISTS, SCHEMA, list_document
from tests.security.surroundings import TABLES
from tests.shop import CHECKOUT, PASSWORD, WEBHOOK_SECRET, Shop

API_KEY = "a-partners-api-key-that-nobody-else-may-read"
MEMBER = {"email": "new@shop.test", "firstName": "Sacha", "lastName": "Petit", "role": "ACCOUNTANT"}
KEY_CREATE = "mutation ($input: PartnerKeyCreateInput!) { partnerKeyCreate(input: $input) { key } }"
API_KEY_CREATE = 'mutation { apiKeyCreate(input: { name: "ERP", scopes: [PARTNERS_READ] }) { key } }'
PORTAL_TOKEN_CREATE = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { token } }"
MEMBER_ADD = "mutation ($input: MemberAddInput!) { memberAdd(input: $input) { temporaryPassword } }"
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { expiresAt } } }"


async def test_no_secret_is_answered_stored_in_the_clear_or_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[object] = []
    partner = await shop.partner(apiKey=API_KEY)
    secrets = [*installation_secrets(), API_KEY, partner["secret"], partner["secret"].removeprefix("whsec_"), PASSWORD]

    key = (await shop(KEY_CREATE, input={"partner": partner["id"], "name": "Server"}))["key"]
    password = (await shop(MEMBER_ADD, input=MEMBER))["temporaryPassword"]
    api_key = (await shop(API_KEY_CREATE))["key"]
    client = await shop.client()
    private_link = (await shop(PORTAL_TOKEN_CREATE, input={"client": client}))["token"]
    secrets += [key, password, api_key, private_link]

    for token in (key, api_key):
        said.append(await replace(shop, token=token).post("{ partners { nodes { name } } }", {}))
    by_link = replace(shop, token=private_link)
    said.append(await by_link("{ portal { clientName } }"))
    for document in ("{ portal { clientName } orders { totalCount } }", "{ nothing }"):
        said.append(await by_link.post(document, {}))
    for document, named in ((PAY, "order"), (CANCEL, "booking")):
        said.append(await by_link.post(document, {"input": {named: private_link}}))
    nearly = private_link[:-1] + ("0" if private_link[-1] != "0" else "1")
    said.append(await replace(shop, token=nearly).post("{ portal { clientName } }", {}))
    wandering = await shop.http.get(f"/portal/{private_link}", headers={"Referer": f"http://x.test/#{private_link}"})
    said.append(wandering.text)
    secrets.append(nearly)
    said.append(await shop.post(SIGN_IN, {"input": {"email": MEMBER["email"], "password": password}}))
    await shop(SIGN_IN, input={"email": shop.email, "password": PASSWORD})
    said.append(await shop.refused(SIGN_IN, input={"email": shop.email, "password": PASSWORD + "!"}))
    order = await shop.order(await shop.product(partners=(partner,)))
    shop.sandbox.stripe.fail_next(401)
    said.append(await shop.post(CHECKOUT, {"input": shop.checkout_input(order)}))
    shop.sandbox.partner.answer(500, times=1)
    said.append(await shop.sell(await shop.product(partners=(partner,))))
    said.append((await shop.http.post("/webhooks/stripe", content=b"{}", headers={"Stripe-Signature": "x"})).text)
    said += [await shop.post(list_document(name, depth=2), {"first": 100}) for name in LISTS]
    stored = [
        row["text"]
        for table in await shop.sql(TABLES)
        for row in await shop.sql(f"SELECT t::text AS text FROM {table['relname']} t")
    ]

    told = {"answered": orjson.dumps(said).decode(), "stored": "\n".join(stored), "logged": caplog.text}
    assert shop.told()[-1].headers["x-api-key"] == API_KEY
    assert "INSERT INTO" in told["logged"]
    for where, text in told.items():
        for secret in secrets:
            assert secret not in text, f"{where}: {secret[:12]}…"
    password_hash = (await User.get(email=shop.email)).password_hash
    assert password_hash not in told["answered"] + told["logged"]
    assert shop.token not in told["stored"] + told["logged"]


async def test_a_row_that_the_database_refuses_is_not_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    create = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } } }"
    await shop.sql("ALTER TABLE clients ADD CONSTRAINT broken CHECK (city <> 'Lyon') NOT VALID")
    try:
        refusal = await shop.refused(
            create, input={"email": "marie@example.com", "phone": "+33687654321", "city": "Lyon"}
        )
    finally:
        await shop.sql("ALTER TABLE clients DROP CONSTRAINT broken")

    assert refusal[0] == "INTERNAL"
    assert 'violates check constraint "broken"' in caplog.text
    assert "marie@example.com" not in caplog.text
    assert "+33687654321" not in caplog.text


def test_no_field_is_named_like_a_secret_but_the_ones_shown_once() -> None:
    shown_once = {
        ("PartnerCreated", "signingSecret"),
        ("PartnerSecretRotated", "signingSecret"),
        ("MemberAdded", "temporaryPassword"),
        ("SignedIn", "accessToken"),
        ("SignedIn", "refreshToken"),
        ("SecondFactorSetup", "secret"),
        ("PaymentIntentStarted", "clientSecret"),
        ("PortalTokenCreated", "token"),
    }
    found = {
        (kind.name, name)
        for kind in SCHEMA.type_map.values()
        if not kind.name.startswith("__") and not kind.name.endswith(("Input", "Filter"))
        for name, field in getattr(kind, "fields", {}).items()
        if is_leaf_type(get_named_type(field.type))
        and any(word in name.lower() for word in ("secret", "password", "token", "apikey", "hash"))
    }

    assert found - {("Partner", "apiKeyLast4"), ("Partner", "previousSecretUntil")} == shown_once


def installation_secrets() -> list[str]:
    settings = outside().settings
    assert settings.stripe_secret_key is not None
    keys = settings.comptoir_master_keys.get_secret_value()
    return [settings.stripe_secret_key.get_secret_value(), WEBHOOK_SECRET, keys, keys.partition(":")[2]]
