"""Products and their twins at Stripe, kept equal, ours winning: name, description, partners."""

from typing import Any

import pytest

from models import Product
from models.base import parse_global_id
from tests.security.surroundings import installed_with
from tests.shop import Shop


async def test_a_new_product_is_made_at_stripe_with_its_partners(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")
    product = await shop.product(4900, (b, a), name="Conseil", description="Une heure")

    await shop.work_is_done()

    twin = await twin_of(shop, product)
    assert (twin["name"], twin["description"]) == ("Conseil", "Une heure")
    assert twin["metadata"] == {"product": str(row_id(product)), "partners": "b,a"}
    assert (await shop("query ($id: ID!) { product(id: $id) { stripeId } }", id=product))["stripeId"] == twin["id"]


async def test_a_product_of_nobodys_has_no_partners_there(shop: Shop) -> None:
    product = await shop.product(name="Conseil")

    await shop.work_is_done()

    assert (await twin_of(shop, product))["metadata"] == {"product": str(row_id(product))}


async def test_a_product_bought_before_it_was_told_of_has_one_twin(shop: Shop) -> None:
    product = await shop.product()
    await shop.checkout(await shop.order(product))

    await shop.work_is_done()

    assert await shop.count("attempts", "operation = 'CREATE_PRODUCT'") == 1


async def test_what_changes_here_changes_there(shop: Shop) -> None:
    a, b = await shop.partner("a"), await shop.partner("b")
    product = await shop.product(4900, (a,), name="Conseil", description="Une heure")
    await shop.work_is_done()

    await shop.change("product", product, name="Conseil +", description=None, partners=[b["id"], a["id"]])
    await shop.work_is_done()

    twin = await twin_of(shop, product)
    assert (twin["name"], twin["description"], twin["metadata"]["partners"]) == ("Conseil +", None, "b,a")


async def test_what_stripe_does_not_show_is_not_sent_again(shop: Shop) -> None:
    product = await shop.product(4900)
    await shop.work_is_done()

    await shop.change("product", product, price={"amount": 5900}, level=2)

    assert await shop.count("outbox", "done_at IS NULL") == 0


async def test_partners_taken_away_here_are_taken_away_there(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner("a"),))
    await shop.work_is_done()

    await shop.change("product", product, partners=[])
    await shop.work_is_done()

    assert "partners" not in (await twin_of(shop, product))["metadata"]


@pytest.mark.parametrize(
    "changes",
    [{"metadata": {"partners": "evil"}}, {"metadata": {"partners": ""}}, {"name": "Autre"}, {"description": "Autre"}],
    ids=["other partners", "no partners", "another name", "another description"],
)
async def test_what_somebody_changes_there_is_changed_back(shop: Shop, changes: dict[str, Any]) -> None:
    product = await shop.product(partners=(await shop.partner("a"),), name="Conseil", description="Une heure")
    await shop.work_is_done()
    before = await twin_of(shop, product)

    await shop.tell(shop.sandbox.stripe.edit_product(before["id"], **changes))

    assert without_time(await twin_of(shop, product)) == without_time(before)


async def test_what_others_note_on_a_product_there_stays_and_nothing_is_sent(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner("a"),))
    await shop.work_is_done()
    twin = await twin_of(shop, product)
    asked = len(shop.sandbox.stripe.requests)

    await shop.tell(shop.sandbox.stripe.edit_product(twin["id"], metadata={"shelf": "3"}))

    assert (await twin_of(shop, product))["metadata"]["shelf"] == "3"
    assert len(shop.sandbox.stripe.requests) == asked
    (row,) = await shop.sql("SELECT outcome FROM stripe_events WHERE type = 'product.updated'")
    assert row["outcome"] == "as we know it"


async def test_our_own_change_told_back_to_us_is_no_news(shop: Shop) -> None:
    product = await shop.product(name="Conseil")
    await shop.work_is_done()
    await shop.change("product", product, name="Conseil +")
    await shop.work_is_done()

    await shop.tell(shop.sandbox.stripe.events("product.updated")[-1:])

    (row,) = await shop.sql("SELECT outcome FROM stripe_events WHERE type = 'product.updated'")
    assert row["outcome"] == "as we know it"


async def test_a_product_of_the_dashboards_is_not_ours_to_change(shop: Shop) -> None:
    made = await shop.dashboard.v1.products.create_async({"name": "Tombola"})

    await shop.tell(shop.sandbox.stripe.edit_product(made.id, name="Grande tombola"))

    assert shop.sandbox.stripe.books.find("product", made.id)["name"] == "Grande tombola"
    (row,) = await shop.sql("SELECT outcome FROM stripe_events WHERE type = 'product.updated'")
    assert row["outcome"] == "names no product of ours"


async def test_a_product_that_somebody_deleted_there_is_made_again(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner("a"),), name="Conseil")
    await shop.work_is_done()
    before = await twin_of(shop, product)
    await shop.sql("UPDATE products SET stripe_id = 'prod_deleted'")

    await shop.change("product", product, name="Conseil +")
    await shop.work_is_done()

    again = await twin_of(shop, product)
    assert again["id"] != before["id"]
    assert (again["name"], again["metadata"]) == ("Conseil +", before["metadata"])


async def test_without_a_key_nothing_is_told_and_nothing_waits(shop: Shop) -> None:
    async with installed_with(shop, stripe_secret_key=None) as installed:
        product = await installed.product()
        await installed.work_is_done()

    assert (await shop("query ($id: ID!) { product(id: $id) { stripeId } }", id=product))["stripeId"] is None
    assert await shop.count("outbox", "done_at IS NULL") == 0


async def test_while_stripe_is_away_a_product_waits_and_is_made_once(shop: Shop) -> None:
    shop.sandbox.stripe.fail_next(503, path="/v1/products")
    product = await shop.product(name="Conseil")
    await shop.work_is_done()
    assert await shop.count("products", "stripe_id IS NOT NULL") == 0

    await shop.time_passes(minutes=1)
    await shop.work_is_done()

    assert (await twin_of(shop, product))["name"] == "Conseil"


async def twin_of(shop: Shop, product: str) -> dict[str, Any]:
    """The product as Stripe shows it."""
    row = await Product.get(id=row_id(product))
    return dict(shop.sandbox.stripe.books.find("product", str(row.stripe_id)))


def row_id(key: str) -> Any:
    return (parse_global_id(key) or ("", None))[1]


def without_time(twin: dict[str, Any]) -> dict[str, Any]:
    return twin | {"updated": None}
