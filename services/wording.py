"""How amounts, dates and numbers are written in French, and the templates that use them."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from models.content import Address
from models.payment import PaymentMethod

TEMPLATES = Path(__file__).parent.parent / "templates"

_FRENCH = Locale("fr", "FR")
_PAID_BY = {
    PaymentMethod.STRIPE: "par carte bancaire",
    PaymentMethod.PAYPAL: "par PayPal",
    PaymentMethod.TRANSFER: "par virement",
    PaymentMethod.CHEQUE: "par chèque",
    PaymentMethod.CASH: "en espèces",
    PaymentMethod.CPF: "par le compte personnel de formation",
}


def templates() -> Environment:
    """The templates, with everything that is put in them escaped, and what follows as filters."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "price": price,
        "rate": rate,
        "day": day,
        "phone": phone,
        "digits": digits,
        "address_lines": address_lines,
        "paid_by": _PAID_BY.__getitem__,
        "ink": ink_on,
    }
    return environment


def money(cents: int, currency: str) -> str:
    """`1 234,56 €`."""
    return format_currency(Decimal(cents).scaleb(-2), currency, locale=_FRENCH)


def price(amount: Decimal, currency: str) -> str:
    """A unit price with all its decimals, two at least: `11,6667 €`."""
    decimals = max(2, -int(amount.as_tuple().exponent))
    pattern = f"#,##0.{'0' * decimals}\N{NO-BREAK SPACE}¤"
    return format_currency(amount, currency, format=pattern, locale=_FRENCH, currency_digits=False)


def rate(hundredths: int) -> str:
    """A rate given in hundredths of a percent: `20 %`, `5,5 %`."""
    return format_percent(Decimal(hundredths).scaleb(-4), format="#,##0.##\N{NO-BREAK SPACE}%", locale=_FRENCH)


def day(value: date) -> str:
    """`1er décembre 2025`."""
    text = format_date(value, "d MMMM y", locale=_FRENCH)
    return text.replace("1 ", "1er ", 1) if value.day == 1 else text


def phone(number: str) -> str:
    """A French E.164 number as people write it, `06 12 34 56 78`; any other as it is."""
    if number.startswith("+33") and len(number) == 12:
        national = "0" + number[3:]
        return " ".join(national[index : index + 2] for index in range(0, 10, 2))
    return number


def digits(identifier: str) -> str:
    """A SIREN or SIRET in the usual groups: `123 456 782 00012`."""
    groups = (identifier[0:3], identifier[3:6], identifier[6:9], identifier[9:])
    return "\N{NO-BREAK SPACE}".join(filter(None, groups)) if identifier.isdigit() else identifier


def address_lines(address: Address) -> list[str]:
    """An address line by line; the country only where it is not France."""
    return list(_address_lines(address))


def ink_on(color: str) -> str:
    """Black or white, whichever is read best on `#rrggbb` (WCAG's contrast, from relative luminance)."""
    channels = (int(color[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _address_lines(address: Address) -> Iterator[str]:
    yield from address.lines
    if town := " ".join(filter(None, (address.postal_code, address.city))):
        yield town
    if address.country != "FR":
        yield _FRENCH.territories.get(address.country, address.country)
