"""Quotes of clients who were erased can be deleted, with their lines, by what erases and nothing else."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

LINES = """
    CREATE OR REPLACE FUNCTION quote_lines_stand() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND coalesce(current_setting('comptoir.erasing', true), '') <> '' THEN
            RETURN NULL;
        END IF;
        IF EXISTS (SELECT FROM quotes WHERE id = OLD.quote_id AND sent_at IS NOT NULL) THEN
            RAISE EXCEPTION 'a quote that was sent is not changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0050_data_exports")]

    initial = False

    operations: list[Any] = [ops.RunSQL([LINES], [])]
