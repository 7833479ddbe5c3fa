"""Payments that are flagged for a person are in the timeline of the client."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

KINDS = (
    "CLIENT_EMAIL", "PAYMENT_RECEIVED", "PAYMENT_FLAGGED", "PAYMENT_REFUNDED", "QUOTE_SENT", "QUOTE_ACCEPTED",
    "QUOTE_REFUSED", "BOOKING_CONFIRMED", "BOOKING_MOVED", "BOOKING_CANCELED", "TICKET_OPENED", "TICKET_REPLIED",
    "TICKET_RESOLVED", "OPPORTUNITY_MOVED", "BILAN_MOVED",
)  # fmt: skip

RULES = [
    "ALTER TABLE timeline_events DROP CONSTRAINT timeline_events_kind_check,"
    f" ADD CONSTRAINT timeline_events_kind_check CHECK (kind IN {KINDS})"
]


class Migration(migrations.Migration):
    dependencies = [("models", "0051_quotes_of_erased_clients")]

    initial = False

    operations: list[Any] = [ops.RunSQL(RULES, [])]
