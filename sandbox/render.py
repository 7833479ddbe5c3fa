"""HTML pages from `pages/`, under a policy that runs no script and fetches nothing from elsewhere."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_currency, get_currency_precision
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

PAGES = Path(__file__).parent / "pages"
# No form-action: browsers apply it to redirects too, and paying ends at the seller's own address.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

assets = Mount("/assets", StaticFiles(directory=PAGES / "assets"), name="assets")


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `name`.html filled with values, escaped."""
    return HTMLResponse(_environment.get_template(f"{name}.html").render(values), status, HEADERS)


INTERVALS = {
    "day": ("jour", "jours"),
    "week": ("semaine", "semaines"),
    "month": ("mois", "mois"),
    "year": ("an", "ans"),
}
"""In French, one and several."""


def money(minor: int, currency: str) -> str:
    """`money(120000, "eur")` → `1 200,00 €`"""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency.upper()))
    return format_currency(amount, currency.upper(), locale="fr_FR")


def moment(seconds: float, language: str = "en") -> str:
    """`20 Nov 14:03:07`, `20 nov. à 14:03:07`: in the machine's own time zone, since the reader sits at it."""
    style = {"en": "d MMM HH:mm:ss", "fr": "d MMM 'à' HH:mm:ss"}[language]
    return format_datetime(datetime.fromtimestamp(seconds, UTC).astimezone(), style, locale=language)


def day(seconds: float, language: str = "en") -> str:
    """`28 December 2026`, `28 décembre 2026`"""
    at = datetime.fromtimestamp(seconds, UTC).astimezone()
    return format_datetime(at, "d MMMM y", locale=language)


def every(recurring: dict[str, Any] | None) -> str | None:
    """How often a price is paid: `chaque mois`, `tous les 3 mois`; None for what is paid once."""
    if recurring is None:
        return None
    single, several = INTERVALS[recurring["interval"]]
    count = recurring["interval_count"]
    return f"chaque {single}" if count == 1 else f"tous les {count} {several}"


def sold_every(product: dict[str, Any]) -> str | None:
    """The same of a product of Comptoir's, which says it in capitals."""
    return every({"interval": product["interval"].lower(), "interval_count": product["intervalCount"]})


_environment = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_environment.filters |= {"money": money, "moment": moment, "day": day, "every": every, "sold_every": sold_every}
