"""Public holidays of countries and of their regions, as the holidays library knows them
(https://holidays.readthedocs.io)."""

from datetime import date
from functools import lru_cache

import holidays

from errors import Invalid


@lru_cache(maxsize=500)
def of(country: str, region: str | None, first: int, last: int) -> frozenset[date]:
    """Those that a country has everywhere, and those of a region of it, of these years; none where they are not
    known."""
    regions = _regions().get(country)
    if regions is None:
        return frozenset()
    known = region if region in regions else None
    return frozenset(holidays.country_holidays(country, subdiv=known, years=range(first, last + 1)))


def check(country: str, region: str | None) -> None:
    """Raises Invalid for a region that the country does not have, and names those that it has."""
    regions = _regions().get(country, [])
    if region is None or region in regions:
        return
    if not regions:
        raise Invalid(f"No region of {country} with public holidays of its own is known.", field="input.holidayRegion")
    raise Invalid(f"Regions of {country} are: {', '.join(regions)}.", field="input.holidayRegion")


@lru_cache(maxsize=1)
def _regions() -> dict[str, list[str]]:
    return holidays.list_supported_countries()
