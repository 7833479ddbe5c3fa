"""E-mails as one copies them from Outlook, Gmail and others: labels in French or in English, then what it says."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

LABELS_WITHIN = 30  # lines
LINE_MOST = 2_000  # characters of a line with a label
NAME_MOST = 200

# What stands before the labels, and after which they begin.
_RULE = re.compile(
    r"[-_ ]*(original message|message d['’]origine|forwarded message|message transféré|message transmis)?[-_ :]*",
    re.IGNORECASE,
)
_LABELS = {
    "de": "from", "from": "from", "expéditeur": "from", "expediteur": "from",
    "à": "to", "a": "to", "to": "to", "destinataire": "to", "destinataires": "to", "cc": "to",
    "objet": "subject", "subject": "subject", "sujet": "subject",
    "envoyé": "date", "envoye": "date", "envoyé le": "date", "date": "date", "sent": "date",
    "répondre à": "", "reply-to": "", "importance": "", "pièces jointes": "", "attachments": "", "cci": "", "bcc": "",
}  # fmt: skip
_SEVERAL = ("to", "")  # labels that come more than once
_LABEL = re.compile(r"\W*([^\W\d_][^\W\d_ -]{0,14}(?: le| à|[ -][tj][^\W\d_]{1,8})?)\*?\s?:\*?\s*(.*)")
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]{1,100}@[^\s<>,;:\"()\[\]@]{1,153}")

_SENT_BY = re.compile(r"[^\W\d_][^<>@:]{0,100} <[^<>\s]+@[^<>\s]+>")
_WROTE = re.compile(r"(?:Le|On) (.{6,60}\d[:h]\d\d(?: [AP]M)?),? (.{0,100}<[^<>\s]+@[^<>\s]+>) (?:a écrit|wrote)\s?:")

_MONTHS = (
    ("janv", "jan"), ("févr", "fevr", "feb"), ("mars", "mar"), ("avr", "apr"), ("mai", "may"), ("juin", "jun"),
    ("juil", "jul"), ("août", "aout", "aug"), ("sept", "sep"), ("oct",), ("nov",), ("déc", "dec"),
)  # fmt: skip
_DAY_FIRST = re.compile(r"(\d{1,2})(?:er)?\.? ([^\W\d_]{3,9})\.? (\d{4})")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,9})\.? (\d{1,2}), (\d{4})")
_IN_DIGITS = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")  # the day first, as in France
_CLOCK = re.compile(r"(\d{1,2})[:h](\d{2})(?::\d{2})?\s?([ap])?\.?m?", re.IGNORECASE)


@dataclass(frozen=True)
class Copied:
    """What was copied of an e-mail."""

    sender: str | None
    sender_name: str | None
    recipients: tuple[str, ...]
    subject: str
    body: str
    sent_at: datetime | None


def read(text: str, zone: ZoneInfo) -> Copied:
    """The labels at its beginning, and what follows them; all of it is what it says where there are none."""
    lines = text.split("\n")
    said, rest = _labelled(lines) or _introduced(lines[0][:LINE_MOST])
    sender = said.get("from", "")
    address = _ADDRESS.search(sender)
    name = (sender[: address.start()] if address else sender).removesuffix("mailto:").strip(" \t\"'<[(")
    return Copied(
        address[0].lower() if address else None, name[:NAME_MOST] or None,
        tuple(each.lower() for each in _ADDRESS.findall(said.get("to", ""))[:100]),
        " ".join(said.get("subject", "").split()), "\n".join(lines[rest:]).strip(), _moment(said.get("date", ""), zone),
    )  # fmt: skip


def _labelled(lines: list[str]) -> tuple[dict[str, str], int] | None:
    """(what each label says, the line with which the text begins); None where there are no labels."""
    said: dict[str, str] = {}
    at = 0
    while at < min(len(lines), LABELS_WITHIN):
        line = lines[at][:LINE_MOST]
        found = _LABEL.fullmatch(line)
        label = _LABELS.get(found[1].lower()) if found else None
        if found and label is not None and (label not in said or label in _SEVERAL):
            said[label] = ", ".join(filter(None, (said.get(label, ""), found[2])))
        elif not said and _RULE.fullmatch(line):
            pass  # not begun yet
        else:
            break
        at += 1
    return (said, at) if "from" in said or "subject" in said else None


def _introduced(line: str) -> tuple[dict[str, str], int]:
    """The same, of a first line that names its sender: Gmail's on the page, or above what is quoted."""
    if found := _WROTE.fullmatch(line):
        return {"from": found[2], "date": found[1]}, 1
    if found := _SENT_BY.match(line):
        return {"from": found[0]}, 1
    return {}, 0


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """In words or digits, by the clock of the zone unless it names another (RFC 5322)."""
    try:
        moment = parsedate_to_datetime(text[:100])
        if moment.tzinfo:
            return moment
    except (ValueError, TypeError, IndexError):
        pass  # it is no date of a header
    line = " ".join(text[:100].split())
    day, clock = _day(line), _CLOCK.search(line)
    if day is None:
        return None
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    if clock and clock[3]:
        hour = hour % 12 + 12 * (clock[3].lower() == "p")
    try:
        return datetime(*day, hour, minute, tzinfo=zone)
    except ValueError:
        return None


def _day(line: str) -> tuple[int, int, int] | None:
    """(year, month, day)"""
    if found := _DAY_FIRST.search(line):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
    elif found := _MONTH_FIRST.search(line):
        day, month, year = int(found[2]), _month(found[1]), int(found[3])
    elif found := _IN_DIGITS.search(line):
        day, month, year = int(found[1]), int(found[2]), int(found[3])
    else:
        return None
    return (year, month, day) if month else None


def _month(word: str) -> int:
    lower = word.lower()
    return next((number for number, begins in enumerate(_MONTHS, 1) if lower.startswith(begins)), 0)
