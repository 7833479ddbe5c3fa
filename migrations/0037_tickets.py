"""Tickets and the replies to them; the timeline of clients."""

from typing import Any

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.ticket import TicketPriority, TicketSource, TicketStatus, TicketType
from models.timeline import TimelineKind

TABLES = ("tickets", "ticket_replies", "timeline_events")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("tickets", "client_id", "clients"),
    ("tickets", "assignee_id", "memberships"),
    ("tickets", "opened_by_id", "memberships"),
    ("ticket_replies", "ticket_id", "tickets"),
    ("ticket_replies", "author_id", "memberships"),
    ("timeline_events", "client_id", "clients"),
    ("timeline_events", "author_id", "memberships"),
)

KINDS = (
    "CLIENT_EMAIL", "PAYMENT_RECEIVED", "PAYMENT_REFUNDED", "QUOTE_SENT", "QUOTE_ACCEPTED", "QUOTE_REFUSED",
    "BOOKING_CONFIRMED", "BOOKING_MOVED", "BOOKING_CANCELED", "TICKET_OPENED", "TICKET_REPLIED", "TICKET_RESOLVED",
    "OPPORTUNITY_MOVED", "BILAN_MOVED",
)  # fmt: skip

TEXT_MOST = 20_000  # characters

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
    "ALTER TABLE tickets"
    " ADD CONSTRAINT tickets_type_check CHECK (type IN ('QUESTION', 'REQUEST', 'INCIDENT', 'COMPLAINT')),"
    " ADD CONSTRAINT tickets_priority_check CHECK (priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),"
    " ADD CONSTRAINT tickets_status_check CHECK (status IN ('NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED')),"
    " ADD CONSTRAINT tickets_source_check CHECK (source IN ('BACK_OFFICE', 'PORTAL', 'EMAIL')),"
    f" ADD CONSTRAINT tickets_text_check CHECK (number > 0 AND char_length(body) BETWEEN 1 AND {TEXT_MOST}),"
    " ADD CONSTRAINT tickets_closed_check CHECK ((status = 'CLOSED') = (closed_at IS NOT NULL)),"
    " ADD CONSTRAINT tickets_resolved_check"
    " CHECK (status = 'CLOSED' OR (status = 'RESOLVED') = (resolved_at IS NOT NULL))",
    "CREATE INDEX tickets_of_client ON tickets (client_id, id)",
    "CREATE INDEX tickets_of_assignee ON tickets (assignee_id, id)",
    "CREATE INDEX tickets_opened_by_id_index ON tickets (opened_by_id)",
    "CREATE INDEX tickets_under_way ON tickets (organization_id, id) WHERE status <> 'CLOSED'",
    "ALTER TABLE ticket_replies"
    f" ADD CONSTRAINT ticket_replies_text_check CHECK (char_length(body) BETWEEN 1 AND {TEXT_MOST}),"
    " ADD CONSTRAINT ticket_replies_author_check"
    " CHECK (NOT from_client OR (author_id IS NULL AND NOT internal))",
    "CREATE INDEX ticket_replies_of_ticket ON ticket_replies (ticket_id, id)",
    "CREATE INDEX ticket_replies_author_id_index ON ticket_replies (author_id)",
    f"ALTER TABLE timeline_events ADD CONSTRAINT timeline_events_kind_check CHECK (kind IN {KINDS}),"
    " ADD CONSTRAINT timeline_events_email_check CHECK (kind = 'CLIENT_EMAIL' AND fingerprint ~ '^[0-9a-f]{64}$'"
    " OR kind <> 'CLIENT_EMAIL' AND num_nonnulls(fingerprint, message_id, thread_id) = 0)",
    "CREATE INDEX timeline_events_of_client ON timeline_events (client_id, id)",
    "CREATE INDEX timeline_events_author_id_index ON timeline_events (author_id)",
    "CREATE INDEX timeline_events_fingerprint ON timeline_events (client_id, fingerprint)"
    " WHERE fingerprint IS NOT NULL",
    "CREATE INDEX timeline_events_thread ON timeline_events (client_id, thread_id, id) WHERE thread_id IS NOT NULL",
    """
    CREATE FUNCTION note_change_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'tickets', NEW.ticket_id, 'CHANGED');
        RETURN NULL;
    END $$
    """,
    *(
        f"CREATE TRIGGER {table}_created AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION note_change('CREATED')"
        for table in ("tickets", "timeline_events")
    ),
    "CREATE TRIGGER tickets_changed AFTER UPDATE ON tickets FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)"
    " EXECUTE FUNCTION note_change('CHANGED')",
    "CREATE TRIGGER ticket_replies_of_ticket AFTER INSERT ON ticket_replies FOR EACH ROW"
    " EXECUTE FUNCTION note_change_of_ticket()",
    # What people wrote is not copied into a log that forgets nothing.
    audited("tickets", "Ticket", ignored=("subject", "body")),
    audited("ticket_replies", "TicketReply", ignored=("body",)),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0036_clients")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Ticket",
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
                ("number", fields.IntField(description="Number within the organization, from 1")),
                (
                    "client",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="client_id",
                        description="Whose it is",
                        db_constraint=False,
                        to_field="id",
                        related_name="tickets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("subject", fields.CharField(description="What it is about, in a line", max_length=200)),
                ("body", fields.TextField(description="What was asked, as plain text", unique=False)),
                (
                    "type",
                    fields.CharEnumField(
                        default=TicketType.QUESTION, description="What it is", enum_type=TicketType, max_length=20
                    ),
                ),
                (
                    "priority",
                    fields.CharEnumField(
                        default=TicketPriority.NORMAL,
                        description="How soon it is to be looked at",
                        enum_type=TicketPriority,
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=TicketStatus.NEW, description="Where it stands", enum_type=TicketStatus, max_length=20
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(
                        default=TicketSource.BACK_OFFICE,
                        description="How it came",
                        enum_type=TicketSource,
                        max_length=20,
                    ),
                ),
                (
                    "assignee",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="assignee_id",
                        null=True,
                        description="Who sees to it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "opened_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="opened_by_id",
                        null=True,
                        description="The member who wrote it down; null where the client did",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "replied_at",
                    fields.DatetimeField(
                        null=True,
                        description="When somebody last replied, for both sides to read",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "resolved_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was last resolved; null while it is not",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "closed_at",
                    fields.DatetimeField(
                        null=True, description="When it was closed", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "tickets",
                "app": "models",
                "unique_together": (("organization", "number"),),
                "pk_attr": "id",
                "table_description": "What a client asks. Texts are plain: HTML in them is letters like any other.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="TicketReply",
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
                    "ticket",
                    fields.ForeignKeyField(
                        "models.Ticket",
                        source_field="ticket_id",
                        description="The ticket",
                        db_constraint=False,
                        to_field="id",
                        related_name="replies",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "author",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="author_id",
                        null=True,
                        description="The member who wrote it; null for the client, and for a key",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("from_client", fields.BooleanField(default=False, description="Whether the client wrote it")),
                ("internal", fields.BooleanField(default=False, description="Whether it is kept from the client")),
                ("body", fields.TextField(description="What was written, as plain text", unique=False)),
            ],
            options={
                "table": "ticket_replies",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What was written under a ticket, by the client or by who sees to it.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="TimelineEvent",
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
                        description="With whom it happened",
                        db_constraint=False,
                        to_field="id",
                        related_name="timeline",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="What happened", enum_type=TimelineKind, max_length=30)),
                (
                    "occurred_at",
                    fields.DatetimeField(
                        description="When it happened; of an e-mail when it was sent",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "author",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="author_id",
                        null=True,
                        description="The member who did it, or noted it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "data",
                    fields.JSONField(
                        description="What there is to say of it, by kind: see `services/timeline.py`",
                        encoder=JSON_DUMPS,
                        decoder=loads,
                    ),
                ),
                (
                    "message_id",
                    fields.CharField(
                        null=True, description="Message-ID of an e-mail, as `<left@right>`", max_length=255
                    ),
                ),
                (
                    "thread_id",
                    fields.CharField(
                        null=True,
                        description="Message-ID of the e-mail with which its thread began; the same for all of it",
                        max_length=255,
                    ),
                ),
                (
                    "fingerprint",
                    fields.CharField(
                        null=True, description="SHA-256 of what makes two e-mails the same one", max_length=64
                    ),
                ),
            ],
            options={
                "table": "timeline_events",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something that happened with a client, at its time; never changed.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(RULES, []),
    ]
