"""Bookings that repeat: a rule of RFC 5545, by the wall clock of whoever is booked, so that the hour stays across
daylight-saving time.

A wall-clock time that a change skips is read with the offset before it, one that comes twice is the first of the two
(RFC 5545, 3.3.5).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from uuid_utils.compat import uuid7

from errors import DomainError, Invalid, SlotTaken
from models import Appointment, Booking, Client, Staff
from services import bookings, slots
from services.bookings import Wanted

MOST = 52
HORIZON = timedelta(days=5 * 365)  # in which a series ends
FIELD = "input.rule"
_PARTS = re.compile(r"INTERVAL=[1-9][0-9]{0,2}|(FREQ|COUNT|UNTIL|BYDAY|BYMONTHDAY)=[A-Z0-9,+-]{1,60}")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")


async def book(
    client: Client, wanted: Wanted, staff: Staff, rule: str, *, skip_taken: bool
) -> tuple[list[Booking], list[datetime]]:  # fmt: skip
    """A place each time, all by one order, and the times that were left out; in the open transaction.

    Raises Invalid for a rule that is none, and SlotTaken, naming all times that are not free, unless they are skipped,
    or none is left.
    """
    bookings.check_notes(wanted.client_notes)
    times = occurrences(wanted.starts_at, rule, ZoneInfo(staff.time_zone))
    client = await Client.select_for_update(no_key=True).get(id=client.id)
    client.must_not_be_erased()
    product = await bookings.product_of(wanted.service) if wanted.service.price_cents else None
    appointments, lost = await _take(client, wanted, times)
    if not appointments or (lost and not skip_taken):
        taken = [{"startsAt": at.isoformat(), "reason": reason} for at, reason in lost]
        raise SlotTaken(f"Of {len(times)} times {len(lost)} are not free.", field="input.startsAt", taken=taken)
    series_id = uuid7()
    await Appointment.filter(id__in=[each.id for each in appointments], capacity=1).update(series_id=series_id)
    return await bookings.write(client, wanted, product, appointments), [at for at, _ in lost]


def occurrences(starts_at: datetime, rule: str, zone: ZoneInfo) -> list[datetime]:
    """The times of a rule, the first included, in UTC. Raises Invalid, saying what is understood."""
    parts = rule.removeprefix("RRULE:").split(";")
    said = dict(part.split("=", 1) for part in parts if _PARTS.fullmatch(part))
    if len(said) != len(parts) or said.get("FREQ") not in _FREQUENCIES or ("COUNT" in said) == ("UNTIL" in said):
        raise Invalid(
            "A rule is FREQ=DAILY, WEEKLY or MONTHLY with COUNT or UNTIL, and INTERVAL, BYDAY, BYMONTHDAY where needed:"
            " FREQ=WEEKLY;COUNT=10.",
            field=FIELD,
        )
    local = starts_at.astimezone(zone).replace(tzinfo=None)
    try:
        found = _read(said, zone, local)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"This is no rule of RFC 5545: {error}.", field=FIELD) from error
    if not 2 <= len(found) <= MOST:
        raise Invalid(f"A series has 2 to {MOST} times.", field=FIELD)
    if found[0] != local:
        raise Invalid("The first time is none of the rule's: begin at one that is.", field="input.startsAt")
    return [at.replace(tzinfo=zone).astimezone(UTC) for at in found]


def _read(said: dict[str, str], zone: ZoneInfo, local: datetime) -> list[datetime]:
    """The times by the wall clock, one more than may be at most. Nothing is looked for beyond the horizon: of a rule
    that no day fits, that would be to the end of time."""
    horizon = local + HORIZON
    until = min(_by_the_wall(said["UNTIL"], zone), horizon) if "UNTIL" in said else horizon
    most = min(int(said.get("COUNT", MOST + 1)), MOST + 1)
    parts = {name: value for name, value in said.items() if name != "COUNT"} | {"UNTIL": f"{until:%Y%m%dT%H%M%S}"}
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=local)
    found = list(islice(rule, most))
    if "COUNT" in said and len(found) < most:
        raise Invalid(
            f"A series ends within {HORIZON.days // 365} years, and this rule finds no more times.", field=FIELD
        )
    return found


def _by_the_wall(until: str, zone: ZoneInfo) -> datetime:
    """UNTIL is said in UTC (RFC 5545, 3.3.10), or as a day; times are counted by the wall clock."""
    if until.endswith("Z"):
        at = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)
        return at.replace(tzinfo=None)
    return datetime.combine(date.fromisoformat(until), time(23, 59, 59))


async def _take(
    client: Client, wanted: Wanted, times: Sequence[datetime]
) -> tuple[list[Appointment], list[tuple[datetime, str]]]:  # fmt: skip
    taken, lost = [], []
    for at in times:
        asked = replace(wanted, starts_at=at).asked
        try:
            slots.check(asked, by_rules=wanted.by_rules)
            taken.append(await bookings.take(client, asked, field="input.startsAt"))
        except DomainError as refusal:
            lost.append((at, refusal.message))
    return taken, lost
