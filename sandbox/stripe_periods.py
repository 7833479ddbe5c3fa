"""The periods of a subscription: whole days, weeks, months or years after its beginning."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}
INTERVALS = (*DAYS, *MONTHS)


def after(anchor: int, interval: str, count: int) -> int:
    """The moment so many intervals after the anchor, in unix seconds: the same day of the month, or its last one."""
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((start + timedelta(days=DAYS[interval] * count)).timestamp())
    years, month = divmod(start.month - 1 + MONTHS[interval] * count, 12)
    year = start.year + years
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())
