"""Whose session ends is looked up again wherever they are a member: they may act for another organization than the
session's own.
"""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

RIGHTS = [
    """
    CREATE FUNCTION note_rights_of_person() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        SELECT organization_id, 'rights', NEW.id, 'CHANGED' FROM memberships WHERE user_id = NEW.user_id AND active;
        RETURN NULL;
    END $$
    """,
    "DROP TRIGGER sessions_rights ON sessions",
    "CREATE TRIGGER sessions_rights AFTER UPDATE OF ended_at ON sessions FOR EACH ROW"
    " EXECUTE FUNCTION note_rights_of_person()",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0012_portal_tokens")]
    initial = False

    operations: list[Any] = [ops.RunSQL(RIGHTS, [])]
