"""The API, spoken to by the real `stripe` client."""

import httpx
import pytest
import stripe

from sandbox import Sandbox


@pytest.fixture
async def sandbox():
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox):
    return connect(sandbox)


def connect(sandbox, key="sk_test_sandbox"):
    return stripe.StripeClient(key, base_addresses={"api": sandbox.url}, max_network_retries=0)


async def test_a_customer_is_made_changed_and_found_by_email(client):
    made = await client.v1.customers.create_async(
        {"email": "marie@example.com", "name": "Marie", "metadata": {"client": "7", "old": "x"}}
    )
    await client.v1.customers.update_async(made.id, {"name": "", "phone": "+33612345678", "metadata": {"old": ""}})

    found = (await client.v1.customers.list_async({"email": "marie@example.com"})).data

    assert [customer.id for customer in found] == [made.id]
    assert (found[0].name, found[0].phone, found[0].metadata.to_dict()) == (None, "+33612345678", {"client": "7"})
    assert not found[0].livemode


async def test_a_list_is_read_page_by_page_both_ways(client):
    made = [(await client.v1.customers.create_async({"name": str(number)})).id for number in range(5)]

    first = await client.v1.customers.list_async({"limit": 2})
    second = await client.v1.customers.list_async({"limit": 2, "starting_after": first.data[-1].id})
    back = await client.v1.customers.list_async({"limit": 2, "ending_before": second.data[0].id})

    assert [customer.id for customer in [*first.data, *second.data]] == made[:0:-1]
    assert (first.has_more, back.has_more) == (True, False)
    assert [customer.id for customer in back.data] == [customer.id for customer in first.data]
    assert [customer.id async for customer in second.auto_paging_iter()] == made[2::-1]


async def test_a_product_has_the_default_price_it_was_made_with(client):
    made = await client.v1.products.create_async(
        {
            "name": "Bilan express",
            "metadata": {"partners": "fqca"},
            "default_price_data": {"currency": "EUR", "unit_amount": 120000},
            "expand": ["default_price"],
        }
    )
    dearer = await client.v1.prices.create_async({"currency": "eur", "unit_amount": 130000, "product": made.id})
    await client.v1.products.update_async(made.id, {"default_price": dearer.id, "active": False})

    product = await client.v1.products.retrieve_async(made.id)

    assert (made.default_price.unit_amount, made.default_price.currency) == (120000, "eur")
    assert (product.default_price, product.active, product.metadata["partners"]) == (dearer.id, False, "fqca")
    assert [price.id for price in (await client.v1.prices.list_async({"product": made.id})).data] == [
        dearer.id,
        made.default_price.id,
    ]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"mode": "payment", "success_url": "https://shop.example"}, "parameter_missing", "line_items"),
        ({"line_items": [{"price": "price_0", "quantity": 1}], "mode": "payment"}, "parameter_missing", "success_url"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"line_items": [{"colour": "red"}]}, "parameter_unknown", "line_items[0][colour]"),
        ({"line_items": [{"quantity": "two"}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        ({"customer_email": "not an address"}, "email_invalid", "customer_email"),
    ],
)
async def test_bad_parameters_are_named(client, params, code, param):
    filled = {"mode": "payment", "success_url": "https://shop.example", "line_items": [{"quantity": 1}]}
    given = params if code == "parameter_missing" else filled | params

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.checkout.sessions.create_async(given)

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
    assert refused.value.request_id.startswith("req_")


async def test_an_unknown_id_is_a_404(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.customers.retrieve_async("cus_nobody")

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (404, "resource_missing", "id")
    assert "cus_nobody" in str(refused.value)


async def test_what_cannot_be_expanded_is_refused(client):
    made = await client.v1.customers.create_async({"name": "Marie"})

    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await client.v1.customers.retrieve_async(made.id, {"expand": ["orders"]})


@pytest.mark.parametrize("key", ["sk_live_real_money", "rk_live_real_money", "pk_test_public", "nonsense"])
async def test_only_a_secret_test_key_opens(sandbox, key):
    with pytest.raises(stripe.AuthenticationError):
        await connect(sandbox, key).v1.balance.retrieve_async()


async def test_the_key_may_come_as_the_user_name_of_basic_auth(sandbox):
    async with httpx.AsyncClient() as http:
        answers = [
            await http.get(f"{sandbox.url}/v1/balance"),
            await http.get(f"{sandbox.url}/v1/balance", auth=("sk_test_sandbox", "")),
        ]

    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[1].json()["livemode"] is False


async def test_the_version_is_echoed_and_marks_the_events(sandbox):
    headers = {"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": "2025-01-27.acacia"}
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{sandbox.url}/v1/balance", headers=headers)

    assert answer.headers["stripe-version"] == "2025-01-27.acacia"
    assert answer.headers["request-id"].startswith("req_")
    assert sandbox.stripe.books.api_version == "2025-01-27.acacia"


async def test_what_is_not_spoken_says_so(client):
    with pytest.raises(stripe.InvalidRequestError, match="does not speak it"):
        await client.v1.payouts.list_async()


async def test_requests_are_kept_to_be_looked_at(sandbox, client):
    await client.v1.customers.create_async({"metadata": {"client": "7"}}, {"idempotency_key": "order:7:customer:1"})

    request = sandbox.stripe.requests[-1]

    assert (request.method, request.path) == ("POST", "/v1/customers")
    assert request.params == {"metadata": {"client": "7"}}
    assert request.idempotency_key == "order:7:customer:1"


async def test_everything_survives_a_restart(tmp_path):
    async with Sandbox(data=tmp_path / "sandbox.sqlite3") as before:
        made = await connect(before).v1.customers.create_async({"name": "Marie"}, {"idempotency_key": "once"})
    async with Sandbox(data=tmp_path / "sandbox.sqlite3") as after:
        again = await connect(after).v1.customers.create_async({"name": "Marie"}, {"idempotency_key": "once"})

        assert again.id == made.id
        assert (await connect(after).v1.customers.retrieve_async(made.id)).name == "Marie"
