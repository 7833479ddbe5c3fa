"""What clients are found by: the pattern of a word; their addresses without accents, too. Quotes of merged clients go
over, those that were sent too."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

SEARCH = [
    # As before, but that addresses are folded too.
    r"""
    CREATE OR REPLACE FUNCTION searchable(names text, email text, phone text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN concat(
        ' ', trim(regexp_replace(public.folded(names), '[\s!-/:-@[-`{-~]+', ' ', 'g')), ' ', public.folded(email), ' ',
        substr(phone, 2), ' '
    )
    """,
    # What LIKE takes. One letter or two are where a word begins: inside of words they are nearly everywhere.
    r"""
    CREATE FUNCTION search_pattern(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN length(word) < 3 THEN '% ' ELSE '%' END
        || regexp_replace(public.folded(word), '([\\%_])', '\\\1', 'g') || '%'
    """,
    "UPDATE clients SET search_text = ''",
]

COLUMNS = (
    "series_id, number, year, sequence, version, currency, subtotal_cents, discount_cents, discount_reason, "
    "total_cents, deposit_cents, live, note, valid_until, expires_at, content, content_sha256, message_id, sent_at"
)


def _of(row: str) -> str:
    return f"({', '.join(f'{row}.{column}' for column in COLUMNS.split(', '))})"


# As before; but whom it was sent to changes where they turn out to be the same, and nowhere else.
QUOTES = [
    "DROP TRIGGER quotes_stand ON quotes",
    f"CREATE TRIGGER quotes_stand AFTER UPDATE OF {COLUMNS} ON quotes FOR EACH ROW"
    f" WHEN (OLD.sent_at IS NOT NULL AND {_of('OLD')} IS DISTINCT FROM {_of('NEW')}) EXECUTE FUNCTION quote_stands()",
    "CREATE TRIGGER quotes_client_stands AFTER UPDATE OF client_id ON quotes FOR EACH ROW"
    " WHEN (OLD.sent_at IS NOT NULL AND OLD.client_id <> NEW.client_id"
    " AND current_setting('comptoir.merging', true) IS DISTINCT FROM OLD.client_id::text)"
    " EXECUTE FUNCTION quote_stands()",
]


class Migration(migrations.Migration):
    dependencies = [("models", "0041_client_imports")]

    initial = False

    operations: list[Any] = [ops.RunSQL([*SEARCH, *QUOTES], [])]
