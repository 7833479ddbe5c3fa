"""What Stripe keeps of a client: cards, and the billing portal where the client looks after them."""

from secrets import token_hex

import stripe

import errors
from models import Client, ClientSubscription
from services import checkout, stripe_accounts, twins
from services.stripe_accounts import Place


async def portal_link(client: Client, return_url: str) -> str:
    """The address of the client's billing portal, good for some minutes. Their Stripe customer is made where there is
    none. Raises Invalid for a return address that is not ours, or what Stripe said."""
    checkout.check_return(return_url, "input.returnUrl")
    place = await _place(client)
    request = {"customer": await twins.make_customer(client, place), "return_url": return_url, "locale": "fr"}
    asked = await stripe_accounts.at(place.account, place.live)
    # Each link is new: the same key would give one that is good no longer.
    try:
        session = await asked.create_portal_session(request, f"client:{client.id}:portal:{token_hex(8)}")
    except errors.Gone:  # somebody deleted the customer at Stripe: the next try makes a new one
        await twins.forget_customer(client, place)
        raise
    return session.url


async def payment_methods(client: Client) -> tuple[list[stripe.PaymentMethod], str | None]:
    """What a client can pay by while away, newest first, and the id of the one that is charged unless told."""
    place = await _place(client)
    id = await twins.known(client, place)
    if id is None:
        return [], None
    asked = await stripe_accounts.at(place.account, place.live)
    try:
        customer = await asked.customer(id)
        methods = await asked.payment_methods(id)
    except errors.Gone:  # somebody deleted the customer at Stripe
        return [], None
    settings = customer.invoice_settings
    default = settings.default_payment_method if settings else None
    return methods, str(default) if default else None


async def _place(client: Client) -> Place:
    """Where they are charged: the account of what they subscribed to last and goes on, else the one of new sales."""
    running = await ClientSubscription.filter(client_id=client.id, ended_at=None).order_by("-id").first()
    if running and await stripe_accounts.serves(running.stripe_account, running.live):
        return Place(running.stripe_account, running.live)
    return await stripe_accounts.of(client.organization_id)
