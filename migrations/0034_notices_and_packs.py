"""What people hear of bookings: reminders, feeds, what was told last; prepaid packs, drawn down by bookings."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.notice import ReminderChannel

TABLES = ("booking_reminders", "calendar_feeds", "packs", "product_services")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("booking_reminders", "booking_id", "bookings"),
    ("calendar_feeds", "staff_id", "staff"),
    ("packs", "client_id", "clients"),
    ("packs", "access_id", "accesses"),
    ("product_services", "product_id", "products"),
    ("product_services", "service_id", "services"),
    ("bookings", "pack_id", "packs"),
)

MINUTES = "~ '^([1-9][0-9]{0,4}( [1-9][0-9]{0,4}){0,4})?$'"

RULES = [
    *(
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey, ADD CONSTRAINT {table}_organization"
        " FOREIGN KEY (organization_id) REFERENCES organizations (id),"
        f" ADD CONSTRAINT {table}_tenant UNIQUE (organization_id, id)"
        for table in TABLES
    ),
    *(
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_fkey, ADD CONSTRAINT {table}_{column}"
        f" FOREIGN KEY (organization_id, {column}) REFERENCES {target} (organization_id, id)"
        for table, column, target in WITHIN_TENANT
    ),
    "ALTER TABLE booking_reminders ADD CONSTRAINT booking_reminders_channel_check CHECK (channel IN ('EMAIL')),"
    " ADD CONSTRAINT booking_reminders_due_check CHECK (minutes_before > 0 AND due_at < starts_at)",
    "ALTER TABLE calendar_feeds ADD CONSTRAINT calendar_feeds_hash_check CHECK (token_hash ~ '^[0-9a-f]{64}$')",
    "CREATE UNIQUE INDEX calendar_feeds_one ON calendar_feeds (staff_id) WHERE revoked_at IS NULL",
    "CREATE INDEX calendar_feeds_staff_id_index ON calendar_feeds (staff_id)",
    # However many draw at once, no session is used that was not bought.
    "ALTER TABLE packs ADD CONSTRAINT packs_used_check CHECK (sessions > 0 AND used BETWEEN 0 AND sessions)",
    "CREATE INDEX packs_of_client ON packs (client_id, id)",
    "CREATE INDEX packs_access_id_index ON packs (access_id)",
    "CREATE INDEX product_services_service_id_index ON product_services (service_id)",
    "CREATE INDEX bookings_pack_id_index ON bookings (pack_id)",
    "ALTER TABLE bookings ADD CONSTRAINT bookings_draws_check CHECK (NOT draws_session OR pack_id IS NOT NULL)",
    "ALTER TABLE products ADD CONSTRAINT products_pack_check"
    ' CHECK (pack_sessions > 0 AND "interval" IS NULL OR num_nonnulls(pack_sessions, pack_days) = 0),'
    " ADD CONSTRAINT products_pack_days_check CHECK (pack_days > 0)",
    f"ALTER TABLE services ADD CONSTRAINT services_reminders_check CHECK (reminder_minutes {MINUTES})",
    "ALTER TABLE organizations ALTER COLUMN reminder_minutes SET DEFAULT '1440 120',"
    f" ADD CONSTRAINT organizations_reminder_minutes_check CHECK (reminder_minutes {MINUTES})",
    audited("calendar_feeds", "CalendarFeed", redacted=("token_hash",), ignored=("last_used_at",)),
    audited("packs", "Pack"),
    audited("product_services", "ProductService"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0033_calendars")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="BookingReminder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="The tenant that it belongs to",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "booking",
                    fields.ForeignKeyField(
                        "models.Booking",
                        source_field="booking_id",
                        description="The booking",
                        db_constraint=False,
                        to_field="id",
                        related_name="reminders",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "channel",
                    fields.CharEnumField(
                        default=ReminderChannel.EMAIL,
                        description="How the client is reminded",
                        enum_type=ReminderChannel,
                        max_length=20,
                    ),
                ),
                ("minutes_before", fields.IntField(description="How long before the beginning, in minutes")),
                (
                    "starts_at",
                    fields.DatetimeField(
                        description="The beginning that it reminds of", auto_now=False, auto_now_add=False
                    ),
                ),
                ("due_at", fields.DatetimeField(description="When it is to go", auto_now=False, auto_now_add=False)),
                (
                    "sent_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it went; null where it did not, or not yet",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "booking_reminders",
                "app": "models",
                "unique_together": (("booking", "channel", "minutes_before", "starts_at"),),
                "pk_attr": "id",
                "table_description": "A reminder of a booking, so long before it begins. One that was moved is reminde"
                "d of anew.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="CalendarFeed",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="The tenant that it belongs to",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "models.Staff",
                        source_field="staff_id",
                        description="Whose appointments",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "token_hash",
                    fields.CharField(unique=True, description="SHA-256 of the token, hexadecimal", max_length=64),
                ),
                (
                    "last_used_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was asked for last, to the hour",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "revoked_at",
                    fields.DatetimeField(
                        null=True, description="When it was withdrawn", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "calendar_feeds",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A secret address at which calendars ask for a person's appointments, one at a ti"
                "me. It is shown once; the hash of",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Pack",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="The tenant that it belongs to",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="client_id",
                        description="Whose sessions",
                        db_constraint=False,
                        to_field="id",
                        related_name="packs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "access",
                    fields.ForeignKeyField(
                        "models.Access",
                        source_field="access_id",
                        description="From when to when they may be used; withdrawn with its money",
                        db_constraint=False,
                        to_field="id",
                        related_name="packs",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("sessions", fields.IntField(description="How many were bought")),
                ("used", fields.IntField(default=0, description="How many of them bookings have drawn")),
            ],
            options={
                "table": "packs",
                "app": "models",
                "unique_together": (("organization", "access"),),
                "pk_attr": "id",
                "table_description": "Sessions that a client paid for. From when to when, and whether its money is sti"
                "ll here, is its access's.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ProductService",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="The tenant that it belongs to",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "product",
                    fields.ForeignKeyField(
                        "models.Product",
                        source_field="product_id",
                        description="The product, sold as a pack",
                        db_constraint=False,
                        to_field="id",
                        related_name="service_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "service",
                    fields.ForeignKeyField(
                        "models.Service",
                        source_field="service_id",
                        description="The service",
                        db_constraint=False,
                        to_field="id",
                        related_name="pack_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "product_services",
                "app": "models",
                "unique_together": (("product", "service"),),
                "pk_attr": "id",
                "table_description": "A service of which a pack's sessions may be.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Appointment",
            name="staff_told",
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name="Appointment",
            name="staff_told_sequence",
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name="Booking",
            name="draws_session",
            field=fields.BooleanField(default=False, description="Whether it takes a session of the pack"),
        ),
        ops.AddField(
            model_name="Booking",
            name="pack",
            field=fields.ForeignKeyField(
                "models.Pack",
                source_field="pack_id",
                null=True,
                description="The prepaid pack that it was booked with",
                db_constraint=False,
                to_field="id",
                related_name="bookings",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Booking",
            name="told_sequence",
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name="Booking",
            name="told_appointment_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="Booking",
            name="cancel_told",
            field=fields.BooleanField(default=False),
        ),
        ops.AddField(
            model_name="Organization",
            name="reminder_minutes",
            field=fields.CharField(default="1440 120", max_length=60),
        ),
        ops.AddField(
            model_name="Product",
            name="pack_days",
            field=fields.IntField(
                null=True, description="For how many days from its payment a pack may be used; null for one without end"
            ),
        ),
        ops.AddField(
            model_name="Product",
            name="pack_sessions",
            field=fields.IntField(
                null=True, description="How many sessions it is a prepaid pack of; null for what is no pack"
            ),
        ),
        ops.AddField(
            model_name="Service",
            name="reminder_minutes",
            field=fields.CharField(null=True, max_length=60),
        ),
        ops.RunSQL(RULES, []),
    ]
