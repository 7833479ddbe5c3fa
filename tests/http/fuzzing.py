"""Schemathesis makes documents from the schema; each kind of caller sends them all: no mistake of ours comes to light.

`make check` runs it, in half a minute: it is no test of what answers say, only that there is one.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from graphql import (
    REMOVE,
    ArgumentNode,
    IntValueNode,
    Node,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    parse_value,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies
from redis.asyncio import Redis
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes

from engine.views import VIEWS
from models import Client, Membership, Role
from models.base import global_id
from resolvers.schema import sdl
from tests.portal.test_portal_tickets import ASKED, WRITE_DOWN
from tests.shop import Shop
from tests.test_opportunity_links import linked, won

EACH = 4  # documents of each root field
SEED = 20261127
PAGE = "https://shop.example.com"

TEXTS = ["Texte", "texte-1", "https://shop.example.com", "#1f3a5f", "Zoé d'Été 👩‍💻", "x" * 300]
SCALARS = {  # of each some that are good, and some that are none
    "CountryCode": ["FR", "BE"],
    "CurrencyCode": ["EUR", "USD"],
    "Date": ["2026-01-31", "0001-01-01", "9999-12-31"],
    "DateTime": ["2026-01-31T09:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
    "Email": ["claire@example.com", "é@exämple.fr", "nobody"],
    "Locale": ["fr-FR", "en", "xx"],
    "PhoneNumber": ["+33612345678", "0612345678"],
    "Siren": ["732829320", "732829321"],
    "Siret": ["73282932000074", "1"],
    "URL": ["https://example.com/", "http://comptoir.test/", "javascript:alert(1)"],
    "VatNumber": ["FR44732829320", "XX1"],
}
VALUES = ["{}", '{ host: "smtp.example.com", port: 587, password: "secret" }', "[1, null]", '"x"', "1e400"]  # of JSON


@pytest.fixture(scope="module")
def documents() -> list[str]:
    """Some of every root field, the same at each run."""
    for name, values in SCALARS.items():
        schemathesis.graphql.scalar(name, strategies.sampled_from(values).map(nodes.String))
    schemathesis.graphql.scalar("JSON", strategies.sampled_from(VALUES).map(parse_value))
    made: list[str] = []
    for found in schemathesis.graphql.from_file(sdl()).get_all_operations():
        assert isinstance(found, Ok)

        @seed(SEED)
        @settings(
            max_examples=EACH, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(found.ok().as_strategy())
        def collect(case: Any) -> None:
            made.append(case.body)

        collect()
    # Last what may end the caller's own membership.
    return sorted(made, key=lambda document: "memberRemove" in document or "memberUpdate" in document)


CALLERS: list[str] = [*Role, "STOREFRONT", "PARTNER", "PORTAL", "NOBODY"]


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("kind", CALLERS, ids=str)
async def test_no_document_brings_a_mistake_of_ours_to_light(
    shop: Shop, documents: list[str], kind: str, redis_url: str
) -> None:
    caller, ids = await _caller(shop, kind), await _ids(shop)
    found = []
    async with Redis.from_url(redis_url) as redis:
        for document in _sensible(documents, ids):
            await redis.flushdb()  # rates are for other tests
            status, answer = await _sent(caller, document)
            codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
            if status >= 500 or "INTERNAL" in codes or not ({"data", "errors"} & set(answer)):
                found.append(f"{status} {answer}\n{document}")

    assert not found, f"{len(found)} of {len(documents)}\n" + "\n\n".join(found[:10])


async def _sent(caller: Shop, document: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
    headers |= {"Origin": caller.origin} if caller.origin else {}
    response = await caller.http.post("/graphql", json={"query": document}, headers=headers, timeout=60)
    return response.status_code, response.json()


async def _caller(shop: Shop, kind: str) -> Shop:
    """Somebody of that kind, in a shop where there is one of everything."""
    partner = await shop.partner()
    await shop.sell(await shop.product(partners=(partner,)))
    client_id = await shop.client()
    order = await shop.order(client=client_id)
    await shop.code("RENTREE", percent=2000)
    await shop.do("orderInvoice", order)
    await linked(shop, await won(shop, client=client_id))
    await shop(WRITE_DOWN, input={"client": client_id, **ASKED})
    keys = {
        "STOREFRONT": ("publishableKeyCreate", {"name": "Shop", "origins": [PAGE]}, "publishableKey { key }"),
        "PARTNER": ("partnerKeyCreate", {"name": "Partner", "partner": partner["id"]}, "key"),
        "PORTAL": ("portalTokenCreate", {"client": client_id}, "token"),
    }
    made = {}
    for name, (mutation, input, selected) in keys.items():
        kind_of_input = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation ($input: {kind_of_input}!) {{ {mutation}(input: $input) {{ {selected} }} }}"
        made[name] = await shop(document, input=input)
    if kind in Role.__members__ and kind != Role.OWNER:
        somebody = await Shop.open(shop.http, shop.sandbox, role=Role(kind))
        own = {Role.CONSULTANT: "consultant_id", Role.BENEFICIARY: "member_id"}.get(Role(kind))
        client = await Client.all().order_by("id").first()
        if own and client:
            await Client.filter(id=client.id).update(**{own: (await Membership.get(role=kind)).id})
        return somebody
    token = {
        "STOREFRONT": made["STOREFRONT"]["publishableKey"]["key"], "PARTNER": made["PARTNER"]["key"],
        "PORTAL": made["PORTAL"]["token"], "NOBODY": "",
    }  # fmt: skip
    return replace(shop, token=token.get(kind, shop.token), origin=PAGE if kind == "STOREFRONT" else "")


async def _ids(shop: Shop) -> dict[str, list[str]]:
    """Global ids of what is there, by the names that arguments have for it."""
    ids = {}
    for model, view in VIEWS.items():
        rows = [row async for row in model.all().limit(3)]
        ids[view.name.lower()] = [global_id(row) for row in rows]
    return ids | {"member": ids["membership"], "consultant": ids["membership"]}


def _sensible(documents: list[str], ids: dict[str, list[str]]) -> Iterator[str]:
    """The documents, with most of what they give made sensible: else nearly all are refused at the door."""
    schema, chance = build_schema(sdl()), random.Random(SEED)
    for document in documents:
        types = TypeInfo(schema)
        yield print_ast(visit(parse(document), TypeInfoVisitor(types, _Sensible(types, ids, chance))))


class _Sensible(Visitor):
    """Ids of what is there, texts that say something, pages from the beginning."""

    def __init__(self, types: TypeInfo, ids: dict[str, list[str]], chance: random.Random) -> None:
        super().__init__()
        self._types, self._ids, self._chance = types, ids, chance

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return REMOVE if node.name.value in ("last", "before", "after") and self._mostly() else None

    def enter_string_value(self, node: Node, _key: Any, parent: Any, _path: Any, above: Any) -> Node | None:
        wanted = get_named_type(self._types.get_input_type())
        if wanted is None or not self._mostly():
            return None
        if wanted.name == "String":
            return StringValueNode(value=self._chance.choice(TEXTS))
        return self._id([*above, parent]) if wanted.name == "ID" else None

    def enter_int_value(self, node: Node, _key: Any, parent: Any, _path: Any, above: Any) -> Node | None:
        named = {each.name.value for each in (*above, parent) if isinstance(each, ArgumentNode)}
        if "first" in named and self._mostly():
            return IntValueNode(value=str(self._chance.randint(1, 100)))
        wanted = get_named_type(self._types.get_input_type())
        return self._id([*above, parent]) if wanted is not None and wanted.name == "ID" and self._mostly() else None

    def _id(self, above: Any) -> Node | None:
        """Of what the argument or its field is called after: `client`, `orderCancel(input: { order })`."""
        for each in reversed(above):
            name = getattr(each, "name", None)
            known = self._ids.get(name.value.lower().removesuffix("s")) if name else None
            if known:
                return StringValueNode(value=self._chance.choice(known))
        return None

    def _mostly(self) -> bool:
        return self._chance.random() < 0.8
