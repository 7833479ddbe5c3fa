"""Who was told last of those who held an appointment; since when a feed of appointments says what it says; how often a
place was held to be paid."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._known import Known

COLUMNS = [
    "ALTER TABLE appointments ADD COLUMN staff_told_id uuid",
    "UPDATE appointments SET staff_told_id = staff_id WHERE staff_told_sequence IS NOT NULL",
    "ALTER TABLE calendar_feeds ADD COLUMN etag varchar(34), ADD COLUMN changed_at timestamptz,"
    " ADD CONSTRAINT calendar_feeds_changed_check CHECK ((etag IS NULL) = (changed_at IS NULL))",
    "ALTER TABLE bookings ADD COLUMN holds smallint NOT NULL DEFAULT 0,"
    " ADD CONSTRAINT bookings_holds_check CHECK (holds >= 0)",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0039_documents")]

    initial = False

    operations: list[Any] = [
        ops.RunSQL(COLUMNS, []),
        Known(model_name="Appointment", name="staff_told_id", field=fields.UUIDField(null=True)),
        Known(model_name="CalendarFeed", name="etag", field=fields.CharField(null=True, max_length=34)),
        Known(
            model_name="CalendarFeed",
            name="changed_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        Known(model_name="Booking", name="holds", field=fields.SmallIntField(default=0)),
    ]
