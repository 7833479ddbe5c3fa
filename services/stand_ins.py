"""Products that stand on orders for what is sold and is in no catalogue: a service, a formule, an opportunity."""

from typing import Any

from models import Formule, Opportunity, Product, Service, StandIn
from services import catalogue_sync
from services.outbox import later


async def product_of(
    sold: Service | Formule | Opportunity, stands_for: StandIn, name: str, price_cents: int | None
) -> Product:
    """What stands for what is sold, a row that is locked: made with its first order, and kept as that is."""
    said: dict[str, Any] = {
        "name": name, "price_cents": price_cents, "currency": sold.currency, "vat_rate": sold.vat_rate,
    }  # fmt: skip
    if sold.product_id is None:
        made = await Product.create(
            organization_id=sold.organization_id, active=False, stands_for=stands_for, **said
        )  # fmt: skip
        sold.product_id = made.id
        await sold.save(update_fields=["product_id"])
        return made
    product = await Product.get(id=sold.product_id)
    if any(getattr(product, name) != value for name, value in said.items()):
        await product.update_from_dict(said).save(update_fields=list(said))
        await later(catalogue_sync.push, product)
    return product
