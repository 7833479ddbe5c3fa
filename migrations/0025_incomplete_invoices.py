"""What was paid at Stripe before the organization's identity was complete waits for a person."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

CONFLICTS = (
    "'AMOUNT_MISMATCH', 'DUPLICATE_PAYMENT', 'OVERPAID', 'CANCELED_ORDER_PAID', 'REACTION_FAILED', 'UNKNOWN_SALE',"
    " 'REFUND_FAILED', 'INVOICE_INCOMPLETE', 'DISPUTE_LOST'"
)
KINDS = [
    "ALTER TABLE conflicts DROP CONSTRAINT conflicts_kind_check,"
    f" ADD CONSTRAINT conflicts_kind_check CHECK (kind IN ({CONFLICTS}))",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0024_refunds_and_disputes")]
    initial = False

    operations: list[Any] = [ops.RunSQL(KINDS, [])]
