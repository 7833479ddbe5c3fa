"""Surveys: what beneficiaries think of their bilan, at its end and six months later, asked by a letter with a link."""

from datetime import UTC, datetime
from typing import Any

from dateutil.relativedelta import relativedelta

from errors import Conflict, Invalid
from models import Bilan, BilanStatus, Client, Lane, Survey, SurveyKind
from models.database import transaction
from services import letters, links, post
from services.invoice_content import brand
from services.outbox import job, later

MARKS = {"satisfaction": (1, 5), "objectives": (1, 5), "accompaniment": (1, 5), "recommends": (0, 10)}
COMMENT_MOST = 2000  # characters
WORDS_KEPT = relativedelta(years=3)  # from the end of the bilan on, like its synthesis
AT_ONCE = 1000  # surveys that a clock looks at
FOLLOWED_UP_AFTER = relativedelta(months=6)


async def promise(bilan: Bilan) -> None:
    """The beneficiary of a bilan that is completed is asked now, and in six months. Safe to call twice."""
    assert bilan.completed_at
    due = {SurveyKind.END: bilan.completed_at, SurveyKind.FOLLOW_UP: bilan.completed_at + FOLLOWED_UP_AFTER}
    for kind, at in due.items():
        survey, made = await Survey.get_or_create(
            bilan=bilan, kind=kind, defaults={"organization_id": bilan.organization_id, "due_at": at}
        )
        if made:
            await later(ask, survey, at=at)


async def send(bilan: Bilan, kind: SurveyKind) -> Survey:
    """Ask the beneficiary of a bilan, locked, now, again too. Raises Conflict before its end, and for one answered."""
    if bilan.status is not BilanStatus.COMPLETED:
        raise Conflict(
            f"This bilan is {bilan.status}: who it is for is asked once it is completed.", field="input.bilan"
        )
    survey, _ = await Survey.get_or_create(
        bilan=bilan, kind=kind, defaults={"organization_id": bilan.organization_id, "due_at": datetime.now(UTC)}
    )
    survey.must_be_open()
    survey.sent_at = None
    await survey.save(update_fields=["sent_at"])
    await later(ask, survey)
    return survey


@job(Lane.MAIL)
async def ask(survey: Survey) -> None:
    """Write to the beneficiary, with the link by which they answer; unless they did, or were written to."""
    if survey.answered_at is not None or survey.sent_at is not None:
        return
    bilan = await Bilan.get(id=survey.bilan_id).prefetch_related("organization")
    if bilan.status is not BilanStatus.COMPLETED:
        return
    client = await Client.get(id=bilan.client_id)
    now = datetime.now(UTC)
    letter = letters.of_no_order(
        "survey",
        {"kind": survey.kind, "action_url": links.survey_link(survey)},
        name=client.name,
        brand=brand(bilan.organization),
        envelope=post.envelope(client.email, links.message_id(f"survey-{now:%Y%m%d%H%M}", survey)),
    )
    await post.send(survey.organization_id, letter)
    async with transaction():
        await Survey.filter(id=survey.id).update(sent_at=now)


async def answer(survey: Survey, said: dict[str, Any]) -> Survey:
    """What the beneficiary says, once; the row is locked. Raises Conflict, and Invalid, naming the field."""
    survey.must_be_open()
    for name, (least, most) in MARKS.items():
        if not isinstance(said.get(name), int) or not least <= said[name] <= most:
            raise Invalid(f"A mark is {least} to {most}.", field=f"input.{name}")
    comment = (said.get("comment") or "").strip() or None
    if comment and len(comment) > COMMENT_MOST:
        raise Invalid(f"This is longer than {COMMENT_MOST} characters.", field="input.comment")
    survey.update_from_dict(
        {name: said[name] for name in MARKS} | {"comment": comment, "answered_at": datetime.now(UTC)}
    )
    await survey.save()
    return survey


async def forget() -> int:
    """Take away what beneficiaries said in words of bilans that ended long ago; the marks stay. How many that were."""
    old = Survey.filter(comment__isnull=False, bilan__completed_at__lt=datetime.now(UTC) - WORDS_KEPT)
    ids = await old.limit(AT_ONCE).values_list("id", flat=True)
    return await Survey.filter(id__in=ids).update(comment=None) if ids else 0
