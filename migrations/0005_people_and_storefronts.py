"""Members who leave, and the public columns of organizations, told to the ORM as a model of their own.

What changes in the database is in the SQL below.
"""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.fields import EmailField, PhoneField, SirenField, UrlField


class _InSql:
    """What the SQL makes or changes, or nothing does, told to the ORM."""

    async def database_forward(self, *state: Any, **editor: Any) -> None:
        pass

    async def database_backward(self, *state: Any, **editor: Any) -> None:
        pass


class KnownModel(_InSql, ops.CreateModel):
    """A model of a table that is there."""


class Known(_InSql, ops.AddField):
    """A column that the SQL makes."""


class KnownChange(_InSql, ops.AlterField):
    """A column of another kind to us, the same to PostgreSQL."""


class Migration(migrations.Migration):
    dependencies = [("models", "0004_the_sale_complete")]
    initial = False

    operations = [
        Known(
            "Membership",
            "active",
            fields.BooleanField(default=True, description="Whether they are let in; false once removed"),
        ),
        KnownChange(
            "Client",
            "siren",
            SirenField(null=True, description="SIREN of the company, nine digits (EN 16931 BT-47)", max_length=9),
        ),
        KnownChange("Organization", "siren", SirenField(description="SIREN, nine digits (BT-30)", max_length=9)),
        ops.RunSQL("ALTER TABLE memberships ADD COLUMN active boolean NOT NULL DEFAULT true"),
        KnownModel(
            name="Storefront",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                ("brand_name", fields.CharField(description="Name shown to clients", max_length=100)),
                (
                    "brand_color",
                    fields.CharField(default="#1f3a5f", description="Accent colour, `#rrggbb`", max_length=7),
                ),
                ("logo_svg", fields.TextField(null=True, description="Logo, as SVG", unique=False)),
                ("contact_email", EmailField(description="Where clients write to", max_length=254)),
                ("contact_phone", PhoneField(null=True, description="Phone number for clients, E.164", max_length=16)),
                ("website", UrlField(null=True, description="Public site", max_length=2048)),
                ("terms_url", UrlField(null=True, description="General terms of sale (CGV)", max_length=2048)),
                ("name", fields.CharField(description="Usual name", max_length=200)),
            ],
            options={
                "table": "organizations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Whoever sells, as the pages of its shop show it: the public columns of an"
                " organization, in the same table.",
            },
            bases=["Row", "Branded"],
        ),
    ]
