"""The audit log: its table, what writes it, and what keeps it as it was written.

Who acts is told by `comptoir.actor`, a setting of the transaction (`models/database.py`). Without it nothing is logged,
and a trigger costs no more than looking at it.
"""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from models.audit import AuditActor, AuditOperation

KINDS = "PERSON PUBLISHABLE_KEY PARTNER_KEY API_KEY SYSTEM"
OPERATIONS = "INSERT UPDATE DELETE NOTE"

# As RFC 9562, method 3: milliseconds, then twelve bits of their fraction. Entries of one transaction stay in order.
UUID7 = """
    CREATE FUNCTION uuid7(moment timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
        SELECT encode(
            substring(int8send(floor(micros / 1000)::bigint) FROM 3)
                || int2send((28672 + floor(micros % 1000 * 4.096))::int2)
                || substring(uuid_send(gen_random_uuid()) FROM 9),
            'hex'
        )::uuid
        FROM (SELECT extract(epoch FROM moment)::numeric * 1000000 AS micros) AS at
    $$
"""

# Texts are cut: an entry says what changed, it is no copy of it. Moments are in UTC, whatever the session's zone.
AUDIT = """
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
    DECLARE
        most CONSTANT int := 2000;
        acting CONSTANT jsonb := current_setting('comptoir.actor');
        moment CONSTANT timestamptz := clock_timestamp();
        redacted CONSTANT text[] := string_to_array(TG_ARGV[1], ',');
        ignored CONSTANT text[] := string_to_array(TG_ARGV[2], ',') || '{id,organization_id,created_at}';
        was CONSTANT jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
        became CONSTANT jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
        before jsonb;
        after jsonb;
    BEGIN
        SELECT
            jsonb_object_agg(name, shown) FILTER (WHERE side = 1),
            jsonb_object_agg(name, shown) FILTER (WHERE side = 2)
        INTO before, after
        FROM (
            SELECT name, side, CASE
                WHEN name = ANY (redacted) THEN '"[redacted]"'
                WHEN length(value #>> '{}') > most
                THEN to_jsonb(left(value #>> '{}', most) || '… [' || length(value #>> '{}') || ' characters]')
                ELSE value
            END AS shown
            FROM jsonb_object_keys(coalesce(became, was)) AS name, (VALUES (1, was), (2, became)) AS sides (side, held),
                LATERAL (SELECT held -> name AS value) AS one
            WHERE was -> name IS DISTINCT FROM became -> name AND name <> ALL (ignored) AND value <> 'null'
        ) AS changed;
        IF before IS NULL AND after IS NULL AND TG_OP = 'UPDATE' THEN
            RETURN NULL;
        END IF;
        INSERT INTO audit_entries (
            id, created_at, organization_id, actor_kind, actor_id, key_id, action, operation, subject_type, subject_id,
            before, after, address, request_id, user_agent
        ) VALUES (
            uuid7(moment), moment, (acting ->> 'organization_id')::uuid, acting ->> 'actor_kind',
            (acting ->> 'actor_id')::uuid, (acting ->> 'key_id')::uuid, acting ->> 'action', TG_OP, TG_ARGV[0],
            (coalesce(became, was) ->> 'id')::uuid, coalesce(before, '{}'), coalesce(after, '{}'),
            acting ->> 'address', acting ->> 'request_id', acting ->> 'user_agent'
        );
        RETURN NULL;
    END
    $$
"""

KEPT = """
    CREATE FUNCTION audit_entries_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit_entries is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END
    $$
"""

TABLES = (
    audited("organizations", "Organization", ignored=("last_order_number",)),
    audited("users", "User", redacted=("password_hash", "totp_secret"), ignored=("totp_step",)),
    audited("memberships", "Membership"),
    audited("invitations", "Invitation"),
    audited("clients", "Client"),
    audited("products", "Product"),
    audited("product_partners", "ProductPartner"),
    audited("orders", "Order", ignored=("balance_cents",)),
    audited("order_lines", "OrderLine"),
    audited("payments", "Payment"),
    audited("conflicts", "Conflict"),
    audited("discount_codes", "DiscountCode", ignored=("redemptions",)),
    audited("invoices", "Invoice"),
    audited("partners", "Partner", redacted=("api_key", "signing_secret")),
    audited("notifications", "Notification"),
    audited("publishable_keys", "PublishableKey"),
    audited("partner_keys", "PartnerKey", redacted=("key_hash",)),
)

KEYS = (
    "ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_organization_id_fkey,"
    " DROP CONSTRAINT audit_entries_actor_id_fkey,"
    " ADD CONSTRAINT audit_entries_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT audit_entries_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT audit_entries_actor_id FOREIGN KEY (organization_id, actor_id)"
    " REFERENCES memberships (organization_id, id)"
)

INDEXES = (
    "CREATE INDEX audit_entries_of_subject ON audit_entries (subject_id, id)",
    "CREATE INDEX audit_entries_of_actor ON audit_entries (actor_id, id)",
    "CREATE INDEX audit_entries_of_key ON audit_entries (key_id, id) WHERE key_id IS NOT NULL",
    "CREATE INDEX audit_entries_by_action ON audit_entries (organization_id, action, id)",
    "CREATE INDEX audit_entries_by_created_at ON audit_entries (organization_id, created_at, id)",
)

CHECKS = (
    ("actor_kind", f"actor_kind IN ({', '.join(map(repr, KINDS.split()))})"),
    ("operation", f"operation IN ({', '.join(map(repr, OPERATIONS.split()))})"),
    ("subject", "(subject_type IS NULL) = (subject_id IS NULL)"),
    ("person", "actor_kind <> 'PERSON' OR actor_id IS NOT NULL"),
)


class Migration(migrations.Migration):
    dependencies = [("models", "0007_people_and_sessions")]
    initial = False

    operations = [
        ops.CreateModel(
            name="AuditEntry",
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
                    "actor_kind",
                    fields.CharEnumField(description="What kind of caller did it", enum_type=AuditActor, max_length=20),
                ),
                (
                    "actor",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="actor_id",
                        null=True,
                        description="The person who did it, where it was one",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("key_id", fields.UUIDField(null=True, description="The key by which it was done, where it was one")),
                (
                    "action",
                    fields.CharField(
                        description="What was asked for, by the name of the mutation: `orderCancel`", max_length=100
                    ),
                ),
                (
                    "operation",
                    fields.CharEnumField(
                        description="What was done to the row", enum_type=AuditOperation, max_length=10
                    ),
                ),
                ("subject_type", fields.CharField(null=True, description="Type of the row: `Order`", max_length=63)),
                ("subject_id", fields.UUIDField(null=True, description="The row")),
                (
                    "before",
                    fields.JSONField(default=dict, description="What the columns that changed held, by name; no nulls"),
                ),
                ("after", fields.JSONField(default=dict, description="What they hold since; secrets as `[redacted]`")),
                (
                    "address",
                    fields.CharField(null=True, description="IP address that it was asked from", max_length=45),
                ),
                (
                    "request_id",
                    fields.CharField(null=True, description="Id of the request, as in the log", max_length=64),
                ),
                (
                    "user_agent",
                    fields.CharField(
                        null=True, description="What the caller's program calls itself, cut", max_length=200
                    ),
                ),
            ],
            options={
                "table": "audit_entries",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One change of one row. Append-only: PostgreSQL refuses every other statement.",
            },
            bases=["Owned"],
        ),
        ops.RunSQL(
            [
                KEYS,
                *INDEXES,
                *(
                    f"ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_{name}_check CHECK ({rule})"
                    for name, rule in CHECKS
                ),
                UUID7,
                AUDIT,
                KEPT,
                "CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries"
                " FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_kept()",
                *TABLES,
            ]
        ),
    ]
