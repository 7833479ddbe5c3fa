"""The hosted page's form: what a customer types, what is wrong with it, in French, and the payer that it makes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import phonenumbers

from sandbox import stripe_cards as cards
from sandbox.stripe_cards import COUNTRY_ALONE, Payer, UnknownCard
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import NO_ADDRESS, Object
from sandbox.stripe_params import email as read_email

ADDRESS = {"line1": "3 place Bellecour", "postal_code": "69002", "city": "Lyon", "country": "FR"}
EXAMPLE = {"name": "Marie Martin", "phone": "06 12 34 56 78", "expiry": "12 / 34", "cvc": "123"} | ADDRESS
FIELDS = ("email", "card", *EXAMPLE)
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


def known_email(session: Object) -> str | None:
    """The e-mail that the session was opened with, which the page then asks no more."""
    details: Object = session["customer_details"] or {}
    return details.get("email")


def asks_address(session: Object) -> bool:
    return bool(session["billing_address_collection"] == "required")


def asks_phone(session: Object) -> bool:
    return bool(session["phone_number_collection"]["enabled"])


def e164(typed: str) -> str | None:
    """`06 12 34 56 78` → `+33612345678`, as Stripe keeps it; None for what is no phone number."""
    try:
        number = phonenumbers.parse(typed, "FR")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def problems(typed: dict[str, str], session: Object, now: float) -> dict[str, str]:
    """What stands in the way of paying, by field. `typed` has all FIELDS; `now` in unix seconds."""
    return dict(_problems(typed, session, datetime.fromtimestamp(now, UTC)))


def payer(typed: dict[str, str], session: Object) -> Payer:
    """Who pays, from a form without problems."""
    year, month = _expiry(typed["expiry"]) or (2034, 12)
    return Payer(
        name=typed["name"],
        email=known_email(session) or typed["email"],
        phone=e164(typed["phone"]) if asks_phone(session) else None,
        card=cards.number(typed["card"]),
        exp_month=month,
        exp_year=year,
        address=NO_ADDRESS | {name: typed[name] for name in ADDRESS} if asks_address(session) else COUNTRY_ALONE,
    )


def _problems(typed: dict[str, str], session: Object, today: datetime) -> Iterator[tuple[str, str]]:
    if not known_email(session) and not _is_email(typed["email"]):
        yield "email", "Indiquez une adresse e-mail valable."
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
    if not typed["name"]:
        yield "name", "Indiquez le nom inscrit sur la carte."
    if asks_address(session):
        yield from _address_problems(typed)
    if asks_phone(session) and not e164(typed["phone"]):
        yield "phone", "Indiquez un numéro de téléphone valable."


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


def _expiry(typed: str) -> tuple[int, int] | None:
    """`12 / 34` → (2034, 12), the last month that the card is good; None for what is no month."""
    match = re.fullmatch(r"(0[1-9]|1[0-2]) ?/? ?(?:20)?(\d{2})", typed)
    return (2000 + int(match[2]), int(match[1])) if match else None
