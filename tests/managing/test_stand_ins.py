"""What stands for services, formules and opportunities on orders: seen on these, and in no catalogue."""

import pytest

from models import Product
from models.base import global_id
from tests.begun_at_stripe import open_conflicts, opened, paid
from tests.bilans.agreed import Agreed
from tests.bookings.desk import Desk, ahead
from tests.security.test_keys import storefront
from tests.shop import Shop
from tests.test_opportunity_links import linked, won

pytestmark = pytest.mark.usefixtures("printer")

CATALOGUE = "{ products { totalCount nodes { id } } }"
BY_NAME = "{ products(orderBy: { field: NAME }, filter: { active: false }) { totalCount nodes { id } } }"
LINES = "{ orders { nodes { lines { product { id name active } } } } }"
UPDATE = "mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { product { id } } }"
DELETE = "mutation ($input: ProductDeleteInput!) { productDelete(input: $input) { id } }"
SERVICE = "mutation ($input: ServiceUpdateInput!) { serviceUpdate(input: $input) { service { id } } }"


async def test_what_stands_for_something_else_is_in_nobodys_catalogue_but_on_orders(shop: Shop) -> None:
    sold = await shop.product(900)
    stand_ins = await sold_otherwise(shop)

    assert await shop(CATALOGUE) == {"totalCount": 1, "nodes": [{"id": sold}]}
    assert await shop(BY_NAME) == {"totalCount": 0, "nodes": []}
    assert (await (await storefront(shop))(CATALOGUE))["totalCount"] == 1
    lines = [line for order in (await shop(LINES))["nodes"] for line in order["lines"]]
    assert {line["product"]["id"] for line in lines} == set(stand_ins)
    assert not any(line["product"]["active"] for line in lines)


async def test_what_stands_for_something_else_is_neither_changed_nor_deleted_nor_sold_by_itself(shop: Shop) -> None:
    for product in await sold_otherwise(shop):
        for document, given in ((UPDATE, {"active": True}), (UPDATE, {"name": "Other"}), (DELETE, {})):
            assert (await shop.refused(document, input={"product": product} | given))[:2] == (
                "CONFLICT", "input.product",
            )  # fmt: skip
        with pytest.raises(Exception, match="products_stand_in_check"):
            await shop.sql("UPDATE products SET active = true WHERE stands_for IS NOT NULL")


async def test_stripe_hears_of_it_with_the_first_checkout_and_not_before(shop: Shop) -> None:
    desk = await Desk.open(shop, price_cents=6000)
    await desk.book(ahead())
    await shop(SERVICE, input={"service": desk.service, "name": "Entretien"})
    made = await desk.book(ahead(4))
    await shop.work_is_done()
    product = await Product.get()
    assert (product.name, product.stripe_id) == ("Entretien", None)

    await shop.checkout(made["booking"]["order"])

    assert (await Product.get()).stripe_id


async def test_what_is_sold_of_it_at_stripe_itself_is_for_a_person(shop: Shop) -> None:
    await linked(shop, await won(shop))
    twin = str((await Product.get()).stripe_id)

    await paid(shop, await opened(shop, twin, 120000))

    assert [each["kind"] for each in await open_conflicts(shop)] == ["UNKNOWN_SALE"]
    assert (await shop.count("orders"), await shop.count("accesses")) == (1, 0)


async def sold_otherwise(shop: Shop) -> list[str]:
    """The ids of what stands for a service that is booked, a bilan, and an opportunity."""
    await (await Desk.open(shop, price_cents=6000)).book(ahead())
    await (await Agreed.open(shop)).checkout()
    await linked(shop, await won(shop))
    return [global_id(product) for product in await Product.exclude(stands_for=None)]
