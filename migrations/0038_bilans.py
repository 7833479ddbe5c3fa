"""Bilans: what is offered and agreed, who pays, phases with their sessions, agreements, and what breaks a rule."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.bilan import AgreementKind, Attendance, FundingSource, PhaseKind
from models.fields import CurrencyField
from models.states import AgreementStatus, BilanStatus, FundingStatus

TABLES = (
    "formules", "bilans", "bilan_fundings", "bilan_agreements", "bilan_phases", "bilan_sessions", "bilan_warnings",
)  # fmt: skip

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("formules", "product_id", "products"),
    ("bilans", "client_id", "clients"),
    ("bilans", "consultant_id", "memberships"),
    ("bilans", "formule_id", "formules"),
    ("bilans", "employer_id", "clients"),
    ("bilan_fundings", "bilan_id", "bilans"),
    ("bilan_fundings", "payer_id", "clients"),
    ("bilan_fundings", "order_id", "orders"),
    ("bilan_agreements", "bilan_id", "bilans"),
    ("bilan_agreements", "decided_by_id", "memberships"),
    ("bilan_phases", "bilan_id", "bilans"),
    ("bilan_sessions", "bilan_id", "bilans"),
    ("bilan_sessions", "booking_id", "bookings"),
    ("bilan_sessions", "noted_by_id", "memberships"),
    ("bilan_warnings", "bilan_id", "bilans"),
    ("bilan_warnings", "decided_by_id", "memberships"),
)

CHECKS = (
    ("formules", "slug", "slug ~ '^[a-z0-9][a-z0-9-]*$'"),
    ("formules", "minutes", "minutes > 0"),
    ("formules", "price", "price_cents > 0"),
    ("formules", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("formules", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    ("bilans", "status", "status IN ('AWAITING_FUNDING', 'FUNDED', 'IN_PROGRESS', 'COMPLETED', 'CANCELED')"),
    ("bilans", "minutes", "minutes_planned > 0 AND minutes_done >= 0"),
    ("bilans", "price", "price_cents > 0"),
    ("bilans", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("bilans", "vat_rate", "vat_rate BETWEEN 0 AND 10000"),
    # However many plan at once, nobody pays more than the price, and none of it twice.
    ("bilans", "allotted", "secured_cents >= 0 AND secured_cents <= allotted_cents AND allotted_cents <= price_cents"),
    ("bilans", "days", "ends_on >= starts_on"),
    ("bilans", "completed", "(status = 'COMPLETED') = (completed_at IS NOT NULL)"),
    ("bilans", "canceled", "(status = 'CANCELED') = (canceled_at IS NOT NULL)"),
    ("bilan_fundings", "source", "source IN ('OWN', 'CPF', 'EMPLOYER', 'OPCO', 'FRANCE_TRAVAIL')"),
    ("bilan_fundings", "status", "status IN ('PLANNED', 'AGREED', 'PAID', 'REFUNDED', 'WITHDRAWN')"),
    ("bilan_fundings", "amount", "amount_cents > 0"),
    ("bilan_fundings", "currency", "currency ~ '^[A-Z]{3}$'"),
    ("bilan_fundings", "paid", "status NOT IN ('PAID', 'REFUNDED') OR order_id IS NOT NULL AND paid_at IS NOT NULL"),
    ("bilan_agreements", "kind", "kind IN ('CONSENT', 'CONVENTION')"),
    ("bilan_agreements", "status", "status IN ('PROPOSED', 'ACCEPTED', 'REFUSED', 'LAPSED')"),
    ("bilan_agreements", "days", "accept_by >= proposed_on"),
    ("bilan_agreements", "decided", "(status = 'PROPOSED') = (decided_on IS NULL)"),
    ("bilan_agreements", "signer", "status <> 'ACCEPTED' OR signer_name IS NOT NULL"),
    ("bilan_phases", "kind", "kind IN ('PRELIMINARY', 'INVESTIGATION', 'CONCLUSION')"),
    ("bilan_phases", "position", "position > 0"),
    ("bilan_sessions", "attendance", "attendance IN ('EXPECTED', 'ATTENDED', 'ABSENT', 'CANCELED')"),
    ("bilan_sessions", "times", "ends_at > starts_at"),
    ("bilan_sessions", "minutes", "minutes >= 0 AND (minutes = 0 OR attendance = 'ATTENDED')"),
    ("bilan_warnings", "decision", "num_nonnulls(decided_at, decision_reason) IN (0, 2)"),
)

# What is kept by the database of a bilan: written by nothing else.
KEPT = (
    "ALTER TABLE bilans ADD COLUMN minutes_done int NOT NULL DEFAULT 0,"
    " ADD COLUMN allotted_cents int NOT NULL DEFAULT 0, ADD COLUMN secured_cents int NOT NULL DEFAULT 0,"
    " ADD COLUMN due_cents int NOT NULL GENERATED ALWAYS AS (price_cents - secured_cents) STORED"
)

# By differences: of two that change at once each adds its own to what the other left.
FUNDINGS = """
    CREATE FUNCTION bilan_fundings_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        stood int := 0;
        was_secure int := 0;
    BEGIN
        IF TG_OP <> 'DELETE' THEN
            stood := NEW.amount_cents * (NEW.status IN ('PLANNED', 'AGREED', 'PAID'))::int;
            was_secure := NEW.amount_cents * (NEW.status IN ('AGREED', 'PAID'))::int;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            stood := stood - OLD.amount_cents * (OLD.status IN ('PLANNED', 'AGREED', 'PAID'))::int;
            was_secure := was_secure - OLD.amount_cents * (OLD.status IN ('AGREED', 'PAID'))::int;
        END IF;
        IF stood <> 0 OR was_secure <> 0 THEN
            UPDATE bilans SET allotted_cents = allotted_cents + stood, secured_cents = secured_cents + was_secure
            WHERE id = coalesce(NEW.bilan_id, OLD.bilan_id);
        END IF;
        RETURN NULL;
    END $$
"""
SESSIONS = """
    CREATE FUNCTION bilan_sessions_counted() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        more int := coalesce(NEW.minutes, 0) - coalesce(OLD.minutes, 0);
    BEGIN
        IF more <> 0 THEN
            UPDATE bilans SET minutes_done = minutes_done + more WHERE id = coalesce(NEW.bilan_id, OLD.bilan_id);
        END IF;
        RETURN NULL;
    END $$
"""

# Whoever moves or ends a booking, here or in a calendar: the session that it stands for follows.
BOOKINGS = """
    CREATE FUNCTION bookings_of_bilans() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE bilan_sessions s
        SET starts_at = a.starts_at, ends_at = a.ends_at,
            attendance = CASE WHEN b.status IN ('CANCELED', 'EXPIRED') THEN 'CANCELED'
                WHEN b.status = 'NO_SHOW' THEN 'ABSENT' WHEN b.status = 'COMPLETED' THEN 'ATTENDED'
                ELSE s.attendance END,
            minutes = CASE WHEN b.status = 'COMPLETED' THEN extract(epoch FROM a.ends_at - a.starts_at)::int / 60
                ELSE 0 END,
            noted_at = CASE WHEN b.status IN ('COMPLETED', 'NO_SHOW') THEN now() END
        FROM bookings b JOIN appointments a ON a.id = b.appointment_id
        WHERE s.booking_id = b.id AND s.attendance = 'EXPECTED'
            AND CASE TG_TABLE_NAME WHEN 'bookings' THEN b.id = NEW.id ELSE a.id = NEW.id END;
        RETURN NULL;
    END $$
"""

RULES = [
    KEPT,
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
    *(f"CREATE INDEX {table}_{column}_index ON {table} ({column})" for table, column, _ in WITHIN_TENANT),
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_{name}_check CHECK ({rule})" for table, name, rule in CHECKS),
    "CREATE INDEX bilans_by_status ON bilans (organization_id, status, id)",
    "CREATE UNIQUE INDEX bilan_fundings_once ON bilan_fundings (organization_id, order_id)",
    # Two clicks at once ask for what remains due once.
    "CREATE UNIQUE INDEX bilan_fundings_own ON bilan_fundings (bilan_id) WHERE source = 'OWN' AND status = 'PLANNED'",
    "CREATE UNIQUE INDEX bilan_agreements_one ON bilan_agreements (bilan_id, kind)"
    " WHERE status IN ('PROPOSED', 'ACCEPTED')",
    "CREATE UNIQUE INDEX bilan_sessions_once ON bilan_sessions (organization_id, booking_id)",
    "ALTER TABLE bilan_phases ADD CONSTRAINT bilan_phases_of UNIQUE (organization_id, bilan_id, id)",
    "ALTER TABLE bilan_sessions DROP CONSTRAINT bilan_sessions_phase_id_fkey, ADD CONSTRAINT bilan_sessions_phase"
    " FOREIGN KEY (organization_id, bilan_id, phase_id) REFERENCES bilan_phases (organization_id, bilan_id, id)",
    "CREATE INDEX bilan_sessions_phase_id_index ON bilan_sessions (phase_id)",
    "ALTER TABLE orders DROP CONSTRAINT orders_kind_check,"
    " ADD CONSTRAINT orders_kind_check CHECK (kind IN ('PRODUCTS', 'SUBSCRIPTION', 'BOOKING', 'BILAN'))",
    FUNDINGS,
    SESSIONS,
    BOOKINGS,
    *(
        f"CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION {table}_counted()"
        for table in ("bilan_fundings", "bilan_sessions")
    ),
    "CREATE TRIGGER bilans_follow AFTER UPDATE ON bookings FOR EACH ROW WHEN (OLD.status <> NEW.status"
    " OR OLD.appointment_id <> NEW.appointment_id) EXECUTE FUNCTION bookings_of_bilans()",
    "CREATE TRIGGER bilans_follow AFTER UPDATE ON appointments FOR EACH ROW WHEN (OLD.starts_at <> NEW.starts_at"
    " OR OLD.ends_at <> NEW.ends_at) EXECUTE FUNCTION bookings_of_bilans()",
    audited("formules", "Formule"),
    audited("bilans", "Bilan", ignored=("allotted_cents", "secured_cents", "due_cents", "minutes_done")),
    audited("bilan_fundings", "BilanFunding"),
    audited("bilan_agreements", "BilanAgreement"),
    audited("bilan_phases", "BilanPhase"),
    audited("bilan_sessions", "BilanSession"),
    audited("bilan_warnings", "BilanWarning"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0037_tickets")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="Formule",
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
                    "slug",
                    fields.CharField(description="Short name in addresses and imports: `standard`", max_length=40),
                ),
                ("name", fields.CharField(description="Name, as clients read it", max_length=100)),
                ("description", fields.CharField(null=True, description="What one gets", max_length=2000)),
                ("minutes", fields.IntField(description="How long the accompaniment is, in minutes")),
                ("price_cents", fields.IntField(description="Price TTC, in minor units")),
                ("currency", CurrencyField(default="EUR", description="Currency of the price", max_length=3)),
                (
                    "vat_rate",
                    fields.IntField(
                        default=0,
                        description="VAT rate in hundredths of a percent; 0 where training is exempt"
                        " (art. 261-4-4° a CGI)",
                    ),
                ),
                ("active", fields.BooleanField(default=True, description="Whether it is sold")),
                (
                    "product",
                    fields.ForeignKeyField(
                        "models.Product",
                        source_field="product_id",
                        null=True,
                        description="What stands for it on orders",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "formules",
                "app": "models",
                "unique_together": (("organization", "slug"),),
                "pk_attr": "id",
                "table_description": "A bilan as it is offered: so many hours at a price TTC.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Bilan",
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
                        description="The beneficiary",
                        db_constraint=False,
                        to_field="id",
                        related_name="bilans",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "beneficiary_name",
                    fields.CharField(description="What the beneficiary was called when it was agreed", max_length=200),
                ),
                (
                    "consultant",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="consultant_id",
                        null=True,
                        description="Who holds it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "formule",
                    fields.ForeignKeyField(
                        "models.Formule",
                        source_field="formule_id",
                        description="What was agreed",
                        db_constraint=False,
                        to_field="id",
                        related_name="bilans",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "employer",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="employer_id",
                        null=True,
                        description="The employer, party to a tripartite convention",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=BilanStatus.AWAITING_FUNDING,
                        description="Where it stands",
                        enum_type=BilanStatus,
                        max_length=20,
                    ),
                ),
                ("minutes_planned", fields.IntField(description="How long the accompaniment is to be, in minutes")),
                ("price_cents", fields.IntField(description="Price TTC that was agreed, in minor units")),
                ("vat_rate", fields.IntField(description="VAT rate that was agreed, in hundredths of a percent")),
                ("currency", CurrencyField(description="Currency of every amount", max_length=3)),
                ("starts_on", fields.DateField(null=True, description="The day on which it is to begin")),
                ("ends_on", fields.DateField(null=True, description="The day by which it is to end")),
                (
                    "funded_at",
                    fields.DatetimeField(
                        null=True,
                        description="When all of its price was paid or agreed",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "begun_at",
                    fields.DatetimeField(
                        null=True, description="When the first session was attended", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "completed_at",
                    fields.DatetimeField(
                        null=True, description="When its last phase was completed", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "canceled_at",
                    fields.DatetimeField(
                        null=True, description="When it was given up", auto_now=False, auto_now_add=False
                    ),
                ),
                ("cancel_reason", fields.CharField(null=True, description="Why it was given up", max_length=500)),
            ],
            options={
                "table": "bilans",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A bilan de compétences of one beneficiary, at the price and for the time that"
                " were agreed.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BilanAgreement",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="agreements",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="What is agreed to", enum_type=AgreementKind, max_length=20)),
                (
                    "status",
                    fields.CharEnumField(
                        default=AgreementStatus.PROPOSED,
                        description="Where it stands",
                        enum_type=AgreementStatus,
                        max_length=20,
                    ),
                ),
                ("proposed_on", fields.DateField(description="The day on which it was given to the beneficiary")),
                (
                    "accept_by",
                    fields.DateField(null=True, description="The last day to accept it; null where there is none"),
                ),
                ("decided_on", fields.DateField(null=True, description="The day on which it was accepted or refused")),
                (
                    "signer_name",
                    fields.CharField(null=True, description="Who accepted it: first and last name", max_length=200),
                ),
                (
                    "decided_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="decided_by_id",
                        null=True,
                        description="Who noted the answer: the beneficiary, or a person for them",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "bilan_agreements",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something that the beneficiary is asked to agree to in writing."
                " Without an answer by its day it is refused.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BilanFunding",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="fundings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "source",
                    fields.CharEnumField(description="Whose money it is", enum_type=FundingSource, max_length=20),
                ),
                (
                    "payer",
                    fields.ForeignKeyField(
                        "models.Client",
                        source_field="payer_id",
                        null=True,
                        description="Who pays and is invoiced; null where nobody is, or it is the beneficiary",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("amount_cents", fields.IntField(description="How much, TTC, in minor units")),
                ("currency", CurrencyField(description="Currency of the amount, the bilan's", max_length=3)),
                (
                    "status",
                    fields.CharEnumField(
                        default=FundingStatus.PLANNED,
                        description="Where it stands",
                        enum_type=FundingStatus,
                        max_length=20,
                    ),
                ),
                (
                    "reference",
                    fields.CharField(
                        null=True, description="What the payer calls it: the number of a dossier", max_length=100
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
                        related_name="fundings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "agreed_at",
                    fields.DatetimeField(
                        null=True, description="When the payer agreed to pay", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "paid_at",
                    fields.DatetimeField(null=True, description="When it was paid", auto_now=False, auto_now_add=False),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it was withdrawn, or its money given back",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                ("end_reason", fields.CharField(null=True, description="Why it was withdrawn", max_length=500)),
            ],
            options={
                "table": "bilan_fundings",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A part of a bilan's price that somebody takes on. All that stand come"
                " to no more than the price: the database",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BilanPhase",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="phases",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharEnumField(description="Which phase", enum_type=PhaseKind, max_length=20)),
                ("position", fields.IntField(description="Place in the bilan, from 1")),
                (
                    "completed_at",
                    fields.DatetimeField(
                        null=True, description="When it was completed", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "bilan_phases",
                "app": "models",
                "unique_together": (("bilan", "kind"),),
                "pk_attr": "id",
                "table_description": "A legal phase of a bilan; all three are there from the beginning.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BilanSession",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "phase",
                    fields.ForeignKeyField(
                        "models.BilanPhase",
                        source_field="phase_id",
                        description="The phase that it is part of",
                        db_constraint=False,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "booking",
                    fields.ForeignKeyField(
                        "models.Booking",
                        source_field="booking_id",
                        null=True,
                        description="The booking; null where it was recorded by hand",
                        db_constraint=False,
                        to_field="id",
                        related_name="bilan_sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_at", fields.DatetimeField(description="When it begins", auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(description="When it ends", auto_now=False, auto_now_add=False)),
                (
                    "attendance",
                    fields.CharEnumField(
                        default=Attendance.EXPECTED,
                        description="Whether the beneficiary was there",
                        enum_type=Attendance,
                        max_length=20,
                    ),
                ),
                (
                    "minutes",
                    fields.IntField(
                        default=0, description="How long it was, in minutes; 0 unless the beneficiary was there"
                    ),
                ),
                (
                    "noted_at",
                    fields.DatetimeField(
                        null=True, description="When attendance was noted", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "noted_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="noted_by_id",
                        null=True,
                        description="Who noted attendance",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "bilan_sessions",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An appointment of a phase: booked, or recorded by hand. A booking"
                " that is moved, cancelled or held is followed by",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="BilanWarning",
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
                    "bilan",
                    fields.ForeignKeyField(
                        "models.Bilan",
                        source_field="bilan_id",
                        description="The bilan",
                        db_constraint=False,
                        to_field="id",
                        related_name="warnings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("rule", fields.CharField(description="Which rule (`services/bilan_rules.py`)", max_length=60)),
                ("message", fields.CharField(description="What breaks it, for a person", max_length=500)),
                ("reference", fields.CharField(description="Where the rule is written", max_length=300)),
                (
                    "cleared_at",
                    fields.DatetimeField(
                        null=True,
                        description="Since when it no longer holds; null while it does",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "decided_at",
                    fields.DatetimeField(
                        null=True,
                        description="When a person decided to go on in spite of it",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
                (
                    "decided_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="decided_by_id",
                        null=True,
                        description="Who decided it",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "decision_reason",
                    fields.CharField(null=True, description="Why, in that person's words", max_length=500),
                ),
            ],
            options={
                "table": "bilan_warnings",
                "app": "models",
                "unique_together": (("bilan", "rule"),),
                "pk_attr": "id",
                "table_description": "What breaks a rule of law, kept from when it was first seen; and who"
                " decided to go on, when and why.",
            },
            bases=["Owned"],
        ),
        Known(
            model_name="Bilan",
            name="minutes_done",
            field=fields.IntField(generated=True, description="How long it was so far, by attendance, in minutes"),
        ),
        Known(
            model_name="Bilan",
            name="allotted_cents",
            field=fields.IntField(
                generated=True,
                description="What the fundings that stand come to, planned ones included, in minor units",
            ),
        ),
        Known(
            model_name="Bilan",
            name="secured_cents",
            field=fields.IntField(
                generated=True, description="What of it is paid, or agreed by who pays, in minor units"
            ),
        ),
        Known(
            model_name="Bilan",
            name="due_cents",
            field=fields.IntField(
                generated=True,
                description="What remains due: neither paid nor agreed by anybody, in minor units",
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
