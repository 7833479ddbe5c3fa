"""Callers that are no person: a storefront's key in a browser, a partner's key and API keys on servers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from models import ApiScope
from policy import Key
from services import access_keys
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

ORIGIN, OTHER = "https://shop.example.com", "https://www.example.com:8443"
PUBLISHABLE, PARTNERS = f"pk_{'a' * 40}", f"ptk_{'b' * 64}"
NO_GOOD = ("UNAUTHENTICATED", None, "This key is unknown, revoked or expired. Ask for another one.")
CATALOGUE = "{ products { totalCount nodes { name price { amount } active partners { name } } } }"


async def test_a_storefront_reads_what_is_sold_and_whose_shop_it_is(shop: Shop) -> None:
    partner = await shop.partner()
    await shop.product(1400, (partner,), name="Bilan")
    await models.Product.create(organization=shop.organization, name="Old", price_cents=1, active=False)
    page = await storefront(shop)

    products = await page(CATALOGUE)
    hidden = await page("{ products(filter: { active: false }) { totalCount nodes { name } } }")

    bilan = {"name": "Bilan", "price": {"amount": 1400}, "active": True, "partners": []}
    assert products == {"totalCount": 1, "nodes": [bilan]}
    assert hidden == {"totalCount": 0, "nodes": []}
    assert await page("{ storefront { brandName termsUrl } }") == {
        "brandName": "ComptAppart",
        "termsUrl": "https://comptappart.test/cgv",
    }


async def test_a_storefront_reads_and_does_nothing_else(shop: Shop) -> None:
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    page = await storefront(shop)

    async with nothing_changes(shop):
        for document in (
            "{ me { role } }",
            "{ clients { totalCount } }",
            "{ orders { totalCount } }",
            "{ invoices { totalCount } }",
            "{ partners { totalCount } }",
            f'{{ order(id: "{order["id"]}") {{ number }} }}',
            f'{{ node(id: "{order["id"]}") {{ id }} }}',
            'mutation { clientCreate(input: { email: "a@b.fr" }) { client { id } } }',
            'mutation { productCreate(input: { name: "x", price: { amount: 1 } }) { product { id } } }',
        ):
            assert await page.refused(document) == ("FORBIDDEN", None, Key.STOREFRONT.value), document


async def test_a_partner_reads_itself_and_what_it_was_told(shop: Shop) -> None:
    mine, other = await shop.partner("mine"), await shop.partner("other")
    await shop.sell(await shop.product(partners=(mine,)), await shop.product(partners=(other,)))
    caller = await partner(shop, "mine")

    told = await caller(
        "{ notifications { totalCount nodes { status partner { slug } order { number } attempts { statusCode } } } }"
    )

    notification = {
        "status": "DELIVERED",
        "partner": {"slug": "mine"},
        "order": None,
        "attempts": [{"statusCode": 200}],
    }
    assert told == {"totalCount": 1, "nodes": [notification]}
    assert await caller("{ partners { totalCount nodes { slug notifications { totalCount } } } }") == {
        "totalCount": 1,
        "nodes": [{"slug": "mine", "notifications": {"totalCount": 1}}],
    }
    assert await caller("query ($id: ID!) { partner(id: $id) { slug } }", id=other["id"]) is None


async def test_a_partner_reads_and_does_nothing_else(shop: Shop) -> None:
    mine = await shop.partner("mine")
    order = await shop.sell(await shop.product(partners=(mine,)))
    caller = await partner(shop, "mine")
    resend = "mutation ($id: ID!) { notificationResend(input: { notification: $id }) { notification { id } } }"

    async with nothing_changes(shop):
        for document in (
            "{ me { role } }", "{ products { totalCount } }", "{ storefront { name } }", "{ orders { totalCount } }",
            "{ clients { totalCount } }", "{ invoices { totalCount } }", f'{{ node(id: "{mine["id"]}") {{ id }} }}',
        ):  # fmt: skip
            assert await caller.refused(document) == ("FORBIDDEN", None, Key.PARTNER.value), document
        refusal = await caller.refused(resend, id=order["notifications"][0]["id"])
        assert refusal == ("FORBIDDEN", None, Key.PARTNER.value)


async def test_a_storefronts_key_works_from_its_origins_and_no_other_place(shop: Shop) -> None:
    page = await storefront(shop, f"{ORIGIN}\n{OTHER}")

    for origin in (ORIGIN, OTHER):
        page.origin = origin
        assert (await page(CATALOGUE))["totalCount"] == 0
    for origin in (
        "https://evil.example", "https://shop.example.com.evil.example", "http://shop.example.com", "null",
        "https://shop.example.com:8443", "https://shop.example.com/", "shop.example.com", "https://www.example.com",
    ):  # fmt: skip
        page.origin = origin
        code, field, message = await page.refused(CATALOGUE)
        assert (code, field) == ("FORBIDDEN", None), origin
        assert "Add the origin to the key" in message
    page.origin = ""
    assert await page.refused(CATALOGUE) == (
        "FORBIDDEN", None, "This key is for the pages of its origins. Send the Origin header, as browsers do."
    )  # fmt: skip


async def test_of_a_key_that_is_no_good_nobody_learns_why(shop: Shop) -> None:
    now = datetime.now(UTC)
    await shop.partner("mine")
    page, caller = await storefront(shop), await partner(shop, "mine")

    await models.PublishableKey.all().update(revoked_at=now)
    assert await page.refused(CATALOGUE) == NO_GOOD
    page.origin = "https://evil.example"
    assert await page.refused(CATALOGUE) == NO_GOOD

    await models.PartnerKey.all().update(revoked_at=now)
    assert await caller.refused("{ partners { totalCount } }") == NO_GOOD
    await models.PartnerKey.all().update(revoked_at=None, expires_at=now)
    assert await caller.refused("{ partners { totalCount } }") == NO_GOOD
    await models.PartnerKey.all().update(expires_at=now + timedelta(minutes=1))
    assert await caller("{ partners { totalCount } }") == {"totalCount": 1}

    client = await server(shop, ApiScope.CATALOGUE_READ)
    for withdrawn in ({"revoked_at": now}, {"revoked_at": None, "expires_at": now}):
        await models.ApiKey.all().update(**withdrawn)
        assert await client.refused(CATALOGUE) == NO_GOOD
    await models.ApiKey.all().update(expires_at=now + timedelta(minutes=1))
    assert (await client(CATALOGUE))["totalCount"] == 0


@pytest.mark.parametrize("prefix", ["pk_", "ptk_", "apk_"])
async def test_what_only_looks_like_a_key_is_no_good(shop: Shop, prefix: str) -> None:
    for rest in ("", "x", "a" * 39 + "'", "a" * 39 + "é", "a" * 5000, "A" * 40, "a" * 64):
        headers: Any = {"Authorization": f"Bearer {prefix}{rest}".encode("latin-1"), "Origin": ORIGIN}
        response = await shop.http.post("/graphql", json={"query": CATALOGUE}, headers=headers)

        (error,) = response.json()["errors"]
        assert (error["extensions"]["code"], error["message"]) == (NO_GOOD[0], NO_GOOD[2]), rest[:9]


async def test_what_is_kept_of_a_secret_key_is_no_key(shop: Shop) -> None:
    await shop.partner("mine")
    caller, client = await partner(shop, "mine"), await server(shop, ApiScope.PARTNERS_READ)

    caller.token, client.token = "ptk_" + access_keys.hash_of(PARTNERS), "apk_" + access_keys.hash_of(client.token)

    assert await caller.refused("{ partners { totalCount } }") == NO_GOOD
    assert await client.refused("{ partners { totalCount } }") == NO_GOOD


async def test_a_key_of_one_kind_is_none_of_another(shop: Shop) -> None:
    await shop.partner("mine")
    callers = [await storefront(shop), await partner(shop, "mine"), await server(shop, *ApiScope)]

    for caller in callers:
        prefix, rest = caller.token.split("_")
        for other in {"pk", "ptk", "apk"} - {prefix}:
            caller.token = f"{other}_{rest}"
            assert await caller.refused(CATALOGUE) == NO_GOOD


async def test_a_server_does_what_the_scopes_of_its_key_open(shop: Shop) -> None:
    product = await shop.product(1400)
    client = await server(shop, ApiScope.ORDERS_WRITE, ApiScope.CLIENTS_WRITE)

    order = await client.order(product)

    seen = await client(
        "query ($id: ID!) { order(id: $id) { client { email } lines { product { name } } } }", id=order["id"]
    )
    assert seen["lines"][0]["product"]["name"]
    assert seen["client"]["email"]
    assert await client("{ orders { totalCount nodes { number invoices { number } } } }") == {
        "totalCount": 1, "nodes": [{"number": order["number"], "invoices": []}],
    }  # fmt: skip


async def test_a_server_does_nothing_else(shop: Shop) -> None:
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    client = await server(shop, ApiScope.ORDERS_READ)

    async with nothing_changes(shop):
        for document in (
            "{ me { role } }", "{ members { totalCount } }", "{ apiKeys { totalCount } }",
            "{ publishableKeys { totalCount } }", "{ invoices { totalCount } }", "{ partners { totalCount } }",
            f'{{ node(id: "{order["id"]}") {{ id }} }}',
            f'mutation {{ orderCancel(input: {{ order: "{order["id"]}" }}) {{ order {{ id }} }} }}',
            'mutation { apiKeyCreate(input: { name: "x", scopes: [ORDERS_READ] }) { key } }',
        ):  # fmt: skip
            code, field, message = await client.refused(document)
            assert (code, field) == ("FORBIDDEN", None), document
            assert message.startswith("An API key does what its scopes open"), document


async def test_the_use_of_a_key_is_noted_to_the_hour(shop: Shop) -> None:
    await shop.partner("mine")
    for caller, model, document in (
        (await storefront(shop), models.PublishableKey, CATALOGUE),
        (await partner(shop, "mine"), models.PartnerKey, "{ partners { totalCount } }"),
        (await server(shop, ApiScope.CATALOGUE_READ), models.ApiKey, CATALOGUE),
    ):
        for before, noted in ((None, True), (timedelta(minutes=59), False), (timedelta(minutes=61), True)):
            at = before and datetime.now(UTC) - before
            await model.all().update(last_used_at=at)

            await asyncio.gather(*(caller(document) for _ in range(5)))
            await all_noted()

            assert ((await model.get()).last_used_at != at) == noted, before


async def storefront(shop: Shop, origins: str = ORIGIN) -> Shop:
    """A page of the shop's, whose key was used just now."""
    await models.PublishableKey.create(
        organization=shop.organization, name="Site", key=PUBLISHABLE, origins=origins, last_used_at=datetime.now(UTC)
    )
    return Shop(shop.http, shop.sandbox, shop.organization, "", PUBLISHABLE, origin=ORIGIN)


async def partner(shop: Shop, slug: str) -> Shop:
    """A partner's server, whose key was used just now."""
    row = await models.Partner.get(organization=shop.organization, slug=slug)
    await models.PartnerKey.create(
        organization=shop.organization, partner=row, name="Server", prefix=PARTNERS[:12],
        key_hash=access_keys.hash_of(PARTNERS),
        last_used_at=datetime.now(UTC),
    )  # fmt: skip
    return Shop(shop.http, shop.sandbox, shop.organization, "", PARTNERS)


async def server(shop: Shop, *scopes: ApiScope) -> Shop:
    """A server of the organization's, whose key of these scopes was used just now."""
    listed = "\n".join(sorted(scopes))
    key = "apk_" + access_keys.hash_of(f"{shop.organization.slug} {listed}")  # as long and as odd as any
    await models.ApiKey.create(
        organization=shop.organization, name="Server", prefix=key[:12], key_hash=access_keys.hash_of(key),
        scopes=listed, last_used_at=datetime.now(UTC),
    )  # fmt: skip
    return Shop(shop.http, shop.sandbox, shop.organization, "", key)


async def all_noted() -> None:
    """What goes on behind the answers is done."""
    async with asyncio.timeout(10):
        while access_keys._noting:
            await asyncio.sleep(0.005)
