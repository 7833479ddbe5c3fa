"""The sale, end to end, through the front door."""

from tests.shop import Shop


async def test_a_sale_ends_with_a_paid_order_an_invoice_a_letter_and_a_partner_who_knows(shop: Shop) -> None:
    partner = await shop.partner()
    product = await shop.product(partners=(partner,))

    order = await shop.sell(product)

    assert order["status"] == "PAID"
    assert [payment["status"] for payment in order["payments"]] == ["SUCCEEDED"]
    (invoice,) = order["invoices"]
    assert invoice["number"].startswith("FQCA-")
    (letter,) = shop.letters(order)
    (told,) = shop.told()
    assert told.json["invoice"]["number"] == invoice["number"]
    (notification,) = order["notifications"]
    assert notification["status"] == "DELIVERED"
