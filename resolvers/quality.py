"""Quality: beneficiaries asked, evidence added, what is missing, and what an auditor is given."""

from typing import Annotated

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import Forbidden
from models.base import global_id_of
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.quality import (
    Quality,
    QualityExport,
    QualityExportCreateInput,
    QualityGap,
    QualityIndicator,
    QualityProof,
    QualityProofAddInput,
    QualityProofFilter,
    QualityProofRemoved,
    QualityProofRemoveInput,
    Survey,
    SurveyAnswerInput,
    SurveyFilter,
    SurveySendInput,
)
from schema.roots import Wanted, connection, mutation, one, query
from schema.scalars import Date
from services import quality as quality_service
from services import quality_export as quality_export_service
from services import surveys as surveys_service


@query(Quality, requires=Permission.QUALITY)
async def quality(
    info: Info,
    starts_on: Annotated[Date, strawberry.argument(description="The first day, where the organization is.")],
    ends_on: Annotated[Date, strawberry.argument(description="The last day.")],
) -> Quality:
    """Quality at a glance: what beneficiaries say, what shows each indicator, what is missing of which bilan."""
    seen = await quality_service.overview(actor(info).organization_id, starts_on, ends_on)
    plain = {name: getattr(seen, name) for name in Quality.__annotations__ if name not in ("indicators", "gaps")}
    return Quality(
        **plain,
        indicators=[
            QualityIndicator(
                number=each.indicator.number, titles=(each.indicator.french, each.indicator.english),
                added=each.added, records=each.records, latest_on=Date(each.latest_on) if each.latest_on else None,
                missing=each.is_missing,
            )
            for each in seen.indicators
        ],
        gaps=[
            QualityGap(
                bilan=strawberry.ID(global_id_of(models.Bilan, each.bilan_id)),
                beneficiary_name=each.beneficiary_name, missing=list(each.missing),
            )
            for each in seen.incomplete
        ],
    )  # fmt: skip


@connection(Survey, requires=Permission.BILANS_FOLLOW)
def surveys(info: Info, filter: SurveyFilter | None = None) -> QuerySet[models.Survey]:
    """What beneficiaries were asked and said, newest first."""
    return filtered(actor(info).rows(models.Survey), filter)


@one(Survey, requires=Permission.BILANS_FOLLOW)
def survey(id: strawberry.ID) -> Wanted:
    """One survey."""
    return models.Survey, row_id(models.Survey, id)


@mutation(Survey, requires=Permission.BILANS_HOLD)
async def survey_send(info: Info, input: SurveySendInput) -> models.Survey:
    """Ask the beneficiary of a bilan that is completed what they think of it, now or once more. They are asked by
    themselves at its end, and six months later."""
    bilan = await actor(info).get(models.Bilan, input.bilan, field="input.bilan", for_update=True)
    return await surveys_service.send(bilan, input.kind)


@mutation(Survey, requires=Permission.BILANS_FOLLOW)
async def survey_answer(info: Info, input: SurveyAnswerInput) -> models.Survey:
    """Say what one thinks of one's own bilan, once: nobody says it for the beneficiary."""
    caller = actor(info)
    row = await caller.get(models.Survey, input.survey, field="input.survey", for_update=True)
    if caller.kind is not models.Role.BENEFICIARY:
        raise Forbidden("Only the beneficiary says what they think: here, or by the link of the letter.")
    return await surveys_service.answer(row, given(input))


@connection(QualityProof, requires=Permission.BILANS_HOLD)
def quality_proofs(info: Info, filter: QualityProofFilter | None = None) -> QuerySet[models.QualityProof]:
    """What shows that indicators are met, newest first: of the bilans that one holds, or all."""
    return filtered(actor(info).rows(models.QualityProof), filter)


@one(QualityProof, requires=Permission.BILANS_HOLD)
def quality_proof(id: strawberry.ID) -> Wanted:
    """One piece of evidence."""
    return models.QualityProof, row_id(models.QualityProof, id)


@mutation(QualityProof, requires=Permission.BILANS_HOLD, idempotent=True)
async def quality_proof_add(info: Info, input: QualityProofAddInput) -> models.QualityProof:
    """Add what shows an indicator, of a bilan that one holds; of the organization where one runs it."""
    caller, values = actor(info), given(input)
    named = {name: values.pop(name, None) for name in ("bilan", "document")}
    if named["bilan"] is None:
        caller.require(Permission.QUALITY)
    bilan = await caller.get(models.Bilan, named["bilan"], field="input.bilan") if named["bilan"] else None
    document = (
        await caller.get(models.Document, named["document"], field="input.document") if named["document"] else None
    )
    return await quality_service.add_proof(
        caller.organization_id, values, bilan=bilan, document=document, by=caller.membership_id
    )


@mutation(QualityProofRemoved, requires=Permission.BILANS_HOLD)
async def quality_proof_remove(info: Info, input: QualityProofRemoveInput) -> QualityProofRemoved:
    """Take away what was added by mistake; a document that it names stays."""
    row = await actor(info).get(models.QualityProof, input.quality_proof, field="input.qualityProof", for_update=True)
    await row.delete()
    return QualityProofRemoved(id=input.quality_proof)


@connection(QualityExport, requires=Permission.QUALITY)
def quality_exports(info: Info) -> QuerySet[models.QualityExport]:
    """What was made for auditors, newest first."""
    return actor(info).rows(models.QualityExport)


@one(QualityExport, requires=Permission.QUALITY)
def quality_export(id: strawberry.ID) -> Wanted:
    """One of them: ask again, or follow `qualityExportChanged`, until it is ready."""
    return models.QualityExport, row_id(models.QualityExport, id)


@mutation(QualityExport, requires=Permission.QUALITY, idempotent=True)
async def quality_export_create(info: Info, input: QualityExportCreateInput) -> models.QualityExport:
    """Have a worker make what an auditor is given of a period: evidence by indicator, agreements, attendance, what
    beneficiaries said, and an index. Nothing of what a bilan was held with, and no synthesis."""
    caller = actor(info)
    await models.Organization.select_for_update(no_key=True).get(id=caller.organization_id)
    return await quality_export_service.create(
        caller.organization_id, input.starts_on, input.ends_on, by=caller.membership_id
    )
