"""All that there is of a client, read from the client: each list shows what the root list of the same shows."""

from typing import Any

import models
from models import ApiScope, Role
from tests.bilans.agreed import Agreed
from tests.bookings.desk import Desk, ahead
from tests.security.test_keys import server
from tests.security.test_roles import member, signed_in
from tests.shop import Shop
from tests.test_opportunities import create

# What a client has, and the root list of the same.
LISTS = {
    "quotes": "quotes", "opportunities": "opportunities", "bookings": "bookings", "bilans": "bilans",
    "tickets": "tickets", "timeline": "timelineEvents",
}  # fmt: skip
CLIENT = f"""query ($id: ID!) {{ client(id: $id) {{
  {" ".join(f"{name} {{ totalCount nodes {{ id }} }}" for name in LISTS)}
}} }}"""
QUOTE = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { quote { id } } }"
TICKET = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"

OF_ROLES = (
    (Role.OWNER, {*LISTS}),
    (Role.ACCOUNTANT, {"bilans"}),
    (Role.CONSULTANT, {*LISTS}),
    (Role.BENEFICIARY, {"bookings", "bilans", "tickets"}),
)
OF_SCOPES: tuple[tuple[tuple[ApiScope, ...], set[str]], ...] = (
    ((ApiScope.CLIENTS_READ,), set()),
    ((ApiScope.CLIENTS_READ, ApiScope.TICKETS_READ), {"tickets"}),
    ((ApiScope.CLIENTS_READ, ApiScope.TIMELINE_READ, ApiScope.QUOTES_READ), {"timeline", "quotes"}),
)


async def test_each_role_and_key_reads_of_a_client_what_it_reads_at_all(shop: Shop) -> None:
    for email in ("other@example.com", "marie@example.com"):
        client = await having_everything(shop, email)
    people = {role: await member(shop, role, "mine") for role, _ in OF_ROLES}
    theirs = models.Client.filter(email="marie@example.com")
    await theirs.update(consultant_id=people[Role.CONSULTANT].id, member_id=people[Role.BENEFICIARY].id)
    await models.Bilan.filter(client_id=(await theirs.get()).id).update(consultant_id=people[Role.CONSULTANT].id)

    for role, opened in OF_ROLES:
        await reads(signed_in(shop, f"{role.lower()}-mine@shop.test"), client, opened)
    for scopes, opened in OF_SCOPES:
        await reads(await server(shop, *scopes), client, opened)


async def having_everything(shop: Shop, email: str) -> str:
    """The id of a client who has something of everything."""
    bilan = await Agreed.open(shop, email=email)
    await (await Desk.open(shop)).book(ahead(), bilan.client)
    await create(shop, client=bilan.client)
    lines = [{"product": await shop.product(), "quantity": 1}]
    await shop(QUOTE, input={"client": bilan.client, "lines": lines})
    await shop(TICKET, input={"client": bilan.client, "subject": "Question", "body": "Quand ?"})
    return bilan.client


async def reads(caller: Shop, client: str, opened: set[str]) -> None:
    """Of the client these lists and no other, and in them what the root lists show of this client."""
    seen: dict[str, Any] = await caller(CLIENT, id=client)
    assert {name for name in LISTS if seen[name]["totalCount"]} == opened
    for name, root in LISTS.items():
        answer = await caller.post(
            f"query ($id: ID!) {{ {root}(filter: {{ client: $id }}) {{ totalCount nodes {{ id }} }} }}", {"id": client}
        )
        nothing = {"totalCount": 0, "nodes": []}
        assert seen[name] == (answer["data"][root] if name in opened else nothing), name
        assert name in opened or answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
