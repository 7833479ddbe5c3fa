"""Issued invoices are chained by hashes, and PostgreSQL refuses to change or delete them.

Those issued before are hashed as they stand at this upgrade: from then on a change shows.
"""

import json
from itertools import groupby
from operator import itemgetter
from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from migrations._known import Known
from models import chain

COLUMNS = [
    "ALTER TABLE invoices ADD COLUMN content_sha256 varchar(64), ADD COLUMN chain_sha256 varchar(64)",
    "ALTER TABLE invoice_series ADD COLUMN chain_sha256 varchar(64)",
]

PAGE = 1_000
OLDEST_FIRST = f"""
    SELECT {", ".join(chain.LINKED)}, content FROM invoices
    WHERE (series_id, year, sequence) > ($1, $2, $3) ORDER BY series_id, year, sequence LIMIT {PAGE}
"""
WRITTEN = """
    UPDATE invoices i SET content_sha256 = h.content, chain_sha256 = h.link
    FROM unnest($1::uuid[], $2::text[], $3::text[]) AS h(id, content, link) WHERE i.id = h.id
"""

HEX = "~ '^[0-9a-f]{64}$'"
RULES = [
    "ALTER TABLE invoices ALTER COLUMN content_sha256 SET NOT NULL, ALTER COLUMN chain_sha256 SET NOT NULL,"
    f" ADD CONSTRAINT invoices_sealed_check CHECK (content_sha256 {HEX} AND chain_sha256 {HEX})",
    f"ALTER TABLE invoice_series ADD CONSTRAINT invoice_series_chain_check CHECK (chain_sha256 {HEX})",
    # What is written down once, after the issue, and what is counted.
    """
    CREATE FUNCTION invoices_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        once CONSTANT text[] := '{file_key,file_sha256,rendered_at,emailed_at,settled_at}';
        became jsonb;
        changed text;
    BEGIN
        IF TG_OP <> 'UPDATE' THEN
            RAISE EXCEPTION 'invoices are kept: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
        END IF;
        became := to_jsonb(NEW);
        SELECT string_agg(key, ', ' ORDER BY key) INTO changed FROM jsonb_each(to_jsonb(OLD))
        WHERE became -> key IS DISTINCT FROM value AND key <> 'credited_cents'
            AND NOT (key = ANY (once) AND value = 'null');
        IF changed IS NOT NULL THEN
            RAISE EXCEPTION 'invoice % is issued: its % cannot change', OLD.number, changed
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    $$
    """,
    "CREATE TRIGGER fixed BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION invoices_fixed()",
    "CREATE TRIGGER kept BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION invoices_fixed()",
]


async def hash_what_stands(_: Any, editor: Any) -> None:
    """Each series' invoices, oldest first, a page at a time."""
    if editor.collect_sql:
        return
    nothing = ("00000000-0000-0000-0000-000000000000", 0, 0)
    place, newest = nothing, {}
    while rows := await editor.client.execute_query_dict(OLDEST_FIRST, list(place)):
        hashes = []
        for series, invoices in groupby(rows, itemgetter("series_id")):
            for row in invoices:
                content = chain.content_digest(json.loads(row["content"]))
                newest[series] = chain.link(row, content, newest.get(series))
                hashes.append((row["id"], content, newest[series]))
        await editor.client.execute_query(WRITTEN, [list(column) for column in zip(*hashes, strict=True)])
        place = tuple(rows[-1][name] for name in ("series_id", "year", "sequence"))
    for series, link in newest.items():
        await editor.client.execute_query("UPDATE invoice_series SET chain_sha256 = $2 WHERE id = $1", [series, link])


class Migration(migrations.Migration):
    dependencies = [("models", "0018_replays")]
    initial = False

    operations: list[Any] = [
        *(
            Known(
                model_name="Invoice",
                name=name,
                field=fields.CharField(description=description, max_length=64),
            )
            for name, description in (
                ("content_sha256", "SHA-256 of what it says, hexadecimal"),
                ("chain_sha256", "SHA-256 of that, of its columns and of this of the one before it"),
            )
        ),
        Known(
            model_name="InvoiceSeries",
            name="chain_sha256",
            field=fields.CharField(null=True, description="That of the newest invoice", max_length=64),
        ),
        ops.RunSQL(COLUMNS, []),
        ops.RunPython(hash_what_stands),
        ops.RunSQL(RULES, []),
    ]
