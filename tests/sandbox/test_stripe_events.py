"""Events: signed, delivered, repeated, disordered; listed by the API."""

import asyncio

import httpx
import pytest
import stripe

from sandbox import Sandbox

SECRET = "whsec_of_the_test"


class Endpoint:
    """A webhook endpoint that answers what it is told to: statuses in turn, then 200."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.received = []
        self._arrivals = asyncio.Queue()
        self.transport = httpx.MockTransport(self._receive)

    def _receive(self, request):
        self.received.append(request)
        self._arrivals.put_nowait(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    def sandbox(self, **more):
        return Sandbox(
            webhook_url="http://comptoir.test/webhooks/stripe",
            webhook_secret=SECRET,
            transport=self.transport,
            first_retry=0.001,
            **more,
        )

    async def has_received(self, count):
        """Wait for that many arrivals more."""
        async with asyncio.timeout(10):
            for _ in range(count):
                await self._arrivals.get()


def connect(sandbox):
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


async def expired_session(sandbox):
    """The shortest way to exactly one event."""
    price = {"currency": "eur", "unit_amount": 9999, "product_data": {"name": "Bilan"}}
    session = await connect(sandbox).v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "https://shop.example",
            "customer_email": "marie@example.com",
        }
    )
    return sandbox.stripe.expire(session.id)


def verified(request):
    return stripe.Webhook.construct_event(request.content, request.headers["stripe-signature"], SECRET)


async def test_an_event_is_delivered_and_its_signature_verifies():
    endpoint = Endpoint()
    async with endpoint.sandbox() as sandbox:
        event = await expired_session(sandbox)
        await endpoint.has_received(1)

        received = verified(endpoint.received[0])

    assert (received.id, received.type, received.livemode) == (event["id"], "checkout.session.expired", False)
    assert endpoint.received[0].headers["content-type"].startswith("application/json")
    request = endpoint.received[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(request.content + b" ", request.headers["stripe-signature"], SECRET)


async def test_a_refused_event_comes_again_until_it_is_taken():
    endpoint = Endpoint(500, httpx.ConnectError("nobody there"), 404)
    async with endpoint.sandbox() as sandbox:
        event = await expired_session(sandbox)
        await sandbox.stripe.settled()

        attempts = sandbox.stripe.attempts(event["id"])

    assert [attempt["status"] or attempt["error"] for attempt in attempts] == [500, "nobody there", 404, 200]
    assert {verified(request).id for request in endpoint.received} == {event["id"]}


async def test_copies_arrive_at_once_each_with_its_signature():
    endpoint = Endpoint()
    async with endpoint.sandbox() as sandbox:
        sandbox.stripe.hold = True
        event = await expired_session(sandbox)

        answers = await sandbox.stripe.deliver(event, copies=10)

    assert [answer.status_code for answer in answers] == [200] * 10
    assert {verified(request).id for request in endpoint.received} == {event["id"]}


async def test_held_events_are_delivered_by_hand_in_any_order():
    endpoint = Endpoint()
    async with endpoint.sandbox() as sandbox:
        sandbox.stripe.hold = True
        events = [await expired_session(sandbox) for _ in range(3)]
        assert endpoint.received == []

        for event in reversed(events):
            await sandbox.stripe.deliver(event)

    assert [verified(request).id for request in endpoint.received] == [event["id"] for event in reversed(events)]


async def test_without_an_address_events_are_held_until_there_is_one():
    endpoint = Endpoint()
    async with Sandbox(webhook_secret=SECRET, transport=endpoint.transport) as sandbox:
        event = await expired_session(sandbox)
        assert sandbox.stripe.hold
        with pytest.raises(ValueError, match="webhook_url"):
            await sandbox.stripe.deliver(event)

        sandbox.webhook_url = "http://comptoir.test/webhooks/stripe"
        await sandbox.stripe.deliver(event)

    assert len(endpoint.received) == 1


async def test_no_answer_is_an_error_for_who_delivers_by_hand():
    endpoint = Endpoint(httpx.ReadTimeout("too slow"))
    async with endpoint.sandbox() as sandbox:
        sandbox.stripe.hold = True
        event = await expired_session(sandbox)

        with pytest.raises(httpx.ReadTimeout):
            await sandbox.stripe.deliver(event)


async def test_what_was_not_delivered_is_after_a_restart(tmp_path):
    away, back = Endpoint(*[503] * 1000), Endpoint()
    async with away.sandbox(data=tmp_path / "sandbox.sqlite3") as sandbox:
        event = await expired_session(sandbox)
        await away.has_received(1)
    async with back.sandbox(data=tmp_path / "sandbox.sqlite3"):
        await back.has_received(1)

    assert verified(back.received[0]).id == event["id"]


async def test_events_are_listed_newest_first_by_type_and_time():
    now = 1_800_000_000
    async with Sandbox(clock=lambda: now) as sandbox:
        events = []
        for _ in range(3):
            events.append((await expired_session(sandbox))["id"])
            now += 10
        client = connect(sandbox)

        page = await client.v1.events.list_async({"limit": 2, "type": "checkout.session.expired"})
        later = await client.v1.events.list_async({"created": {"gt": 1_800_000_000}})
        none = await client.v1.events.list_async({"type": "charge.refunded"})
        one = await client.v1.events.retrieve_async(events[0])

    assert ([event.id for event in page.data], page.has_more) == (events[:0:-1], True)
    assert [event.id for event in later.data] == events[:0:-1]
    assert none.data == []
    assert one.id == events[0]


async def test_events_are_listed_by_several_types_and_groups_of_them():
    async with Sandbox() as sandbox:
        client = connect(sandbox)
        product = await client.v1.products.create_async({"name": "Bilan"})
        await client.v1.products.update_async(product.id, {"name": "Bilan express"})
        await client.v1.customers.create_async({"name": "Marie"})
        await expired_session(sandbox)

        async def listed(**params):
            return [event.type for event in (await client.v1.events.list_async(params)).data]

        several = await listed(types=["customer.created", "product.created", "charge.refunded"])
        groups = [await listed(type=type) for type in ("product.*", "*.created", "customer.?reated", "[c]*")]
        with pytest.raises(stripe.InvalidRequestError, match="type, types"):
            await listed(type="product.*", types=["customer.created"])
        with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
            await listed(types=[f"type.{number}" for number in range(21)])

    assert several == ["customer.created", "product.created"]
    assert groups == [["product.updated", "product.created"], ["customer.created", "product.created"], [], []]


async def test_events_are_read_page_by_page_both_ways_within_a_time():
    now = 1_800_000_000
    async with Sandbox(clock=lambda: now) as sandbox:
        ids = []
        for _ in range(5):
            ids.append((await expired_session(sandbox))["id"])
            now += 10
        events = connect(sandbox).v1.events
        within = {"created": {"gte": 1_800_000_010, "lte": 1_800_000_040}, "limit": 2}

        first = await events.list_async(within)
        second = await events.list_async({**within, "starting_after": first.data[-1].id})
        back = await events.list_async({**within, "ending_before": second.data[0].id})

    assert [event.id for event in [*first.data, *second.data]] == ids[:0:-1]
    assert (first.has_more, second.has_more) == (True, False)
    assert [event.id for event in back.data] == [event.id for event in first.data]


async def test_events_that_nobody_took_are_told_from_those_delivered():
    endpoint = Endpoint(500)
    async with endpoint.sandbox() as sandbox:
        sandbox.stripe.hold = True
        lost, kept, taken = [await expired_session(sandbox) for _ in range(3)]
        await sandbox.stripe.deliver(lost)
        await sandbox.stripe.deliver(taken)
        events = connect(sandbox).v1.events

        undelivered = await events.list_async({"delivery_success": False})
        delivered = await events.list_async({"delivery_success": True})

    assert [event.id for event in undelivered.data] == [kept["id"], lost["id"]]
    assert [(event.id, event.pending_webhooks) for event in delivered.data] == [(taken["id"], 0)]


async def test_the_page_shows_events_and_delivers_them_again():
    endpoint = Endpoint()
    async with endpoint.sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.url) as browser:
        event = await expired_session(sandbox)
        await endpoint.has_received(1)

        page = await browser.get("/stripe")
        await browser.post(f"/stripe/events/{event['id']}/deliver")
        await browser.post(f"/stripe/events/{event['id']}/deliver", data={"copies": "10"})
        await browser.post("/stripe/shuffle")
        await browser.post("/stripe/hold", data={"hold": "yes"})

        assert event["id"] in page.text
        assert len(endpoint.received) == 1 + 1 + 10 + 1
        assert sandbox.stripe.hold
