"""What is under way with a client who turns out to be another goes on with the one who is kept."""

from typing import Any

import pytest

from models import ClientMerge, Order
from models.base import global_id
from tests.bilans.agreed import Agreed
from tests.importing import imported
from tests.managing.test_client_merges import MERGE, PREVIEW
from tests.managing.test_erasures import ERASE, TICKET
from tests.security.surroundings import nothing_changes
from tests.shop import Shop
from tests.subscribing import begun, month_passes
from tests.test_opportunities import ONE
from tests.test_opportunity_links import linked, paid, won
from tests.tickets.test_tickets import REPLY

pytestmark = pytest.mark.usefixtures("printer")

SEEN = """query ($id: ID!) { client(id: $id) {
  phone bilans { nodes { id } } opportunities { nodes { id } } tickets { nodes { id } } orders { totalCount }
  subscriptions { nodes { status } } merges { movedCount }
} }"""


async def test_what_is_under_way_with_the_duplicate_goes_on_with_the_one_who_is_kept(shop: Shop) -> None:
    kept = await shop.client("marie@example.com", firstName="Marie")
    bilan = await Agreed.open(shop, email="m.curie@example.com")
    other = bilan.client
    await imported(shop, "email;téléphone\nm.curie@example.com;0612345678\n", onExisting="FILL")
    made = await won(shop, client=other)
    link = await linked(shop, made)
    ticket = (await shop(TICKET, input={"client": other, "subject": "Quand ?", "body": "Bientôt ?"}))["ticket"]["id"]
    await begun(shop, client=other)
    foreseen = {each["kind"]: each["count"] for each in (await shop(PREVIEW, client=kept, duplicate=other))["moved"]}

    await shop(MERGE, input={"client": kept, "duplicate": other})

    record = await ClientMerge.get()
    assert record.moved == foreseen
    assert {"Attempt", "Bilan", "ClientSubscription", "Opportunity", "Order", "Ticket", "TimelineEvent"} <= {*foreseen}
    await paid(shop, link)
    await bilan.pay()
    await shop(REPLY, input={"ticket": ticket, "body": "Demain."})
    await month_passes(shop)
    await shop.work_is_done()
    assert (await shop(ONE, id=made["id"]))["paymentStatus"] == "PAID"
    assert (await bilan.see())["status"] == "FUNDED"
    assert any("Quand" in subject for subject in shop.subjects("marie@example.com"))
    seen: dict[str, Any] = await shop(SEEN, id=kept)
    assert seen["phone"] == "+33612345678"
    assert (seen["bilans"]["nodes"], seen["opportunities"]["nodes"], seen["tickets"]["nodes"]) == (
        [{"id": bilan.id}], [{"id": made["id"]}], [{"id": ticket}],
    )  # fmt: skip
    assert seen["subscriptions"]["nodes"] == [{"status": "ACTIVE"}]
    assert seen["orders"]["totalCount"] == await Order.all().count() == 4  # of which one is the month that passed
    assert seen["merges"] == [{"movedCount": sum(foreseen.values())}]
    assert {global_id(await order.client) for order in await Order.all()} == {kept}


async def test_who_was_erased_is_merged_with_nobody_neither_way(shop: Shop) -> None:
    client, other = await shop.client("a@example.com"), await shop.client("b@example.com")
    await shop(ERASE, input={"client": other})
    says = "One of them was erased: nothing is known of who that was."

    async with nothing_changes(shop):
        for kept, duplicate in ((client, other), (other, client)):
            assert (await shop(PREVIEW, client=kept, duplicate=duplicate))["refusals"] == [says]
            refused = await shop.refused(MERGE, input={"client": kept, "duplicate": duplicate})
            assert refused == ("CONFLICT", "input.duplicate", says)
