"""Quality: surveys, evidence by indicator, all of it at a glance, and what an auditor is given."""

from typing import Any

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, computed, enum, input, node
from schema.bilans import Bilan
from schema.documents import Document
from schema.integrations import LANGUAGE
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import URL, Date
from services import document_access, quality

MISSING: Any = enum(quality.Missing)


@node(models.Survey)
class Survey:
    """What a beneficiary thinks of their bilan, asked by a letter and answered once."""

    bilan: Bilan
    kind: auto
    due_at: auto
    sent_at: auto
    answered_at: auto
    satisfaction: auto
    objectives: auto
    accompaniment: auto
    recommends: auto
    comment: auto


@node(models.QualityProof)
class QualityProof:
    """Something that shows that an indicator is met, of a bilan or the organization."""

    indicator: auto
    kind: auto
    title: auto
    description: auto
    happened_on: auto
    bilan: Bilan | None
    document: Document | None
    added_by: Membership | None
    created_at: auto


@node(models.QualityExport)
class QualityExport:
    """What an auditor is given of a period: evidence by indicator, with an index; fetched within 30 days."""

    status: auto
    starts_on: auto
    ends_on: auto
    total: auto
    done: auto
    error: auto
    requested_by: Membership | None
    finished_at: auto
    created_at: auto

    @computed("How far it is, of 100.", needs=("status", "total", "done"))
    def percent(root: Any) -> int:
        return int(root.percent)

    @computed(
        "Where to fetch it, for five minutes; null until it is ready, and after 30 days.",
        needs=("id", "file_id", "finished_at"),
    )
    def url(root: Any) -> URL | None:
        return URL(document_access.quality_export_link(root.id)) if root.is_kept else None


@filter(models.Survey)
class SurveyFilter:
    """Which surveys."""

    bilan: strawberry.ID
    kind: among
    due_at: between
    answered_at: between


@filter(models.QualityProof)
class QualityProofFilter:
    """Which evidence."""

    indicator: auto
    kind: among
    bilan: strawberry.ID
    happened_on: between


@strawberry.type(description="An indicator of the référentiel national qualité, and what shows it in the period.")
class QualityIndicator:
    number: int = strawberry.field(description="Its number, 1 to 32.")
    titles: strawberry.Private[tuple[str, str]]
    added: int = strawberry.field(description="Pieces of evidence that people added.")
    records: int = strawberry.field(description="Records of bilans that show it: sessions, agreements, answers…")
    latest_on: Date | None = strawberry.field(description="The day of the newest piece that was added.")
    missing: bool = strawberry.field(description="Whether nothing shows it.")

    @strawberry.field(description="What it asks for, in a line.")
    def title(self, language: LANGUAGE = models.Language.FR) -> str:
        return self.titles[language is models.Language.EN]


@strawberry.type(description="A bilan that lacks something.")
class QualityGap:
    bilan: strawberry.ID = strawberry.field(description="The bilan, by global id.")
    beneficiary_name: str = strawberry.field(description="Whose it is.")
    missing: list[MISSING] = strawberry.field(description="What it lacks.")


@strawberry.type(description="Quality at a glance, of a period. Marks are means; null where nobody answered.")
class Quality:
    bilans: int = strawberry.field(description="Bilans that were under way or completed.")
    completed: int = strawberry.field(description="Of them, completed in the period.")
    minutes: int = strawberry.field(description="Minutes of sessions that were attended.")
    attended: int = strawberry.field(description="Sessions that were attended.")
    absent: int = strawberry.field(description="Sessions to which the beneficiary did not come.")
    asked: int = strawberry.field(description="Surveys that were sent.")
    answered: int = strawberry.field(description="Surveys that were answered.")
    satisfaction: float | None = strawberry.field(description="How content beneficiaries are, of 5.")
    objectives: float | None = strawberry.field(description="How far their objectives were reached, of 5.")
    accompaniment: float | None = strawberry.field(description="How well they were accompanied, of 5.")
    recommends: float | None = strawberry.field(description="How likely they recommend it, of 10.")
    indicators: list[QualityIndicator] = strawberry.field(description="The 22 that hold for bilans, by number.")
    gaps: list[QualityGap] = strawberry.field(description="Bilans that lack something: 200 at most.")


@strawberry.input(description="Whom to ask, and of when.")
class SurveySendInput:
    bilan: strawberry.ID = strawberry.field(description="The bilan's global id.")
    kind: enum(models.SurveyKind) = strawberry.field(description="At the end, or six months later.")  # type: ignore[valid-type]


@input(models.Survey)
class SurveyAnswerInput:
    """What the beneficiary thinks."""

    survey: strawberry.ID = strawberry.field(description="The survey's global id.")
    satisfaction: int = strawberry.field(description="How content they are, 1 to 5.")
    objectives: int = strawberry.field(description="How far their objectives were reached, 1 to 5.")
    accompaniment: int = strawberry.field(description="How well they were accompanied, 1 to 5.")
    recommends: int = strawberry.field(description="How likely they recommend it, 0 to 10.")
    comment: str | None = strawberry.field(description="What else they say, of 2000 characters.", default=UNSET)


@input(models.QualityProof)
class QualityProofAddInput:
    """Something that shows an indicator."""

    indicator: auto
    kind: auto
    title: auto
    description: auto
    happened_on: auto
    bilan: strawberry.ID | None = strawberry.field(
        description="The bilan that it is of, by global id; the organization's where none is.", default=UNSET
    )
    document: strawberry.ID | None = strawberry.field(
        description="The document of that bilan that shows it, by global id.", default=UNSET
    )


@strawberry.input(description="Which evidence to take away.")
class QualityProofRemoveInput:
    quality_proof: strawberry.ID = strawberry.field(description="The evidence's global id.")


@strawberry.type(description="Evidence taken away.")
class QualityProofRemoved:
    id: strawberry.ID = strawberry.field(description="The evidence's global id.")


@strawberry.input(description="Of which days, where the organization is.")
class QualityExportCreateInput:
    starts_on: Date = strawberry.field(description="The first day.")
    ends_on: Date = strawberry.field(description="The last day.")
