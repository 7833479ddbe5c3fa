"""The demonstration's owner lists orders, makes one, starts its checkout, and sees it paid."""

import asyncio
import os
import sys
from contextlib import aclosing
from uuid import uuid4

from api import Api, ApiError
from comptoir import (
    CheckoutStartCheckoutStartCheckoutStarted,
    CheckoutStartInput,
    ErrorCode,
    OrderCreateInput,
    OrderLineInput,
    OrderStatus,
    OrderSummary,
)
from orders import follow, pages
from session import Session, sign_in

URL = os.environ.get("COMPTOIR_URL", "http://127.0.0.1:8000/graphql")
EMAIL = os.environ.get("EMAIL", "owner@demo.test")
PASSWORD = os.environ.get("PASSWORD", "comptoir-demo")
RETURN_URL = os.environ.get("RETURN_URL", "http://127.0.0.1:8000/")  # where the client lands once paid


async def main() -> None:
    session = await sign_in(URL, EMAIL, PASSWORD, ask_code)
    print(f"Signed in as {EMAIL}")
    async with session.api() as api:
        async for page in pages(api, first=2):
            for order in page:
                print(f"  {order.number} {order.status.value} {order.total.formatted} {order.client.email}")
        made = await make_order(api)
        await start_checkout(api, made.id)
        await see_paid(session, made.id)
        try:
            await start_checkout(api, made.id)
        except ApiError as refusal:
            if refusal.code is not ErrorCode.CONFLICT:
                raise
            print(f"Not twice: {refusal}")


async def ask_code() -> str:
    return await asyncio.to_thread(input, "Code of your authenticator app: ")


async def make_order(api: Api) -> OrderSummary:
    catalogue = await api.catalogue()
    if not (catalogue.clients.nodes and catalogue.products.nodes):
        sys.exit("There is nobody to sell to, or nothing to sell.")
    given = OrderCreateInput(
        client=catalogue.clients.nodes[0].id,
        lines=[OrderLineInput(product=catalogue.products.nodes[0].id, quantity=1)],
        idempotency_key=str(uuid4()),  # sent again with it, where the answer was lost, the order is made once
    )
    return (await api.order_create(given)).order


async def start_checkout(api: Api, order: str) -> None:
    started = await api.checkout_start(CheckoutStartInput(order=order, success_url=RETURN_URL))
    if isinstance(started, CheckoutStartCheckoutStartCheckoutStarted):
        print(f"Pay at {started.url} until {started.expires_at:%c}")
    else:
        print(f"There was nothing to pay: order {started.order_number} is complete")


async def see_paid(session: Session, order: str) -> None:
    async with aclosing(follow(session, order)) as changes:
        async for changed in changes:
            seen = changed.order
            print(f"  {seen and seen.status.value} {', '.join(each.value for each in changed.happened)}")
            if seen is None or seen.status is not OrderStatus.OPEN:
                return


try:
    asyncio.run(main())
except ApiError as refusal:
    sys.exit(f"{refusal.code.value}: {refusal}")
