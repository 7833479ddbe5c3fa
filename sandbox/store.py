"""Where the stand-ins keep what they know: JSON things by kind and id, in order of arrival."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Thing = dict[str, Any]
Condition = tuple[str, str, object]
"""A top-level field, an SQL comparison, a value: `("created", ">", 1700000000)`; a list of values for `IN`."""

LIMIT = 20_000


class Store:
    """SQLite, in memory or in a file that survives restarts. Used from one thread, the event loop's."""

    def __init__(self, path: Path | None = None) -> None:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._database.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS things (
                position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
                UNIQUE (kind, id)
            );
            CREATE INDEX IF NOT EXISTS things_in_order ON things (kind, position);
            """
        )
        self._counts = self._count()

    def put(self, kind: str, id: str, thing: Thing, *, limit: int = LIMIT) -> None:
        """Keep or replace a thing. Of each kind the newest `limit` stay."""
        body = json.dumps(thing, ensure_ascii=False)
        if self._database.execute("UPDATE things SET body = ? WHERE kind = ? AND id = ?", (body, kind, id)).rowcount:
            return
        self._database.execute("INSERT INTO things (kind, id, body) VALUES (?, ?, ?)", (kind, id, body))
        self._counts[kind] += 1
        if (excess := self._counts[kind] - limit) > 0:
            oldest = "SELECT position FROM things WHERE kind = ? ORDER BY position LIMIT ?"
            self._database.execute(f"DELETE FROM things WHERE position IN ({oldest})", (kind, excess))
            self._counts[kind] -= excess

    def get(self, kind: str, id: str) -> Thing | None:
        row = self._database.execute("SELECT body FROM things WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, kind: str, where: Sequence[Condition] = ()) -> list[Thing]:
        """Every thing of a kind, oldest first."""
        return self._select(kind, where, "ASC", LIMIT)

    def older(self, kind: str, than: str | None, limit: int, where: Sequence[Condition] = ()) -> list[Thing]:
        """At most `limit` things that came before the one with this id (None: from the end), newest first."""
        return self._select(kind, [*where, *self._beside(kind, "<", than)], "DESC", limit)

    def newer(self, kind: str, than: str, limit: int, where: Sequence[Condition] = ()) -> list[Thing]:
        """At most `limit` things that came right after the one with this id, oldest first."""
        return self._select(kind, [*where, *self._beside(kind, ">", than)], "ASC", limit)

    def drop(self, kind: str, id: str) -> None:
        """One thing, for good."""
        self._database.execute("DELETE FROM things WHERE kind = ? AND id = ?", (kind, id))
        self._counts = self._count()

    def forget(self, *kinds: str) -> None:
        """Everything of these kinds."""
        self._database.executemany("DELETE FROM things WHERE kind = ?", [(kind,) for kind in kinds])
        self._counts = self._count()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing. Nothing may be awaited inside."""
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            self._counts = self._count()
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()

    def _count(self) -> Counter[str]:
        return Counter(dict(self._database.execute("SELECT kind, count(*) FROM things GROUP BY kind")))

    def _beside(self, kind: str, comparison: str, id: str | None) -> list[Condition]:
        if id is None:
            return []
        row = self._database.execute("SELECT position FROM things WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return [("position", comparison, row[0] if row else 0)]

    def _select(self, kind: str, where: Sequence[Condition], order: str, limit: int) -> list[Thing]:
        # Field names and comparisons are literals of this package; only values come from outside.
        clauses: list[str] = ["kind = ?"]
        values: list[object] = [kind]
        for field, comparison, value in where:
            column = field if field in ("position", "id") else f"json_extract(body, '$.{field}')"
            several = value if isinstance(value, list) else [value]
            marks = ", ".join("?" * len(several))
            clauses.append(f"{column} {comparison} ({marks})")
            values += several
        sql = f"SELECT body FROM things WHERE {' AND '.join(clauses)} ORDER BY position {order} LIMIT ?"
        return [json.loads(body) for (body,) in self._database.execute(sql, (*values, limit))]
