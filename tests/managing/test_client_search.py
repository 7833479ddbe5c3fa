"""Clients found by any part of what they are called, whatever the accents, and by what was meant."""

from typing import Any

import pytest

from models import Client, Organization, Role
from models.database import query, transaction
from services import client_search
from tests.managing.test_clients import membership
from tests.shop import Shop

SEARCH = "query ($text: String!, $first: Int) { clientSearch(text: $text, first: $first) { email } }"
LIST = "query ($search: String) { clients(search: $search) { totalCount nodes { email } } }"
CONTACT = "mutation ($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id } } }"
CONTACT_DELETE = "mutation ($input: ContactDeleteInput!) { contactDelete(input: $input) { id } }"
UPDATE = "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { id } } }"


@pytest.fixture
async def known(shop: Shop) -> Shop:
    """A shop with clients of whom some are called alike."""
    await shop.client("helene@example.com", firstName="Hélène", lastName="Lefèvre", phone="+33612345678")
    await shop.client("jp@example.com", firstName="Jean-Pierre", lastName="Martin")
    await shop.client("contact@atelier.example.com", company="Atelier Martinet", siren="732829320")
    await shop.client("zoe.œuvrard@example.com", firstName="Zoé", lastName="Œuvrard")
    return shop


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lefevre", ["helene@"]), ("LEFÈVRE", ["helene@"]), ("fev", ["helene@"]), ("lefevre helene", ["helene@"]),
        ("martin", ["jp@", "contact@"]), ("jean pierre", ["jp@"]), ("Jean-Pierre", ["jp@"]),
        ("ma", ["contact@", "jp@"]),
        ("oeuvrard", ["zoe."]), ("ŒUVR", ["zoe."]), ("jp@example", ["jp@"]), ("atelier.example.com", ["contact@"]),
        ("732829320", ["contact@"]), ("06 12 34 56 78", ["helene@"]), ("+33 (0)6.12.34", ["helene@"]),
        ("+33 6 12", ["helene@"]), ("0612", ["helene@"]),
        ("lefevre 0612", ["helene@"]), ("06 12 34 helene", ["helene@"]), ("helene 06 98", []),
        ("2345", ["helene@"]), ("nobody at all", []), ("%%", None), ("martin_", ["jp@", "contact@"]),
        ("lef%evre", ["helene@"]), ("lef\\evre", ["helene@"]),
        ("\N{SLIGHTLY SMILING FACE}", None), ("\N{SLIGHTLY SMILING FACE}" * 2, []), ("x" * 100, []),
    ],
)  # fmt: skip
async def test_any_part_of_a_name_an_address_or_a_number_finds(known: Shop, text: str, found: list[str] | None) -> None:
    if found is None:
        assert (await known.refused(SEARCH, text=text))[:2] == ("INVALID", "text")
        return
    best = await emails(known, text)

    assert [email[: email.index("@") + 1] if "@" in begin else email[: len(begin)] for email, begin in zip(
        best, found, strict=True
    )] == found  # fmt: skip
    listed = await known(LIST, search=text)
    assert {row["email"] for row in listed["nodes"]} == set(best)
    assert listed["totalCount"] == len(found)


@pytest.mark.parametrize("text", ["j_@example", "j%@example", "jp\\@example", "%@%", "_@_"])
async def test_signs_of_patterns_mean_nothing(known: Shop, text: str) -> None:
    assert (await known(LIST, search=text))["totalCount"] == 0


@pytest.mark.parametrize("text", ["matrin", "martan", "martn", "marttin", "jaen pierre", "Jean Pierre Martim"])
async def test_a_slip_is_forgiven(known: Shop, text: str) -> None:
    assert (await emails(known, text))[0] == "jp@example.com"


@pytest.mark.parametrize(
    "text", ["helene@exmaple.com", "helnee@example.com", "helene@elsewhere.test", "zoe.oeuvrrad@example.com"]
)
async def test_a_slip_in_an_address_is_forgiven_on_either_side_of_its_at(known: Shop, text: str) -> None:
    assert (await emails(known, text))[0][:3] == text[:3]


async def test_for_two_letters_or_three_nobody_is_guessed(known: Shop) -> None:
    assert await emails(known, "mat") == await emails(known, "he jp") == []


async def test_what_is_written_so_comes_before_what_is_like_it_and_alone(known: Shop) -> None:
    await known.client("marin@example.com", lastName="Marin")

    assert await emails(known, "marin") == ["marin@example.com"]
    assert await emails(known, "martin", first=1) == ["jp@example.com"]


async def test_clients_are_found_by_their_contacts_for_as_long_as_they_have_them(known: Shop) -> None:
    client = await known.client("radium@example.com", company="Radium")
    made = await known(CONTACT, input={"client": client, "firstName": "Irène", "phone": "+33698765432"})
    assert await emails(known, "irene") == await emails(known, "0698765432") == ["radium@example.com"]

    await known(UPDATE, input={"client": client, "company": "Polonium"})
    assert await emails(known, "polonium irene") == ["radium@example.com"]
    assert await emails(known, "radium irene") == ["radium@example.com"]  # which is in the address

    await known(CONTACT_DELETE, input={"contact": made["contact"]["id"]})
    assert await emails(known, "irene") == []


async def test_a_consultant_finds_their_own_clients_and_nobody_finds_anothers(known: Shop) -> None:
    consultant = await Shop.open(known.http, known.sandbox, role=Role.CONSULTANT)
    assert await emails(consultant, "martin") == await emails(consultant, "matrin") == []
    mine = await known.client("mine@example.com", lastName="Martin")
    await known(UPDATE, input={"client": mine, "consultant": await membership(consultant)})
    assert await emails(consultant, "martin") == await emails(consultant, "matrin") == ["mine@example.com"]

    other = await Shop.open(known.http, known.sandbox, "other")
    assert await emails(other, "martin") == await emails(other, "matrin") == []


@pytest.mark.parametrize("text", ["", " ", "a", "-", "x" * 101, "\0"])
async def test_what_is_nothing_to_search_for_is_refused(shop: Shop, text: str) -> None:
    assert (await shop.refused(SEARCH, text=text))[:2] == ("INVALID", "text")
    assert (await shop.refused(LIST, search=text))[:2] == ("INVALID", "search")


async def test_no_more_than_a_hundred_are_found_at_once(shop: Shop) -> None:
    assert (await shop.refused(SEARCH, text="martin", first=101))[:2] == ("INVALID", "first")


async def test_a_search_reads_an_index_and_never_all_clients(shop: Shop) -> None:
    organization = (await Organization.get()).id
    await query(_MANY, organization)
    await query("VACUUM ANALYZE clients")
    for text in (
        "dupont",
        "martin dupont",
        "du",
        "0612",
        "duppnot",
        "jaen duppnot",
        "client12@exmaple.com",
        "cleint@example.com",
        "j@example.com",
        "0612345679",
        "abcdefghijklmnopqrstuvwxyz",
    ):
        words = [(word, f"%{word}%" if len(word) > 2 else f"% {word}%") for word in client_search.words(text)]
        ways = client_search.statements("organization_id = $1", [organization], words, 20)
        for number, (sql, values) in enumerate(ways):
            async with transaction():
                for name, value in client_search.UNDER.items() if number else ():
                    await query("SELECT set_config($1, $2, true)", name, value)
                plan = "\n".join(row["QUERY PLAN"] for row in await query(f"EXPLAIN {sql}", *values))
            assert "clients_search" in plan, (text, number, plan)
            assert "Seq Scan on clients" not in plan, (text, number, plan)


async def test_an_order_writes_nothing_to_what_its_client_is_found_by(shop: Shop) -> None:
    await shop.sql("CREATE TABLE searched (id uuid)")
    await shop.sql(
        "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO searched VALUES (NEW.id); RETURN NULL; END $$"
    )
    client = await shop.client(firstName="Marie", lastName="Curie", phone="+33612345678")
    await shop.sql(
        "CREATE TRIGGER seen AFTER UPDATE ON clients FOR EACH ROW"
        " WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text) EXECUTE FUNCTION seen()"
    )

    await shop.sell(await shop.product(), client=client)

    assert await shop.sql("SELECT FROM searched") == []
    assert await Client.filter(organization=shop.organization).count() == 1


async def emails(shop: Shop, text: str, **given: Any) -> list[str]:
    return [row["email"] for row in await shop(SEARCH, text=text, **given)]


_MANY = """
INSERT INTO clients (id, created_at, organization_id, email, first_name, last_name, electronic_address_scheme)
SELECT gen_random_uuid(), now(), $1, 'client' || place || '@example.com', md5(place::text), md5(place || 'x'), '0225'
FROM generate_series(1, 20000) AS place
"""
