"""Sessions, second factors, and those who are still to come in: registrations, invitations, new addresses."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from uuid_utils.compat import uuid7

from models.fields import EmailField
from models.identity import SessionEnd
from models.organization import Role

SQL = [
    "ALTER TABLE users ALTER COLUMN totp_step SET DEFAULT 0",
    "ALTER TABLE invitations DROP CONSTRAINT invitations_organization_id_fkey, DROP CONSTRAINT"
    " invitations_invited_by_id_fkey, ADD CONSTRAINT invitations_organization FOREIGN KEY (organization_id)"
    " REFERENCES organizations (id), ADD CONSTRAINT invitations_tenant UNIQUE (organization_id, id),"
    " ADD CONSTRAINT invitations_invited_by_id FOREIGN KEY (organization_id, invited_by_id)"
    " REFERENCES memberships (organization_id, id)",
    "ALTER TABLE invitations ADD CONSTRAINT invitations_role_check"
    " CHECK (role IN ('OWNER', 'ADMIN', 'CONSULTANT', 'ACCOUNTANT', 'BENEFICIARY'))",
    "ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check"
    " CHECK (end_reason IN ('SIGNED_OUT', 'ENDED', 'TOKEN_REUSED', 'PASSWORD_CHANGED')),"
    " ADD CONSTRAINT sessions_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),"
    " ADD CONSTRAINT sessions_generation_check CHECK (generation > 0)",
    "ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_hash_check CHECK (code_hash ~ '^[0-9a-f]{64}$')",
    # Until now nobody came who had not been let in by somebody that they know.
    "UPDATE users SET confirmed_at = created_at",
    "CREATE INDEX invitations_invited_by ON invitations (invited_by_id)",
    "CREATE INDEX sessions_user ON sessions (user_id, id)",
    "CREATE INDEX sessions_organization ON sessions (organization_id)",
    "CREATE INDEX email_changes_user ON email_changes (user_id)",
    # One open invitation for an address: a new one takes the place of the old.
    "CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email)"
    " WHERE accepted_at IS NULL AND revoked_at IS NULL",
    "CREATE INDEX password_requests_email ON password_requests (email, created_at)",
    "CREATE INDEX registrations_email ON registrations (email, created_at)",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0006_news_and_failures")]

    initial = False

    operations: list[Any] = [
        ops.CreateModel(
            name="EmailChange",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="user_id",
                        description="Who",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("former", EmailField(description="The address until then", max_length=254)),
                ("email", EmailField(description="The new address", max_length=254)),
                (
                    "confirmed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When it took the place of the old one",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "email_changes",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A person's new address, until they show that it is theirs.",
            },
            bases=["Row"],
        ),
        ops.CreateModel(
            name="Invitation",
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
                ("email", EmailField(description="Who is invited", max_length=254)),
                (
                    "role",
                    fields.CharEnumField(
                        description="What they may do once they accept", enum_type=Role, max_length=20
                    ),
                ),
                (
                    "invited_by",
                    fields.ForeignKeyField(
                        "models.Membership",
                        source_field="invited_by_id",
                        description="Who invited them",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="Until when it can be accepted", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "accepted_at",
                    fields.DatetimeField(
                        null=True, description="When it was accepted", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "revoked_at",
                    fields.DatetimeField(
                        null=True, description="When it was taken back", auto_now=False, auto_now_add=False
                    ),
                ),
            ],
            options={
                "table": "invitations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody is asked to become a member.",
            },
            bases=["Owned"],
        ),
        ops.CreateModel(
            name="PasswordRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                ("email", EmailField(description="Of which address", max_length=254)),
                (
                    "answered_at",
                    fields.DatetimeField(
                        null=True,
                        description="When a letter was sent, or was not to be",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "password_requests",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Somebody says that they forgot an address's password, known here or not.",
            },
            bases=["Row"],
        ),
        ops.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="user_id",
                        description="Whose",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code_hash", fields.CharField(description="SHA-256 of the code, hexadecimal", max_length=64)),
                (
                    "used_at",
                    fields.DatetimeField(null=True, description="When it was used", auto_now=False, auto_now_add=False),
                ),
            ],
            options={
                "table": "recovery_codes",
                "app": "models",
                "unique_together": (("user", "code_hash"),),
                "pk_attr": "id",
                "table_description": "Stands in for a second factor that was lost, once.",
            },
            bases=["Row"],
        ),
        ops.CreateModel(
            name="Registration",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                ("email", EmailField(description="Who registers", max_length=254)),
                ("first_name", fields.CharField(description="First name", max_length=100)),
                ("last_name", fields.CharField(description="Last name", max_length=100)),
                ("organization", fields.JSONField(description="Columns of the organization to be")),
                (
                    "confirmed_at",
                    fields.DatetimeField(
                        null=True,
                        description="When the address was confirmed and both were made",
                        auto_now=False,
                        auto_now_add=False,
                    ),
                ),
            ],
            options={
                "table": "registrations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An organization and its first owner, until the address is confirmed.",
            },
            bases=["Row"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("created_at", fields.DatetimeField(description="When it was made", auto_now=False, auto_now_add=True)),
                (
                    "user",
                    fields.ForeignKeyField(
                        "models.User",
                        source_field="user_id",
                        description="Who is signed in",
                        db_constraint=False,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        description="Where to, unless a request names another",
                        db_constraint=False,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("generation", fields.IntField(default=1, description="Number of the refresh token that is good")),
                (
                    "refreshed_at",
                    fields.DatetimeField(description="When that one was given", auto_now=False, auto_now_add=True),
                ),
                (
                    "expires_at",
                    fields.DatetimeField(
                        description="Until when it lasts without being used", auto_now=False, auto_now_add=False
                    ),
                ),
                (
                    "ended_at",
                    fields.DatetimeField(
                        null=True, description="When it was ended", auto_now=False, auto_now_add=False
                    ),
                ),
                ("end_reason", fields.CharEnumField(null=True, description="Why", enum_type=SessionEnd, max_length=20)),
                (
                    "by_cookie",
                    fields.BooleanField(default=False, description="Whether the browser keeps its tokens in cookies"),
                ),
                (
                    "address",
                    fields.CharField(null=True, description="Address that it was last refreshed from", max_length=45),
                ),
                (
                    "user_agent",
                    fields.CharField(null=True, description="Program that it was last refreshed by", max_length=200),
                ),
            ],
            options={
                "table": "sessions",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Signed in on one device. Of its refresh tokens the newest alone is good.",
            },
            bases=["Row"],
        ),
        ops.AlterField(
            model_name="SecretOpening",
            name="organization",
            field=fields.ForeignKeyField(
                "models.Organization",
                source_field="organization_id",
                null=True,
                description="Whose secret; null for a person's",
                db_constraint=False,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="User",
            name="confirmed_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="User",
            name="second_factor_since",
            field=fields.DatetimeField(
                null=True,
                description="Since when a code is asked for besides the password",
                auto_now=False,
                auto_now_add=False,
            ),
        ),
        ops.AddField(
            model_name="User",
            name="totp_secret",
            field=fields.CharField(null=True, max_length=500),
        ),
        ops.AddField(
            model_name="User",
            name="totp_step",
            field=fields.BigIntField(default=0),
        ),
        ops.RunSQL(SQL, []),
    ]
