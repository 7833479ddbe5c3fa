"""What clients may use: each order, once paid, grants what it sold."""

from datetime import UTC, datetime

from models import Access, Client, Order, OrderLine
from services import telling
from services.outbox import later


async def grant(order: Order) -> None:
    """The client may use what was sold from now on. Whoever may use something for the first time is welcomed."""
    # One order of a client at a time: two that are paid at once are not both the first.
    await Client.select_for_update(no_key=True).get(id=order.client_id)
    known = await Access.exists(client_id=order.client_id, live=order.live)
    products = {line.product_id for line in await OrderLine.filter(order_id=order.id)}
    for product_id in sorted(products):
        await Access.get_or_create(
            order_id=order.id, product_id=product_id,
            defaults={
                "organization_id": order.organization_id, "client_id": order.client_id, "live": order.live,
                "starts_at": datetime.now(UTC),
            },
        )  # fmt: skip
    if not known:
        await later(telling.welcome, order)
