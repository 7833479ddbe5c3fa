"""What the tests of Stripe's stand-in share: a clock to turn, the sandbox, the vendor's own client, a browser."""

import httpx
import pytest
import stripe

from sandbox import Sandbox


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


@pytest.fixture
async def browser(sandbox):
    async with httpx.AsyncClient(base_url=sandbox.url) as browser:
        yield browser
