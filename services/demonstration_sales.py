"""What the demonstration sold before a newcomer comes: an order that was paid by transfer and given back, with its
invoice and its credit note; a pack of sessions; what was won, to be paid; and the accountant's export of the year."""

from datetime import UTC, datetime

from models import (
    Client,
    ExportKind,
    Membership,
    Opportunity,
    OpportunityStage,
    Order,
    Organization,
    Payment,
    PaymentMethod,
    Product,
    Role,
)
from models.database import transaction
from services import demonstration, exports, opportunity_orders, payments, refunds, sales
from services.demonstration_bookings import PACK
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
    sold_once = Product.filter(organization_id=organization.id, price_cents__gt=0, interval=None)
    cheapest = await sold_once.order_by("price_cents").first()
    pack = await Product.get(organization_id=organization.id, name=PACK)
    assert cheapest
    async with transaction():
        payment = await _sell(cheapest, client, owner, "VIR 0042")
        await _sell(pack, client, owner, "VIR 0044")
        won = Opportunity.filter(organization_id=organization.id, client_id=client.id, stage=OpportunityStage.WON)
        for opportunity in await won.filter(order_id=None).select_for_update(no_key=True):
            await opportunity_orders.make(opportunity)
    await refunds.give_back(payment, Wanted(None, payment.currency, REASON, owner.id, reference="VIR 0043"))
    async with transaction():
        today = datetime.now(UTC).date()
        await exports.create(organization, ExportKind.FEC, today.replace(month=1, day=1), today, by=owner.id)


async def _sell(product: Product, client: Client, owner: Membership, reference: str) -> Payment:
    """An order, paid."""
    order = await sales.create(client, [Item(product, 1)])
    order = await Order.select_for_update().get(id=order.id)
    return await payments.record(
        order, PaymentMethod.TRANSFER, amount_cents=None, currency=order.currency, paid_at=None,
        reference=reference, by_id=owner.id,
    )  # fmt: skip
