"""Clients changed, given to somebody, deleted."""

from typing import Any

import pytest

from models import Membership, Role
from models.base import global_id
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

CREATE = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id siren } } }"
UPDATE = """mutation ($input: ClientUpdateInput!) {
  clientUpdate(input: $input) {
    client {
      email firstName lastName company siren phone address postalCode city country displayName
      consultant { user { email } }
    }
  }
}"""
DELETE = "mutation ($input: ClientDeleteInput!) { clientDelete(input: $input) { id } }"
WHOLE = {
    "email": "marie@example.com", "firstName": "Marie", "lastName": "Curie", "company": "Radium SAS",
    "siren": "732829320", "phone": "+33612345678", "address": "1 rue Cuvier", "postalCode": "75005", "city": "Paris",
    "country": "FR",
}  # fmt: skip


async def test_what_is_given_changes_what_is_left_out_stays_and_null_takes_away(shop: Shop) -> None:
    id = await shop.client(**WHOLE)
    before = WHOLE | {"displayName": "Marie Curie", "consultant": None}

    assert await changed(shop, id) == before
    for given, found in (
        ({"email": "Marie.Curie@Example.com"}, {"email": "marie.curie@example.com"}),
        ({"firstName": None, "lastName": None}, {"firstName": None, "lastName": None, "displayName": "Radium SAS"}),
        ({"siren": "552 100 554"}, {"siren": "552100554"}),
        ({"siren": None, "phone": None, "country": None}, {"siren": None, "phone": None, "country": None}),
        ({"city": "Lyon"}, {"city": "Lyon"}),
    ):
        before |= found
        assert await changed(shop, id, **given) == before, given


async def test_a_client_is_given_to_a_consultant_who_then_sees_them(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    id = await shop.client("marie@example.com")
    assert await consultant("{ clients { totalCount } }") == {"totalCount": 0}

    given = await changed(shop, id, consultant=await membership(consultant))
    assert given["consultant"] == {"user": {"email": consultant.email}}
    assert (await consultant("{ clients { nodes { id consultant { role } } } }"))["nodes"] == [
        {"id": id, "consultant": {"role": "CONSULTANT"}}
    ]
    found = await shop(
        "query ($of: ID!) { clients(filter: { consultant: $of }) { nodes { id } } }", of=await membership(consultant)
    )
    assert found == {"nodes": [{"id": id}]}

    assert (await changed(shop, id, city="Lyon"))["consultant"] == given["consultant"]
    assert (await changed(shop, id, consultant=None))["consultant"] is None
    assert await consultant("{ clients { totalCount } }") == {"totalCount": 0}


async def test_whom_a_consultant_meets_is_theirs_to_make_and_change_and_not_to_hand_over(shop: Shop) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    others, own = await shop.client("other@example.com"), await membership(consultant)

    made = (await consultant(CREATE, input={"email": "prospect@example.com", "lastName": "Moreau"}))["client"]["id"]
    again = (await consultant(CREATE, input={"email": "second@example.com", "consultant": own}))["client"]["id"]

    assert (await changed(consultant, made, phone="+33612345678"))["consultant"]["user"]["email"] == consultant.email
    assert {row["id"] for row in (await shop("{ clients { nodes { id } } }"))["nodes"]} == {others, made, again}
    async with nothing_changes(shop):
        for document, input, code, field in (
            (CREATE, {"email": "other@example.com"}, "CONFLICT", "input.email"),
            (CREATE, {"email": "a@b.fr", "consultant": None}, "FORBIDDEN", "input.consultant"),
            (UPDATE, {"client": made, "consultant": None}, "FORBIDDEN", "input.consultant"),
            (UPDATE, {"client": others, "city": "Lyon"}, "NOT_FOUND", "input.client"),
        ):
            assert (await consultant.refused(document, input=input))[:2] == (code, field), input
        assert (await consultant.refused(UPDATE, input={"client": made, "consultant": await membership(shop)}))[0] in (
            "FORBIDDEN", "NOT_FOUND",
        )  # fmt: skip
        delete = "mutation ($input: ClientDeleteInput!) { clientDelete(input: $input) { id } }"
        assert (await consultant.refused(delete, input={"client": made}))[0] == "FORBIDDEN"


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.BENEFICIARY])
async def test_who_does_not_look_after_clients_is_given_none(shop: Shop, role: Role) -> None:
    person = await Shop.open(shop.http, shop.sandbox, role=role)
    id, member = await shop.client(), await membership(person)

    async with nothing_changes(shop):
        for document, input in (
            (UPDATE, {"client": id, "consultant": member}),
            (CREATE, {"email": "a@b.fr", "consultant": member}),
        ):
            refusal = await shop.refused(document, input=input)
            assert refusal == (
                "INVALID", "input.consultant", "A consultant, an admin or an owner looks after clients."
            )  # fmt: skip


async def test_a_change_that_cannot_be_is_refused_and_named(shop: Shop) -> None:
    id = await shop.client("marie@example.com")
    await shop.client("pierre@example.com")
    refusals: list[tuple[dict[str, Any], str, str]] = [
        ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "input.email", "Not an e-mail address"),
        ({"email": None}, "input.email", "null"),
        ({"firstName": "x" * 10_000}, "input.firstName", "longer than 100"),
        ({"city": "a\0b"}, "input.city", "NUL"),
        ({"siren": "732829321"}, "input.siren", "Not a SIREN"),
        ({"siren": "73282932"}, "input.siren", "Not a SIREN"),
        ({"siren": "٧٣٢٨٢٩٣٢٠"}, "input.siren", "Not a SIREN"),
        ({"siren": 732829320}, "input.siren", "A string is wanted"),
    ]

    async with nothing_changes(shop):
        for bad, field, says in refusals:
            code, blamed, message = await shop.refused(UPDATE, input={"client": id} | bad)
            assert (code, blamed) == ("INVALID", field), bad
            assert says in message
        assert await shop.refused(UPDATE, input={"client": id, "email": "Pierre@example.com"}) == (
            "CONFLICT", "input.email", "A client with this e-mail address already exists."
        )  # fmt: skip


async def test_a_client_who_never_ordered_is_deleted_and_their_address_is_free_again(shop: Shop) -> None:
    id = await shop.client("marie@example.com")

    assert await shop(DELETE, input={"client": id}) == {"id": id}

    assert await shop("query ($id: ID!) { client(id: $id) { id } }", id=id) is None
    assert await shop.client("marie@example.com") != id


async def test_a_client_with_an_order_stays(shop: Shop) -> None:
    id = await shop.client()
    await shop.order(client=id)

    async with nothing_changes(shop):
        assert await shop.refused(DELETE, input={"client": id}) == (
            "CONFLICT", "input.client",
            "There is something of this client: an order, a quote, a ticket or a bilan, say. Change the client instead,"
            " or erase them where they ask for it (clientErase).",
        )  # fmt: skip


async def membership(person: Shop) -> str:
    return global_id(await Membership.get(user__email=person.email))


async def changed(shop: Shop, id: str, **given: Any) -> dict[str, Any]:
    client: dict[str, Any] = (await shop(UPDATE, input={"client": id} | given))["client"]
    return client


async def test_what_is_known_of_a_company_agrees(shop: Shop) -> None:
    id = await shop.client(**WHOLE)
    update = """mutation ($input: ClientUpdateInput!) {
      clientUpdate(input: $input) { client { vatNumber electronicAddress electronicAddressScheme language } }
    }"""

    async with nothing_changes(shop):
        for given, field in (
            ({"vatNumber": "FR83404833048"}, "vatNumber"),
            ({"electronicAddressScheme": "SIREN"}, "electronicAddressScheme"),
            ({"electronicAddressScheme": "22"}, "electronicAddressScheme"),
            ({"electronicAddress": "552100554"}, "electronicAddress"),
            ({"electronicAddress": "732829320_"}, "electronicAddress"),
            ({"electronicAddress": "732829320 A"}, "electronicAddress"),
            ({"electronicAddress": ""}, "electronicAddress"),
            ({"electronicAddress": "732829320_" + "x" * 91}, "electronicAddress"),
        ):
            code, blamed, _ = await shop.refused(update, input={"client": id} | given)
            assert (code, blamed) == ("INVALID", f"input.{field}"), given

    for good in (
        {"vatNumber": "FR44732829320", "electronicAddress": "732829320_73282932000074", "language": "EN"},
        {"electronicAddressScheme": "0208", "electronicAddress": "0123456749"},
    ):
        found = (await shop(update, input={"client": id} | good))["client"]
        assert {name: found[name] for name in good} == good
