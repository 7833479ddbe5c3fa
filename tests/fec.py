"""A checker of files of accounting entries, written from the text of art. A47 A-1 du livre des procédures fiscales
(VII, books kept by double entry) and not from the code that writes them."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

COLUMNS = [
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
]  # fmt: skip
MAY_BE_EMPTY = {"CompAuxNum", "CompAuxLib", "EcritureLet", "DateLet", "Montantdevise", "Idevise"}
DATES = ("EcritureDate", "PieceDate", "ValidDate")

Line = dict[str, str]


@dataclass(frozen=True)
class Books:
    """A file that was found good."""

    lines: list[Line]

    def balance(self, account: str, **having: str) -> int:
        """Debits less credits, in cents, of accounts whose number begins so."""
        return sum(
            cents(line["Debit"]) - cents(line["Credit"])
            for line in self.lines
            if line["CompteNum"].startswith(account) and all(line[name] == value for name, value in having.items())
        )

    def entries(self) -> dict[str, list[Line]]:
        grouped: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            grouped[line["EcritureNum"]].append(line)
        return grouped


def checked(name: str, content: bytes, *, starts_on: date, ends_on: date) -> Books:
    """The books in a file. Raises AssertionError for what the article forbids."""
    assert re.fullmatch(r"(TEST_)?[0-9]{9}FEC[0-9]{8}\.txt", name), name
    assert name[-12:-4] == f"{ends_on:%Y%m%d}"
    text = content.decode("iso8859-15")
    assert text.endswith("\r\n")
    head, *rows = text.removesuffix("\r\n").split("\r\n")
    assert head.split("\t") == COLUMNS
    lines = [_line(number, row) for number, row in enumerate(rows, 2)]
    _in_order(lines, starts_on, ends_on)
    return Books(lines)


def cents(amount: str) -> int:
    assert re.fullmatch(r"[0-9]+,[0-9]{2}", amount), amount
    return int(Decimal(amount.replace(",", ".")) * 100)


def _line(number: int, row: str) -> Line:
    values = row.split("\t")
    assert len(values) == len(COLUMNS), f"line {number}: {len(values)} columns"
    line = dict(zip(COLUMNS, values, strict=True))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", row.replace("\t", "")), f"line {number}: control characters"
    for name, value in line.items():
        assert value or name in MAY_BE_EMPTY, f"line {number}: no {name}"
        assert value == value.strip(), f"line {number}: spaces around {name}"
    for name in DATES:
        datetime.strptime(line[name], "%Y%m%d")  # days have no zone
    assert re.match(r"[1-7][0-9]{2}", line["CompteNum"]), f"line {number}: {line['CompteNum']}"
    assert bool(line["CompAuxNum"]) == bool(line["CompAuxLib"]), f"line {number}: half an auxiliary account"
    assert bool(line["Montantdevise"]) == bool(line["Idevise"])
    assert bool(line["EcritureLet"]) == bool(line["DateLet"])
    debit, credit = cents(line["Debit"]), cents(line["Credit"])
    assert (debit == 0) != (credit == 0), f"line {number}: one of debit and credit"
    return line


def _in_order(lines: list[Line], starts_on: date, ends_on: date) -> None:
    """Numbers without a gap, dates that never go back, entries that balance and are of one journal, date and piece."""
    numbers = list(dict.fromkeys(line["EcritureNum"] for line in lines))
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    days = [line["EcritureDate"] for line in lines]
    assert days == sorted(days)
    assert all(f"{starts_on:%Y%m%d}" <= day <= f"{ends_on:%Y%m%d}" for day in days)
    for number, entry in Books(lines).entries().items():
        assert sum(cents(line["Debit"]) - cents(line["Credit"]) for line in entry) == 0, f"entry {number}"
        same = ("JournalCode", "JournalLib", "EcritureDate", "PieceRef", "PieceDate", "ValidDate")
        assert all(len({line[name] for line in entry}) == 1 for name in same), f"entry {number}"
        assert all(line["ValidDate"] >= line["EcritureDate"] >= line["PieceDate"] for line in entry)
    names = {(line["CompteNum"], line["CompteLib"]) for line in lines}
    assert len({number for number, _ in names}) == len(names), "an account has one name"
