"""What the catalogue says of a provider, in French and in English, and the form by which it is set up.

    class Credentials(BaseModel):
        api_key: SecretStr = asked(
            Words("Clé d'API", "API key"),
            Words("Signe chaque appel.", "Signs each call."),
            where=Words("Brevo → SMTP et API → Clés d'API", "Brevo → SMTP & API → API keys"),
        )

The form is JSON Schema (draft 2020-12) made from the model: `title` and `description` in one language, `writeOnly` on
what is a secret, and `x-where` (where to find it) and `x-order` beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import PydanticUndefined

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, in both languages."""

    fr: str
    en: str


class Category(Enum):
    """What a provider is for: how the catalogue is sorted."""

    BOOKINGS = "BOOKINGS"
    PAYMENTS = "PAYMENTS"
    PROMOTIONS = "PROMOTIONS"
    CALENDAR = "CALENDAR"
    COMMUNICATION = "COMMUNICATION"
    SOCIAL = "SOCIAL"
    ACCOUNTING = "ACCOUNTING"
    SIGNATURE = "SIGNATURE"
    ECOMMERCE = "ECOMMERCE"
    REVIEWS = "REVIEWS"
    ADMINISTRATION = "ADMINISTRATION"
    INFRASTRUCTURE = "INFRASTRUCTURE"


class Feature(Enum):
    """What a provider opens. It appears for an organization only while such a provider is on."""

    OWN_MAIL = Words("Les lettres aux clients partent de votre serveur", "Letters to clients leave by your own server")
    OWN_ARCHIVE = Words(
        "Chaque facture est aussi déposée dans votre espace de stockage", "Each invoice is kept in your own bucket too"
    )
    OWN_PAYMENTS = Words("Les paiements arrivent sur votre propre compte", "Payments come to your own account")
    WALLET_PAYMENTS = Words("Payer par portefeuille électronique", "Payments by wallet")
    CALENDAR_SYNC = Words("Agenda synchronisé dans les deux sens", "Calendars kept equal both ways")
    VIDEO_MEETINGS = Words("Lien de visioconférence dans les rendez-vous", "A video link in appointments")
    OUTSIDE_BOOKINGS = Words("Rendez-vous pris ailleurs, sans doublon", "Bookings made elsewhere, never twice")
    PHOTOS = Words("Photos avant et après", "Photos, before and after")
    COMMISSIONS = Words("Commissions suivies", "Commissions followed")
    VOUCHERS = Words("Bons vérifiés et encaissés", "Vouchers checked and redeemed")
    EMAIL_MARKETING = Words("Campagnes et listes de contacts", "Campaigns and lists of contacts")
    EMAIL_DELIVERY = Words("E-mails suivis jusqu'à la remise", "E-mails followed until they arrive")
    SMS = Words("Rappels et messages par SMS", "Reminders and messages by SMS")
    WHATSAPP = Words("Rappels et messages par WhatsApp", "Reminders and messages by WhatsApp")
    SOCIAL_POSTS = Words("Publications et stories", "Posts and stories")
    SOCIAL_COMMENTS = Words("Commentaires lus et répondus", "Comments read and answered")
    ACCOUNTING_SYNC = Words("Factures et paiements en comptabilité", "Invoices and payments in the books")
    BANK_RECONCILIATION = Words("Rapprochement bancaire", "Bank reconciliation")
    CUSTOMER_SYNC = Words("Clients et commandes dans les deux sens", "Customers and orders both ways")
    SIGNATURES = Words("Documents signés en ligne", "Documents signed online")
    SHOP_SYNC = Words("Produits, stocks et commandes de la boutique", "Products, stock and orders of a shop")
    REVIEWS = Words("Avis rassemblés", "Reviews gathered")
    REVIEW_ANSWERS = Words("Réponses aux avis", "Answers to reviews")
    OPENING_HOURS = Words("Horaires et actualités de la fiche", "Hours and posts of the profile")
    TRAINING_FILES = Words("Dossiers de formation suivis", "Training files followed")
    QUALIOPI = Words("Export des preuves Qualiopi", "Evidence for Qualiopi, exported")
    ERROR_ALERTS = Words("Alertes d'erreurs dans votre projet", "Alerts of errors in your own project")


@dataclass(frozen=True, slots=True)
class Offer:
    """What the catalogue says of a provider: what it does, what one needs to have, what it opens, and the model of its
    form."""

    credentials: type[BaseModel]
    does: Words
    needs: Words
    opens: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Announced:
    """A provider that cannot be connected yet, as the catalogue shows it."""

    key: str
    name: str
    category: Category
    offer: Offer


def asked(title: Words, help: Words, *, where: Words, default: Any = PydanticUndefined, **rules: Any) -> Any:
    """A field of a form: what it is called, what it is for, where to find it. `rules` are pydantic's."""
    said: dict[str, Any] = {
        language: {"title": title, "description": help_, "x-where": found}
        for language, title, help_, found in (
            ("x-fr", title.fr, help.fr, where.fr),
            ("x-en", title.en, help.en, where.en),
        )
    }
    return Field(default=default, json_schema_extra=said, **rules)


def form_of(name: str, offer: Offer, *, french: bool) -> dict[str, Any]:
    """The form of a provider as JSON Schema, in one language."""
    schema = offer.credentials.model_json_schema()
    properties = schema.get("properties", {})
    return {
        "$schema": DIALECT,
        "type": "object",
        "title": name,
        "description": offer.needs.fr if french else offer.needs.en,
        "properties": {key: _shown(each, place, french) for place, (key, each) in enumerate(properties.items(), 1)},
        "required": schema.get("required", []),
        "additionalProperties": False,
    }


def secrets_of(offer: Offer) -> frozenset[str]:
    """The fields of a form that are secrets."""
    properties = offer.credentials.model_json_schema().get("properties", {})
    return frozenset(name for name, each in properties.items() if _plain(each).get("writeOnly"))


def _shown(given: Mapping[str, Any], place: int, french: bool) -> dict[str, Any]:
    field = _plain(given)
    in_french, in_english = field.pop("x-fr", {}), field.pop("x-en", {})
    said: dict[str, Any] = in_french if french else in_english
    return field | said | {"x-order": place}


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """A field without the word that it may be null: who has nothing to say leaves it out."""
    field = dict(given)
    kinds = [kind for kind in field.pop("anyOf", []) if kind.get("type") != "null"]
    if field.get("default", ...) is None:
        del field["default"]
    return (kinds[0] if kinds else {}) | field
