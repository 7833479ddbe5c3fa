"""What happens in bilans: sessions, phases, agreements, and warnings that somebody decided on."""

import models
from policy import Permission
from schema.bilan_inputs import (
    BilanAgreementAcceptInput,
    BilanAgreementProposeInput,
    BilanAgreementRefuseInput,
    BilanPhaseCompleteInput,
    BilanSessionAttendInput,
    BilanSessionBookInput,
    BilanSessionRecordInput,
    BilanWarningDecideInput,
)
from schema.bilans import BilanAgreement, BilanPhase, BilanSession, BilanWarning
from schema.context import Info, actor
from schema.roots import mutation
from services import bilan_agreements, bilan_rules
from services import bilan_sessions as sessions_service

AGREEMENT, SESSION = "input.bilanAgreement", "input.bilanSession"


@mutation(BilanSession, requires=Permission.BILANS_HOLD, idempotent=True)
async def bilan_session_book(info: Info, input: BilanSessionBookInput) -> models.BilanSession:
    """Book an appointment of a phase, once the bilan is funded, and in the phases' order. The bilan pays it."""
    caller = actor(info)
    bilan, phase = await _phase(info, input)
    service = await caller.get(models.Service, input.service, field="input.service")
    staff = await caller.get(models.Staff, input.staff, field="input.staff") if input.staff else None
    return await sessions_service.book(bilan, phase, service, input.starts_at, staff.id if staff else None)


@mutation(BilanSession, requires=Permission.BILANS_HOLD, idempotent=True)
async def bilan_session_record(info: Info, input: BilanSessionRecordInput) -> models.BilanSession:
    """Record an appointment of a phase that no calendar here has, to come or held already."""
    bilan, phase = await _phase(info, input)
    return await sessions_service.record(bilan, phase, input.starts_at, input.ends_at)


@mutation(BilanSession, requires=Permission.BILANS_HOLD)
async def bilan_session_attend(info: Info, input: BilanSessionAttendInput) -> models.BilanSession:
    """Note whether the beneficiary was there, and for how long. Hours beyond what was agreed or the law allows count as
    they were, and the bilan has a warning."""
    row = await actor(info).get(models.BilanSession, input.bilan_session, field=SESSION)
    return await sessions_service.attend(row, input.attendance, input.minutes or None, actor(info).membership_id)


@mutation(BilanPhase, requires=Permission.BILANS_HOLD)
async def bilan_phase_complete(info: Info, input: BilanPhaseCompleteInput) -> models.BilanPhase:
    """Note that a phase is over, in the order of the phases. With the last one the bilan is completed."""
    row = await actor(info).get(models.BilanPhase, input.bilan_phase, field="input.bilanPhase")
    return await sessions_service.complete(row)


@mutation(BilanAgreement, requires=Permission.BILANS_HOLD)
async def bilan_agreement_propose(info: Info, input: BilanAgreementProposeInput) -> models.BilanAgreement:
    """Note that the beneficiary was given something to agree to. They have ten days for a convention."""
    bilan = await actor(info).get(models.Bilan, input.bilan, field="input.bilan", for_update=True)
    return await bilan_agreements.propose(bilan, input.kind, input.proposed_on or None)


@mutation(BilanAgreement, requires=Permission.BILANS_FOLLOW)
async def bilan_agreement_accept(info: Info, input: BilanAgreementAcceptInput) -> models.BilanAgreement:
    """Accept what was proposed, as its beneficiary, or note what they signed on paper."""
    row = await actor(info).get(models.BilanAgreement, input.bilan_agreement, field=AGREEMENT, for_update=True)
    return await bilan_agreements.accept(row, input.name, input.decided_on or None, actor(info).membership_id)


@mutation(BilanAgreement, requires=Permission.BILANS_FOLLOW)
async def bilan_agreement_refuse(info: Info, input: BilanAgreementRefuseInput) -> models.BilanAgreement:
    """Refuse what was proposed, as its beneficiary, or note that they did. Nothing follows from it for them."""
    row = await actor(info).get(models.BilanAgreement, input.bilan_agreement, field=AGREEMENT, for_update=True)
    return await bilan_agreements.refuse(row, input.decided_on or None, actor(info).membership_id)


@mutation(BilanWarning, requires=Permission.BILANS_HOLD)
async def bilan_warning_decide(info: Info, input: BilanWarningDecideInput) -> models.BilanWarning:
    """Go on in spite of a warning, and say why: who decided it, and when, is kept."""
    row = await actor(info).get(models.BilanWarning, input.bilan_warning, field="input.bilanWarning", for_update=True)
    return await bilan_rules.decide(row, input.reason, actor(info).membership_id)


async def _phase(
    info: Info, input: BilanSessionBookInput | BilanSessionRecordInput
) -> tuple[models.Bilan, models.BilanPhase]:
    bilan = await actor(info).get(models.Bilan, input.bilan, field="input.bilan")
    return bilan, await models.BilanPhase.get(bilan_id=bilan.id, kind=input.phase)
