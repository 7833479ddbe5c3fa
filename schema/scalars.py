"""Scalars parsed once, at the door, and the GraphQL type of every kind of column."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, NewType
from urllib.parse import urlsplit

import strawberry
from babel.numbers import format_currency
from tortoise import fields

from errors import Invalid
from models import companies
from models.fields import (
    CountryField,
    CurrencyField,
    EmailField,
    PhoneField,
    SirenField,
    SiretField,
    UrlField,
    VatNumberField,
)
from models.mailboxes import mailbox
from models.phone import e164

Email = NewType("Email", str)
PhoneNumber = NewType("PhoneNumber", str)
CurrencyCode = NewType("CurrencyCode", str)
CountryCode = NewType("CountryCode", str)
URL = NewType("URL", str)
Siren = NewType("Siren", str)
Siret = NewType("Siret", str)
VatNumber = NewType("VatNumber", str)
DateTime = NewType("DateTime", datetime)
Date = NewType("Date", date)
Locale = NewType("Locale", str)

# Those of our customers' customers: whatever a locale is asked for once is kept in memory for ever.
LOCALES = (
    "fr", "fr-FR", "fr-BE", "fr-CH", "fr-CA", "fr-LU", "en", "en-GB", "en-US", "en-IE", "en-CA", "de", "de-DE", "de-AT",
    "de-CH", "es", "es-ES", "it", "it-IT", "it-CH", "nl", "nl-NL", "nl-BE", "pt", "pt-PT", "pt-BR", "lb", "ca", "eu",
    "br", "oc", "co", "pl", "pl-PL", "ro", "ro-RO", "sv", "da", "nb", "fi", "cs", "el", "tr", "ar", "zh", "ja",
)  # fmt: skip
_FRANCE = Locale("fr-FR")

BY_COLUMN: dict[type[fields.Field[Any]], Any] = {
    EmailField: Email,
    PhoneField: PhoneNumber,
    CurrencyField: CurrencyCode,
    CountryField: CountryCode,
    UrlField: URL,
    SirenField: Siren,
    SiretField: Siret,
    VatNumberField: VatNumber,
    fields.CharField: str,
    fields.TextField: str,
    fields.IntField: int,
    fields.BooleanField: bool,
    fields.DatetimeField: DateTime,
    fields.DateField: Date,
}  # fmt: skip

# How PostgreSQL says a column as the scalar is serialized, where it is not the value itself.
IN_SQL: dict[type[fields.Field[Any]], str] = {
    fields.DateField: "to_char({}, 'YYYY-MM-DD')",
    fields.DatetimeField: "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
}


def parse_email(value: Any) -> str:
    try:
        return mailbox(_text(value))
    except ValueError as error:
        raise Invalid(f"Not an e-mail address: {error}") from error


def parse_phone(value: Any) -> str:
    number = e164(_text(value))
    if number is None:
        raise Invalid("Not a phone number in international form, like +33612345678.")
    return number


def parse_code(length: int, name: str) -> Any:
    def parse(value: Any) -> str:
        if not re.fullmatch(rf"[A-Z]{{{length}}}", _text(value)):
            raise Invalid(f"Not {name}.")
        return str(value)

    return parse


def parse_url(value: Any) -> str:
    text = _text(value)
    try:
        at = urlsplit(text)
        good = at.scheme in ("http", "https") and at.hostname and at.port != 0
    except ValueError:
        good = False
    if len(text) > 2048:
        raise Invalid("This is longer than 2048 characters.")
    if not good or re.search(r"[\s\x00-\x1f]", text):
        raise Invalid("Not an absolute http(s) address.")
    return text


def parse_siren(value: Any) -> str:
    number = companies.siren(_text(value))
    if number is None:
        raise Invalid("Not a SIREN: nine digits, the last of which is a check on the others.")
    return number


def parse_siret(value: Any) -> str:
    number = companies.siret(_text(value))
    if number is None:
        raise Invalid("Not a SIRET: the nine digits of a SIREN and five more, the last of which is a check.")
    return number


def parse_vat_number(value: Any) -> str:
    number = companies.vat_number(_text(value))
    if number is None:
        raise Invalid("Not a VAT number of the European Union, with its country, like FR44732829320.")
    return number


def parse_locale(value: Any) -> str:
    if _text(value) not in LOCALES:
        raise Invalid(f"Not a locale that we know. Try fr-FR, or one of {', '.join(LOCALES)}.")
    return str(value)


def parse_datetime(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(value))
        if at.tzinfo is None:
            raise Invalid("A date and time needs its zone, like 2026-01-31T09:00:00Z.")
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("Not a date and time of RFC 3339, like 2026-01-31T09:00:00Z.") from error


def format_datetime(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_date(value: Any) -> date:
    try:
        return date.fromisoformat(_text(value))
    except ValueError as error:
        raise Invalid("Not a date of ISO 8601, like 2026-01-31.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("A string is wanted.")
    return value


SCALARS: dict[object, Any] = {
    Email: strawberry.scalar(name="Email", description="An e-mail address, lower case.", parse_value=parse_email),
    PhoneNumber: strawberry.scalar(
        name="PhoneNumber", description="A phone number in E.164 form: `+33612345678`.", parse_value=parse_phone
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency of ISO 4217: `EUR`.",
        parse_value=parse_code(3, "a currency of ISO 4217, like EUR"),
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country of ISO 3166-1, two letters: `FR`.",
        parse_value=parse_code(2, "a country of ISO 3166-1, like FR"),
    ),
    Locale: strawberry.scalar(
        name="Locale",
        description="A locale of BCP 47, by language and land: `fr-FR`; those of Europe and a few more.",
        parse_value=parse_locale,
    ),
    URL: strawberry.scalar(name="URL", description="An absolute http(s) address.", parse_value=parse_url),
    Date: strawberry.scalar(
        name="Date",
        description="A day, ISO 8601: `2026-01-31`.",
        parse_value=parse_date,
        serialize=date.isoformat,
    ),
    Siren: strawberry.scalar(
        name="Siren",
        description="A French company's number in SIRENE: nine digits, the last one a check. Spaces may be given.",
        parse_value=parse_siren,
    ),
    Siret: strawberry.scalar(
        name="Siret",
        description="An establishment's number in SIRENE: the SIREN and five digits more. Spaces may be given.",
        parse_value=parse_siret,
    ),
    VatNumber: strawberry.scalar(
        name="VatNumber",
        description="A VAT number of the European Union, with its country: `FR44732829320`. Spaces may be given.",
        parse_value=parse_vat_number,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment, RFC 3339 with its zone, in UTC when we give it: `2026-01-31T09:00:00.000Z`.",
        parse_value=parse_datetime,
        serialize=format_datetime,
    ),
}


@strawberry.type(description="An amount of money.")
class Money:
    amount: int = strawberry.field(description="In minor units: 9999 is 99.99 EUR.")
    currency: CurrencyCode = strawberry.field(description="Its currency.")

    @strawberry.field(description="As people read it, in a locale such as `fr-FR`.")
    def formatted(
        self,
        locale: Annotated[Locale, strawberry.argument(description="In the manner of this place.")] = _FRANCE,
    ) -> str:
        return _formatted(self.amount, self.currency, locale)


@lru_cache(maxsize=20_000)  # a page repeats its prices; each takes 50 µs
def _formatted(amount: int, currency: str, locale: str) -> str:
    return str(format_currency(amount / 100, currency, locale=locale.replace("-", "_")))


@strawberry.input(description="An amount of money.")
class MoneyInput:
    amount: int = strawberry.field(description="In minor units: 9999 is 99.99 EUR.")
    currency: CurrencyCode = strawberry.field(description="Its currency.", default=CurrencyCode("EUR"))
