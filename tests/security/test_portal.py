"""A client's private link opens the client's portal, and nothing else."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from models.base import parse_global_id
from policy import Key
from services import access_keys
from tests.security.documents import (
    BY_ID,
    LISTS,
    OF_THE_CALLER,
    list_document,
    node_document,
    one_document,
    own_document,
)
from tests.security.surroundings import coming_from, neighbour, nothing_changes
from tests.security.test_keys import server
from tests.shop import Shop

PORTAL = """{ portal {
  storefront { name brandName } clientName
  orders { number status total { amount } balance { amount } payUrl } invoices { number total { amount } pdfUrl }
} }"""
TOKEN = "c0ffee" * 16
NO_GOOD = ("UNAUTHENTICATED", None, "Sign in first, and send `Authorization: Bearer <accessToken>`.")
REFUSED = ("FORBIDDEN", None, Key.PORTAL.value)


async def test_a_client_sees_their_own_orders_and_invoices_and_no_one_elses(shop: Shop) -> None:
    partner = await shop.partner()
    product = await shop.product(1400, (partner,))
    mine = await shop.client("marie@example.com", firstName="Marie", lastName="Durand")
    paid = await shop.sell(product, client=mine)
    waiting = await shop.order(product, client=mine)
    given_up = await shop.order(product, client=mine)
    await shop("mutation ($id: ID!) { orderCancel(input: { order: $id }) { order { id } } }", id=given_up["id"])
    await shop.sell(product)

    seen = await (await portal(shop, mine))(PORTAL)

    assert seen["storefront"] == {"name": "ComptAppart", "brandName": "ComptAppart"}
    assert seen["clientName"] == "Marie Durand"
    first, second = seen["orders"]
    assert (first["number"], first["status"], first["balance"]) == (waiting["number"], "OPEN", {"amount": 1400})
    assert (second["number"], second["status"], second["balance"]) == (paid["number"], "PAID", {"amount": 0})
    assert (first["payUrl"] is not None, second["payUrl"]) == (True, None)
    (invoice,) = seen["invoices"]
    assert (invoice["number"], invoice["total"]) == (paid["invoices"][0]["number"], {"amount": 1400})
    for link in (first["payUrl"], invoice["pdfUrl"]):
        assert (await shop.http.get(link)).status_code == 200


async def test_nothing_else_is_opened_by_a_link(shop: Shop) -> None:
    mine = await shop.client()
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)), client=mine)
    client = await portal(shop, mine)

    async with nothing_changes(shop):
        for name in LISTS:
            assert await client.refused(list_document(name), first=1) == REFUSED, name
        for name in BY_ID:
            assert await client.refused(one_document(name), id=order["id"]) == REFUSED, name
        for name in set(OF_THE_CALLER) - {"portal"}:
            assert await client.refused(own_document(name)) == REFUSED, name
        for id in (order["id"], mine):
            type_ = (parse_global_id(id) or ("", None))[0]
            assert await client.refused(node_document(type_), id=id) == REFUSED, type_


async def test_what_is_opened_by_a_link_is_opened_by_nothing_else(shop: Shop) -> None:
    for caller in (shop, await server(shop, *models.ApiScope)):
        refusal = await caller.refused(PORTAL)
        assert refusal == ("FORBIDDEN", None, "Only a client's private link opens this. Make one (portalTokenCreate).")


async def test_of_a_link_that_is_no_good_nobody_learns_why(shop: Shop) -> None:
    client, now = await portal(shop, await shop.client()), datetime.now(UTC)
    assert (await client(PORTAL))["orders"] == []

    for odd in (
        TOKEN[:-1] + "d", TOKEN[:-1] + "g", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), access_keys.hash_of(TOKEN),
    ):  # fmt: skip
        assert await replace(client, token=odd).refused(PORTAL) == NO_GOOD, odd
    for withdrawn in ({"revoked_at": now}, {"revoked_at": None, "expires_at": datetime.now(UTC)}):
        await models.PortalToken.all().update(**withdrawn)
        assert await client.refused(PORTAL) == NO_GOOD, withdrawn


async def test_a_link_is_of_one_client_in_one_organization(shop: Shop) -> None:
    theirs = await neighbour(shop)
    for each in (shop, theirs):
        await each.order(client=await each.client("marie@example.com"))
    client = await portal(shop, await shop.client("paul@example.com"))

    seen = await client(PORTAL)

    assert (seen["clientName"], seen["orders"], seen["invoices"]) == ("paul@example.com", [], [])


@pytest.mark.parametrize("before", [None, timedelta(minutes=59), timedelta(minutes=61)])
async def test_that_a_portal_was_opened_is_noted_once_an_hour_with_where_from(
    shop: Shop, before: timedelta | None
) -> None:
    client = await portal(shop, await shop.client())
    at = before and datetime.now(UTC) - before
    await models.PortalToken.all().update(last_used_at=at)

    async with coming_from(client, "192.0.2.7") as browser:
        await asyncio.gather(*(browser(PORTAL) for _ in range(5)))

    kept, noted = await models.PortalToken.get(), await models.AuditEntry.filter(action="portalOpened")
    if before == timedelta(minutes=59):
        assert (kept.last_used_at, noted) == (at, [])
        return
    (entry,) = noted
    assert kept.last_used_at != at
    assert (entry.actor_kind, entry.key_id) == (models.AuditActor.PORTAL_TOKEN, kept.client_id)
    assert (entry.subject_type, entry.subject_id, entry.address) == ("PortalToken", kept.id, "192.0.2.7")
    assert await models.AuditEntry.filter(subject_type="PortalToken").count() == 1  # its use is no change of it


async def test_a_token_is_random_and_kept_as_a_hash(shop: Shop) -> None:
    client = await shop.client()
    create = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { token } }"

    tokens = [(await shop(create, input={"client": client}))["token"] for _ in range(3)]

    assert len({token[:48] for token in tokens} | {token[48:] for token in tokens}) == 6
    assert all(re.fullmatch(r"[0-9a-f]{96}", token) for token in tokens)
    kept = await models.PortalToken.all().order_by("id")
    assert [row.token_hash for row in kept] == [access_keys.hash_of(token) for token in tokens]


async def portal(shop: Shop, client: str) -> Shop:
    """A client, of that global id, who came by their private link."""
    _, id = parse_global_id(client) or ("", None)
    until: Any = datetime.now(UTC) + timedelta(days=1)
    await models.PortalToken.create(
        organization=shop.organization, client_id=id, token_hash=access_keys.hash_of(TOKEN), expires_at=until,
        last_used_at=datetime.now(UTC),
    )  # fmt: skip
    return Shop(shop.http, shop.sandbox, shop.organization, "", TOKEN)
