"""Client files name tags and consultants: what may be wrong with these, and the tags that an import makes."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS, JSON_LOADS
from tortoise.migrations import operations as ops

from migrations._audit import audited
from migrations._known import Known

PROBLEMS = (
    "EMPTY", "LINE_TOO_LONG", "TOO_MANY_LINES", "NO_EMAIL_COLUMN", "TOO_MANY_COLUMNS", "UNKNOWN_COLUMN",
    "COLUMN_TWICE", "FILE_GONE", "MALFORMED", "TOO_MANY_CELLS", "MISSING", "EMAIL", "PHONE", "SIREN", "VAT_NUMBER",
    "COUNTRY", "LANGUAGE", "CONSULTANT", "TOO_MANY_TAGS", "TOO_LONG", "CHARACTERS", "FORMULA", "DISAGREES",
    "DUPLICATE",
)  # fmt: skip

RULES = [
    "ALTER TABLE client_import_lines DROP CONSTRAINT client_import_lines_problem_check,"
    f" ADD CONSTRAINT client_import_lines_problem_check CHECK (problem IN {PROBLEMS})",
    "ALTER TABLE client_imports ADD COLUMN new_tags jsonb NOT NULL DEFAULT '[]'",
    "DROP TRIGGER audited ON client_imports",
    audited(
        "client_imports", "ClientImport",
        ignored=(
            "columns", "encoding", "delimiter", "total", "done", "created", "updated", "unchanged", "broken", "new_tags"
        ),
    ),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("models", "0046_erasures")]

    initial = False

    operations: list[Any] = [
        ops.RunSQL(RULES, []),
        Known(
            model_name="ClientImport",
            name="new_tags",
            field=fields.JSONField(
                default=list,
                description="Tags that were made, or would be, by name",
                encoder=JSON_DUMPS,
                decoder=JSON_LOADS,
            ),
        ),
    ]
