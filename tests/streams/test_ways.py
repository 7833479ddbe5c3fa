"""An event is told the same by a plan and by the executor, whoever is told."""

import pytest

from engine.execution import Asked, Prepared, Way
from engine.streams.events import Event, Topic
from engine.streams.hub import Told
from models import Client, Membership, Order, Role
from policy import Actor, row_id
from resolvers.schema import engine
from schema.context import Context
from services.changes import Position
from tests.shop import Shop

DOCUMENTS = [
    "subscription { orderChanged { happened order { id number status paidAt total { amount formatted } } } }",
    "subscription { told: orderChanged { __typename order { ...All } again: order { number } what: happened } }"
    " fragment All on Order { client { email consultant { role } } lines { product { name } } payments { status }"
    " invoices { number emailedAt } notifications { status attempts { statusCode } } }",
    "subscription ($with: Boolean!) { orderChanged { happened order { id client @include(if: $with) {"
    " displayName orders(first: 2) { totalCount nodes { number } pageInfo { hasNextPage endCursor } } } } } }",
    "subscription { orderChanged { happened } }",
]


@pytest.mark.parametrize("role", [Role.OWNER, Role.ACCOUNTANT, Role.CONSULTANT, Role.BENEFICIARY])
async def test_all_ways_tell_an_event_alike(shop: Shop, role: Role) -> None:
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    caller = shop if role is Role.OWNER else await Shop.open(shop.http, shop.sandbox, role=role)
    member = await Membership.get(user__email=caller.email)
    for seen in (False, True):
        if seen:
            await Client.all().update(consultant_id=member.id, member_id=member.id)
        context = Context(Actor(role, shop.organization.id, member.id))
        for document in DOCUMENTS:
            topic = Topic(shop.organization.id, "orders", row_id(Order, order["id"]))
            for event in (Event(topic, ("CREATED", "PAID"), Position(1, 1)), Event(topic.all, (), Position(1, 1))):
                await _alike(document, context, event, visible=seen or role in (Role.OWNER, Role.ACCOUNTANT))


async def _alike(document: str, context: Context, event: Event, *, visible: bool) -> None:
    prepared = OPERATIONS.prepare(Asked(document, {"with": True}), subscriptions=True)
    assert isinstance(prepared, Prepared)
    told = [Told(event), Told(event)]
    bodies = [
        await OPERATIONS.event(prepared, context, each, way=way)
        for each, way in zip(told, (Way.PLAN, Way.COMPILED), strict=True)
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0][1]
    assert told[0].seen is told[1].seen is (visible or event.topic.row is None)


async def test_plans_tell_what_they_can(shop: Shop) -> None:
    order = await shop.order()
    member = await Membership.get(user__email=shop.email)
    context = Context(Actor(Role.OWNER, shop.organization.id, member.id))
    event = Event(Topic(shop.organization.id, "orders", row_id(Order, order["id"])), ("CREATED",), Position(1, 1))
    for document in DOCUMENTS:
        prepared = OPERATIONS.prepare(Asked(document, {"with": True}), subscriptions=True)
        assert isinstance(prepared, Prepared)
        assert OPERATIONS._plans is not None
        data = await OPERATIONS._plans.event(prepared.operation, prepared.values, context, Told(event), float("inf"))
        assert (data is not None) == ("order {" in document)


OPERATIONS = engine()
