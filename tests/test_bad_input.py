"""What bad input gets: a code, the field to blame, a sentence to act on, and nothing half-done."""

import asyncio
import base64
from typing import Any

import pytest

from services.catalogue import PARTNERS_MOST, PRICE_MOST
from services.pricing import LINES_MOST
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import CHECKOUT, GraphQLErrors, Shop
from tests.subscribing import CANCEL

ORDER_CREATE = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }"
CLIENT_CREATE = "mutation ($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } } }"
PRODUCT_CREATE = "mutation ($input: ProductCreateInput!) { productCreate(input: $input) { product { id } } }"
PARTNER_CREATE = "mutation ($input: PartnerCreateInput!) { partnerCreate(input: $input) { partner { id } } }"
RESEND = "mutation ($input: NotificationResendInput!) { notificationResend(input: $input) { notification { id } } }"

NOT_IDS = ["x", "é", "\0", "=" * 500, base64.urlsafe_b64encode(b"Product:not-a-uuid").decode(), "😀" * 200]

# (input, field to blame, what the sentence says)
Refusals = list[tuple[dict[str, Any], str, str]]

CLIENTS: Refusals = [
    ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "input.email", "Not an e-mail address"),
    ({"email": "nobody"}, "input.email", "@-sign"),
    ({"email": "a" * 300 + "@b.fr"}, "input.email", "too long"),
    ({"email": "a\0@b.fr"}, "input.email", "Not an e-mail address"),
    ({"email": 5}, "input.email", "A string is wanted"),
    ({"email": None}, "input.email", "not to be None"),
    ({"firstName": "x"}, "input", "'email'"),
    ({"email": "a@b.fr", "nick": "x"}, "input", "'nick'"),
    ({"email": "a@b.fr", "firstName": "x" * 10_000}, "input.firstName", "longer than 100 characters"),
    ({"email": "a@b.fr", "lastName": "a\0b"}, "input.lastName", "NUL"),
    ({"email": "a@b.fr", "phone": "06 12 34 56 78"}, "input.phone", "+33612345678"),
    ({"email": "a@b.fr", "country": "fr"}, "input.country", "FR"),
]
PRODUCTS: Refusals = [
    ({"price": {"amount": -1}}, "input.price.amount", "0 to 99999999"),
    ({"price": {"amount": PRICE_MOST + 1}}, "input.price.amount", "0 to 99999999"),
    ({"price": {"amount": 2**31}}, "input.price.amount", "32-bit"),
    ({"price": {"amount": 10**30}}, "input.price.amount", "32-bit"),
    ({"price": {"amount": 1.5}}, "input.price.amount", "non-integer"),
    ({"price": {"amount": "5"}}, "input.price.amount", "non-integer"),
    ({"price": {"amount": None}}, "input.price.amount", "not to be None"),
    ({"price": {"amount": 5, "currency": "euro"}}, "input.price.currency", "ISO 4217"),
    ({"price": {"amount": 5, "currency": "JPY"}}, "input.price.currency", "two decimals"),
    ({"name": ""}, "input.name", "empty"),
    ({"name": " \n"}, "input.name", "empty"),
    ({"name": "x" * 201}, "input.name", "longer than 200"),
    ({"description": "x" * 10_000}, "input.description", "longer than 2000"),
    ({"vatRate": 1960}, "input.vatRate", "2000"),
    ({"vatRate": None}, "input.vatRate", "null"),
]
PARTNERS: Refusals = [
    ({"apiKey": "short"}, "input.apiKey", "32"),
    ({"apiKey": "x" * 31}, "input.apiKey", "32"),
    ({"apiKey": "x" * 30 + "\r\nX-Evil: 1"}, "input.apiKey", "visible ASCII"),
    ({"apiKey": "é" * 40}, "input.apiKey", "visible ASCII"),
    ({"slug": "Not A Slug"}, "input.slug", "lower-case"),
    ({"slug": "-x"}, "input.slug", "lower-case"),
    ({"slug": "x\n"}, "input.slug", "lower-case"),
    ({"brandColor": "red"}, "input.brandColor", "#rrggbb"),
    ({"brandColor": None}, "input.brandColor", "null"),
    ({"brandName": ""}, "input.brandName", "empty"),
]

PRODUCT = {"name": "Bilan", "price": {"amount": 5}}
PARTNER = {"slug": "fiscalis", "name": "Fiscalis", "brandName": "Fiscalis", "contactEmail": "a@b.fr"}


async def test_a_product_that_is_none_is_not_found(shop: Shop) -> None:
    client, good = await shop.client(), line(await shop.product())

    async with nothing_changes(shop):
        for bad in (*NOT_IDS, never_made("Product"), never_made("Client")):
            refusal = await shop.refused(ORDER_CREATE, input={"client": client, "lines": [good, line(bad)]})

            assert refusal == ("NOT_FOUND", "input.lines.1.product", "No such product."), bad


async def test_an_id_that_is_empty_says_so_and_kinds_are_named_in_words(shop: Shop) -> None:
    empty = await shop.refused(CANCEL, input={"subscription": ""})
    unknown = await shop.refused(CANCEL, input={"subscription": never_made("ClientSubscription")})

    assert empty == ("NOT_FOUND", "input.subscription", "No id was given: which client subscription?")
    assert unknown == ("NOT_FOUND", "input.subscription", "No such client subscription.")


async def test_an_id_of_another_type_names_nothing(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()

    async with nothing_changes(shop):
        as_client = await shop.refused(ORDER_CREATE, input={"client": product, "lines": [line(product)]})
        as_product = await shop.refused(ORDER_CREATE, input={"client": client, "lines": [line(client)]})

    assert as_client == ("NOT_FOUND", "input.client", "No such client.")
    assert as_product == ("NOT_FOUND", "input.lines.0.product", "No such product.")


async def test_what_another_organization_owns_is_refused_like_what_never_was(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    theirs = await neighbour(shop)
    partner = await theirs.partner()
    sold = await theirs.product(partners=(partner,))
    buyer = await theirs.client()
    order = await theirs.sell(sold, client=buyer)
    tries: list[tuple[str, str, str, Any]] = [
        (ORDER_CREATE, "Client", buyer, lambda id: {"client": id, "lines": [line(product)]}),
        (ORDER_CREATE, "Product", sold, lambda id: {"client": client, "lines": [line(id)]}),
        (PRODUCT_CREATE, "Partner", partner["id"], lambda id: PRODUCT | {"partners": [id]}),
        (RESEND, "Notification", order["notifications"][0]["id"], lambda id: {"notification": id}),
        (CHECKOUT, "Order", order["id"], lambda id: shop.checkout_input({"id": id})),
    ]

    async with nothing_changes(shop):
        for document, model, foreign, input in tries:
            refusal = await shop.refused(document, input=input(foreign))

            assert refusal[0] == "NOT_FOUND", model
            assert refusal == await shop.refused(document, input=input(never_made(model)))


async def test_a_quantity_is_one_to_9999(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product(1)

    async with nothing_changes(shop):
        for quantity in (0, -1, 10_000):
            refusal = await shop.refused(ORDER_CREATE, input={"client": client, "lines": [line(product, quantity)]})

            assert refusal == ("INVALID", "input.lines.0.quantity", "A quantity is 1 to 9999."), quantity


async def test_an_order_has_a_line_and_not_too_many(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()

    async with nothing_changes(shop):
        for count in (0, LINES_MOST + 1, 5000):
            refusal = await shop.refused(ORDER_CREATE, input={"client": client, "lines": [line(product)] * count})

            assert refusal == ("INVALID", "input.lines", f"An order has 1 to {LINES_MOST} lines."), count


async def test_a_total_above_what_can_be_paid_at_once_is_refused(shop: Shop) -> None:
    input = {"client": await shop.client(), "lines": [line(await shop.product(PRICE_MOST), 2)]}

    async with nothing_changes(shop):
        code, field, message = await shop.refused(ORDER_CREATE, input=input)

    assert (code, field) == ("INVALID", "input.lines")
    assert "several orders" in message


async def test_a_product_no_longer_sold_is_refused_and_named(shop: Shop) -> None:
    input = {"client": await shop.client(), "lines": [line(await shop.product(name="Ancienne"))]}
    await shop.sql("UPDATE products SET active = false")

    async with nothing_changes(shop):
        refusal = await shop.refused(ORDER_CREATE, input=input)

    assert refusal == ("INVALID", "input.lines.0.product", "Ancienne is no longer sold.")


@pytest.mark.parametrize(
    ("document", "good", "refusals"),
    [(CLIENT_CREATE, {}, CLIENTS), (PRODUCT_CREATE, PRODUCT, PRODUCTS), (PARTNER_CREATE, PARTNER, PARTNERS)],
    ids=["client", "product", "partner"],
)
async def test_what_cannot_be_is_refused_and_named(shop: Shop, document: str, good: Any, refusals: Refusals) -> None:
    async with nothing_changes(shop):
        for bad, field, says in refusals:
            code, blamed, message = await shop.refused(document, input=good | bad)

            assert (code, blamed) == ("INVALID", field), bad
            assert says in message
            assert len(message) < 400


async def test_a_product_has_no_more_partners_than_can_be_told(shop: Shop) -> None:
    partner = await shop.partner()

    async with nothing_changes(shop):
        unknown = await shop.refused(PRODUCT_CREATE, input=PRODUCT | {"partners": [never_made("Partner")]})
        many = await shop.refused(PRODUCT_CREATE, input=PRODUCT | {"partners": [partner["id"]] * (PARTNERS_MOST + 1)})

    assert unknown == ("NOT_FOUND", "input.partners.0", "No such partner.")
    assert many == ("INVALID", "input.partners", f"A product has {PARTNERS_MOST} partners at most.")


async def test_a_second_client_with_the_same_address_is_a_conflict(shop: Shop) -> None:
    await shop.client("marie@example.com")

    async with nothing_changes(shop):
        refusal = await shop.refused(CLIENT_CREATE, input={"email": "Marie@Example.com"})

    assert refusal == ("CONFLICT", "input.email", "A client with this e-mail address already exists.")


async def test_of_twenty_clients_made_at_once_with_one_address_one_is_made(shop: Shop) -> None:
    answers = await asyncio.gather(
        *(shop.post(CLIENT_CREATE, {"input": {"email": "marie@example.com"}}) for _ in range(20))
    )

    refused = [answer["errors"][0]["extensions"] for answer in answers if "errors" in answer]
    assert refused == [{"code": "CONFLICT", "field": "input.email"}] * 19
    assert await shop.count("clients") == 1


async def test_a_second_partner_with_the_same_slug_is_a_conflict(shop: Shop) -> None:
    await shop.partner("fiscalis")

    async with nothing_changes(shop):
        with pytest.raises(GraphQLErrors) as refused:
            await shop.partner("fiscalis")

    assert refused.value.errors[0]["extensions"] == {"code": "CONFLICT", "field": "input.slug"}


async def test_another_organization_may_have_the_same_client_and_partner(shop: Shop) -> None:
    for each in (shop, await neighbour(shop)):
        await each.client("marie@example.com")
        await each.partner("fiscalis")

    assert (await shop.count("clients"), await shop.count("partners")) == (2, 2)


def line(product: str, quantity: int = 1) -> dict[str, Any]:
    return {"product": product, "quantity": quantity}
