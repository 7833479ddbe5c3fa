"""What is kept of a client besides who they are: people, notes, tags, consents, records of merges; and what they are
found by.

`clients.search_text` is machinery, of which the ORM does not know: triggers keep it, an index over three letters each
finds in it. Nothing of an order touches it.
"""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.client import ClientKind
from models.crm import ConsentPurpose, ConsentSource
from models.fields import EmailField, PhoneField

TABLES = ("contacts", "client_notes", "tags", "client_tags", "client_consents", "client_merges")

# (table, column, target): both rows belong to the same organization.
WITHIN_TENANT = (
    ("contacts", "client_id", "clients"),
    ("client_notes", "client_id", "clients"),
    ("client_notes", "author_id", "memberships"),
    ("client_tags", "client_id", "clients"),
    ("client_tags", "tag_id", "tags"),
    ("client_consents", "client_id", "clients"),
    ("client_merges", "client_id", "clients"),
    ("client_merges", "merged_by_id", "memberships"),
)

PURPOSES = "EMAIL_MARKETING SMS_MARKETING PHONE_MARKETING PARTNER_SHARING TESTIMONIAL"
SOURCES = "FORM EMAIL PHONE PAPER IN_PERSON IMPORT"


def _among(column: str, values: str) -> str:
    return f"{column} IN ({', '.join(map(repr, values.split()))})"


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
    "ALTER TABLE contacts ADD CONSTRAINT contacts_said_check"
    " CHECK (num_nonnulls(first_name, last_name, email, phone) > 0),"
    " ADD CONSTRAINT contacts_email_check CHECK (email = lower(email))",
    "CREATE INDEX contacts_of_client ON contacts (client_id, id)",
    "CREATE INDEX client_notes_of_client ON client_notes (client_id, id)",
    "CREATE INDEX client_notes_author_id_index ON client_notes (author_id)",
    "CREATE UNIQUE INDEX tags_name ON tags (organization_id, lower(name))",
    "CREATE INDEX client_tags_tag_id_index ON client_tags (tag_id)",
    "ALTER TABLE client_consents"
    f" ADD CONSTRAINT client_consents_purpose_check CHECK ({_among('purpose', PURPOSES)}),"
    f" ADD CONSTRAINT client_consents_source_check CHECK ({_among('source', SOURCES)}),"
    " ADD CONSTRAINT client_consents_withdrawn_check CHECK (withdrawn_at >= given_at)",
    # However many note it at once, one of a purpose holds.
    "CREATE UNIQUE INDEX client_consents_one ON client_consents (client_id, purpose) WHERE withdrawn_at IS NULL",
    "CREATE INDEX client_consents_of_client ON client_consents (client_id, id)",
    "CREATE INDEX client_merges_of_client ON client_merges (client_id, id)",
    "CREATE INDEX client_merges_merged_by_id_index ON client_merges (merged_by_id)",
    audited("contacts", "Contact"),
    audited("client_notes", "ClientNote", redacted=("body",)),
    audited("tags", "Tag"),
    audited("client_tags", "ClientTag"),
    audited("client_consents", "ClientConsent"),
]

KIND = [
    "ALTER TABLE clients ADD COLUMN kind varchar(10) NOT NULL DEFAULT 'PERSON',"
    " ADD CONSTRAINT clients_kind_check CHECK (kind IN ('PERSON', 'COMPANY')),"
    " ADD COLUMN search_text text NOT NULL DEFAULT ''",
    "UPDATE clients SET kind = 'COMPANY' WHERE company IS NOT NULL OR siren IS NOT NULL",
    "DROP TRIGGER audited ON clients",
    audited("clients", "Client", ignored=("search_text",)),
]

# unaccent() is only STABLE, since its rules are a file; that of the dictionary which comes along does not change.
FOLDED = """
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(public.unaccent('public.unaccent', $1))
"""

# Words between single spaces, one before the first: what begins a word is told by it.
NAMES = r"""
CREATE FUNCTION searchable(names text, email text, phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN concat(
    ' ', trim(regexp_replace(public.folded(names), '[\s!-/:-@[-`{-~]+', ' ', 'g')), ' ', email, ' ',
    substr(phone, 2), ' '
)
"""

OF_CONTACTS = """
CREATE FUNCTION contacts_searchable(client uuid) RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT string_agg(public.searchable(concat_ws(' ', first_name, last_name), email, phone), '' ORDER BY id)
    FROM public.contacts WHERE client_id = client
)
"""

KEEP = """
CREATE FUNCTION clients_searchable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_text := public.searchable(
        concat_ws(' ', NEW.first_name, NEW.last_name, NEW.company, NEW.siren), NEW.email, NEW.phone
    );
    IF TG_OP = 'UPDATE' THEN
        NEW.search_text := concat(NEW.search_text, public.contacts_searchable(NEW.id));
    END IF;
    RETURN NEW;
END
$$
"""

# The empty text has the client's own trigger write all of it anew.
KEEP_OF_CONTACTS = """
CREATE FUNCTION contacts_searched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.clients SET search_text = '' WHERE id IN (OLD.client_id, NEW.client_id);
    RETURN NULL;
END
$$
"""

SEARCH = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public",
    "CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public",
    "CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public",
    FOLDED,
    NAMES,
    OF_CONTACTS,
    KEEP,
    KEEP_OF_CONTACTS,
    "CREATE TRIGGER searchable BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION clients_searchable()",
    "CREATE TRIGGER searchable_anew BEFORE UPDATE ON clients FOR EACH ROW"
    " WHEN (NEW.search_text = '' OR (OLD.first_name, OLD.last_name, OLD.company, OLD.siren, OLD.email, OLD.phone)"
    " IS DISTINCT FROM (NEW.first_name, NEW.last_name, NEW.company, NEW.siren, NEW.email, NEW.phone))"
    " EXECUTE FUNCTION clients_searchable()",
    "CREATE TRIGGER searched AFTER INSERT OR UPDATE OR DELETE ON contacts FOR EACH ROW"
    " EXECUTE FUNCTION contacts_searched()",
    "UPDATE clients SET search_text = ''",
    # The organization is part of it: what others have that is called alike costs nothing.
    "CREATE INDEX clients_search ON clients USING gin (organization_id, search_text gin_trgm_ops)",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0035_uploads")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="ClientConsent",
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
                        description="Who agreed",
                        db_constraint=False,
                        to_field="id",
                        related_name="consents",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("purpose", fields.CharEnumField(description="To what", enum_type=ConsentPurpose, max_length=20)),
                ("wording", fields.TextField(description="The words that they agreed to", unique=False)),
                ("source", fields.CharEnumField(description="How", enum_type=ConsentSource, max_length=20)),
                ("given_at", fields.DatetimeField(description="When they agreed", auto_now=False, auto_now_add=False)),
                (
                    "withdrawn_at",
                    fields.DatetimeField(
                        null=True,
                        description="When they took it back; null while it holds",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "client_consents",
                "app": "models",
                "pk_attr": "id",
                "table_description": "That a client agreed to something, to which words, and until when (GDPR, "
                "article 7: it can be shown).",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ClientMerge",
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
                        description="Who was kept",
                        db_constraint=False,
                        to_field="id",
                        related_name="merges",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("duplicate_id", fields.UUIDField(description="The id of the one that is no more")),
                ("duplicate_email", EmailField(description="The e-mail address that it had", max_length=254)),
                (
                    "moved",
                    fields.JSONField(
                        description="How many rows went over, by table", encoder=JSON_DUMPS, decoder=JSON_LOADS
                    ),
                ),
                (
                    "merged_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="merged_by_id",
                        null=True,
                        description="Who merged them; null for a key",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "client_merges",
                "app": "models",
                "pk_attr": "id",
                "table_description": "That two clients turned out to be one: the one was kept, and has what named "
                "the other.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ClientNote",
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
                        description="Whom it is about",
                        db_constraint=False,
                        to_field="id",
                        related_name="notes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "author",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="author_id",
                        null=True,
                        description="Who wrote it; null for a key",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("body", fields.TextField(description="What it says, as plain text", unique=False)),
                (
                    "edited_at",
                    fields.DatetimeField(
                        null=True, description="When it was changed last", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "client_notes",
                "app": "models",
                "pk_attr": "id",
                "table_description": "What the organization writes down of a client for itself. Clients never see it.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Contact",
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
                        description="Whose contact",
                        db_constraint=False,
                        to_field="id",
                        related_name="contacts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("first_name", fields.CharField(null=True, description="First name", max_length=100)),
                ("last_name", fields.CharField(null=True, description="Last name", max_length=100)),
                ("job_title", fields.CharField(null=True, description="What they do there", max_length=100)),
                ("email", EmailField(null=True, description="E-mail address", max_length=254)),
                ("phone", PhoneField(null=True, description="Phone number", max_length=16)),
            ],
            options={
                "table": "contacts",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A person of a client: whom to call, whom to write to.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="Tag",
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
                    "name",
                    fields.CharField(
                        description="The word; whether in capitals or not, there is one of each", max_length=50
                    ),
                ),
            ],
            options={
                "table": "tags",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A word that the organization sorts its clients by. Clients never see it.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="ClientTag",
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
                        description="The client",
                        db_constraint=False,
                        to_field="id",
                        related_name="client_tags",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "tag",
                    fields.ForeignKeyField(
                        "models.Tag",
                        source_field="tag_id",
                        description="The tag",
                        db_constraint=False,
                        to_field="id",
                        related_name="client_tags",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "client_tags",
                "app": "models",
                "unique_together": (("client", "tag"),),
                "pk_attr": "id",
                "table_description": "That a client has a tag.",
            },
            bases=["Owned"],
        ),
        Known(
            model_name="Client",
            name="kind",
            field=fields.CharEnumField(
                default=ClientKind.PERSON, description="A person or a company", enum_type=ClientKind, max_length=10
            ),
        ),
        ops.RunSQL([*RULES, *KIND, *SEARCH], []),
    ]
