"""What the demonstration sold before a newcomer comes: an order that was paid by transfer and given back, with its
invoice and its credit note, and the accountant's export of the year."""

from datetime import UTC, datetime

from models import Client, ExportKind, Membership, Order, Organization, Payment, PaymentMethod, Product, Role
from models.database import transaction
from services import demonstration, exports, payments, refunds, sales
from services.pricing import Item
from services.refunds import Wanted

REASON = "Séance annulée, d'un commun accord."


async def seed() -> None:
    """Made where nothing was ordered yet; each step commits, as when a person takes it."""
    organization = await Organization.get(slug=demonstration.SLUG)
    client = await Client.get(organization_id=organization.id, email=demonstration.CLIENT)
    if await Order.exists(organization_id=organization.id):
        return
    owner = await Membership.filter(organization_id=organization.id, role=Role.OWNER).order_by("id").first()
    assert owner
    async with transaction():
        payment = await _sell(organization, client, owner)
    await refunds.give_back(payment, Wanted(None, payment.currency, REASON, owner.id, reference="VIR 0043"))
    async with transaction():
        today = datetime.now(UTC).date()
        await exports.create(organization, ExportKind.FEC, today.replace(month=1, day=1), today, by=owner.id)


async def _sell(organization: Organization, client: Client, owner: Membership) -> Payment:
    """An order of the cheapest that is sold once, paid."""
    sold_once = Product.filter(organization_id=organization.id, price_cents__gt=0, interval=None)
    product = await sold_once.order_by("price_cents").first()
    assert product
    order = await sales.create(client, [Item(product, 1)])
    order = await Order.select_for_update().get(id=order.id)
    return await payments.record(
        order, PaymentMethod.TRANSFER, amount_cents=None, currency=order.currency, paid_at=None,
        reference="VIR 0042", by_id=owner.id,
    )  # fmt: skip
