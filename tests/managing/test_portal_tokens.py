"""Clients' private links, made, replaced and withdrawn by those who run the shop."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import ApiScope, PortalToken, Role
from tests.security.surroundings import neighbour, nothing_changes
from tests.security.test_keys import server
from tests.shop import Shop

CREATE = """mutation ($input: PortalTokenCreateInput!) {
  portalTokenCreate(input: $input) { token portalToken { id client { email } expiresAt lastUsedAt revokedAt } }
}"""
REVOKE = """mutation ($input: PortalTokenRevokeInput!) {
  portalTokenRevoke(input: $input) { portalToken { revokedAt } }
}"""
LIST = """query ($filter: PortalTokenFilter) {
  portalTokens(filter: $filter) { totalCount nodes { id client { email } revokedAt } }
}"""
PORTAL = "{ portal { clientName } }"


async def test_a_link_is_shown_once_good_for_ninety_days_and_withdrawn(shop: Shop) -> None:
    made = await shop(CREATE, input={"client": await shop.client("marie@example.com")})
    client, kept = replace(shop, token=made["token"]), made["portalToken"]

    assert (kept["client"], kept["lastUsedAt"], kept["revokedAt"]) == ({"email": "marie@example.com"}, None, None)
    good_for = datetime.fromisoformat(kept["expiresAt"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < good_for <= timedelta(days=90)
    assert await client(PORTAL) == {"clientName": "marie@example.com"}

    first = await shop(REVOKE, input={"portalToken": kept["id"]})
    assert first["portalToken"]["revokedAt"]
    assert await shop.sql("SELECT FROM changes WHERE subject = 'rights'")  # what is open by it is looked at again
    assert (await client.refused(PORTAL))[0] == "UNAUTHENTICATED"
    assert await shop(REVOKE, input={"portalToken": kept["id"]}) == first


async def test_another_link_takes_the_place_of_the_one_before_at_once(shop: Shop) -> None:
    marie, paul = await shop.client("marie@example.com"), await shop.client("paul@example.com")
    before, others = [(await shop(CREATE, input={"client": client}))["token"] for client in (marie, paul)]

    after = (await shop(CREATE, input={"client": marie}))["token"]

    assert (await replace(shop, token=before).refused(PORTAL))[0] == "UNAUTHENTICATED"
    assert await replace(shop, token=after)(PORTAL) == {"clientName": "marie@example.com"}
    assert await replace(shop, token=others)(PORTAL) == {"clientName": "paul@example.com"}
    listed = await shop(LIST, filter={"client": marie})
    assert [row["revokedAt"] is None for row in listed["nodes"]] == [True, False]
    assert (await shop(LIST))["totalCount"] == 3


async def test_of_links_made_at_once_one_is_good(shop: Shop) -> None:
    client = await shop.client()

    made = await asyncio.gather(*(shop(CREATE, input={"client": client}) for _ in range(4)))

    answers = [await replace(shop, token=each["token"]).post(PORTAL, {}) for each in made]
    assert sum("errors" not in answer for answer in answers) == 1
    assert await PortalToken.filter(revoked_at=None).count() == 1


async def test_asked_again_under_its_key_the_link_is_the_same(shop: Shop) -> None:
    asked = {"client": await shop.client(), "idempotencyKey": "once"}

    first, again = [await shop(CREATE, input=asked) for _ in range(2)]

    assert first["token"] == again["token"]
    assert await PortalToken.all().count() == 1


async def test_a_link_ends_within_a_year_and_not_before_now(shop: Shop) -> None:
    client, now = await shop.client(), datetime.now(UTC)

    for end in (now, now - timedelta(days=1), now + timedelta(days=367)):
        refusal = await shop.refused(CREATE, input={"client": client, "expiresAt": end.isoformat()})
        assert refusal == ("INVALID", "input.expiresAt", "A link ends after now, and within 366 days.")
    soon = (now + timedelta(days=1)).replace(microsecond=0)
    made = await shop(CREATE, input={"client": client, "expiresAt": soon.isoformat()})
    assert datetime.fromisoformat(made["portalToken"]["expiresAt"]) == soon


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.CONSULTANT, Role.BENEFICIARY])
async def test_only_those_who_run_the_shop_make_and_see_links(shop: Shop, role: Role) -> None:
    client = await shop.client()
    caller = await Shop.open(shop.http, shop.sandbox, role=role)

    async with nothing_changes(shop):
        assert (await caller.refused(CREATE, input={"client": client}))[0] == "FORBIDDEN"
        assert (await caller.refused(LIST))[0] == "FORBIDDEN"


async def test_no_server_makes_a_link_since_one_opens_more_than_a_scope_may(shop: Shop) -> None:
    client = await shop.client()
    caller = await server(shop, ApiScope.CLIENTS_WRITE)

    assert (await caller.refused(CREATE, input={"client": client}))[0] == "FORBIDDEN"


async def test_of_another_organizations_client_no_link_is_made(shop: Shop) -> None:
    theirs = await neighbour(shop)
    made = await shop(CREATE, input={"client": await shop.client()})

    refusal: Any = await theirs.refused(CREATE, input={"client": await shop.client()})
    assert refusal[:2] == ("NOT_FOUND", "input.client")
    assert (await theirs.refused(REVOKE, input={"portalToken": made["portalToken"]["id"]}))[0] == "NOT_FOUND"


async def test_a_client_who_never_ordered_is_deleted_with_their_links(shop: Shop) -> None:
    delete = "mutation ($id: ID!) { clientDelete(input: { client: $id }) { id } }"
    buyer = await shop.client()
    await shop.order(client=buyer)
    nobody = await shop.client()
    for client in (buyer, nobody):
        await shop(CREATE, input={"client": client})

    await shop(delete, id=nobody)

    assert (await shop.refused(delete, id=buyer))[0] == "CONFLICT"
    assert [row["client"] is not None for row in (await shop(LIST))["nodes"]] == [True]
