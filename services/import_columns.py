"""What the columns of a client file say: told by their headings, French or English, or named by whoever imports; and
how each value is read."""

import re
import unicodedata
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from babel import Locale

from models import Client, ClientImportField, ClientImportProblem, Language, Tag, User
from models.companies import siren, siret, vat_number
from models.mailboxes import mailbox
from models.phone import e164

Field, Problem = ClientImportField, ClientImportProblem
Column = tuple[str, ClientImportField | None]  # heading, and what it says; None: nothing that we keep
Mapped = Mapping[str, str | None]  # heading: name of a field

HEADING_MOST = 100  # characters that are kept of one
HOME = "FR"  # of national phone numbers
TAGS_MOST = 20  # of a client
COLUMNS_MOST = 1000

# As `_folded` has them.
_HEADINGS: Mapping[ClientImportField, str] = {
    Field.EMAIL: "email emailaddress mail courriel courrielprofessionnel adressemail adresseemail adressecourriel"
    " adresseelectronique emailprofessionnel emailclient customeremail contactemail",
    Field.FIRST_NAME: "firstname givenname forename prenom",
    Field.LAST_NAME: "lastname surname familyname name nom nomdefamille",
    Field.COMPANY: "company companyname organization organisation societe entreprise raisonsociale nomdelasociete"
    " nomdelentreprise nomentreprise business",
    Field.SIREN: "siren nsiren numerosiren siret nsiret numerosiret",
    Field.VAT_NUMBER: "vat vatnumber vatid taxid tva ntva numerodetva numerotva tvaintracommunautaire"
    " ntvaintracommunautaire numerodetvaintracommunautaire",
    Field.PHONE: "phone phonenumber telephone telephonenumber mobile mobilephone cellphone tel portable"
    " numerodetelephone telephoneportable telephonemobile",
    Field.ADDRESS: "address street streetaddress addressline1 adresse rue adressepostale voie adresse1",
    Field.POSTAL_CODE: "postalcode postcode zip zipcode codepostal cp",
    Field.CITY: "city town ville commune localite",
    Field.COUNTRY: "country countrycode pays codepays",
    Field.LANGUAGE: "language locale langue",
    Field.DELIVERY_ADDRESS: "deliveryaddress shippingaddress adressedelivraison",
    Field.DELIVERY_POSTAL_CODE: "deliverypostalcode shippingpostalcode codepostaldelivraison",
    Field.DELIVERY_CITY: "deliverycity shippingcity villedelivraison",
    Field.DELIVERY_COUNTRY: "deliverycountry shippingcountry paysdelivraison",
    Field.CONSULTANT: "consultant consultante consultantemail emailconsultant emailduconsultant emaildelaconsultante"
    " conseiller conseillere emailconseiller emailduconseiller accountmanager accountmanageremail",
    Field.TAGS: "tags tag labels label keywords etiquettes etiquette motscles motcle",
}
_BY_HEADING = {heading: field for field, headings in _HEADINGS.items() for heading in headings.split()}
_LANGUAGES = {
    "fr": Language.FR, "frfr": Language.FR, "francais": Language.FR, "french": Language.FR, "en": Language.EN,
    "engb": Language.EN, "enus": Language.EN, "anglais": Language.EN, "english": Language.EN,
}  # fmt: skip


class Wrong(Exception):
    """A file, a line or a value is not what it has to be."""

    def __init__(self, problem: ClientImportProblem, heading: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.heading = problem, heading


def columns(headings: Sequence[str], mapped: Mapped) -> tuple[Column, ...]:
    """What each column says: as it is `mapped`, else by its heading, of several for the same the first. Raises Wrong
    for one that is named and not there, two that are named for the same, where none holds e-mail addresses, and for
    more than 1,000."""
    if len(headings) > COLUMNS_MOST:
        raise Wrong(Problem.TOO_MANY_COLUMNS)
    named = {_folded(heading): Field(field) if field else None for heading, field in mapped.items()}
    _check(mapped, {_folded(heading) for heading in headings})
    taken: set[ClientImportField | None] = {field for field in named.values() if field}
    found: list[Column] = []
    for heading in headings:
        folded = _folded(heading)
        guessed = _BY_HEADING.get(folded)
        field = named.pop(folded) if folded in named else None if guessed in taken else guessed
        taken.add(field)
        found.append((heading.strip()[:HEADING_MOST], field))
    if Field.EMAIL not in taken:
        raise Wrong(Problem.NO_EMAIL_COLUMN)
    return tuple(found)


def _check(mapped: Mapped, there: Container[str]) -> None:
    asked: set[str | None] = set()
    for heading, field in mapped.items():
        if _folded(heading) not in there:
            raise Wrong(Problem.UNKNOWN_COLUMN, heading[:HEADING_MOST])
        if field in asked:
            raise Wrong(Problem.COLUMN_TWICE, heading[:HEADING_MOST])
        asked |= {field} - {None}


def plain(cell: str) -> str | None:
    """The text of a cell, None where it is empty. Raises Wrong for what is a formula or no text.

    `="0612"` is how a spreadsheet is told to keep a zero, and `'=…` how we write what could be a formula. What only
    begins as one (`@name`, `-name`) is kept as text.
    """
    text = cell.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ").strip()
    if text.startswith(("=", "'")):
        text = _unmarked(text)
    if _NO_TEXT.search(text):
        raise Wrong(Problem.CHARACTERS)
    return text or None


def _unmarked(text: str) -> str:
    if kept := re.fullmatch('="([^"]*)"', text):
        return kept[1].strip()
    if re.match("'[=+@-]", text):
        return text[1:]
    if text.startswith("'"):
        return text
    raise Wrong(Problem.FORMULA)


@dataclass(frozen=True)
class Reading:
    """How what a column of the file says is read: into which column of clients, of how many characters at most."""

    field: ClientImportField
    column: str | None  # none of clients for what names other rows
    most: int
    reader: Callable[[str, str], str | None]

    def read(self, text: str, country: str) -> str:
        """The value as it is kept. Raises Wrong."""
        value = self.reader(text, country)
        if value is None:
            raise Wrong(Problem[self.field.value.removeprefix("DELIVERY_")])
        if len(value) > self.most:
            raise Wrong(Problem.TOO_LONG)
        return value


def reading(field: ClientImportField) -> Reading:
    model, column = _ELSEWHERE.get(field) or (Client, field.value.lower())
    most = int(model._meta.fields_map[column].max_length or 0)  # type: ignore[union-attr]
    return Reading(field, field.column, most, _READERS.get(field, _words))


def tags(text: str, reading: Reading) -> list[str]:
    """The tags that a cell names, each once. Raises Wrong for one that is too long, and for too many."""
    named = [reading.read(tag, HOME) for tag in re.split("[,|]", text) if tag.strip()]
    found = {tag.casefold(): tag for tag in reversed(named)}
    if len(found) > TAGS_MOST:
        raise Wrong(Problem.TOO_MANY_TAGS)
    return list(found.values())[::-1]


_ELSEWHERE: Mapping[ClientImportField, tuple[type[Any], str]] = {
    Field.CONSULTANT: (User, "email"), Field.TAGS: (Tag, "name"),
}  # fmt: skip


_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\N{REPLACEMENT CHARACTER}\ud800-\udfff]")


def _folded(text: str) -> str:
    """Letters and digits alone, without accents, in small letters."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum() and not unicodedata.combining(letter))


def _words(text: str, _: str) -> str | None:
    return " ".join(text.split())


def _lines(text: str, _: str) -> str | None:
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _mailbox(text: str, _: str) -> str | None:
    try:
        return mailbox(text)
    except ValueError:
        return None


def _company(text: str, _: str) -> str | None:
    establishment = siret(text)
    return establishment[:9] if establishment else siren(text)


@lru_cache(1000)
def _country(text: str, _: str) -> str | None:
    return _countries().get(_folded(text))


def _language(text: str, _: str) -> str | None:
    return _LANGUAGES.get(_folded(text))


_READERS: Mapping[ClientImportField, Callable[[str, str], str | None]] = {
    Field.EMAIL: _mailbox, Field.CONSULTANT: _mailbox, Field.SIREN: _company,
    Field.VAT_NUMBER: lambda text, _: vat_number(text), Field.PHONE: e164, Field.COUNTRY: _country,
    Field.LANGUAGE: _language, Field.DELIVERY_COUNTRY: _country, Field.ADDRESS: _lines, Field.DELIVERY_ADDRESS: _lines,
}  # fmt: skip


@cache
def _countries() -> Mapping[str, str]:
    """Codes of ISO 3166-1, by themselves and by their names in French and in English."""
    found: dict[str, str] = {}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if re.fullmatch("[A-Z]{2}", str(code)) and code not in _NONE:
                found |= {_folded(str(name)): str(code), str(code).casefold(): str(code)}
    return found


_NONE = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}  # CLDR's, for what is no country
