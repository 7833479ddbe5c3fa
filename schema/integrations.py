"""Integrations: the catalogue of providers, and what an organization connected."""

from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

import models
from models import IntegrationStatus, Language
from providers import registry
from providers.base import Provider
from providers.offers import Announced, Category, Offer, Words, form_of
from providers.offers import Feature as Feature  # the organization has some
from schema.base import auto, computed, enum, node
from schema.lists import among, between, filter
from services.integrations import name_of


def _said(kind: Any, described: dict[str, str], doc: str) -> Any:
    """The GraphQL enum of a provider's, whose values have no descriptions of their own."""
    strawberry.enum(kind, description=doc)
    for value in kind.__strawberry_definition__.values:
        value.description = f"{described[value.name]}."
    return kind


_said(Feature, {each.name: each.value.en for each in Feature}, "What an integration opens.")
_said(
    Category,
    {
        "BOOKINGS": "Bookings made elsewhere", "PAYMENTS": "Payments", "PROMOTIONS": "Vouchers and deals",
        "CALENDAR": "Calendars and video meetings", "COMMUNICATION": "Letters and messages",
        "SOCIAL": "Social networks", "ACCOUNTING": "Accounting", "SIGNATURE": "Electronic signature",
        "ECOMMERCE": "Shops", "REVIEWS": "Reviews",
        "ADMINISTRATION": "Formalities", "INFRASTRUCTURE": "Mail, files and alerts",
    },
    "What a provider is for.",
)  # fmt: skip

LANGUAGE: Any = Annotated[enum(Language), strawberry.argument(description="In which language.")]

REASONS = {
    IntegrationStatus.CONNECTED: Words("Tout va bien.", "It works."),
    IntegrationStatus.ERROR: Words(
        "Le service n'a pas fait ce qui lui était demandé. Nouvel essai dans quelques minutes.",
        "It did not do what it was asked. It is tried again in some minutes.",
    ),
    IntegrationStatus.DISCONNECTED: Words(
        "Les clés sont refusées : remplacez-les.", "The keys are refused: replace them."
    ),
    IntegrationStatus.OFF: Words("L'intégration est éteinte.", "It is switched off."),
    IntegrationStatus.UNTESTED: Words("Pas encore essayée avec ces réglages.", "Not tried yet with these settings."),
}


@strawberry.type(description="What people read, in both languages.")
class Bilingual:
    fr: str = strawberry.field(description="In French.")
    en: str = strawberry.field(description="In English.")

    @classmethod
    def of(cls, words: Words) -> "Bilingual":
        return cls(fr=words.fr, en=words.en)


@strawberry.type(description="A feature, and what it is.")
class FeatureOpened:
    feature: Feature = strawberry.field(description="Which.")
    title: Bilingual = strawberry.field(description="What it is.")


@strawberry.type(description="A provider of the catalogue.")
class IntegrationProvider:
    offer: strawberry.Private[Offer]
    key: str = strawberry.field(description="What mutations call it by: `smtp`.")
    name: str = strawberry.field(description="What people call it.")
    category: Category = strawberry.field(description="What it is for.")
    available: bool = strawberry.field(description="Whether it can be connected; else it is announced, no more.")

    @strawberry.field(description="What it does.")
    def does(self) -> Bilingual:
        return Bilingual.of(self.offer.does)

    @strawberry.field(description="What one needs to have first.")
    def needs(self) -> Bilingual:
        return Bilingual.of(self.offer.needs)

    @strawberry.field(description="What it opens, while it is on.")
    def features(self) -> list[FeatureOpened]:
        return [FeatureOpened(feature=each, title=Bilingual.of(each.value)) for each in self.offer.opens]

    @strawberry.field(
        description="Its form, as JSON Schema (draft 2020-12): of each field `title`, `description` (what it is for),"
        " `x-where` (where to find it), `x-order`, and `writeOnly` where it is a secret."
    )
    def form(
        self,
        language: LANGUAGE = Language.FR,
    ) -> JSON:
        return JSON(form_of(self.name, self.offer, french=language is Language.FR))

    @classmethod
    def of(cls, listed: type[Provider[Any]] | Announced) -> "IntegrationProvider":
        return cls(
            offer=listed.offer, key=listed.key, name=listed.name, category=listed.category,
            available=not isinstance(listed, Announced),
        )  # fmt: skip


@node(models.IntegrationSecret)
class IntegrationSecret:
    """A key of an integration. What it is is never shown again."""

    field: auto
    last_four: auto
    rotated_at: auto
    destroyed_at: auto


@node(models.Integration)
class Integration:
    """A provider that the organization set up."""

    provider: auto
    enabled: auto
    status: auto
    detail: auto
    configured_at: auto
    checked_at: auto
    next_check_at: auto
    failing_since: auto
    removed_at: auto
    created_at: auto
    secrets: list[IntegrationSecret]

    @computed("What its status means, and what to do.", needs=("status",))
    def reason(root: Any, language: LANGUAGE = Language.FR) -> str:
        words = REASONS[IntegrationStatus(root.status)]
        return words.fr if language is Language.FR else words.en

    @computed("What its form holds that is no secret, as JSON.", needs=("settings",))
    def settings(root: Any) -> JSON:
        return root.settings  # type: ignore[no-any-return]

    @computed("What it opens now: nothing while it is off.", needs=("provider", "enabled"))
    def features(root: Any) -> list[Feature]:
        listed = registry.catalogue().get(root.provider)
        return list(listed.offer.opens) if listed and root.enabled else []

    @computed("What people call the provider.", needs=("provider",))
    def name(root: Any) -> str:
        return name_of(root.provider)


@node(models.SecretOpening)
class SecretOpening:
    """One use of a key of an integration: the access log, which nobody changes."""

    secret: IntegrationSecret | None
    purpose: auto
    key_id: auto
    created_at: auto


@filter(models.Integration)
class IntegrationFilter:
    """Which integrations."""

    provider: among
    status: among
    enabled: auto


@filter(models.SecretOpening)
class SecretOpeningFilter:
    """Which uses of keys."""

    secret: strawberry.ID
    created_at: between


@strawberry.input(description="What to set an integration to.")
class IntegrationConfigureInput:
    provider: str = strawberry.field(description="The provider's key in the catalogue.")
    values: JSON = strawberry.field(
        description='By field of its form: `{ host: "smtp.example.com" }`. What is left out stays, null takes away.'
    )


@strawberry.input(description="Which integration.")
class IntegrationInput:
    provider: str = strawberry.field(description="The provider's key in the catalogue.")


@strawberry.input(description="Which key to replace, and by what.")
class IntegrationSecretRotateInput:
    provider: str = strawberry.field(description="The provider's key in the catalogue.")
    field: str = strawberry.field(description="Which field of its form.")
    value: str = strawberry.field(description="The new key.")


@strawberry.type(description="A test of an integration, and what came of it.")
class IntegrationTested:
    integration: Integration = strawberry.field(description="The integration; where it is off its status stays so.")
    connected: bool = strawberry.field(description="Whether it works.")
    reason: Bilingual = strawberry.field(description="What that means, and what to do.")
    detail: str | None = strawberry.field(description="What the other side said, where it failed.")
    duration_ms: int = strawberry.field(description="How long it took, in milliseconds.")
