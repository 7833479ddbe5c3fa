"""Coupons, what they take off a Checkout Session, and its line items page by page."""

import pytest
import stripe

from tests.sandbox.checkouts import open_session


def lines(*amounts, currency="eur"):
    return [
        {
            "price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": f"Bilan {number}"}},
            "quantity": 1,
        }
        for number, amount in enumerate(amounts)
    ]


async def test_a_coupon_is_made_and_found(client):
    off = await client.v1.coupons.create_async(
        {"amount_off": 1000, "currency": "EUR", "duration": "once", "name": "Bienvenue", "metadata": {"discount": "7"}}
    )
    percent = await client.v1.coupons.create_async({"id": "ETE", "percent_off": 12.5, "max_redemptions": 3})

    listed = (await client.v1.coupons.list_async()).data
    found = await client.v1.coupons.retrieve_async("ETE")

    assert [coupon.id for coupon in listed] == ["ETE", off.id]
    assert (off.amount_off, off.currency, off.percent_off, off.name) == (1000, "eur", None, "Bienvenue")
    assert off.metadata.to_dict() == {"discount": "7"}
    assert (found.percent_off, found.max_redemptions, found.times_redeemed, found.valid) == (12.5, 3, 0, True)
    assert found.duration == percent.duration == "once"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({}, "amount_off"),
        ({"amount_off": 1000, "currency": "eur", "percent_off": 10}, "amount_off"),
        ({"amount_off": 1000}, "currency"),
        ({"amount_off": 0, "currency": "eur"}, "amount_off"),
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 100.5}, "percent_off"),
        ({"percent_off": "a lot"}, "percent_off"),
        ({"percent_off": 10, "max_redemptions": 0}, "max_redemptions"),
        ({"percent_off": 10, "name": "x" * 41}, "name"),
        ({"percent_off": 10, "id": "ETE"}, "id"),
    ],
)
async def test_a_coupon_that_stripe_would_not_make_is_refused(client, wrong, param):
    await client.v1.coupons.create_async({"id": "ETE", "percent_off": 12.5})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.coupons.create_async(wrong)

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("coupon", "amounts", "taken"),
    [
        ({"amount_off": 1000, "currency": "eur"}, [9999], [1000]),
        ({"amount_off": 1000, "currency": "eur"}, [3000, 3000, 3000], [334, 333, 333]),
        ({"amount_off": 100, "currency": "eur"}, [100, 9900], [1, 99]),
        ({"percent_off": 10}, [9999], [1000]),
        ({"percent_off": 12.5}, [999, 999], [125, 125]),
        ({"percent_off": 33.33}, [1, 1000], [0, 334]),
    ],
)
async def test_a_discount_is_shared_between_the_lines_to_the_cent(client, sandbox, coupon, amounts, taken):
    made = await client.v1.coupons.create_async(coupon)
    opened = await open_session(client, line_items=lines(*amounts), discounts=[{"coupon": made.id}])

    session = await client.v1.checkout.sessions.retrieve_async(
        opened.id, {"expand": ["line_items", "total_details.breakdown"]}
    )

    assert (session.amount_subtotal, session.amount_total) == (sum(amounts), sum(amounts) - sum(taken))
    assert session.total_details.amount_discount == sum(taken)
    assert [discount.coupon for discount in session.discounts] == [made.id]
    items = session.line_items.data
    assert [item.amount_discount for item in items] == taken
    assert [item.amount_total for item in items] == [a - b for a, b in zip(amounts, taken, strict=True)]
    (breakdown,) = session.total_details.breakdown.discounts
    assert (breakdown.amount, breakdown.discount.coupon.id) == (sum(taken), made.id)
    assert breakdown.discount.checkout_session == session.id
    events = await sandbox.stripe.pay(opened.id)
    assert events[-2]["data"]["object"]["amount_received"] == session.amount_total


async def test_the_page_shows_what_the_coupon_takes_off(client, browser):
    coupon = await client.v1.coupons.create_async({"amount_off": 1000, "currency": "eur", "name": "Bienvenue"})
    session = await open_session(client, discounts=[{"coupon": coupon.id}])

    page = (await browser.get(session.url)).text.replace("\xa0", " ")

    for shown in ("Remise", "Bienvenue", "−10,00 €", "199,98 €", "Payer 189,98 €"):
        assert shown in page


async def test_a_coupon_ends_with_the_last_sale_allowed(client, sandbox):
    coupon = await client.v1.coupons.create_async({"percent_off": 10, "max_redemptions": 1})
    session = await open_session(client, discounts=[{"coupon": coupon.id}])

    await sandbox.stripe.pay(session.id)

    used = await client.v1.coupons.retrieve_async(coupon.id)
    assert (used.times_redeemed, used.valid) == (1, False)
    with pytest.raises(stripe.InvalidRequestError, match="used up") as refused:
        await open_session(client, discounts=[{"coupon": coupon.id}])
    assert refused.value.param == "discounts[0][coupon]"


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([{"coupon": "NOTHING"}], "discounts[0][coupon]"),
        ([{"coupon": "ETE"}, {"coupon": "ETE"}], "discounts"),
        ([{"coupon": "DOLLARS"}], "discounts[0][coupon]"),
        ([{"coupon": "ALL"}], None),
    ],
)
async def test_a_discount_that_stripe_would_not_give_is_refused(client, given, param):
    await client.v1.coupons.create_async({"id": "ETE", "percent_off": 10})
    await client.v1.coupons.create_async({"id": "ALL", "amount_off": 999999, "currency": "eur"})
    await client.v1.coupons.create_async({"id": "DOLLARS", "amount_off": 1000, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await open_session(client, discounts=given)

    assert refused.value.param == param


async def test_line_items_are_read_page_by_page_with_their_products(client):
    session = await open_session(client, line_items=lines(*range(1000, 1012)))
    items = client.v1.checkout.sessions.line_items

    first = await items.list_async(session.id, {"expand": ["data.price.product"]})
    second = await items.list_async(session.id, {"starting_after": first.data[-1].id})
    back = await items.list_async(session.id, {"ending_before": second.data[0].id, "limit": 3})
    with pytest.raises(stripe.InvalidRequestError):
        await items.list_async(session.id, {"starting_after": "li_none"})

    assert [item.amount_total for item in [*first.data, *second.data]] == list(range(1000, 1012))
    assert (first.has_more, second.has_more, back.has_more) == (True, False, True)
    assert [item.id for item in back.data] == [item.id for item in first.data[-3:]]
    assert first.data[3].price.product.name == "Bilan 3"
    assert isinstance(second.data[0].price.product, str)


@pytest.mark.parametrize("end", ["pay", "expire"])
async def test_a_session_that_ended_is_expired_no_more(client, sandbox, end):
    session = await open_session(client)
    ended = await sandbox.stripe.pay(session.id) if end == "pay" else [sandbox.stripe.expire(session.id)]

    with pytest.raises(stripe.InvalidRequestError, match=ended[-1]["data"]["object"]["status"]) as refused:
        await client.v1.checkout.sessions.expire_async(session.id)

    assert refused.value.http_status == 400
