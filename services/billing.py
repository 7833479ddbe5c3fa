"""What Stripe keeps of a client: cards, and the billing portal where the client looks after them."""

from secrets import token_hex

import stripe

import errors
from models import Client
from services import checkout, twins
from services.outside import outside
from services.twins import PLATFORM


async def portal_link(client: Client, return_url: str) -> str:
    """The address of the client's billing portal, good for some minutes. Their Stripe customer is made where there is
    none. Raises Invalid for a return address that is not ours, or what Stripe said."""
    checkout.check_return(return_url, "input.returnUrl")
    customer = await _customer(client)
    request = {"customer": customer, "return_url": return_url, "locale": "fr"}
    # Each link is new: the same key would give one that is good no longer.
    try:
        session = await outside().stripe.create_portal_session(request, f"client:{client.id}:portal:{token_hex(8)}")
    except errors.Gone:  # somebody deleted the customer at Stripe: the next try makes a new one
        await Client.filter(id=client.id, stripe_id=customer).update(stripe_id=None)
        raise
    return session.url


async def payment_methods(client: Client) -> tuple[list[stripe.PaymentMethod], str | None]:
    """What a client can pay by while away, newest first, and the id of the one that is charged unless told."""
    if not client.known_at(PLATFORM, outside().settings.live):
        return [], None
    assert client.stripe_id is not None
    try:
        customer = await outside().stripe.customer(client.stripe_id)
        methods = await outside().stripe.payment_methods(client.stripe_id)
    except errors.Gone:  # somebody deleted the customer at Stripe
        return [], None
    settings = customer.invoice_settings
    default = settings.default_payment_method if settings else None
    return methods, str(default) if default else None


async def _customer(client: Client) -> str:
    await twins.make_customer(client, PLATFORM, outside().settings.live)
    await client.refresh_from_db(fields=["stripe_id"])
    return str(client.stripe_id)
