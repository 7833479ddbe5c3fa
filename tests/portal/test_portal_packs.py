"""What a client books by their private link with the sessions that they paid for ahead."""

from datetime import datetime, timedelta
from typing import Any

import models
from models.base import global_id
from tests.bookings.desk import Desk, ahead
from tests.portal.clients import BOOK, CANCEL, MOVE, come, seen
from tests.security.surroundings import never_made, nothing_changes
from tests.shop import Shop


async def test_a_client_books_with_a_session_of_a_pack_of_theirs(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    mine = await shop.client()
    pack = await bought(shop, desk, mine)
    client = await come(shop, mine)

    (shown,) = (await seen(client))["packs"]
    made = await client(BOOK, input=asked(desk, pack))

    assert (shown["id"], shown["sessions"], shown["left"], shown["services"]) == (pack, 5, 5, [desk.service])
    assert (made["confirmed"], made["order"]) == (True, None)
    after = await seen(client)
    assert after["packs"][0]["left"] == 4
    assert (after["bookings"][0]["pack"], after["bookings"][0]["price"]) == (pack, {"amount": 0})


async def test_given_up_in_time_the_session_comes_back_and_later_it_does_not(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    mine = await shop.client()
    pack = await bought(shop, desk, mine)
    client = await come(shop, mine)
    made = [await client(BOOK, input=asked(desk, pack, days)) for days in (3, 5)]
    await desk.time_comes(made[1]["booking"], days=4, hours=12)

    ended = [await client(CANCEL, input={"booking": each["booking"]}) for each in made]

    assert [(each["fee"], each["sessionReturned"]) for each in ended] == [
        ({"amount": 0}, True), ({"amount": 0}, False),
    ]  # fmt: skip
    assert (await seen(client))["packs"][0]["left"] == 4


async def test_the_pack_of_anybody_else_is_as_one_that_never_was(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    theirs = await bought(shop, desk, await shop.client("paul@example.com"))
    client = await come(shop, await shop.client("marie@example.com"))

    async with nothing_changes(shop):
        for pack in (theirs, never_made("Pack"), desk.service, "x"):
            refusal = await client.refused(BOOK, input=asked(desk, pack))
            assert refusal == ("NOT_FOUND", "input.pack", "No such pack."), pack
    assert (await seen(client))["packs"] == []


async def test_a_pack_pays_for_its_services_while_it_lasts_and_has_sessions(shop: Shop) -> None:
    desk, other = await Desk.open(shop, price_cents=6000), await Desk.open(shop, "Zoé", price_cents=6000)
    mine = await shop.client()
    pack = await bought(shop, desk, mine)
    client = await come(shop, mine)
    made = await client(BOOK, input=asked(desk, pack, 4))
    soon = ahead(6)
    await models.Access.all().update(ends_at=soon)

    assert (await client.refused(BOOK, input=asked(other, pack)))[:2] == ("INVALID", "input.pack")
    assert (await client.refused(BOOK, input=asked(desk, pack, 7)))[:2] == ("CONFLICT", "input.pack")
    late = {"booking": made["booking"], "startsAt": ahead(7).isoformat()}
    assert (await client.refused(MOVE, input=late))[:2] == ("CONFLICT", "input.startsAt")
    assert datetime.fromisoformat((await seen(client))["packs"][0]["endsAt"]) == soon
    await models.Pack.all().update(used=5)
    assert (await client.refused(BOOK, input=asked(desk, pack)))[:2] == ("CONFLICT", "input.pack")
    await models.Access.all().update(ends_at=ahead(0) - timedelta(days=1), starts_at=ahead(0) - timedelta(days=9))
    assert (await seen(client))["packs"] == []


async def bought(shop: Shop, desk: Desk, client: str) -> str:
    """The pack of a client, of five sessions of a service, paid."""
    product = await shop.product(25_000)
    row = await models.Product.all().order_by("-id").first()
    assert row
    await models.Product.filter(id=row.id).update(pack_sessions=5)
    await models.ProductService.create(organization=shop.organization, product=row, service=desk.row)
    await shop.sell(product, client=client)
    pack = await models.Pack.all().order_by("-id").first()
    assert pack
    return global_id(pack)


def asked(desk: Desk, pack: str, days: int = 3) -> dict[str, Any]:
    return {"service": desk.service, "startsAt": ahead(days).isoformat(), "pack": pack}
