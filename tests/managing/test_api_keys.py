"""API keys for servers, made, changed and withdrawn by those who run the shop."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from errors import Forbidden
from models import ApiKey, ApiScope, Role
from policy import Actor
from services import access_keys
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import Shop

CREATE = """mutation ($input: ApiKeyCreateInput!) {
  apiKeyCreate(input: $input) { key apiKey { id name prefix scopes expiresAt lastUsedAt revokedAt } }
}"""
UPDATE = """mutation ($input: ApiKeyUpdateInput!) {
  apiKeyUpdate(input: $input) { apiKey { name scopes expiresAt } }
}"""
REVOKE = "mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { apiKey { revokedAt } } }"
PRODUCTS, CLIENTS = "{ products { totalCount } }", "{ clients { totalCount } }"


async def test_a_key_is_shown_once_given_other_scopes_and_withdrawn(shop: Shop) -> None:
    made = await shop(CREATE, input={"name": "ERP", "scopes": ["CATALOGUE_READ"]})
    server, key = replace(shop, token=made["key"]), made["apiKey"]
    assert re.fullmatch(r"apk_[0-9a-f]{64}", made["key"])
    assert made["key"].startswith(key["prefix"])
    assert (key["scopes"], key["expiresAt"], key["revokedAt"]) == (["CATALOGUE_READ"], None, None)
    kept = await ApiKey.get()
    assert kept.key_hash == access_keys.hash_of(made["key"])
    assert made["key"] not in str(vars(kept))
    assert await server(PRODUCTS) == {"totalCount": 0}
    assert (await server.refused(CLIENTS))[0] == "FORBIDDEN"

    changed = await shop(UPDATE, input={"apiKey": key["id"], "scopes": ["CLIENTS_READ", "CLIENTS_READ"]})
    assert changed["apiKey"] == {"name": "ERP", "scopes": ["CLIENTS_READ"], "expiresAt": None}
    assert await server(CLIENTS) == {"totalCount": 0}
    assert (await server.refused(PRODUCTS))[0] == "FORBIDDEN"

    first = await shop(REVOKE, input={"apiKey": key["id"]})
    assert first["apiKey"]["revokedAt"]
    assert (await server.refused(CLIENTS))[0] == "UNAUTHENTICATED"
    assert await shop(REVOKE, input={"apiKey": key["id"]}) == first
    refusal = await shop.refused(UPDATE, input={"apiKey": key["id"], "name": "x"})
    assert refusal == ("CONFLICT", "input.apiKey", "This key was revoked. Make another one.")


async def test_a_key_is_good_until_its_end_which_can_be_moved(shop: Shop) -> None:
    soon, later = (datetime.now(UTC).replace(microsecond=0) + timedelta(days=days) for days in (1, 2))
    given = {"name": "ERP", "scopes": ["CATALOGUE_READ"], "expiresAt": soon.isoformat()}
    made = await shop(CREATE, input=given)
    server, key = replace(shop, token=made["key"]), made["apiKey"]["id"]

    moved = await shop(UPDATE, input={"apiKey": key, "expiresAt": later.isoformat(), "name": "Odoo"})
    assert datetime.fromisoformat(moved["apiKey"]["expiresAt"]) == later
    assert (moved["apiKey"]["name"], moved["apiKey"]["scopes"]) == ("Odoo", ["CATALOGUE_READ"])

    await ApiKey.all().update(expires_at=datetime.now(UTC))
    assert (await server.refused(PRODUCTS))[0] == "UNAUTHENTICATED"
    assert (await shop(UPDATE, input={"apiKey": key, "expiresAt": None}))["apiKey"]["expiresAt"] is None
    assert await server(PRODUCTS) == {"totalCount": 0}


async def test_keys_are_listed_and_found_with_what_they_may_do(shop: Shop) -> None:
    for name in ("one", "two"):
        await shop(CREATE, input={"name": name, "scopes": ["ORDERS_READ", "CATALOGUE_WRITE"]})

    listed = await shop("{ apiKeys { totalCount nodes { id name scopes } } }")

    assert [node["name"] for node in listed["nodes"]] == ["two", "one"]
    assert listed["nodes"][0]["scopes"] == ["CATALOGUE_WRITE", "ORDERS_READ"]
    one = await shop("query ($id: ID!) { apiKey(id: $id) { name } }", id=listed["nodes"][1]["id"])
    assert one == {"name": "one"}


async def test_what_is_no_key_is_refused_and_named(shop: Shop) -> None:
    made = await shop(CREATE, input={"name": "ERP", "scopes": ["ORDERS_READ"]})
    same = {"apiKey": made["apiKey"]["id"]}

    async with nothing_changes(shop):
        for values, field in (
            ({"scopes": []}, "input.scopes"),
            ({"expiresAt": "2020-01-01T00:00:00Z"}, "input.expiresAt"),
            ({"name": ""}, "input.name"),
            ({"name": "x" * 101}, "input.name"),
        ):
            complete = {"name": "x", "scopes": ["ORDERS_READ"]} | values
            assert (await shop.refused(CREATE, input=complete))[:2] == ("INVALID", field)
            assert (await shop.refused(UPDATE, input=same | values))[:2] == ("INVALID", field)
        for name in ("name", "scopes"):
            assert (await shop.refused(UPDATE, input=same | {name: None}))[:2] == ("INVALID", f"input.{name}")


async def test_a_key_opens_its_own_organization_and_no_other(shop: Shop) -> None:
    theirs = await neighbour(shop)
    await theirs.product(name="Theirs")
    await shop.product(name="Mine")
    made = await shop(CREATE, input={"name": "ERP", "scopes": ["CATALOGUE_READ"]})

    server = replace(shop, token=made["key"])

    assert await server("{ products { nodes { name } } }") == {"nodes": [{"name": "Mine"}]}
    assert (await theirs.refused(REVOKE, input={"apiKey": made["apiKey"]["id"]}))[0] == "NOT_FOUND"


async def test_nobody_gives_a_key_more_than_they_may_themselves(shop: Shop) -> None:
    accountant = Actor(Role.ACCOUNTANT, shop.organization.id, uuid4())

    await access_keys.create_api(accountant, "Books", [ApiScope.ORDERS_READ, ApiScope.INVOICES_READ], None)
    with pytest.raises(Forbidden, match="You may not give ORDERS_WRITE") as refused:
        await access_keys.create_api(accountant, "Books", [ApiScope.ORDERS_READ, ApiScope.ORDERS_WRITE], None)

    assert refused.value.field == "input.scopes"
    kept = await ApiKey.get()
    with pytest.raises(Forbidden):
        await access_keys.update_api(accountant, kept, {"scopes": [ApiScope.CATALOGUE_WRITE]})
    assert (await ApiKey.get()).scope_list == [ApiScope.INVOICES_READ, ApiScope.ORDERS_READ]
