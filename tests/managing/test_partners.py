"""Partners changed, given other secrets, deleted."""

import base64
from typing import Any

from models import Partner
from providers.webhooks import signature
from services import vault
from tests.managing.test_logos import logo_png
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

UPDATE = """mutation ($input: PartnerUpdateInput!) {
  partnerUpdate(input: $input) {
    partner {
      slug name stagingUrl productionUrl apiKeyLast4 active tellFreeOrders brandName brandColor logoSvg website
    }
  }
}"""
ROTATE = """mutation ($input: PartnerSecretRotateInput!) {
  partnerSecretRotate(input: $input) { signingSecret partner { slug } }
}"""
DELETE = "mutation ($input: PartnerDeleteInput!) { partnerDelete(input: $input) { id } }"
KEY_CREATE = "mutation ($input: PartnerKeyCreateInput!) { partnerKeyCreate(input: $input) { key } }"
KEY, OTHER = "a-key-of-thirty-two-characters-or-more", "another-key-of-thirty-two-characters-XYZW"
LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'
USED = "This partner is on products, invoices or notifications. Set `active` to false instead."


async def test_what_is_given_changes_and_what_is_left_out_stays(shop: Shop) -> None:
    partner = await shop.partner(apiKey=KEY)
    before = await changed(shop, partner)

    assert (before["apiKeyLast4"], before["active"], before["brandColor"]) == ("more", True, "#1f3a5f")
    for given, found in (
        ({"name": "Fiscalis SA"}, {"name": "Fiscalis SA"}),
        ({"productionUrl": "https://fiscalis.example.com/"}, {"productionUrl": "https://fiscalis.example.com/"}),
        ({"productionUrl": None}, {"productionUrl": None}),
        ({"active": False, "tellFreeOrders": True}, {"active": False, "tellFreeOrders": True}),
        ({"brandColor": "#7a2e4d", "logoSvg": LOGO}, {"brandColor": "#7a2e4d", "logoSvg": LOGO}),
        ({"apiKey": OTHER}, {"apiKeyLast4": "XYZW"}),
        ({"apiKey": None, "logoSvg": None}, {"apiKeyLast4": None, "logoSvg": None}),
    ):
        before |= found
        assert await changed(shop, partner, **given) == before, given
    assert (await Partner.get()).api_key is None


async def test_a_partner_is_told_of_what_it_asked_for(shop: Shop) -> None:
    update = "mutation ($input: PartnerUpdateInput!) { partnerUpdate(input: $input) { partner { events } } }"
    partner = await shop.partner()
    product = await shop.product(1000, (partner,))

    for events in (["ORDER_REFUNDED"], ["ORDER_CREATED", "ORDER_REFUNDED", "ORDER_CREATED"]):
        changed = await shop(update, input={"partner": partner["id"], "events": events})
        assert changed["partner"]["events"] == list(dict.fromkeys(events))
        await shop.sell(product)

    assert [told.json["event_type"] for told in shop.told()] == ["order.created"]
    refusal = await shop.refused(update, input={"partner": partner["id"], "events": []})
    assert refusal[:2] == ("INVALID", "input.events")


async def test_the_next_notification_has_the_new_key_and_signature(shop: Shop) -> None:
    partner = await shop.partner(apiKey=KEY)
    product = await shop.product(partners=(partner,))
    await changed(shop, partner, apiKey=OTHER)
    rotated = await shop(ROTATE, input={"partner": partner["id"]})

    await shop.sell(product)

    (told,) = shop.told()
    at, body = int(told.headers["webhook-timestamp"]), told.body
    assert told.headers["x-api-key"] == OTHER
    signed = {
        secret: signature(secret, told.headers["webhook-id"], at, body)
        for secret in (rotated["signingSecret"], partner["secret"])
    }
    assert told.headers["webhook-signature"] == signed[rotated["signingSecret"]] != signed[partner["secret"]]
    row = await Partner.get()
    assert await vault.open(row, "signing_secret", "test") == rotated["signingSecret"]


async def test_a_change_that_cannot_be_is_refused_and_named(shop: Shop) -> None:
    partner = await shop.partner(apiKey=KEY)
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
    refusals: list[tuple[dict[str, Any], str, str]] = [
        ({"stagingUrl": "https://127.0.0.1/"}, "input.stagingUrl", "public internet"),
        ({"productionUrl": "http://partner.example.com/"}, "input.productionUrl", "https://"),
        ({"apiKey": "short"}, "input.apiKey", "32"),
        ({"brandColor": "red"}, "input.brandColor", "#rrggbb"),
        ({"brandColor": None}, "input.brandColor", "null"),
        ({"name": "x" * 10_000}, "input.name", "longer than 200"),
        ({"contactEmail": "a@b.fr\nBcc: c@d.fr"}, "input.contactEmail", "Not an e-mail address"),
        ({"slug": "another"}, "input", "'slug'"),
        ({"logoSvg": "x" * 70_000}, "input.logoSvg", "65,536 characters at most"),
        ({"logoSvg": "logo"}, "input.logoSvg", "cannot be read as XML"),
        ({"logoSvg": "<html/>"}, "input.logoSvg", "begins with <svg"),
        ({"logoSvg": "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + LOGO}, "input.logoSvg", "document type"),
        *(
            ({"logoSvg": svg.format(part)}, "input.logoSvg", "no script")
            for part in (
                "<script>alert(1)</script>", '<path onclick="alert(1)"/>', "<foreignObject/>",
                '<a href="javascript:alert(1)"/>', '<image xlink:href="https://evil.example/x.png"/>',
                '<image href="data:image/svg+xml;base64,AAAA"/>', '<div xmlns="http://www.w3.org/1999/xhtml"/>',
            )
        ),
        ({"logoPng": "data:image/jpeg;base64,/9j/4AAQ"}, "input.logoPng", "no base64"),
    ]  # fmt: skip

    async with nothing_changes(shop):
        for bad, field, says in refusals:
            code, blamed, message = await shop.refused(UPDATE, input={"partner": partner["id"]} | bad)

            assert (code, blamed) == ("INVALID", field), bad
            assert says in message, bad


async def test_a_logo_may_name_its_own_parts_and_hold_a_picture(shop: Shop) -> None:
    partner = await shop.partner()
    for part in (
        '<use href="#a"/>',
        f'<image href="data:image/png;base64,{base64.b64encode(logo_png(4, 4)).decode()}"/>',
        "<!-- a word --><style>.a{}</style>",
    ):
        logo = f'<svg xmlns="http://www.w3.org/2000/svg">{part}</svg>'
        assert (await changed(shop, partner, logoSvg=logo))["logoSvg"] == logo


async def test_a_partner_of_nothing_is_deleted_with_their_keys(shop: Shop) -> None:
    partner = await shop.partner()
    await shop(KEY_CREATE, input={"partner": partner["id"], "name": "Server"})

    assert await shop(DELETE, input={"partner": partner["id"]}) == {"id": partner["id"]}

    assert (await shop.count("partners"), await shop.count("partner_keys")) == (0, 0)
    await shop.partner()  # its slug is free again


async def test_a_partner_of_a_product_or_who_was_told_stays_and_keeps_their_keys(shop: Shop) -> None:
    listed, told = await shop.partner("listed"), await shop.partner("told")
    await shop.product(partners=(listed,))
    sold = await shop.product(partners=(told,))
    await shop.sell(sold)
    await shop("mutation ($input: ProductUpdateInput!) { productUpdate(input: $input) { product { id } } }",
               input={"product": sold, "partners": []})  # fmt: skip
    for partner in (listed, told):
        await shop(KEY_CREATE, input={"partner": partner["id"], "name": "Server"})

    async with nothing_changes(shop):
        for partner in (listed, told):
            assert await shop.refused(DELETE, input={"partner": partner["id"]}) == ("CONFLICT", "input.partner", USED)


async def changed(shop: Shop, partner: dict[str, Any], **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await shop(UPDATE, input={"partner": partner["id"]} | given))["partner"]
    return found
