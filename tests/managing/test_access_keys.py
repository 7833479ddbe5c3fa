"""Keys of storefronts and partners, made and withdrawn by those who run the shop."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import PartnerKey
from services import access_keys
from tests.security.surroundings import installed_with, neighbour, nothing_changes
from tests.shop import Shop

CREATE = """mutation ($input: PublishableKeyCreateInput!) {
  publishableKeyCreate(input: $input) { publishableKey { id name key origins lastUsedAt revokedAt } }
}"""
UPDATE = """mutation ($input: PublishableKeyUpdateInput!) {
  publishableKeyUpdate(input: $input) { publishableKey { name key origins } }
}"""
REVOKE = """mutation ($input: PublishableKeyRevokeInput!) {
  publishableKeyRevoke(input: $input) { publishableKey { revokedAt } }
}"""
PARTNER_CREATE = """mutation ($input: PartnerKeyCreateInput!) {
  partnerKeyCreate(input: $input) { key partnerKey { id name prefix expiresAt partner { slug } } }
}"""
PARTNER_REVOKE = """mutation ($input: PartnerKeyRevokeInput!) {
  partnerKeyRevoke(input: $input) { partnerKey { revokedAt } }
}"""
CATALOGUE, TOLD = "{ products { totalCount } }", "{ notifications { totalCount } }"
ORIGIN = "https://shop.example.com"
NOT_AN_ORIGIN = "An origin is a scheme, a host and maybe a port"
NO_GOOD = "UNAUTHENTICATED"


async def test_a_key_is_made_moved_to_other_pages_and_withdrawn(shop: Shop) -> None:
    made = (await shop(CREATE, input={"name": "Site", "origins": [ORIGIN]}))["publishableKey"]
    page = replace(shop, token=made["key"], origin=ORIGIN)
    assert re.fullmatch(r"pk_[0-9a-f]{40}", made["key"])
    assert (made["origins"], made["lastUsedAt"], made["revokedAt"]) == ([ORIGIN], None, None)
    assert await page(CATALOGUE) == {"totalCount": 0}

    moved = await shop(UPDATE, input={"publishableKey": made["id"], "origins": ["https://www.example.com"]})
    assert moved["publishableKey"] == {"name": "Site", "key": made["key"], "origins": ["https://www.example.com"]}
    assert (await page.refused(CATALOGUE))[0] == "FORBIDDEN"
    page.origin = "https://www.example.com"
    assert await page(CATALOGUE) == {"totalCount": 0}

    named = await shop(UPDATE, input={"publishableKey": made["id"], "name": "Boutique"})
    assert named["publishableKey"]["name"] == "Boutique"
    first = await shop(REVOKE, input={"publishableKey": made["id"]})
    assert first["publishableKey"]["revokedAt"]
    assert (await page.refused(CATALOGUE))[0] == NO_GOOD
    assert await shop(REVOKE, input={"publishableKey": made["id"]}) == first
    refusal = await shop.refused(UPDATE, input={"publishableKey": made["id"], "name": "x"})
    assert refusal == ("CONFLICT", "input.publishableKey", "This key was revoked. Make another one.")


async def test_keys_of_storefronts_are_listed_with_where_they_are_good(shop: Shop) -> None:
    for name in ("one", "two"):
        await shop(CREATE, input={"name": name, "origins": [ORIGIN, "https://two.example.com"]})

    listed = await shop("{ publishableKeys { totalCount nodes { name origins } } }")

    origins = [ORIGIN, "https://two.example.com"]
    assert listed["nodes"] == [{"name": "two", "origins": origins}, {"name": "one", "origins": origins}]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("HTTPS://Shop.Example.COM", ORIGIN),
        ("https://shop.example.com/", ORIGIN),
        ("https://shop.example.com:443", ORIGIN),
        (" https://shop.example.com ", ORIGIN),
        ("https://shop.example.com:8443", "https://shop.example.com:8443"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://xn--caf-dma.example", "https://xn--caf-dma.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
async def test_an_origin_is_kept_as_browsers_say_it(shop: Shop, given: str, kept: str) -> None:
    made = await shop(CREATE, input={"name": "Site", "origins": [given, given]})

    assert made["publishableKey"]["origins"] == [kept]


BAD_ORIGINS = [
    ("https://shop.example.com/boutique", NOT_AN_ORIGIN),
    ("https://shop.example.com?x=1", NOT_AN_ORIGIN),
    ("https://shop.example.com#x", NOT_AN_ORIGIN),
    ("https://me:secret@shop.example.com", NOT_AN_ORIGIN),
    ("https://*.example.com", NOT_AN_ORIGIN),
    ("https://shop.example.com:0", NOT_AN_ORIGIN),
    ("https://shop.example.com:99999", NOT_AN_ORIGIN),
    ("https://shop.example.com:x", NOT_AN_ORIGIN),
    ("https://shop.example.com\nhttps://evil.example", NOT_AN_ORIGIN),
    ("https://shop.exam\tple.com", NOT_AN_ORIGIN),
    ("https://shop\x00.example.com", NOT_AN_ORIGIN),
    ("https://-shop.example.com", NOT_AN_ORIGIN),
    ("https://" + "a." * 200 + "fr", NOT_AN_ORIGIN),
    ("https://", NOT_AN_ORIGIN),
    ("https://[::1", NOT_AN_ORIGIN),
    ("shop.example.com", NOT_AN_ORIGIN),
    ("null", NOT_AN_ORIGIN),
    ("*", NOT_AN_ORIGIN),
    ("", NOT_AN_ORIGIN),
    ("file:///etc/passwd", NOT_AN_ORIGIN),
    ("javascript:alert(1)", NOT_AN_ORIGIN),
    ("https://café.example", "xn--caf-dma"),
    ("http://shop.example.com", "begins with https://"),
    ("http://localhost.evil.example", "begins with https://"),
]


async def test_what_is_no_origin_is_refused_and_named(shop: Shop) -> None:
    made = (await shop(CREATE, input={"name": "Site", "origins": [ORIGIN]}))["publishableKey"]

    async with nothing_changes(shop):
        for origin, says in BAD_ORIGINS:
            for document, more in ((CREATE, {"name": "x"}), (UPDATE, {"publishableKey": made["id"]})):
                code, field, message = await shop.refused(document, input=more | {"origins": [ORIGIN, origin]})

                assert (code, field) == ("INVALID", "input.origins.1"), origin
                assert says in message, origin
                assert "secret" not in message
        for origins in ([], [f"https://shop{number}.example.com" for number in range(21)]):
            refusal = await shop.refused(CREATE, input={"name": "Site", "origins": origins})
            assert refusal == ("INVALID", "input.origins", "A key has 1 to 20 origins.")
        for name, says in (("", "empty"), ("x" * 101, "longer than 100"), ("a\0", "NUL")):
            code, field, message = await shop.refused(CREATE, input={"name": name, "origins": [ORIGIN]})
            assert (code, field) == ("INVALID", "input.name")
            assert says in message


async def test_in_production_no_key_is_for_a_developers_machine(shop: Shop) -> None:
    production: dict[str, Any] = {"environment": "production", "app_url": "https://api.comptoir.test"}

    async with nothing_changes(shop), installed_with(shop, **production) as installed:
        refusal = await installed.refused(CREATE, input={"name": "Site", "origins": ["http://localhost:3000"]})

    assert refusal[:2] == ("INVALID", "input.origins.0")


async def test_a_key_opens_its_own_organization_and_no_other(shop: Shop) -> None:
    theirs = await neighbour(shop)
    await theirs.product(name="Theirs")
    await shop.product(name="Mine")
    made = (await shop(CREATE, input={"name": "Site", "origins": [ORIGIN]}))["publishableKey"]

    page = replace(shop, token=made["key"], origin=ORIGIN)

    assert await page("{ products { nodes { name } } }") == {"nodes": [{"name": "Mine"}]}
    assert (await theirs.refused(REVOKE, input={"publishableKey": made["id"]}))[0] == "NOT_FOUND"


async def test_a_partners_key_is_shown_once_good_until_its_end_and_until_it_is_withdrawn(shop: Shop) -> None:
    partner = await shop.partner("mine")
    made = await shop(PARTNER_CREATE, input={"partner": partner["id"], "name": "Server"})
    caller = replace(shop, token=made["key"])

    assert re.fullmatch(r"ptk_[0-9a-f]{64}", made["key"])
    assert made["key"].startswith(made["partnerKey"]["prefix"])
    kept = await PartnerKey.get()
    assert kept.key_hash == access_keys.hash_of(made["key"])
    assert made["key"] not in str(vars(kept))
    assert await caller(TOLD) == {"totalCount": 0}

    assert (await shop(PARTNER_REVOKE, input={"partnerKey": made["partnerKey"]["id"]}))["partnerKey"]["revokedAt"]
    assert (await caller.refused(TOLD))[0] == NO_GOOD

    soon = datetime.now(UTC) + timedelta(hours=1)
    lasting = await shop(PARTNER_CREATE, input={"partner": partner["id"], "name": "x", "expiresAt": soon.isoformat()})
    caller.token = lasting["key"]
    assert await caller(TOLD) == {"totalCount": 0}
    await PartnerKey.all().update(expires_at=datetime.now(UTC))
    assert (await caller.refused(TOLD))[0] == NO_GOOD


async def test_a_partners_keys_are_seen_by_those_who_run_the_shop(shop: Shop) -> None:
    partner = await shop.partner("mine")
    made = await shop(PARTNER_CREATE, input={"partner": partner["id"], "name": "Server"})
    document = "{ partners { nodes { keys { nodes { name prefix } } } } }"

    (seen,) = (await shop(document))["nodes"]
    (own,) = (await replace(shop, token=made["key"])(document))["nodes"]

    assert seen["keys"]["nodes"] == [{"name": "Server", "prefix": made["key"][:12]}]
    assert own["keys"]["nodes"] == []


async def test_a_partners_key_whose_end_is_past_is_refused(shop: Shop) -> None:
    partner = await shop.partner("mine")

    async with nothing_changes(shop):
        for expires_at in ("2020-01-01T00:00:00Z", datetime.now(UTC).isoformat()):
            given = {"partner": partner["id"], "name": "x", "expiresAt": expires_at}
            refusal = await shop.refused(PARTNER_CREATE, input=given)
            assert refusal == ("INVALID", "input.expiresAt", "This is past already.")
