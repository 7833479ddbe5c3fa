"""Quality at a glance: what shows each indicator in a period, what beneficiaries say, and what is missing of which
bilan. Evidence that people add."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from errors import Invalid
from models import Bilan, Document, DocumentKind, Organization, QualityProof
from models.database import fetch
from models.fields import Coded
from services.indicators import BY_NUMBER, INDICATORS, RECORDS, Indicator

PROVING = (DocumentKind.EVIDENCE, DocumentKind.CONSENT, DocumentKind.CONVENTION)
PERIOD_MOST = timedelta(days=1462)  # from one audit to the next but one
MISSING_MOST = 200  # bilans that are listed


class Missing(Coded):
    """What a bilan lacks."""

    CONSENT = "CONSENT", "The beneficiary's consent, accepted"
    CONVENTION = "CONVENTION", "The convention with the employer, accepted"
    ATTENDANCE = "ATTENDANCE", "Whether the beneficiary came to a session that is over"
    SYNTHESIS = "SYNTHESIS", "The synthesis"
    SURVEY = "SURVEY", "What the beneficiary thinks of it"
    END = "END", "Its end: nothing is held or planned any more, and nobody said why it stays open"


@dataclass(frozen=True)
class Shown:
    """How many pieces show an indicator in the period: added by people, and records of ours."""

    indicator: Indicator
    added: int
    records: int
    latest_on: date | None

    @property
    def is_missing(self) -> bool:
        return not self.added + self.records


@dataclass(frozen=True)
class Incomplete:
    """A bilan, and what it lacks."""

    bilan_id: UUID
    beneficiary_name: str
    missing: Sequence[Missing]


@dataclass(frozen=True)
class Overview:
    """Marks are means, of 5 and of 10; None where nobody answered. Minutes are of sessions that were attended."""

    bilans: int
    completed: int
    minutes: int
    attended: int
    absent: int
    asked: int
    answered: int
    satisfaction: float | None
    objectives: float | None
    accompaniment: float | None
    recommends: float | None
    indicators: Sequence[Shown]
    incomplete: Sequence[Incomplete]


async def overview(organization_id: UUID, starts_on: date, ends_on: date) -> Overview:
    """Of the days from the first to the last, where the organization is. Raises Invalid for a period that cannot be."""
    since, until = await moments(organization_id, starts_on, ends_on, field="endsOn")
    (counts,) = await fetch(_COUNTS, organization_id, since, until)
    added = {row["indicator"]: row for row in await fetch(_ADDED, organization_id, starts_on, ends_on)}
    (records,) = await fetch(_RECORDED, organization_id, since, until)
    return Overview(
        **dict(counts),
        indicators=[
            Shown(
                each, added[each.number]["count"] if each.number in added else 0,
                records[each.shown_by] if each.shown_by else 0,
                added[each.number]["latest"] if each.number in added else None,
            )
            for each in INDICATORS
        ],
        incomplete=[
            Incomplete(row["id"], row["beneficiary_name"], [Missing(each) for each in row["missing"]])
            for row in await fetch(_MISSING, organization_id, since, until, MISSING_MOST)
        ],
    )  # fmt: skip


async def moments(
    organization_id: UUID, starts_on: date, ends_on: date, *, field: str = "input.endsOn"
) -> tuple[datetime, datetime]:
    """Its beginning, and the moment after its end. Raises Invalid, naming the field."""
    if not timedelta() <= ends_on - starts_on <= PERIOD_MOST:
        raise Invalid(f"A period is {PERIOD_MOST.days} days at most, the last not before the first.", field=field)
    zone = ZoneInfo((await Organization.get(id=organization_id)).time_zone)
    first, after = (datetime.combine(day, time(), zone) for day in (starts_on, ends_on + timedelta(days=1)))
    return first.astimezone(UTC), after.astimezone(UTC)


async def add_proof(
    organization_id: UUID, values: dict[str, Any], *, bilan: Bilan | None, document: Document | None, by: UUID | None
) -> QualityProof:
    """Something that shows an indicator. Raises Invalid, naming the field, and Conflict for a document that is gone."""
    if values["indicator"] not in BY_NUMBER:
        known = ", ".join(map(str, BY_NUMBER))
        raise Invalid(f"For bilans these indicators hold: {known}.", field="input.indicator")
    if not values["title"].strip():
        raise Invalid("A title says what it shows.", field="input.title")
    if values["happened_on"] > await _today(organization_id):
        raise Invalid("This day is still to come.", field="input.happenedOn")
    if document is not None:
        document.must_be_there()
        if document.kind not in PROVING:
            raise Invalid("An auditor is given evidence, consents and conventions only.", field="input.document")
        if bilan is None or document.bilan_id != bilan.id:
            raise Invalid("A document shows something of its own bilan: name that.", field="input.document")
    return await QualityProof.create(
        organization_id=organization_id, bilan=bilan, document=document, added_by_id=by, **values
    )


async def _today(organization_id: UUID) -> date:
    return datetime.now(ZoneInfo((await Organization.get(id=organization_id)).time_zone)).date()


_COUNTS = """
    SELECT
        (SELECT count(*) FROM bilans WHERE organization_id = $1 AND status <> 'CANCELED' AND created_at < $3
            AND coalesce(completed_at, $3) >= $2) AS bilans,
        (SELECT count(*) FROM bilans WHERE organization_id = $1 AND completed_at >= $2 AND completed_at < $3)
            AS completed,
        s.minutes, s.attended, s.absent, v.asked, v.answered, v.satisfaction, v.objectives, v.accompaniment,
        v.recommends
    FROM (
        SELECT coalesce(sum(minutes), 0) AS minutes, count(*) FILTER (WHERE attendance = 'ATTENDED') AS attended,
            count(*) FILTER (WHERE attendance = 'ABSENT') AS absent
        FROM bilan_sessions WHERE organization_id = $1 AND starts_at >= $2 AND starts_at < $3
    ) s, (
        SELECT count(*) FILTER (WHERE sent_at IS NOT NULL) AS asked, count(answered_at) AS answered,
            avg(satisfaction)::float AS satisfaction, avg(objectives)::float AS objectives,
            avg(accompaniment)::float AS accompaniment, avg(recommends)::float AS recommends
        FROM surveys WHERE organization_id = $1 AND due_at >= $2 AND due_at < $3
    ) v
"""
_ADDED = """
    SELECT indicator, count(*) AS count, max(happened_on) AS latest FROM quality_proofs
    WHERE organization_id = $1 AND happened_on BETWEEN $2 AND $3 GROUP BY indicator
"""
_RECORDED = "SELECT " + ", ".join(f"({sql}) AS {name}" for name, sql in RECORDS.items())
_MISSING = """
    SELECT id, beneficiary_name, missing FROM (
        SELECT b.id, b.beneficiary_name, array_remove(ARRAY[
            CASE WHEN NOT EXISTS (
                SELECT 1 FROM bilan_agreements a
                WHERE a.bilan_id = b.id AND a.kind = 'CONSENT' AND a.status = 'ACCEPTED'
            ) THEN 'CONSENT' END,
            CASE WHEN b.employer_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM bilan_agreements a
                WHERE a.bilan_id = b.id AND a.kind = 'CONVENTION' AND a.status = 'ACCEPTED'
            ) THEN 'CONVENTION' END,
            CASE WHEN EXISTS (
                SELECT 1 FROM bilan_sessions s
                WHERE s.bilan_id = b.id AND s.attendance = 'EXPECTED' AND s.ends_at < now()
            ) THEN 'ATTENDANCE' END,
            CASE WHEN b.status = 'COMPLETED' AND NOT EXISTS (
                SELECT 1 FROM documents d WHERE d.bilan_id = b.id AND d.kind = 'SYNTHESIS'
            ) THEN 'SYNTHESIS' END,
            CASE WHEN b.status = 'COMPLETED' AND NOT EXISTS (
                SELECT 1 FROM surveys s WHERE s.bilan_id = b.id AND s.kind = 'END' AND s.answered_at IS NOT NULL
            ) THEN 'SURVEY' END,
            CASE WHEN EXISTS (
                SELECT 1 FROM bilan_warnings w
                WHERE w.bilan_id = b.id AND w.rule = 'IDLE' AND w.cleared_at IS NULL AND w.decided_at IS NULL
            ) THEN 'END' END
        ], NULL) AS missing
        FROM bilans b
        WHERE b.organization_id = $1 AND b.status IN ('IN_PROGRESS', 'COMPLETED') AND b.created_at < $3
            AND coalesce(b.completed_at, $3) >= $2
    ) each WHERE missing <> '{}' ORDER BY id LIMIT $4
"""
