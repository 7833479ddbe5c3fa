"""What a migration says to have a table audited: one line."""

from collections.abc import Sequence


def audited(table: str, type: str, *, redacted: Sequence[str] = (), ignored: Sequence[str] = ()) -> str:
    """Log each change of a row of the table, as of that type. Of columns that are `redacted` only that they changed;
    of those that are `ignored` (counters, what follows from others) nothing."""
    given = ", ".join(f"'{argument}'" for argument in (type, ",".join(redacted), ",".join(ignored)))
    return (
        f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
        f" WHEN (current_setting('comptoir.actor', true) <> '') EXECUTE FUNCTION audit({given})"
    )
