"""What clients may use, asked by the servers that serve them."""

from dataclasses import replace

from models import Access, AccessWithdrawal
from tests.shop import Shop

KEY = "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key } }"
ACCESSES = """query ($filter: AccessFilter) { accesses(filter: $filter) { nodes {
    client { id } product { id } order { id } startsAt endsAt withdrawnAt withdrawnReason
} } }"""


async def test_a_server_asks_with_its_key_what_a_client_may_use_and_by_which_order(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    sold = await shop.sell(product, client=client)
    await shop.sell(await shop.product(100))
    made = await shop(KEY, input={"name": "Learning platform", "scopes": ["ACCESSES_READ"]})
    server = replace(shop, token=made["key"])

    (access,) = (await server(ACCESSES, filter={"client": client, "active": True}))["nodes"]

    assert (access["client"], access["product"], access["order"]) == (
        {"id": client},
        {"id": product},
        {"id": sold["id"]},
    )
    assert (access["endsAt"], access["withdrawnAt"]) == (None, None)
    assert (await server.refused("{ invoices { totalCount } }"))[0] == "FORBIDDEN"


async def test_what_ended_was_withdrawn_or_is_still_to_come_is_not_active(shop: Shop) -> None:
    for _ in range(4):
        await shop.sell(await shop.product(100))
    good, ended, to_come, withdrawn = await Access.all().order_by("id")
    await shop.sql("UPDATE accesses SET starts_at = now() - interval '2 h', ends_at = now() - interval '1 h'"
                   " WHERE id = $1", ended.id)  # fmt: skip
    await shop.sql("UPDATE accesses SET starts_at = now() + interval '1 h' WHERE id = $1", to_come.id)
    withdrawn.withdraw(AccessWithdrawal.REFUNDED)
    await withdrawn.save()

    active, other = [(await shop(ACCESSES, filter={"active": active}))["nodes"] for active in (True, False)]

    assert len(active) == 1
    assert [each["withdrawnReason"] for each in other] == ["REFUNDED", None, None]
    assert len((await shop(ACCESSES, filter={"live": False}))["nodes"]) == 4
    assert good.live is False
