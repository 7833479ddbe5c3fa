"""The payment page's form: what a customer types, what is wrong with it, in French, and the payer that it makes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import phonenumbers

from sandbox import stripe_cards as cards
from sandbox import stripe_sepa as sepa
from sandbox.stripe_cards import Card, UnknownCard
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import NO_ADDRESS, Object
from sandbox.stripe_params import email as read_email
from sandbox.stripe_payer import COUNTRY_ALONE, Payer
from sandbox.stripe_sepa import Iban, UnknownIban

ADDRESS = {"line1": "3 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR"}
EXAMPLE = {
    "email": "marie.martin@example.com",
    "name": "Marie Martin",
    "phone": "06 12 34 56 78",
    "expiry": "12 / 34",
    "cvc": "123",
} | ADDRESS
FIELDS = ("means", "card", "iban", *EXAMPLE)
COUNTRIES = {
    "FR": "France",
    "DE": "Allemagne",
    "BE": "Belgique",
    "CA": "Canada",
    "ES": "Espagne",
    "IT": "Italie",
    "LU": "Luxembourg",
    "MC": "Monaco",
    "GB": "Royaume-Uni",
    "CH": "Suisse",
}


class Asked(NamedTuple):
    """What a page asks for: which means of payment it takes, and what else. `email`: the one known already."""

    types: list[str]
    email: str | None = None
    address: bool = False
    phone: bool = False


def asked_by_session(session: Object) -> Asked:
    details: Object = session["customer_details"] or {}
    return Asked(
        types=session["payment_method_types"],
        email=details.get("email"),
        address=session["billing_address_collection"] == "required",
        phone=session["phone_number_collection"]["enabled"],
    )


def filled(typed: dict[str, str], number: str) -> dict[str, str]:
    """What was typed, the rest filled with an example, and with the test card or IBAN of this number."""
    given = {name: value for name, value in typed.items() if value}
    means = {"means": "sepa_debit", "iban": number} if _is_test_iban(number) else {"means": "card", "card": number}
    return EXAMPLE | given | means


def e164(typed: str) -> str | None:
    """`06 12 34 56 78` → `+33612345678`, as Stripe keeps it; None for what is no phone number."""
    try:
        number = phonenumbers.parse(typed, "FR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def problems(typed: dict[str, str], asked: Asked, now: float) -> dict[str, str]:
    """What stands in the way of paying, by field. `typed` has all FIELDS; `now` in unix seconds."""
    return dict(_problems(typed, asked, datetime.fromtimestamp(now, UTC)))


def payer(typed: dict[str, str], asked: Asked) -> Payer:
    """Who pays, from a form without problems."""
    return Payer(
        means=_means(typed, asked),
        name=typed["name"],
        email=asked.email or typed["email"],
        phone=e164(typed["phone"]) if asked.phone else None,
        address=NO_ADDRESS | {name: typed[name] for name in ADDRESS} if asked.address else COUNTRY_ALONE,
    )


def chosen(typed: dict[str, str], asked: Asked) -> str:
    """The means of payment chosen, the first unless another was."""
    means = typed.get("means", "")
    return means if means in asked.types else asked.types[0]


def _means(typed: dict[str, str], asked: Asked) -> Card | Iban:
    if chosen(typed, asked) == "sepa_debit":
        return Iban(sepa.number(typed["iban"]))
    year, month = _expiry(typed["expiry"]) or (2034, 12)
    return Card(cards.number(typed["card"]), month, year)


def _problems(typed: dict[str, str], asked: Asked, today: datetime) -> Iterator[tuple[str, str]]:
    if not asked.email and not _is_email(typed["email"]):
        yield "email", "Indiquez une adresse e-mail valable."
    if chosen(typed, asked) == "sepa_debit":
        yield from _iban_problems(typed)
    else:
        yield from _card_problems(typed, today)
    if not typed["name"]:
        yield "name", "Indiquez le nom du titulaire."
    if asked.address:
        yield from _address_problems(typed)
    if asked.phone and not e164(typed["phone"]):
        yield "phone", "Indiquez un numéro de téléphone valable."


def _iban_problems(typed: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not typed["iban"]:
        yield "iban", "Indiquez votre IBAN."
    elif not _is_test_iban(typed["iban"]):
        yield "iban", "IBAN inconnu de ce bac à sable. Utilisez un des IBAN de test."


def _card_problems(typed: dict[str, str], today: datetime) -> Iterator[tuple[str, str]]:
    if not typed["card"]:
        yield "card", "Indiquez le numéro de carte."
    elif not _is_test_card(typed["card"]):
        yield "card", "Carte inconnue de ce bac à sable. Utilisez une des cartes de test."
    expiry = _expiry(typed["expiry"])
    if not expiry:
        yield "expiry", "Écrivez MM / AA."
    elif expiry < (today.year, today.month):
        yield "expiry", "La date d’expiration de votre carte est passée."
    if not re.fullmatch(r"\d{3}", typed["cvc"]):
        yield "cvc", "Trois chiffres."


def _address_problems(typed: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not typed["line1"]:
        yield "line1", "Indiquez votre adresse."
    if not typed["postal_code"]:
        yield "postal_code", "Indiquez le code postal."
    if not typed["city"]:
        yield "city", "Indiquez la ville."
    if typed["country"] not in COUNTRIES:
        yield "country", "Choisissez un pays."


def _is_email(typed: str) -> bool:
    try:
        return bool(read_email(typed, "email"))
    except StripeError:
        return False


def _is_test_card(typed: str) -> bool:
    try:
        return bool(cards.number(typed))
    except UnknownCard:
        return False


def _is_test_iban(typed: str) -> bool:
    try:
        return bool(sepa.number(typed))
    except UnknownIban:
        return False


def _expiry(typed: str) -> tuple[int, int] | None:
    """`12 / 34` → (2034, 12), the last month that the card is good; None for what is no month."""
    match = re.fullmatch(r"(0[1-9]|1[0-2]) ?/? ?(?:20)?(\d{2})", typed)
    return (2000 + int(match[2]), int(match[1])) if match else None
