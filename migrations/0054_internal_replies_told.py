"""An internal reply to a ticket is told as what it is, so that it can be kept from the client."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

_FUNCTION = """
    CREATE OR REPLACE FUNCTION note_change_of_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO changes (organization_id, subject, row_id, happened)
        VALUES (NEW.organization_id, 'tickets', NEW.ticket_id, CASE WHEN NEW.internal THEN 'NOTED' ELSE 'CHANGED' END);
        RETURN NULL;
    END $$
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0053_who_ordered_data")]

    initial = False

    operations: list[Any] = [ops.RunSQL([_FUNCTION], [])]
