"""Calendars outside that people connect, the appointments in them, and what does not fit."""

from typing import Any

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.calendar import CalendarChoice, CalendarConflictKind, CalendarStatus

TABLES = ("calendars", "calendar_events", "calendar_conflicts")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("calendars", "staff_id", "staff"),
    ("calendar_events", "calendar_id", "calendars"),
    ("calendar_events", "appointment_id", "appointments"),
    ("calendar_conflicts", "calendar_id", "calendars"),
    ("calendar_conflicts", "staff_id", "staff"),
    ("calendar_conflicts", "appointment_id", "appointments"),
    ("calendar_conflicts", "resolved_by_id", "memberships"),
)

CHECKS = (
    ("calendars", "status", "status IN ('CONNECTED', 'ERROR', 'DISCONNECTED')"),
    ("calendars", "polled", "status <> 'DISCONNECTED' OR next_poll_at IS NULL"),
    ("calendars", "lease", "(lease_id IS NULL) = (lease_until IS NULL)"),
    ("calendars", "window", "num_nonnulls(window_from, window_until) IN (0, 2) AND window_from < window_until"),
    ("calendars", "failures", "failures >= 0"),
    ("calendar_events", "sequence", "sequence >= 0"),
    ("calendar_events", "removed", "removed_at IS NULL OR etag IS NULL"),
    ("calendar_conflicts", "kind", "kind IN ('OVERLAP', 'MOVED', 'DELETED')"),
    (
        "calendar_conflicts", "resolution",
        "(resolved_at IS NOT NULL) = (resolution IS NOT NULL) AND"
        " coalesce(resolution IN ('KEEP_OURS', 'ACCEPT_THEIRS', 'CANCEL', 'OUTDATED'), true)",
    ),
    ("calendar_conflicts", "times", "num_nonnulls(starts_at, ends_at) IN (0, 2) AND starts_at < ends_at"),
)  # fmt: skip

INDEXES = (
    "CREATE UNIQUE INDEX calendars_once ON calendars (staff_id, provider, remote_id)",
    # A person's appointments go to one calendar.
    "CREATE UNIQUE INDEX calendars_outgoing ON calendars (staff_id) WHERE outgoing AND status <> 'DISCONNECTED'",
    "CREATE INDEX calendars_grant_id_index ON calendars (grant_id)",
    "CREATE INDEX calendars_due ON calendars (next_poll_at) WHERE next_poll_at IS NOT NULL",
    "CREATE INDEX calendar_events_appointment_id_index ON calendar_events (appointment_id)",
    "CREATE UNIQUE INDEX calendar_events_once ON calendar_events (calendar_id, appointment_id)",
    "CREATE INDEX calendar_events_external_id_index ON calendar_events (organization_id, external_id)",
    "CREATE UNIQUE INDEX calendar_conflicts_open ON calendar_conflicts (calendar_id, appointment_id, external_id)"
    " WHERE resolved_at IS NULL",
    "CREATE INDEX calendar_conflicts_calendar_id_index ON calendar_conflicts (calendar_id)",
    "CREATE INDEX calendar_conflicts_staff_id_index ON calendar_conflicts (staff_id)",
    "CREATE INDEX calendar_conflicts_appointment_id_index ON calendar_conflicts (appointment_id)",
    "CREATE INDEX calendar_conflicts_resolved_by_id_index ON calendar_conflicts (resolved_by_id)",
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
    *INDEXES,
    "ALTER TABLE calendars ADD CONSTRAINT calendars_grant_id"
    " FOREIGN KEY (organization_id, grant_id) REFERENCES oauth_grants (organization_id, id)",
    "ALTER TABLE busy_blocks ADD COLUMN full_sync_id uuid, ADD CONSTRAINT busy_blocks_calendar_id"
    " FOREIGN KEY (organization_id, calendar_id) REFERENCES calendars (organization_id, id)",
    audited(
        "calendars", "Calendar", redacted=("sync_token", "page_token"),
        ignored=("next_poll_at", "lease_until", "lease_id", "failures", "synced_at", "full_sync_id", "window_from",
                 "window_until", "told_at"),
    ),
    audited("calendar_conflicts", "CalendarConflict", ignored=("title",)),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0032_bookings")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Calendar",
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
                        description="Whose it is",
                        db_constraint=False,
                        to_field="id",
                        related_name="calendars",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("provider", fields.CharField(description="Key of the provider: `google_calendar`", max_length=50)),
                ("grant_id", fields.UUIDField(null=True)),
                ("remote_id", fields.CharField(description="The calendar's id at the provider", max_length=1024)),
                ("name", fields.CharField(description="What it is called there", max_length=300)),
                (
                    "time_zone",
                    fields.CharField(description="IANA zone in which its all-day events are days", max_length=64),
                ),
                (
                    "outgoing",
                    fields.BooleanField(description="Whether the person's appointments are put into it: one at most"),
                ),
                ("incoming", fields.BooleanField(description="Whether its events make the person busy")),
                (
                    "status",
                    fields.CharEnumField(
                        default=CalendarStatus.CONNECTED,
                        description="Whether it is kept in step",
                        enum_type=CalendarStatus,
                        max_length=20,
                    ),
                ),
                ("status_reason", fields.CharField(null=True, description="Why it is not", max_length=500)),
                (
                    "synced_at",
                    fields.DatetimeField(
                        null=True, description="When it was read to the end last", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "next_poll_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it is asked next; null where it is disconnected",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "told_at",
                    fields.DatetimeField(
                        null=True,
                        description="When those whom it concerns were told that it is disconnected",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("failures", fields.IntField(default=0, description="How often in a row it could not be read")),
                (
                    "lease_until",
                    fields.DatetimeField(
                        null=True, description="Until when a worker is at it", auto_now=False, auto_now_add=False
                    ),
                ),
                ("lease_id", fields.UUIDField(null=True, description="Which one")),
                (
                    "sync_token",
                    fields.TextField(
                        null=True, description="The provider's word for what is read already", unique=False
                    ),
                ),
                (
                    "page_token",
                    fields.TextField(
                        null=True, description="The provider's word for the page that comes next", unique=False
                    ),
                ),
                (
                    "full_sync_id",
                    fields.UUIDField(null=True, description="The reading of all events that is under way"),
                ),
                (
                    "window_from",
                    fields.DatetimeField(
                        null=True, description="From when on events are read", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "window_until",
                    fields.DatetimeField(null=True, description="Until when", auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "calendars",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A calendar of somebody who is booked, at a provider. They may have several.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="CalendarConflict",
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
                    "calendar",
                    fields.ForeignKeyField(
                        "models.Calendar",
                        source_field="calendar_id",
                        description="The calendar",
                        db_constraint=False,
                        to_field="id",
                        related_name="conflicts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "models.Staff",
                        source_field="staff_id",
                        description="Whose it is",
                        db_constraint=False,
                        to_field="id",
                        related_name="calendar_conflicts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "appointment",
                    fields.ForeignKeyField(
                        "models.Appointment",
                        source_field="appointment_id",
                        description="The appointment",
                        db_constraint=False,
                        to_field="id",
                        related_name="calendar_conflicts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="What does not fit", enum_type=CalendarConflictKind, max_length=20
                    ),
                ),
                ("external_id", fields.CharField(description="The event's id in the calendar", max_length=1024)),
                ("title", fields.CharField(null=True, description="What the event is called there", max_length=500)),
                (
                    "starts_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the event begins; null where it was deleted",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "ends_at",
                    fields.DatetimeField(null=True, description="When it ends", auto_now=False, auto_now_add=False),
                ),
                ("sequence", fields.IntField(description="The appointment's when they differed")),
                ("message", fields.CharField(description="What does not fit, in words", max_length=500)),
                (
                    "resolved_at",
                    fields.DatetimeField(
                        null=True, description="When it was settled", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "resolution",
                    fields.CharEnumField(null=True, description="How", enum_type=CalendarChoice, max_length=20),
                ),
                (
                    "resolved_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="resolved_by_id",
                        null=True,
                        description="By whom; null where it went away by itself",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "calendar_conflicts",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Where a calendar and our appointments differ, and a person has to choose.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="CalendarEvent",
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
                    "calendar",
                    fields.ForeignKeyField(
                        "models.Calendar",
                        source_field="calendar_id",
                        description="Where it stands",
                        db_constraint=False,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "appointment",
                    fields.ForeignKeyField(
                        "models.Appointment",
                        source_field="appointment_id",
                        description="What it shows",
                        db_constraint=False,
                        to_field="id",
                        related_name="calendar_events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "external_id",
                    fields.CharField(description="The event's id there, made of the appointment's", max_length=1024),
                ),
                (
                    "etag",
                    fields.CharField(
                        null=True,
                        description="The version of it that we know; null before it was pushed",
                        max_length=255,
                    ),
                ),
                ("sequence", fields.IntField(description="The appointment's when it was pushed last")),
                (
                    "periods",
                    fields.JSONField(
                        default=dict,
                        description="Beginning and end that were pushed, by the appointment's sequence then",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "pushed_hash",
                    fields.CharField(
                        null=True, description="SHA-256 of what was pushed, once it stands there", max_length=64
                    ),
                ),
                (
                    "removed_at",
                    fields.DatetimeField(
                        null=True, description="When it was taken out of there", auto_now=False, auto_now_add=False
                    ),
                ),
                ("link", fields.CharField(null=True, description="Where it is shown", max_length=2048)),
                (
                    "full_sync_id",
                    fields.UUIDField(null=True, description="The reading of all events in which it was met last"),
                ),
            ],
            options={
                "table": "calendar_events",
                "app": "models",
                "unique_together": (("calendar", "appointment"),),
                "pk_attr": "id",
                "table_description": "An appointment as an event of a calendar. `etag` is of the event as we know it:"
                " another one says that it was",
            },
            bases=["Owned"],
        ),
        Known(
            model_name="BusyBlock",
            name="full_sync_id",
            field=fields.UUIDField(null=True),
        ),
        ops.RunSQL(RULES, []),
    ]
