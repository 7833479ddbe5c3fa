"""What the law has invoices say."""

import strawberry

import models
from schema.base import auto, enum, input, node
from schema.lists import among, filter
from schema.scalars import Date
from services.mentions import Words


@node(models.LegalMention)
class LegalMention:
    """An organization's own words for a mention, for invoices issued from a day on."""

    code: auto
    scope: auto
    text_fr: auto
    text_en: auto
    valid_from: auto
    valid_until: auto
    created_at: auto


@filter(models.LegalMention)
class LegalMentionFilter:
    """Which mentions."""

    code: among


@strawberry.type(description="A mention as invoices of a day say it: in the organization's own words, or in ours.")
class LegalWords:
    code: enum(models.MentionCode) = strawberry.field(description="What it is about.")  # type: ignore[valid-type]
    scope: enum(models.MentionScope) = strawberry.field(description="On which invoices it stands.")  # type: ignore[valid-type]
    text_fr: str = strawberry.field(description="In French.")
    text_en: str | None = strawberry.field(description="In English, beside the French where one reads it.")
    reference: str | None = strawberry.field(description="Which law asks for it; null of one's own words.")
    valid_from: Date = strawberry.field(description="First day of invoices that say so.")
    valid_until: Date | None = strawberry.field(description="Last day of invoices that say so; null for no end.")
    own: bool = strawberry.field(description="Whether these are the organization's own words.")


@input(models.LegalMention)
class LegalMentionSetInput:
    """One's own words, from a day on. Of the same mention and day they take the place of those that were there."""

    code: auto
    scope: enum(models.MentionScope) | None = strawberry.field(  # type: ignore[valid-type]
        description="On which invoices it stands; of OTHER alone, ALL unless given. Others stand where the law asks.",
        default=strawberry.UNSET,
    )
    text_fr: auto
    text_en: auto
    valid_from: auto
    valid_until: auto


@strawberry.input(description="Which words to delete.")
class LegalMentionDeleteInput:
    legal_mention: strawberry.ID = strawberry.field(description="The global id.")


def shown(words: Words) -> LegalWords:
    """Words as clients read them."""
    return LegalWords(
        code=words.code, scope=words.scope, text_fr=words.text_fr, text_en=words.text_en, reference=words.reference,
        valid_from=Date(words.valid_from), valid_until=Date(words.valid_until) if words.valid_until else None,
        own=words.own,
    )  # fmt: skip
