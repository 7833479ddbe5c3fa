"""CSV files as spreadsheets write them (RFC 4180): in UTF-8 or Windows-1252, whatever a byte order mark says, with
semicolons, commas or tabs, values over several lines in quotation marks. Read line by line, however large they are.
"""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

PIECE = 64 * 1024  # bytes
LINE_MOST = 1_000_000  # characters
DELIMITERS = ";,\t"

_QUOTED = re.compile('"[^"]*("|$)')


class LineTooLong(Exception):
    """A line that nobody would write."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class Record(NamedTuple):
    """Cells, and the lines of the file from which and up to which they go. There are none where quotation marks do not
    match, or one of them is longer than csv takes (131,072 characters)."""

    line: int
    last_line: int
    cells: list[str] | None
    too_long: bool = False


@dataclass(frozen=True)
class Form:
    """How a file is written. `begins`: the byte behind the mark; `lines`: how many line ends it has."""

    encoding: str
    delimiter: str
    begins: int
    lines: int


def form(file: BinaryIO) -> Form:
    """What the file shows of itself. Raises LineTooLong.

    What is no UTF-8 is Windows-1252, whatever the mark says: some programs put one before anything.
    """
    utf8, lines = _looked_through(file)
    encoding = "utf-8" if utf8 else "windows-1252"
    file.seek(0)
    begins = len(codecs.BOM_UTF8) if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8 else 0
    undecided = Form(encoding, ";", begins, lines)
    return Form(encoding, _delimiter(file, undecided), begins, lines)


def records(file: BinaryIO, form: Form) -> Generator[Record, None, None]:
    """All that is not empty, from the headings on. Raises LineTooLong.

    What quotation marks spoil is given as such, and reading goes on with the next line. To be closed before the file.
    """
    file.seek(form.begins)
    text = io.TextIOWrapper(file, form.encoding, errors="replace", newline="")
    try:
        reader = csv.reader(_lines(text), delimiter=form.delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as trouble:
                # Over several lines it is a quotation mark that never ends.
                too_long = "field limit" in str(trouble) and line == reader.line_num
                yield Record(line, reader.line_num, None, too_long)
                continue
            if any(map(str.strip, cells)) and not _is_hint(line, cells):
                yield Record(line, reader.line_num, cells)
    finally:
        text.detach()


def _looked_through(file: BinaryIO) -> tuple[bool, int]:
    """Whether it is UTF-8, and how many lines end."""
    decoder, utf8, lines = codecs.getincrementaldecoder("utf-8")(), True, 0
    file.seek(0)
    while True:
        piece = file.read(PIECE)
        lines += piece.count(b"\n")
        try:
            utf8 = utf8 and decoder.decode(piece, final=not piece) is not None
        except UnicodeDecodeError:
            utf8 = False
        if not piece:
            return utf8, lines


def _delimiter(file: BinaryIO, undecided: Form) -> str:
    """What the first line has most of, outside of quotation marks; the hint of a line that is one (`sep=;`)."""
    file.seek(undecided.begins)
    text = io.TextIOWrapper(file, undecided.encoding, errors="replace", newline="")
    try:
        first = next(_lines(text), "")
    finally:
        text.detach()
    if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:
        return first[4:5]
    return max(DELIMITERS, key=_QUOTED.sub("", first).count)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LINE_MOST):
        number += 1
        if len(line) == LINE_MOST:
            raise LineTooLong(number)
        yield line


def _is_hint(line: int, cells: list[str]) -> bool:
    """Excel's way to say what stands between cells, which is no heading."""
    return line == 1 and cells[0].lower().startswith("sep=")
