"""The agenda: what can be booked, with whom and when; appointments, of which no two take one person or room at once."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.agenda import BusySource
from models.booking import AppointmentStatus, BookingStatus
from models.fields import CurrencyField

TABLES = (
    "services", "staff", "service_staff", "weekly_hours", "hours_exceptions", "resources", "service_resources",
    "busy_blocks", "appointments", "bookings",
)  # fmt: skip

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("staff", "membership_id", "memberships"),
    ("service_staff", "service_id", "services"),
    ("service_staff", "staff_id", "staff"),
    ("weekly_hours", "staff_id", "staff"),
    ("hours_exceptions", "staff_id", "staff"),
    ("service_resources", "service_id", "services"),
    ("service_resources", "resource_id", "resources"),
    ("busy_blocks", "staff_id", "staff"),
    ("appointments", "service_id", "services"),
    ("appointments", "staff_id", "staff"),
    ("appointments", "resource_id", "resources"),
    ("bookings", "appointment_id", "appointments"),
    ("bookings", "client_id", "clients"),
    ("bookings", "order_id", "orders"),
    ("bookings", "canceled_by_id", "memberships"),
)

MINUTES = "starts_minute >= 0 AND starts_minute < ends_minute AND ends_minute <= 1440"

CHECKS = (
    ("services", "duration", "duration_minutes BETWEEN 1 AND 1440"),
    ("services", "buffers", "buffer_before_minutes BETWEEN 0 AND 1440 AND buffer_after_minutes BETWEEN 0 AND 1440"),
    ("services", "slot_step", "slot_step_minutes BETWEEN 5 AND 1440"),
    ("services", "capacity", "capacity BETWEEN 1 AND 1000"),
    ("services", "price", "price_cents BETWEEN 0 AND 99999999 AND deposit_cents BETWEEN 0 AND price_cents"),
    ("services", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("services", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    ("services", "ahead", "min_notice_minutes BETWEEN 0 AND 525600 AND max_ahead_days BETWEEN 1 AND 730"),
    (
        "services", "cancelling",
        "free_cancel_hours BETWEEN 0 AND 8760 AND late_cancel_percent BETWEEN 0 AND 10000"
        " AND no_show_percent BETWEEN 0 AND 10000",
    ),
    ("weekly_hours", "weekday", "iso_weekday BETWEEN 1 AND 7"),
    ("weekly_hours", "minutes", MINUTES),
    ("hours_exceptions", "days", "starts_on <= ends_on"),
    ("hours_exceptions", "minutes", f"num_nonnulls(starts_minute, ends_minute) IN (0, 2) AND ({MINUTES})"),
    ("busy_blocks", "times", "starts_at < ends_at"),
    ("busy_blocks", "source", "source IN ('MANUAL', 'GOOGLE')"),
    (
        "busy_blocks", "event",
        "num_nonnulls(calendar_id, external_id) IN (0, 2) AND (source <> 'MANUAL' OR calendar_id IS NULL)",
    ),
    ("appointments", "times", "occupied_from <= starts_at AND starts_at < ends_at AND ends_at <= occupied_until"),
    ("appointments", "taken", "capacity > 0 AND taken BETWEEN 0 AND capacity"),
    ("appointments", "status", "status IN ('ACTIVE', 'CANCELED')"),
    ("appointments", "sequence", "sequence >= 0"),
    ("bookings", "status", "status IN ('PENDING', 'CONFIRMED', 'CANCELED', 'COMPLETED', 'NO_SHOW')"),
    ("bookings", "price", "price_cents BETWEEN 0 AND 99999999 AND fee_cents BETWEEN 0 AND price_cents"),
    ("bookings", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("bookings", "canceled", "(canceled_at IS NOT NULL) = (status = 'CANCELED')"),
)  # fmt: skip

# Of times that overlap one is refused, however many ask at once.
EXCLUSIONS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    "ALTER TABLE appointments ADD CONSTRAINT appointments_staff EXCLUDE USING gist"
    " (staff_id WITH =, tstzrange(occupied_from, occupied_until) WITH &&) WHERE (status = 'ACTIVE')",
    "ALTER TABLE appointments ADD CONSTRAINT appointments_resource EXCLUDE USING gist"
    " (resource_id WITH =, tstzrange(occupied_from, occupied_until) WITH &&)"
    " WHERE (status = 'ACTIVE' AND resource_id IS NOT NULL)",
    "ALTER TABLE weekly_hours ADD CONSTRAINT weekly_hours_apart EXCLUDE USING gist"
    " (staff_id WITH =, iso_weekday WITH =, int4range(starts_minute, ends_minute) WITH &&)",
)

INDEXES = (
    "CREATE UNIQUE INDEX staff_membership_id_index ON staff (membership_id, organization_id)",
    "CREATE INDEX service_staff_staff_id_index ON service_staff (staff_id)",
    "CREATE INDEX weekly_hours_staff_id_index ON weekly_hours (staff_id)",
    "CREATE INDEX hours_exceptions_staff_id_index ON hours_exceptions (staff_id)",
    "CREATE INDEX hours_exceptions_starts_on_page ON hours_exceptions (organization_id, starts_on, id)",
    "CREATE INDEX service_resources_resource_id_index ON service_resources (resource_id)",
    "CREATE INDEX busy_blocks_staff_id_index ON busy_blocks (staff_id, ends_at)",
    "CREATE INDEX busy_blocks_starts_at_page ON busy_blocks (organization_id, starts_at, id)",
    "CREATE UNIQUE INDEX busy_blocks_event ON busy_blocks (calendar_id, external_id)",
    "CREATE INDEX appointments_service_id_index ON appointments (service_id, id)",
    "CREATE INDEX appointments_staff_id_index ON appointments (staff_id, occupied_until)",
    "CREATE INDEX appointments_resource_id_index ON appointments (resource_id, occupied_until)",
    "CREATE INDEX appointments_starts_at_page ON appointments (organization_id, starts_at, id)",
    "CREATE INDEX appointments_series_id_index ON appointments (series_id)",
    # A client has one place in an appointment.
    "CREATE UNIQUE INDEX bookings_once ON bookings (appointment_id, client_id) WHERE status <> 'CANCELED'",
    "CREATE INDEX bookings_appointment_id_page ON bookings (appointment_id, id)",
    "CREATE INDEX bookings_client_id_page ON bookings (client_id, id)",
    "CREATE INDEX bookings_order_id_index ON bookings (order_id)",
    "CREATE INDEX bookings_canceled_by_id_index ON bookings (canceled_by_id)",
    "CREATE INDEX bookings_held ON bookings (hold_expires_at) WHERE status = 'PENDING'",
)

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
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})" for table, name, rule in CHECKS),
    *EXCLUSIONS,
    *INDEXES,
    audited("services", "Service"),
    audited("staff", "Staff"),
    audited("service_staff", "ServiceStaff"),
    audited("weekly_hours", "WeeklyHours"),
    audited("hours_exceptions", "HoursException"),
    audited("resources", "Resource"),
    audited("service_resources", "ServiceResource"),
    audited("busy_blocks", "BusyBlock", ignored=("title",)),
    audited("appointments", "Appointment", ignored=("taken",)),
    audited("bookings", "Booking"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0026_integrations")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Resource",
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
                ("name", fields.CharField(description="What it is called", max_length=100)),
                ("active", fields.BooleanField(default=True, description="Whether it can be used")),
            ],
            options={
                "table": "resources",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A room, a device: what takes one appointment at a time.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Service",
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
                ("name", fields.CharField(description="Name, as clients read it", max_length=200)),
                ("description", fields.CharField(null=True, description="What one gets", max_length=2000)),
                ("duration_minutes", fields.IntField(description="How long it lasts, in minutes")),
                (
                    "buffer_before_minutes",
                    fields.IntField(default=0, description="Minutes that are kept free before it"),
                ),
                ("buffer_after_minutes", fields.IntField(default=0, description="Minutes that are kept free after it")),
                (
                    "slot_step_minutes",
                    fields.IntField(
                        default=30,
                        description="Minutes from one possible beginning to the next, from the beginning of the hours",
                    ),
                ),
                (
                    "capacity",
                    fields.IntField(
                        default=1, description="How many clients one appointment takes; more than 1 for groups"
                    ),
                ),
                (
                    "price_cents",
                    fields.IntField(description="Price TTC of a place, in minor units; 0 for what is free"),
                ),
                (
                    "deposit_cents",
                    fields.IntField(
                        default=0, description="What is to be paid to book, TTC, in minor units; 0 for the whole price"
                    ),
                ),
                ("currency", CurrencyField(default="EUR", description="Currency of the price", max_length=3)),
                (
                    "vat_rate",
                    fields.IntField(default=2000, description="VAT rate in hundredths of a percent: 2000 is 20 %"),
                ),
                (
                    "online",
                    fields.BooleanField(default=False, description="Whether it is held by video, and wants a link"),
                ),
                (
                    "location",
                    fields.CharField(null=True, description="Where it is held, where that is no video", max_length=300),
                ),
                (
                    "min_notice_minutes",
                    fields.IntField(default=120, description="How long before it begins it must be booked"),
                ),
                ("max_ahead_days", fields.IntField(default=60, description="How many days ahead it can be booked")),
                (
                    "free_cancel_hours",
                    fields.IntField(default=24, description="Until how many hours before it cancelling is free"),
                ),
                (
                    "late_cancel_percent",
                    fields.IntField(
                        default=0, description="What cancelling later costs, in hundredths of a percent of the price"
                    ),
                ),
                (
                    "no_show_percent",
                    fields.IntField(
                        default=0, description="What not coming costs, in hundredths of a percent of the price"
                    ),
                ),
                ("active", fields.BooleanField(default=True, description="Whether it can be booked")),
            ],
            options={
                "table": "services",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What clients book: so many minutes of somebody's time, at a price TTC.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ServiceResource",
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
                    "service",
                    fields.ForeignKeyField(
                        "models.Service",
                        source_field="service_id",
                        description="The service",
                        db_constraint=False,
                        to_field="id",
                        related_name="resource_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "resource",
                    fields.ForeignKeyField(
                        "models.Resource",
                        source_field="resource_id",
                        description="What it can be held with",
                        db_constraint=False,
                        to_field="id",
                        related_name="service_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "service_resources",
                "app": "models",
                "unique_together": (("service", "resource"),),
                "pk_attr": "id",
                "table_description": "One of the resources of which a service needs one.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Staff",
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
                    "membership",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="membership_id",
                        null=True,
                        description="The member who this is; null for one who does not sign in",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("display_name", fields.CharField(description="Name, as clients read it", max_length=100)),
                (
                    "time_zone",
                    fields.CharField(
                        default="Europe/Paris", description="IANA zone in which their hours are said", max_length=64
                    ),
                ),
                ("active", fields.BooleanField(default=True, description="Whether they can be booked")),
            ],
            options={
                "table": "staff",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody who is booked. Who may book sees them by name.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Appointment",
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
                    "service",
                    fields.ForeignKeyField(
                        "models.Service",
                        source_field="service_id",
                        description="What is held",
                        db_constraint=False,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "models.Staff",
                        source_field="staff_id",
                        description="Who holds it",
                        db_constraint=False,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "resource",
                    fields.ForeignKeyField(
                        "models.Resource",
                        source_field="resource_id",
                        null=True,
                        description="What it is held with",
                        db_constraint=False,
                        to_field="id",
                        related_name="appointments",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_at", fields.DatetimeField(description="When it begins", auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(description="When it ends", auto_now=False, auto_now_add=False)),
                (
                    "occupied_from",
                    fields.DatetimeField(
                        description="From when on time is kept for it: the buffer before it included",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "occupied_until",
                    fields.DatetimeField(
                        description="Until when: the buffer after it included", auto_now=False, auto_now_add=False
                    ),
                ),
                ("capacity", fields.IntField(default=1, description="How many places it has")),
                ("taken", fields.IntField(default=0, description="How many of them are taken")),
                (
                    "status",
                    fields.CharEnumField(
                        default=AppointmentStatus.ACTIVE,
                        description="Whether it is held",
                        enum_type=AppointmentStatus,
                        max_length=20,
                    ),
                ),
                (
                    "sequence",
                    fields.IntField(
                        default=0,
                        description="How often it was moved or cancelled: SEQUENCE of its calendar file (RFC 5545)",
                    ),
                ),
                ("meet_url", fields.CharField(null=True, description="Where the video is", max_length=500)),
                ("location", fields.CharField(null=True, description="Where it is held", max_length=300)),
                ("series_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "appointments",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One occupation of a person's time, and of a resource's.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Booking",
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
                    "appointment",
                    fields.ForeignKeyField(
                        "models.Appointment",
                        source_field="appointment_id",
                        description="What is booked",
                        db_constraint=False,
                        to_field="id",
                        related_name="bookings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "client",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="client_id",
                        description="Who comes",
                        db_constraint=False,
                        to_field="id",
                        related_name="bookings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "attendee_name",
                    fields.CharField(description="What the client was called when it was booked", max_length=200),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=BookingStatus.PENDING,
                        description="Where it stands",
                        enum_type=BookingStatus,
                        max_length=20,
                    ),
                ),
                (
                    "hold_expires_at",
                    fields.DatetimeField(
                        null=True,
                        description="Until when the place is held without being paid; null once it is confirmed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "order",
                    fields.ForeignKeyField(
                        "models.Order",
                        source_field="order_id",
                        null=True,
                        description="The order by which it is paid",
                        db_constraint=False,
                        to_field="id",
                        related_name="bookings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("price_cents", fields.IntField(description="Price TTC that was agreed, in minor units")),
                (
                    "fee_cents",
                    fields.IntField(
                        default=0, description="What cancelling it late or not coming costs, TTC, in minor units"
                    ),
                ),
                ("currency", CurrencyField(description="Currency of the price", max_length=3)),
                (
                    "client_notes",
                    fields.CharField(null=True, description="What the client wrote with it", max_length=2000),
                ),
                (
                    "notes",
                    fields.TextField(
                        null=True, description="What was noted of it, for those who run the shop", unique=False
                    ),
                ),
                (
                    "canceled_at",
                    fields.DatetimeField(
                        null=True, description="When it was cancelled", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "canceled_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="canceled_by_id",
                        null=True,
                        description="The member who cancelled it; null for a server or a clock",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("cancel_reason", fields.CharField(null=True, description="Why it was cancelled", max_length=500)),
            ],
            options={
                "table": "bookings",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A client's place in an appointment.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BusyBlock",
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
                        description="Who is busy",
                        db_constraint=False,
                        to_field="id",
                        related_name="busy_blocks",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_at", fields.DatetimeField(description="From when on", auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(description="Until when", auto_now=False, auto_now_add=False)),
                (
                    "source",
                    fields.CharEnumField(
                        default=BusySource.MANUAL,
                        description="Where it is known from",
                        enum_type=BusySource,
                        max_length=20,
                    ),
                ),
                ("calendar_id", fields.UUIDField(null=True)),
                (
                    "external_id",
                    fields.CharField(null=True, description="The event's id in that calendar", max_length=1024),
                ),
                (
                    "title",
                    fields.CharField(
                        null=True, description="What it is, for oneself and those who run the shop", max_length=500
                    ),
                ),
            ],
            options={
                "table": "busy_blocks",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Time that somebody is not free for a reason that is no booking.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="HoursException",
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
                        null=True,
                        description="Whose days; null for everybody's",
                        db_constraint=False,
                        to_field="id",
                        related_name="hours_exceptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_on", fields.DateField(description="The first day, by the person's own calendar")),
                ("ends_on", fields.DateField(description="The last day")),
                (
                    "starts_minute",
                    fields.IntField(
                        null=True,
                        description="When they begin instead, in minutes after midnight; null where they do not work",
                    ),
                ),
                (
                    "ends_minute",
                    fields.IntField(
                        null=True,
                        description="When they end instead, in minutes after midnight; null where they do not work",
                    ),
                ),
                ("reason", fields.CharField(null=True, description="Why; clients do not read it", max_length=200)),
            ],
            options={
                "table": "hours_exceptions",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Days on which a person, or everybody, does not work, or works other hours.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ServiceStaff",
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
                    "service",
                    fields.ForeignKeyField(
                        "models.Service",
                        source_field="service_id",
                        description="The service",
                        db_constraint=False,
                        to_field="id",
                        related_name="staff_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "models.Staff",
                        source_field="staff_id",
                        description="Who gives it",
                        db_constraint=False,
                        to_field="id",
                        related_name="service_links",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "service_staff",
                "app": "models",
                "unique_together": (("service", "staff"),),
                "pk_attr": "id",
                "table_description": "Somebody who gives a service.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="WeeklyHours",
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
                        description="Who works then",
                        db_constraint=False,
                        to_field="id",
                        related_name="weekly_hours",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("iso_weekday", fields.IntField(description="Day of the week: 1 is Monday, 7 Sunday (ISO 8601)")),
                (
                    "starts_minute",
                    fields.IntField(description="When they begin, in minutes after midnight by the wall clock"),
                ),
                (
                    "ends_minute",
                    fields.IntField(description="When they end, in minutes after midnight; 1440 is the day's end"),
                ),
            ],
            options={
                "table": "weekly_hours",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Hours that somebody works each week, on one day of it; a day may have several.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Organization",
            name="public_holidays_off",
            field=fields.BooleanField(
                default=True,
                description="Whether nobody works on the public holidays of its country, unless their hours say so",
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
