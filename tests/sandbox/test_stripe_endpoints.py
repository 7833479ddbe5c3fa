"""Webhook endpoints made by the API: their secrets, what they are sent, what they are not."""

import json
import time

import httpx
import pytest
import stripe

from providers.stripe import verify
from sandbox import Sandbox

OURS = "https://comptoir.test/webhooks/stripe"


class Net:
    """Whatever is posted, by address."""

    def __init__(self):
        self.posts = []
        self.transport = httpx.MockTransport(self._receive)

    def _receive(self, request):
        self.posts.append(request)
        return httpx.Response(200)

    def types(self, url):
        return [json.loads(post.content)["type"] for post in self.posts if str(post.url) == url]


@pytest.fixture
def net():
    return Net()


@pytest.fixture
async def sandbox(net):
    async with Sandbox(transport=net.transport) as sandbox:
        sandbox.stripe.hold = False
        yield sandbox


@pytest.fixture
def client(sandbox):
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


async def two_events(sandbox, client):
    """A product made, and changed."""
    product = await client.v1.products.create_async({"name": "Bilan"})
    await client.v1.products.update_async(product.id, {"name": "Bilan complet"})
    await sandbox.stripe.settled()


async def test_an_endpoint_is_sent_what_it_asked_for_signed_with_its_own_secret(sandbox, client, net):
    made = await client.v1.webhook_endpoints.create_async({"url": OURS, "enabled_events": ["product.updated"]})
    await client.v1.webhook_endpoints.create_async({"url": f"{OURS}/all", "enabled_events": ["*"]})

    await two_events(sandbox, client)

    assert net.types(OURS) == ["product.updated"]
    assert sorted(net.types(f"{OURS}/all")) == ["product.created", "product.updated"]
    (post,) = [post for post in net.posts if str(post.url) == OURS]
    assert verify(post.content, post.headers["Stripe-Signature"], [made.secret], time.time())
    assert [event["pending_webhooks"] for event in sandbox.stripe.events()] == [0, 0]


async def test_a_secret_is_shown_once(client):
    made = await client.v1.webhook_endpoints.create_async({"url": OURS, "enabled_events": ["*"]})

    found = await client.v1.webhook_endpoints.retrieve_async(made.id)
    (listed,) = (await client.v1.webhook_endpoints.list_async()).data

    assert made.secret.startswith("whsec_")
    assert "secret" not in found
    assert "secret" not in listed
    assert (found.id, found.status, found.url) == (made.id, "enabled", OURS)


async def test_an_endpoint_that_is_disabled_or_deleted_is_sent_nothing(sandbox, client, net):
    disabled = await client.v1.webhook_endpoints.create_async({"url": OURS, "enabled_events": ["*"]})
    deleted = await client.v1.webhook_endpoints.create_async({"url": f"{OURS}/old", "enabled_events": ["*"]})
    await client.v1.webhook_endpoints.update_async(disabled.id, {"disabled": True})
    assert (await client.v1.webhook_endpoints.delete_async(deleted.id)).deleted

    await two_events(sandbox, client)

    assert net.posts == []
    enabled = await client.v1.webhook_endpoints.update_async(disabled.id, {"disabled": False})
    assert enabled.status == "enabled"
    await two_events(sandbox, client)
    assert len(net.types(OURS)) == 2
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        await client.v1.webhook_endpoints.retrieve_async(deleted.id)


async def test_events_that_are_lost_are_listed_and_never_sent(sandbox, client, net):
    await client.v1.webhook_endpoints.create_async({"url": OURS, "enabled_events": ["*"]})
    sandbox.stripe.lose_next(1)

    await two_events(sandbox, client)

    assert net.types(OURS) == ["product.updated"]
    missed = await client.v1.events.list_async({"delivery_success": False})
    assert [event.type for event in missed.data] == ["product.created"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"enabled_events": ["*"]}, "url"),
        ({"url": OURS}, "enabled_events"),
        ({"url": "nowhere", "enabled_events": ["*"]}, "url"),
        ({"url": OURS, "enabled_events": ["*", "product.updated"]}, "enabled_events"),
    ],
)
async def test_what_is_no_endpoint_is_refused(client, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.webhook_endpoints.create_async(params)

    assert refused.value.param == param
