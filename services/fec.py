"""The file of accounting entries that the tax office asks for (FEC): art. L47 A I and A47 A-1 du livre des procédures
fiscales, of books kept by double entry.

Eighteen columns, separated by tabs, in this order; dates as AAAAMMJJ, amounts with a decimal comma; in ISO 8859-15, one
of the encodings that the article names. Entries come by date, and their numbers have no gap within the file.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date

from models.accounting import AccountUse
from services.accounting import Entry, account

ENCODING = "iso8859-15"
COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
END = "\r\n"


def filename(siren: str, closing: date, *, live: bool) -> str:
    """As the article has it: SIREN, FEC, the last day. What is of test mode says so, and is no FEC."""
    return f"{'' if live else 'TEST_'}{siren}FEC{_day(closing)}.txt"


def header() -> bytes:
    """The names of the columns."""
    return _row(COLUMNS)


def rows(entry: Entry, number: int, own: Mapping[str, str]) -> Iterator[bytes]:
    """An entry as lines of the file, of one number; `own` are account numbers of the organization's."""
    code, journal = entry.journal
    for posting in entry.postings:
        compte, name = account(posting.use, own)
        aux = (f"C{entry.client_id.hex[-12:].upper()}", entry.client) if posting.use is AccountUse.CLIENTS else ("", "")
        yield _row((
            code, journal, str(number), _day(entry.on), compte, name, *aux, entry.piece, _day(entry.on), entry.label,
            _amount(max(posting.cents, 0)), _amount(max(-posting.cents, 0)), "", "", _day(entry.on), "", "",
        ))  # fmt: skip


def _row(values: tuple[str, ...]) -> bytes:
    return ("\t".join(map(_plain, values)) + END).encode(ENCODING)


def _plain(text: str) -> str:
    """On one line, without tabs, in characters of the encoding: a letter that it lacks loses its accent."""
    line = " ".join("".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text).split())
    return "".join(map(_encodable, line))


def _encodable(character: str) -> str:
    for given in (character, unicodedata.normalize("NFKD", character)[:1]):
        try:
            given.encode(ENCODING)
        except UnicodeEncodeError:
            continue
        return given
    return "?"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02}"
