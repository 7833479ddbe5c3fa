"""The lines of a client file, one after the other: what each says of a client, or what is wrong with it.

The same file gives the same lines each time, so that an import that was interrupted goes on where it was. However many
there are, memory stays the same.
"""

import hashlib
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from errors import Invalid
from models import Client, ClientImportField, ClientImportProblem
from services import clients, csv_files, import_columns
from services.csv_files import Form, LineTooLong, Record
from services.import_columns import Column, Mapped, Reading, Wrong

LINES_MOST = 200_000
TAGS_MOST = 500  # different ones in a file
VALUE_MOST = 100  # characters of a value that are shown

Problem = ClientImportProblem


@dataclass(frozen=True)
class Finding:
    """What is wrong, and where; the value is cut."""

    problem: ClientImportProblem
    heading: str | None = None
    value: str | None = None
    first_line: int | None = None


@dataclass
class Line:
    """What a line says of a client, by columns of `clients`, and besides: nothing where something is wrong."""

    number: int
    last: int
    values: dict[str, Any] = field(default_factory=dict)
    consultant: str | None = None  # by e-mail address
    tags: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def email(self) -> str:
        return str(self.values["email"])


class Unreadable(Exception):
    """A file of which nothing is taken."""

    def __init__(self, line: int, finding: Finding) -> None:
        super().__init__(line, finding)
        self.line, self.finding = line, finding


@dataclass(frozen=True)
class Sheet:
    """A client file, and what it shows of itself."""

    file: BinaryIO
    form: Form
    columns: tuple[Column, ...]

    def lines(self) -> Generator[Line, None, None]:
        """All below the headings, to be closed before the file is. Raises Unreadable where there are too many."""
        number, cells = 0, _Cells(self.columns)
        with closing(_Seen()) as seen, closing(_records(self.file, self.form, skipped=1)) as records:
            for record in records:
                number += 1
                if number > LINES_MOST:
                    raise Unreadable(record.line, Finding(Problem.TOO_MANY_LINES))
                yield _line(record, cells, seen)


def opened(file: BinaryIO, mapped: Mapped) -> Sheet:
    """The sheet that a file is. Raises Unreadable."""
    try:
        form = csv_files.form(file)
    except LineTooLong as trouble:
        raise Unreadable(trouble.line, Finding(Problem.LINE_TOO_LONG)) from trouble
    with closing(_records(file, form)) as records:
        first = next(records, None)
    if first is None:
        raise Unreadable(1, Finding(Problem.EMPTY))
    if first.cells is None:
        raise Unreadable(first.line, Finding(Problem.MALFORMED))
    try:
        return Sheet(file, form, import_columns.columns(first.cells, mapped))
    except Wrong as wrong:
        raise Unreadable(first.line, Finding(wrong.problem, wrong.heading)) from wrong


def _records(file: BinaryIO, form: Form, skipped: int = 0) -> Generator[Record, None, None]:
    try:
        with closing(csv_files.records(file, form)) as found:
            yield from islice(found, skipped, None)
    except LineTooLong as trouble:
        raise Unreadable(trouble.line, Finding(Problem.LINE_TOO_LONG)) from trouble


def _line(record: Record, cells: "_Cells", seen: "_Seen") -> Line:
    line = Line(record.line, record.last_line)
    if record.cells is None:
        line.findings.append(Finding(Problem.TOO_LONG if record.too_long else Problem.MALFORMED))
    elif any(map(str.strip, record.cells[cells.number :])):
        line.findings.append(Finding(Problem.TOO_MANY_CELLS))
    else:
        cells.read(line, record.cells)
    if not line.findings:
        _check(line, cells, seen)
    return Line(line.number, line.last, findings=line.findings) if line.findings else line


class _Cells:
    """How the cells of a sheet's lines are read: found out once."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.number = len(columns)
        self.headings = {said: heading for heading, said in columns if said}
        read = [
            (at, heading, import_columns.reading(said))
            for at, (heading, said) in enumerate(columns)
            if said is not None
        ]
        # The country first: what phone numbers mean follows from it.
        self._read = sorted(read, key=lambda each: each[2].column != "country")

    def read(self, line: Line, cells: Sequence[str]) -> None:
        there = len(cells)
        country = import_columns.HOME
        for at, heading, reading in self._read:
            if at >= there:
                continue
            try:
                text = import_columns.plain(cells[at])
                if text is None:
                    continue
                if reading.column:
                    line.values[reading.column] = reading.read(text, country)
                else:
                    _name(line, text, reading)
            except Wrong as wrong:
                line.findings.append(Finding(wrong.problem, heading, shown(cells[at])))
            country = line.values.get("country", country)


def _name(line: Line, text: str, reading: Reading) -> None:
    if reading.field is ClientImportField.TAGS:
        line.tags = import_columns.tags(text, reading)
    else:
        line.consultant = reading.read(text, import_columns.HOME)


def _check(line: Line, cells: "_Cells", seen: "_Seen") -> None:
    """What only all of a line, and all before it, can tell."""
    email = cells.headings[ClientImportField.EMAIL]
    if "email" not in line.values:
        line.findings.append(Finding(Problem.MISSING, email))
    elif {"siren", "vat_number"} <= line.values.keys() and not agrees(Client(**line.values)):
        line.findings.append(Finding(Problem.DISAGREES, None, shown(line.values.get("vat_number", ""))))
    elif line.tags and not seen.has_room(line.tags):
        tags = cells.headings[ClientImportField.TAGS]
        line.findings.append(Finding(Problem.TOO_MANY_TAGS, tags, shown(", ".join(line.tags))))
    elif first := seen.before(line.email, line.number):
        line.findings.append(Finding(Problem.DUPLICATE, email, shown(line.email), first))


def agrees(client: Client) -> bool:
    """Whether what is known of a company is of one."""
    try:
        clients.must_agree(client)
    except Invalid:
        return False
    return True


def shown(cell: str) -> str | None:
    """A value as a report may keep it."""
    text = cell.strip().replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
    return text[:VALUE_MOST] or None


class _Seen:
    """What came before: the line on which each address did first, in a file of SQLite's, by digests, so that no memory
    grows with it; and the tags, of which there are few."""

    def __init__(self) -> None:
        # An empty name is a database that lies in a temporary file. One thread after the other uses it.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (address BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")
        self._tags: set[str] = set()

    def before(self, email: str, line: int) -> int | None:
        """The earlier line of an address; None where this is the first, by which it is known from now on."""
        address = hashlib.blake2b(email.encode(), digest_size=16).digest()
        database = self._database
        if database.execute("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", (address, line)).rowcount:
            return None
        return int(database.execute("SELECT line FROM seen WHERE address = ?", (address,)).fetchone()[0])

    def has_room(self, tags: Sequence[str]) -> bool:
        """Whether so many different tags may be named; they are known from now on."""
        more = {tag.casefold() for tag in tags} - self._tags
        if len(self._tags) + len(more) > TAGS_MOST:
            return False
        self._tags |= more
        return True

    def close(self) -> None:
        self._database.close()
