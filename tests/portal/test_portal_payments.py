"""What a client pays by their private link."""

from tests.portal.clients import PAY, REVOKE, come, seen
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import Shop

GIVE_UP = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { id } } }"


async def test_a_client_pays_an_order_on_stripes_page_and_comes_back_to_ours(shop: Shop) -> None:
    mine = await shop.client()
    order = await shop.order(await shop.product(1400), client=mine)
    client = await come(shop, mine)

    (shown,) = (await seen(client))["orders"]
    first, again = [await client(PAY, input={"order": order["id"]}) for _ in range(2)]

    assert [line["total"] for line in shown["lines"]] == [shown["due"]] == [{"amount": 1400}]

    assert (first["url"], first["amount"]) == (again["url"], {"amount": 1400})
    session = shop.sandbox.stripe.books.find("checkout.session", first["url"].rpartition("/")[2])
    assert session["success_url"].startswith("http://comptoir.test/pay/")
    await shop.tell(await shop.sandbox.stripe.pay(session["id"]))
    (paid,) = (await seen(client))["orders"]
    assert (paid["status"], paid["due"]) == ("PAID", {"amount": 0})
    refusal = await client.refused(PAY, input={"order": order["id"]})
    assert refusal[:2] == ("CONFLICT", "input.order")
    assert "already paid" in refusal[2]


async def test_an_order_of_anybody_elses_is_as_one_that_never_was(shop: Shop) -> None:
    theirs = await neighbour(shop)
    client = await come(shop, await shop.client("marie@example.com"))
    others = [await each.order(client=await each.client("paul@example.com")) for each in (shop, theirs)]
    await seen(client)  # which is noted once

    async with nothing_changes(shop):
        for order in (*(each["id"] for each in others), never_made("Order"), "x"):
            refusal = await client.refused(PAY, input={"order": order})
            assert refusal == ("NOT_FOUND", "input.order", "No such order.")


async def test_why_an_order_cannot_be_paid_is_told_where_it_is_the_clients_business(shop: Shop) -> None:
    mine = await shop.client()
    waiting, given_up = [await shop.order(client=mine) for _ in range(2)]
    await shop(GIVE_UP, input={"order": given_up["id"]})
    client = await come(shop, mine)
    await shop.sql("UPDATE organizations SET share_capital = NULL, rcs = NULL")

    assert "was cancelled" in (await client.refused(PAY, input={"order": given_up["id"]}))[2]
    refusal = await client.refused(PAY, input={"order": waiting["id"]})
    assert refusal == ("CONFLICT", "input.order", "This cannot be paid at this moment. Ask those who sold it.")


async def test_what_stripe_says_of_those_who_sell_is_not_told_to_their_clients(shop: Shop) -> None:
    mine = await shop.client()
    order = await shop.order(client=mine)
    client = await come(shop, mine)
    shop.sandbox.stripe.fail_next(401)

    refusal = await client.refused(PAY, input={"order": order["id"]})

    assert refusal == ("CONFLICT", "input.order", "This cannot be paid at this moment. Ask those who sold it.")


async def test_by_a_link_that_was_withdrawn_nothing_is_asked_again(shop: Shop) -> None:
    mine = await shop.client()
    order = await shop.order(client=mine)
    client = await come(shop, mine)
    asked = {"order": order["id"], "idempotencyKey": "k1"}
    await client(PAY, input=asked)
    (link,) = (await shop("{ portalTokens { nodes { id } } }"))["nodes"]

    await shop(REVOKE, input={"portalToken": link["id"]})

    assert (await client.refused(PAY, input=asked))[0] == "UNAUTHENTICATED"
