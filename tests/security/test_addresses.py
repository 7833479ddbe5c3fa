"""Partner addresses: what may be stored, and what is dialled whatever a name says later."""

from dataclasses import replace

import pytest

from providers.webhooks import Courier
from services import outside
from tests.security.surroundings import Names, installed_with, nothing_changes
from tests.shop import Shop

PARTNER_CREATE = "mutation ($input: PartnerCreateInput!) { partnerCreate(input: $input) { partner { stagingUrl } } }"
PARTNER = {"slug": "fiscalis", "name": "Fiscalis", "brandName": "Fiscalis", "contactEmail": "a@b.fr"}
NOT_PUBLIC = "The address must be on the public internet."

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0", "100.64.0.1", "169.254.169.254",
    "168.63.129.16", "192.0.0.192", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]",
    "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:db8::1]", "[2001:0:53aa:64c::80ff:fffe]", "[3fff::1]",
    "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.0.1.", "１２７.0.0.1",
    "localhost", "LOCALHOST", "localhost.", "api.localhost", "printer.local", "metadata.google.internal",
]  # fmt: skip


@pytest.mark.parametrize("name", ["stagingUrl", "productionUrl"])
async def test_a_private_address_is_refused(shop: Shop, name: str) -> None:
    async with nothing_changes(shop):
        for host in PRIVATE:
            refusal = await shop.refused(PARTNER_CREATE, input=PARTNER | {name: f"https://{host}/orders"})

            assert refusal == ("INVALID", f"input.{name}", NOT_PUBLIC), host


NEVER_TOLD = [
    ("http://partner.example.com/orders", "must begin with https://"),
    ("https://me:secret@partner.example.com/", "no user name or password"),
    ("https://me@partner.example.com/", "no user name or password"),
    ("https://@partner.example.com/", "no user name or password"),
    ("ftp://partner.example.com/", "Not an absolute http(s) address"),
    ("file:///etc/passwd", "Not an absolute http(s) address"),
    ("https:///orders", "Not an absolute http(s) address"),
    ("https://partner.example.com:99999/", "Not an absolute http(s) address"),
    ("https://partner.example.com:0/", "Not an absolute http(s) address"),
    ("https://partner .example.com/", "Not an absolute http(s) address"),
    ("https://partner.example.com/\r\nX-Evil: 1", "Not an absolute http(s) address"),
    ("https://[::1", "Not an absolute http(s) address"),
    ("", "Not an absolute http(s) address"),
    ("https://partner.example.com/" + "x" * 3000, "longer than 2048"),
]
PUBLIC = [
    "https://partner.example.com/orders?key=1",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]:8443/",
    "https://[64:ff9b::808:808]/",
    "https://café.example/",
    "https://a1.example/",
]


async def test_an_address_that_could_never_be_told_is_refused(shop: Shop) -> None:
    async with nothing_changes(shop):
        for address, says in NEVER_TOLD:
            code, field, message = await shop.refused(PARTNER_CREATE, input=PARTNER | {"stagingUrl": address})

            assert (code, field) == ("INVALID", "input.stagingUrl"), address
            assert says in message
            assert "secret" not in message


async def test_a_public_address_is_taken(shop: Shop) -> None:
    for number, address in enumerate(PUBLIC):
        made = await shop(PARTNER_CREATE, input=PARTNER | {"slug": f"partner-{number}", "stagingUrl": address})

        assert made["partner"]["stagingUrl"] == address


async def test_the_sandboxs_own_address_is_taken_in_sandbox_mode_only(shop: Shop) -> None:
    own = PARTNER | {"stagingUrl": f"{shop.sandbox.url}/partner/fiscalis"}
    beside = PARTNER | {"stagingUrl": shop.sandbox.url.rpartition(":")[0] + ":9/partner/fiscalis"}

    async with nothing_changes(shop), installed_with(shop, sandbox_url=None) as installed:
        without = await installed.refused(PARTNER_CREATE, input=own)
    async with nothing_changes(shop):
        another_port = await shop.refused(PARTNER_CREATE, input=beside)
    taken = await shop(PARTNER_CREATE, input=own)

    assert without == another_port == ("INVALID", "input.stagingUrl", "The address must begin with https://.")
    assert taken["partner"]["stagingUrl"] == own["stagingUrl"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "127.0.0.1"], ["169.254.169.254", "10.0.0.1"]])
async def test_a_name_that_leads_into_a_private_network_is_not_dialled_and_not_tried_again(
    shop: Shop, addresses: list[str]
) -> None:
    product = await shop.product(partners=(await shop.partner(stagingUrl="https://partner.example.com/orders"),))
    usual = outside.outside()
    courier = Courier(resolver=Names(addresses))
    outside.use(replace(usual, courier=courier))
    try:
        order = await shop.sell(product)
    finally:
        outside.use(usual)
        await courier.close()

    (notification,) = order["notifications"]
    assert notification["status"] == "FAILED"
    (attempt,) = notification["attempts"]
    assert (attempt["statusCode"], attempt["response"]) == (None, None)
    assert attempt["error"] == "The address is not on the public internet."
    assert await shop.count("outbox", "done_at IS NULL AND lane = 'DELIVER'") == 0


async def test_a_redirect_is_not_followed_and_fails_for_good(shop: Shop) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    shop.sandbox.partner.answer(302)

    order = await shop.sell(product)

    (notification,) = order["notifications"]
    assert notification["status"] == "FAILED"
    assert [attempt["statusCode"] for attempt in notification["attempts"]] == [302]
    assert await shop.count("outbox", "done_at IS NULL AND lane = 'DELIVER'") == 0
    assert len(shop.told()) == 1
