"""Accounts beside the first: where their pages are, before and after a restart."""

import httpx
import stripe

from sandbox import Sandbox

ASKED = {
    "mode": "payment",
    "success_url": "https://shop.test/",
    "line_items": [
        {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": 500, "product_data": {"name": "Pain"}}}
    ],
}


async def test_a_link_of_an_own_account_leads_to_its_page_after_a_restart(tmp_path):
    async with opened(tmp_path) as sandbox:
        url = await ask(sandbox, "alpha")
        assert not url.startswith(sandbox.url)

    async with opened(tmp_path) as sandbox:
        assert await status(url) == 200
        assert sandbox.accounts.urls == {"acct_alpha": url.rpartition("/pay/")[0]}
        assert (await ask(sandbox, "beta")).startswith(sandbox.accounts.urls["acct_beta"])


async def test_where_another_program_has_the_port_the_pages_are_elsewhere(tmp_path):
    async with opened(tmp_path) as sandbox:
        old = (await ask(sandbox, "alpha")).rpartition("/pay/")[0]

    async with Sandbox(port=int(old.rpartition(":")[2])), opened(tmp_path) as sandbox:
        new = sandbox.accounts.urls["acct_alpha"]
        assert new != old
        assert await status(await ask(sandbox, "alpha")) == 200


def opened(folder):
    return Sandbox(data=folder / "sandbox.sqlite3")


async def ask(sandbox, account):
    """The address of a page of an account's."""
    at = {"api": sandbox.url}
    client = stripe.StripeClient(f"sk_test_of_{account}_1", base_addresses=at, max_network_retries=0)
    return (await client.v1.checkout.sessions.create_async(ASKED)).url


async def status(url):
    async with httpx.AsyncClient() as browser:
        return (await browser.get(url)).status_code
