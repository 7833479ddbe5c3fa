"""Idempotency keys, as Stripe honours them."""

import asyncio

import httpx
import pytest
import stripe

KEY = {"idempotency_key": "order:7:customer:1"}


async def count(client):
    return len((await client.v1.customers.list_async()).data)


async def test_the_same_key_makes_one_customer(client):
    made = [await client.v1.customers.create_async({"name": "Marie"}, KEY) for _ in range(3)]

    assert len({customer.id for customer in made}) == await count(client) == 1
    assert [answer.last_response.headers.get("idempotent-replayed") for answer in made] == [None, "true", "true"]


async def test_the_same_key_with_other_parameters_is_refused(client):
    await client.v1.customers.create_async({"name": "Marie"}, KEY)

    with pytest.raises(stripe.IdempotencyError) as refused:
        await client.v1.customers.create_async({"name": "Paul"}, KEY)

    assert refused.value.http_status == 400
    assert await count(client) == 1


async def test_the_same_key_while_the_first_request_runs_is_a_conflict(sandbox, client):
    sandbox.stripe.fail_next(200, delay=1)

    first, second = await asyncio.gather(
        *(client.v1.customers.create_async({"name": "Marie"}, KEY) for _ in range(2)), return_exceptions=True
    )

    made, refused = (second, first) if isinstance(first, Exception) else (first, second)
    assert (refused.http_status, refused.error.code) == (409, "idempotency_key_in_use")
    assert (await client.v1.customers.retrieve_async(made.id)).name == "Marie"


async def test_an_error_met_while_executing_is_replayed(client):
    params = {"customer": "cus_nobody", "mode": "payment", "success_url": "https://shop.example"}
    params["line_items"] = [{"price": "price_0", "quantity": 1}]

    errors = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await client.v1.checkout.sessions.create_async(params, KEY)
        errors.append(refused.value)

    assert [error.http_status for error in errors] == [404, 404]
    assert [error.headers.get("idempotent-replayed") for error in errors] == [None, "true"]


async def test_a_500_is_replayed_for_its_key_and_not_for_another(sandbox, client):
    sandbox.stripe.fail_next(500)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            await client.v1.customers.create_async({"name": "Marie"}, KEY)
        assert failed.value.http_status == 500
    assert await count(client) == 0

    await client.v1.customers.create_async({"name": "Marie"}, {"idempotency_key": "order:7:customer:2"})

    assert await count(client) == 1


async def test_bad_parameters_leave_the_key_free(client):
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.customers.create_async({"colour": "red"}, KEY)

    assert (await client.v1.customers.create_async({"name": "Marie"}, KEY)).name == "Marie"


async def test_too_many_requests_leave_the_key_free(sandbox, client):
    sandbox.stripe.fail_next(429)
    with pytest.raises(stripe.RateLimitError):
        await client.v1.customers.create_async({"name": "Marie"}, KEY)

    assert (await client.v1.customers.create_async({"name": "Marie"}, KEY)).name == "Marie"


async def test_a_lost_answer_was_executed_and_the_key_finds_it(sandbox, client):
    sandbox.stripe.fail_next(status=None)
    with pytest.raises(stripe.APIConnectionError):
        await client.v1.customers.create_async({"name": "Marie"}, KEY)
    assert await count(client) == 1

    again = await client.v1.customers.create_async({"name": "Marie"}, KEY)

    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert await count(client) == 1


async def test_a_fault_can_wait_for_its_path(sandbox, client):
    sandbox.stripe.fail_next(503, path="/v1/products")

    await client.v1.customers.create_async({"name": "Marie"})
    with pytest.raises(stripe.APIError):
        await client.v1.products.create_async({"name": "Bilan"})


async def test_a_key_is_forgotten_after_a_day(clock, client):
    first = await client.v1.customers.create_async({"name": "Marie"}, KEY)
    clock.now += 24 * 3600 + 1

    second = await client.v1.customers.create_async({"name": "Paul"}, KEY)

    assert second.id != first.id


async def test_a_hang_up_gives_not_one_byte(sandbox):
    sandbox.stripe.fail_next(status=None)

    with pytest.raises(httpx.RemoteProtocolError):
        async with httpx.AsyncClient() as http:
            await http.get(f"{sandbox.url}/v1/balance", headers={"Authorization": "Bearer sk_test_sandbox"})
