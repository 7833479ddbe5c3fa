"""A client's private link opens the client's portal, and nothing else."""

import asyncio
import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import models
from engine.views import VIEWS
from models.base import parse_global_id
from policy import Key, Permission
from schema.roots import MUTATIONS, PERMISSIONS, QUERIES
from services import access_keys
from tests.portal.clients import PAY, SLOTS
from tests.security.documents import node_document
from tests.security.inputs import document_of, input_of, question
from tests.security.surroundings import coming_from, neighbour, never_made, nothing_changes
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
        for id in (order["id"], mine):
            type_ = (parse_global_id(id) or ("", None))[0]
            assert await client.refused(node_document(type_), id=id) == REFUSED, type_


@pytest.mark.parametrize("known", [True, False], ids=["a row of their own", "no row"])
async def test_every_root_field_but_the_portals_refuses_a_link_and_tells_nothing_of_what_is_there(
    shop: Shop, known: bool
) -> None:
    mine = await shop.client()
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)), client=mine)
    client = await portal(shop, mine)
    ids = {view.name: never_made(view.name) for view in VIEWS.values()}
    ids |= {"Client": mine, "Order": order["id"]} if known else {}
    closed = [name for name, asks in PERMISSIONS.items() if asks not in (Permission.PUBLIC, Permission.PORTAL)]

    async with nothing_changes(shop):
        for name in closed:
            if name in MUTATIONS:
                refusal = await client.refused(document_of(name), input=input_of(name, ids))
            elif name in QUERIES:
                document, given = question(name, ids)
                refusal = await client.refused(document, **given)
            else:
                refusal = await refused_stream(client, *question(name, ids))
            assert refusal == REFUSED, name

    portals = {name for name in PERMISSIONS if name not in closed and PERMISSIONS[name] is Permission.PORTAL}
    assert portals and all(name.startswith("portal") for name in portals)
    assert {"client", "orders", "orderChanged", "portalTokenCreate", "node"} <= set(closed)


async def test_what_anybody_may_ask_is_answered_no_otherwise_to_who_came_by_a_link(shop: Shop) -> None:
    client, nobody = await portal(shop, await shop.client()), replace(shop, token="")
    anybodys = [name for name, asks in PERMISSIONS.items() if asks is Permission.PUBLIC and name in QUERIES]

    for name in anybodys:
        document, given = question(name, {})
        assert await client.post(document, given) == await nobody.post(document, given), name


async def test_what_is_opened_by_a_link_is_opened_by_nothing_else(shop: Shop) -> None:
    for caller in (shop, await server(shop, *models.ApiScope)):
        refusal = await caller.refused(PORTAL)
        assert refusal == ("FORBIDDEN", None, "Only a client's private link opens this. Make one (portalTokenCreate).")


async def test_of_a_link_that_is_no_good_nobody_learns_why(shop: Shop) -> None:
    mine, now = await shop.client(), datetime.now(UTC)
    client, order = await portal(shop, mine), await shop.order(client=mine)
    assert (await client(PORTAL))["orders"]

    for odd in (
        TOKEN[:-1] + "d", "d" + TOKEN[1:], TOKEN[:-1] + "g", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "0" * 96,
        access_keys.hash_of(TOKEN),
    ):  # fmt: skip
        assert await replace(client, token=odd).refused(PORTAL) == NO_GOOD, odd
        assert await replace(client, token=odd).refused(PAY, input={"order": order["id"]}) == NO_GOOD, odd
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


async def test_that_a_portal_was_opened_is_noted_once_an_hour_of_each_address(shop: Shop) -> None:
    client = await portal(shop, await shop.client())
    link = await models.PortalToken.get()
    async with coming_from(client, "192.0.2.7") as browser, coming_from(client, "198.51.100.9") as elsewhere:
        await asyncio.gather(*(browser(PORTAL) for _ in range(5)))
        for _ in range(2):
            await elsewhere(PORTAL)

    first, second = await models.AuditEntry.filter(action="portalOpened").order_by("id")
    assert [first.address, second.address] == ["192.0.2.7", "198.51.100.9"]
    assert (first.actor_kind, first.key_id) == (models.AuditActor.PORTAL_TOKEN, link.id)
    assert (first.subject_type, first.subject_id) == ("PortalToken", link.id)
    assert (await models.PortalToken.get()).last_used_at != link.last_used_at
    assert await models.AuditEntry.filter(subject_type="PortalToken").count() == 2  # its use is no change of it


async def test_who_only_pays_or_looks_for_a_time_is_noted_too(shop: Shop) -> None:
    client, now = await portal(shop, await shop.client()), datetime.now(UTC).isoformat()
    async with coming_from(client, "192.0.2.7") as paying, coming_from(client, "198.51.100.9") as looking:
        await paying.refused(PAY, input={"order": never_made("Order")})
        await looking.refused(SLOTS, service=never_made("Service"), **{"from": now, "to": now})

    noted = await models.AuditEntry.filter(action="portalOpened").order_by("id")
    assert [(entry.address, entry.actor_kind) for entry in noted] == [
        ("192.0.2.7", models.AuditActor.PORTAL_TOKEN), ("198.51.100.9", models.AuditActor.PORTAL_TOKEN),
    ]  # fmt: skip


@pytest.mark.parametrize(("minutes", "again"), [(59, 0), (61, 1)])
async def test_after_an_hour_it_is_noted_again(shop: Shop, minutes: int, again: int) -> None:
    client, now = await portal(shop, await shop.client()), datetime.now(UTC)
    await shop.sql(
        "INSERT INTO audit_entries (id, organization_id, created_at, actor_kind, action, operation, subject_type,"
        " subject_id, address, before, after) SELECT gen_random_uuid(), organization_id, $1, 'PORTAL_TOKEN',"
        " 'portalOpened', 'NOTE', 'PortalToken', id, '192.0.2.7', '{}', '{}' FROM portal_tokens",
        now - timedelta(minutes=minutes),
    )  # fmt: skip

    async with coming_from(client, "192.0.2.7") as browser:
        await browser(PORTAL)

    assert await models.AuditEntry.filter(action="portalOpened", created_at__gte=now).count() == again


async def test_a_token_is_random_and_kept_as_a_hash(shop: Shop) -> None:
    client = await shop.client()
    create = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { token } }"

    tokens = [(await shop(create, input={"client": client}))["token"] for _ in range(3)]

    assert len({token[:48] for token in tokens} | {token[48:] for token in tokens}) == 6
    assert all(re.fullmatch(r"[0-9a-f]{96}", token) for token in tokens)
    kept = await models.PortalToken.all().order_by("id")
    assert [row.token_hash for row in kept] == [access_keys.hash_of(token) for token in tokens]


async def test_a_token_that_is_one_character_off_is_looked_for_by_the_same_statement(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever it shares with one that is good: the time of an answer follows from nothing but its hash."""
    client = await portal(shop, await shop.client())
    asked = []
    for token in (TOKEN[:-1] + "d", "0" * 96):
        caplog.clear()
        caplog.set_level(logging.DEBUG, "comptoir.sql")
        assert await replace(client, token=token).refused(PORTAL) == NO_GOOD
        asked.append(
            [
                record.getMessage().replace(access_keys.hash_of(token), "")
                for record in caplog.records
                if record.name == "comptoir.sql"
            ]
        )

    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


async def refused_stream(client: Shop, document: str, given: dict[str, Any]) -> tuple[str, str | None, str]:
    """Of a subscription: (code, field, message)."""
    headers = {"Authorization": f"Bearer {client.token}", "Accept": "text/event-stream"}
    response = await client.http.post("/graphql", json={"query": document, "variables": given}, headers=headers)
    (told,) = [line for line in response.text.splitlines() if line.startswith("data: {")]
    (error,) = json.loads(told.removeprefix("data: "))["errors"]
    return error["extensions"]["code"], error["extensions"].get("field"), error["message"]


async def portal(shop: Shop, client: str) -> Shop:
    """A client, of that global id, who came by their private link."""
    _, id = parse_global_id(client) or ("", None)
    until: Any = datetime.now(UTC) + timedelta(days=1)
    await models.PortalToken.create(
        organization=shop.organization, client_id=id, token_hash=access_keys.hash_of(TOKEN), expires_at=until,
        last_used_at=datetime.now(UTC),
    )  # fmt: skip
    return Shop(shop.http, shop.sandbox, shop.organization, "", TOKEN)
