"""What a beneficiary agrees to in writing: consent to the bilan, and the convention with their employer, for which the
law gives ten days; without an answer by then it is refused."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Conflict, Invalid
from models import AgreementKind, AgreementNews, AgreementStatus, Bilan, BilanAgreement, Lane, Organization
from models.database import transaction
from services import bilan_law, bilan_rules
from services.bilan_law import RuleCode
from services.outbox import job, later

NAME_MOST = 200  # characters
STANDING = (AgreementStatus.PROPOSED, AgreementStatus.ACCEPTED)


async def propose(bilan: Bilan, kind: AgreementKind, day: date | None) -> BilanAgreement:
    """Note that the beneficiary of a bilan, locked, was given something to agree to, today unless told. A convention is
    refused unless it is accepted within the days that the law gives.

    Raises Conflict where one stands already, and Invalid for a convention without an employer, or a day to come.
    """
    bilan.must_be_under_way()
    if kind is AgreementKind.CONVENTION and bilan.employer_id is None:
        raise Invalid("A convention is with an employer: name them on the bilan (bilanUpdate).", field="input.kind")
    if await BilanAgreement.exists(bilan_id=bilan.id, kind=kind, status__in=STANDING):
        raise Conflict(f"A {kind} was proposed already, and stands.", field="input.kind")
    zone = await _zone(bilan.organization_id)
    proposed_on = day or datetime.now(zone).date()
    if proposed_on > datetime.now(zone).date():
        raise Invalid("The day is today or before.", field="input.proposedOn")
    rule = bilan_law.on(RuleCode.ACCEPTANCE_DAYS, proposed_on) if kind is AgreementKind.CONVENTION else None
    accept_by = proposed_on + timedelta(days=rule.value) if rule else None
    made = await BilanAgreement.create(
        organization_id=bilan.organization_id, bilan=bilan, kind=kind, proposed_on=proposed_on, accept_by=accept_by
    )
    if accept_by:
        over = datetime.combine(accept_by + timedelta(days=1), time(), zone).astimezone(UTC)
        await later(lapse, made, at=max(over, datetime.now(UTC)))
    return made


async def accept(agreement: BilanAgreement, name: str, day: date | None, by_id: UUID) -> BilanAgreement:
    """The beneficiary accepted, in writing, today unless told. Raises Conflict where it was answered or is too
    late, and Invalid for a day that cannot be. The agreement is locked, and then the bilan."""
    if not name.strip() or "\x00" in name or len(name) > NAME_MOST:
        raise Invalid(f"A name is text of {NAME_MOST} characters at most.", field="input.name")
    agreement.signer_name = name.strip()
    await _decide(agreement, AgreementNews.ACCEPTED, day, by_id)
    await bilan_rules.note(await Bilan.select_for_update(no_key=True).get(id=agreement.bilan_id))
    return agreement


async def refuse(agreement: BilanAgreement, day: date | None, by_id: UUID) -> BilanAgreement:
    """The beneficiary does not want it. Raises like `accept`."""
    return await _decide(agreement, AgreementNews.REFUSED, day, by_id)


@job(Lane.SYNC)
async def lapse(agreement: BilanAgreement) -> None:
    """Nobody answered by the last day, which is a refusal."""
    async with transaction():
        locked = await BilanAgreement.select_for_update(no_key=True).get(id=agreement.id)
        today = datetime.now(await _zone(locked.organization_id)).date()
        if locked.status is AgreementStatus.PROPOSED and locked.accept_by and locked.accept_by < today:
            locked.must_hear(AgreementNews.LAPSED, on=locked.accept_by)
            await locked.save()


async def _decide(agreement: BilanAgreement, news: AgreementNews, day: date | None, by_id: UUID) -> BilanAgreement:
    today = datetime.now(await _zone(agreement.organization_id)).date()
    on = day or today
    if not agreement.proposed_on <= on <= today:
        raise Invalid("The day is between that of the proposal and today.", field="input.decidedOn")
    if agreement.accept_by and on > agreement.accept_by:
        raise Conflict(
            f"It was to be answered by {agreement.accept_by}: propose another (bilanAgreementPropose).",
            field="input.bilanAgreement",
        )
    agreement.must_hear(news, on=on)
    agreement.decided_by_id = by_id
    await agreement.save()
    return agreement


async def _zone(organization_id: UUID) -> ZoneInfo:
    return ZoneInfo((await Organization.get(id=organization_id)).time_zone)
