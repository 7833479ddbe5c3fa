"""What tests of payments begin with, and look at."""


async def open_session(client, **more):
    """A Checkout Session of 199.98 euros."""
    price = {"currency": "eur", "unit_amount": 9999, "product_data": {"name": "Déclaration d'impôts"}}
    params = {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 2}],
        "success_url": "https://shop.example/merci?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/panier",
        "customer_email": "marie@example.com",
        "client_reference_id": "42",
        "metadata": {"order": "42"},
        "payment_intent_data": {"metadata": {"order": "42"}},
    }
    return await client.v1.checkout.sessions.create_async({**params, **more})


def types(events):
    return [event["type"] for event in events]
