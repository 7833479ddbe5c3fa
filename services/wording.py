"""How amounts, dates and numbers are written in French and in English, and the templates that use them."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_location
from babel.numbers import format_currency, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from models.content import Address
from models.language import Language
from models.payment import PaymentMethod

TEMPLATES = Path(__file__).parent.parent / "templates"

_LOCALES = {Language.FR: Locale("fr", "FR"), Language.EN: Locale("en", "GB")}
_CLOCK = {Language.FR: "H'\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}'mm", Language.EN: "H:mm"}
_PAID_BY = {
    PaymentMethod.STRIPE: "en ligne",  # by card or by SEPA debit
    PaymentMethod.PAYPAL: "par PayPal",
    PaymentMethod.TRANSFER: "par virement",
    PaymentMethod.CHEQUE: "par chèque",
    PaymentMethod.CASH: "en espèces",
    PaymentMethod.CPF: "par le compte personnel de formation",
}

_PAID_BY_IN_ENGLISH = {
    PaymentMethod.STRIPE: "online",
    PaymentMethod.PAYPAL: "by PayPal",
    PaymentMethod.TRANSFER: "by bank transfer",
    PaymentMethod.CHEQUE: "by cheque",
    PaymentMethod.CASH: "in cash",
    PaymentMethod.CPF: "by the compte personnel de formation",
}

_BY_THE_BANK = "votre banque a refusé l’opération"
_FUNDS = "le compte n’était pas suffisamment approvisionné"
_EXPIRED = "la carte a expiré"
_CVC = "le cryptogramme de la carte est inexact"
_NUMBER = "le numéro de la carte est inexact"
_IDENTITY = "votre banque n’a pas pu vérifier votre identité"
_CEILING = "le plafond de la carte est atteint"
_KIND = "la carte ne permet pas ce type de paiement"
_CLOSED = "le compte bancaire est clos"
_ACCOUNT = "les coordonnées bancaires sont inexactes"
_DEBIT = "le prélèvement n’a pas été autorisé"
_TECHNICAL = "un incident technique est survenu"

# Stripe's codes, of cards (docs.stripe.com/declines/codes) and of debits (docs.stripe.com/error-codes). Of a card
# that is lost or stolen no more is said than that the bank refused: who holds it may be a thief.
_DECLINED = {
    "account_closed": _CLOSED,
    "authentication_required": _IDENTITY,
    "bank_account_closed": _CLOSED,
    "bank_account_invalid_details": _ACCOUNT,
    "call_issuer": _BY_THE_BANK,
    "card_declined": _BY_THE_BANK,
    "card_not_supported": _KIND,
    "card_velocity_exceeded": _CEILING,
    "debit_not_authorized": _DEBIT,
    "do_not_honor": _BY_THE_BANK,
    "expired_card": _EXPIRED,
    "fraudulent": _BY_THE_BANK,
    "generic_decline": _BY_THE_BANK,
    "incorrect_cvc": _CVC,
    "incorrect_number": _NUMBER,
    "insufficient_funds": _FUNDS,
    "invalid_cvc": _CVC,
    "invalid_expiry_month": _EXPIRED,
    "invalid_expiry_year": _EXPIRED,
    "invalid_number": _NUMBER,
    "lost_card": _BY_THE_BANK,
    "payment_intent_authentication_failure": _IDENTITY,
    "pickup_card": _BY_THE_BANK,
    "processing_error": _TECHNICAL,
    "stolen_card": _BY_THE_BANK,
    "transaction_not_allowed": _KIND,
    "withdrawal_count_limit_exceeded": _CEILING,
}


def templates(language: Language = Language.FR) -> Environment:
    """The templates, with all that is put in HTML escaped, and what follows as filters and tests, in a language."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": partial(money, language=language),
        "price": partial(price, language=language),
        "rate": partial(rate, language=language),
        "day": partial(day, language=language),
        "occasion": partial(occasion, language=language),
        "phone": partial(phone, language=language),
        "digits": digits,
        "address_lines": partial(address_lines, language=language),
        "host": host,
        "iban": iban,
        "paid_by": (_PAID_BY if language is Language.FR else _PAID_BY_IN_ENGLISH).__getitem__,
        "declined": declined,
        "bold": bold,
        "french": french,
        "paragraphs": paragraphs,
        "ink": ink_on,
    }
    environment.tests["web"] = is_web
    return environment


def money(cents: int, currency: str, *, language: Language = Language.FR) -> str:
    """`1 234,56 €`, `−30,00 €`; `€1,234.56` in English."""
    text: str = format_currency(Decimal(cents).scaleb(-2), currency, locale=_LOCALES[language])
    return text.replace("-", "\N{MINUS SIGN}", 1)


def price(amount: Decimal, currency: str, *, language: Language = Language.FR) -> str:
    """A unit price with all its decimals, two at least: `11,6667 €`; `€11.6667` in English."""
    digits = f"#,##0.{'0' * max(2, -int(amount.as_tuple().exponent))}"
    pattern = f"{digits}\N{NO-BREAK SPACE}¤" if language is Language.FR else f"¤{digits}"
    return format_currency(amount, currency, format=pattern, locale=_LOCALES[language], currency_digits=False)


def rate(hundredths: int, *, language: Language = Language.FR) -> str:
    """A rate given in hundredths of a percent: `20 %`, `5,5 %`; `5.5%` in English."""
    pattern = "#,##0.##\N{NO-BREAK SPACE}%" if language is Language.FR else "#,##0.##%"
    return format_percent(Decimal(hundredths).scaleb(-4), format=pattern, locale=_LOCALES[language])


def day(value: date, *, language: Language = Language.FR) -> str:
    """`1er décembre 2025`; `1 December 2025` in English."""
    text = format_date(value, "d MMMM y", locale=_LOCALES[language])
    return text.replace("1 ", "1er ", 1) if value.day == 1 and language is Language.FR else text


def occasion(starts_at: datetime, ends_at: datetime, *, language: Language = Language.FR) -> str:
    """When something is held, by the clock of the zone of `starts_at`: `lundi 30 mars 2026, de 10 h 30 à 11 h 30 (heure
    de Paris)`; `Monday 30 March 2026, 10:30 to 11:30 (Paris time)` in English."""
    locale = _LOCALES[language]
    zone = starts_at.tzinfo
    ends_at = ends_at.astimezone(zone)
    begins, ends = (format_time(at, _CLOCK[language], tzinfo=zone, locale=locale) for at in (starts_at, ends_at))
    city = get_timezone_location(zone, locale=locale, return_city=True)
    first = format_date(starts_at.date(), "EEEE d MMMM y", locale=locale)
    if starts_at.date() != ends_at.date():
        ends = f"{format_date(ends_at.date(), 'EEEE d MMMM', locale=locale)}, {ends}"
    if language is Language.EN:
        return f"{first}, {begins} to {ends} ({city} time)"
    day_of_month = first.replace(" 1 ", " 1er ", 1) if starts_at.day == 1 else first
    return f"{day_of_month}, de {begins} à {ends} (heure de {city})"


def phone(number: str, *, language: Language = Language.FR) -> str:
    """A French E.164 number as people write it, `06 12 34 56 78`; any other, and in English any, as it is."""
    if language is Language.FR and number.startswith("+33") and len(number) == 12:
        national = "0" + number[3:]
        return " ".join(national[index : index + 2] for index in range(0, 10, 2))
    return number


def digits(identifier: str) -> str:
    """A SIREN or SIRET in the usual groups: `123 456 782 00012`."""
    groups = (identifier[0:3], identifier[3:6], identifier[6:9], identifier[9:])
    return "\N{NO-BREAK SPACE}".join(filter(None, groups)) if identifier.isdigit() else identifier


def iban(number: str) -> str:
    """An IBAN in groups of four, as on paper (ISO 13616): `FR76 3000 6000 0112 3456 7890 189`."""
    return " ".join(number[index : index + 4] for index in range(0, len(number), 4))


def declined(code: str | None) -> str | None:
    """Why a payment was declined, as part of a sentence, by Stripe's code; None for one that we have no words for."""
    return _DECLINED.get(code or "")


def french(text: str) -> str:
    """A sentence that does not break before its `:`, `;`, `?` and `!`, nor after `n°`, nor inside its « and »."""
    return re.sub(r" (?=[:;?!](?:\s|$))|(?<=\bn°) |(?<=«) | (?=»)", "\N{NO-BREAK SPACE}", text)


def paragraphs(text: str) -> list[str]:
    """What stands between empty lines, each as one line."""
    return [french(re.sub(r"[ \n]+", " ", part).strip()) for part in text.split("\n\n") if part.strip()]


def host(url: str) -> str:
    """Whose an address is, as people read it: `https://pay.example/a` → `pay.example`."""
    return urlsplit(url).hostname or ""


def bold(text: str, words: str) -> Markup:
    """The text for HTML, escaped, the words in it in bold and on one line."""
    return Markup('<b style="white-space:nowrap">{}</b>').format(words).join(text.split(words))


def is_web(url: str | None) -> bool:
    """Whether it may become a link: an address of another kind could run a script."""
    return url is not None and url.startswith(("https://", "http://"))


def address_lines(address: Address, *, language: Language = Language.FR) -> list[str]:
    """An address line by line; the country only where it is not France, or for who reads English."""
    return list(_address_lines(address, language))


def ink_on(color: str) -> str:
    """Black or white, whichever is read best on `#rrggbb` (WCAG's contrast, from relative luminance)."""
    channels = (int(color[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _address_lines(address: Address, language: Language) -> Iterator[str]:
    yield from address.lines
    if town := " ".join(filter(None, (address.postal_code, address.city))):
        yield town
    if address.country != "FR" or language is not Language.FR:
        yield _LOCALES[language].territories.get(address.country, address.country)
