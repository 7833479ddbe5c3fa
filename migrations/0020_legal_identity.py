"""What invoices have to say: the organization's own words for it, and what is known of companies that buy."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from migrations._audit import audited
from migrations._known import Known
from models.fields import CountryField, VatNumberField
from models.language import Language
from models.mention import MentionCode, MentionScope

CODES = (
    "DISCOUNT_TERMS LATE_PENALTIES RECOVERY_COSTS OPERATION_GOODS OPERATION_SERVICES OPERATION_MIXED VAT_ON_DEBITS"
    " VAT_FRANCHISE VAT_TRAINING VAT_EXEMPT OTHER"
)
SCOPES = "ALL B2B B2C GOODS SERVICES MIXED VAT_ON_DEBITS FRANCHISE TRAINING EXEMPT"


def one_of(table: str, column: str, values: str) -> str:
    allowed = ", ".join(repr(value) for value in values.split())
    return f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_check CHECK ({column} IN ({allowed}))"


RULES = [
    "ALTER TABLE organizations ADD COLUMN language varchar(2) NOT NULL DEFAULT 'FR'",
    "ALTER TABLE clients ADD COLUMN electronic_address_scheme varchar(4) NOT NULL DEFAULT '0225'",
    "ALTER TABLE legal_mentions DROP CONSTRAINT legal_mentions_organization_id_fkey,"
    " ADD CONSTRAINT legal_mentions_organization FOREIGN KEY (organization_id) REFERENCES organizations (id),"
    " ADD CONSTRAINT legal_mentions_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT legal_mentions_text_check CHECK (btrim(text_fr) <> '' AND btrim(text_en) <> ''),"
    " ADD CONSTRAINT legal_mentions_valid_check CHECK (valid_until >= valid_from)",
    "CREATE UNIQUE INDEX legal_mentions_one ON legal_mentions (organization_id, code, valid_from)"
    " WHERE code <> 'OTHER'",
    one_of("legal_mentions", "code", CODES),
    one_of("legal_mentions", "scope", SCOPES),
    one_of("organizations", "language", "FR EN"),
    one_of("clients", "language", "FR EN"),
    "ALTER TABLE clients ADD CONSTRAINT clients_electronic_address_check"
    " CHECK (electronic_address_scheme ~ '^[0-9]{4}$' AND electronic_address <> '')",
    audited("legal_mentions", "LegalMention"),
]


class Migration(migrations.Migration):
    dependencies = [("models", "0019_sealed_invoices")]
    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="LegalMention",
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
                ("code", fields.CharEnumField(description="What it is about", enum_type=MentionCode, max_length=20)),
                (
                    "scope",
                    fields.CharEnumField(
                        description="On which invoices it stands", enum_type=MentionScope, max_length=20
                    ),
                ),
                ("text_fr", fields.CharField(description="In French, as printed", max_length=500)),
                (
                    "text_en",
                    fields.CharField(
                        null=True,
                        description="In English, printed before the French where one reads it",
                        max_length=500,
                    ),
                ),
                ("valid_from", fields.DateField(description="First day of invoices that say so")),
                (
                    "valid_until",
                    fields.DateField(
                        null=True, description="Last day of invoices that say so; the next words end it too"
                    ),
                ),
            ],
            options={
                "table": "legal_mentions",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An organization's own words for a mention, for invoices issued from a day on.",
            },
            bases=["Owned"],
        ),
        ops.AddField(
            model_name="Client",
            name="delivery_address",
            field=fields.CharField(
                null=True, description="Street that goods are delivered to, where it is another (BG-15)", max_length=300
            ),
        ),
        ops.AddField(
            model_name="Client",
            name="delivery_city",
            field=fields.CharField(null=True, description="Town of the delivery", max_length=100),
        ),
        ops.AddField(
            model_name="Client",
            name="delivery_country",
            field=CountryField(null=True, description="Country of the delivery", max_length=2),
        ),
        ops.AddField(
            model_name="Client",
            name="delivery_postal_code",
            field=fields.CharField(null=True, description="Postal code of the delivery", max_length=20),
        ),
        ops.AddField(
            model_name="Client",
            name="electronic_address",
            field=fields.CharField(
                null=True,
                description="Where the company takes e-invoices (BT-49); its SIREN unless given",
                max_length=100,
            ),
        ),
        Known(
            model_name="Client",
            name="electronic_address_scheme",
            field=fields.CharField(
                default="0225",
                description="Code of the list that this address is of (EAS); 0225 is the French one",
                max_length=4,
            ),
        ),
        ops.AddField(
            model_name="Client",
            name="language",
            field=fields.CharEnumField(
                null=True,
                description="What documents and letters are in; the organization's unless given",
                enum_type=Language,
                max_length=2,
            ),
        ),
        ops.AddField(
            model_name="Client",
            name="vat_number",
            field=VatNumberField(null=True, description="VAT number of the company (BT-48)", max_length=14),
        ),
        Known(
            model_name="Organization",
            name="language",
            field=fields.CharEnumField(
                default=Language.FR,
                description="What documents and letters are in, unless a client has another",
                enum_type=Language,
                max_length=2,
            ),
        ),
        ops.AddField(
            model_name="Organization",
            name="logo_png",
            field=fields.TextField(
                null=True, description="Logo, as PNG in base64, where there is none as SVG", unique=False
            ),
        ),
        ops.AddField(
            model_name="Partner",
            name="logo_png",
            field=fields.TextField(
                null=True, description="Logo, as PNG in base64, where there is none as SVG", unique=False
            ),
        ),
        Known(
            model_name="Storefront",
            name="logo_png",
            field=fields.TextField(
                null=True, description="Logo, as PNG in base64, where there is none as SVG", unique=False
            ),
        ),
        ops.RunSQL(RULES, []),
    ]
