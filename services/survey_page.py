"""What the page of a survey's link shows, and what the beneficiary answers there."""

from collections.abc import Mapping

from errors import DomainError
from models import Bilan, Survey
from models.database import transaction
from services import links, surveys
from services.invoice_content import brand
from services.pages import SurveyState, SurveyView

Answer = tuple[int, SurveyView]  # status, and what to show
GONE: Answer = (404, SurveyView(SurveyState.GONE))


async def show(token: str) -> Answer:
    """The page of a link."""
    survey = await links.survey_of_link(token)
    return (200, await _view(survey)) if survey else GONE


async def answer(token: str, form: Mapping[str, str]) -> Answer:
    """The page once the beneficiary answered; with what stands in the way instead."""
    survey = await links.survey_of_link(token)
    if survey is None:
        return GONE
    said = {name: int(form[name]) for name in surveys.MARKS if form.get(name, "").isdecimal() and len(form[name]) < 3}
    if any("\x00" in value for value in form.values()):
        return 422, await _view(survey, "Votre réponse contient un caractère qui n’est pas du texte.", form)
    if len(said) < len(surveys.MARKS):
        return 422, await _view(survey, "Répondez aux quatre questions.", form)
    try:
        async with transaction():
            locked = await Survey.select_for_update().get(id=survey.id)
            await surveys.answer(locked, said | {"comment": form.get("comment")})
    except DomainError as refusal:
        now = await Survey.get(id=survey.id)
        return (200, await _view(now)) if now.answered_at else (422, await _view(now, _FRENCH[refusal.field], form))
    return 200, await _view(locked)


_FRENCH: Mapping[str | None, str] = {
    "input.comment": f"Le commentaire comporte {surveys.COMMENT_MOST} caractères au plus.",
    **{f"input.{name}": f"Une note va de {least} à {most}." for name, (least, most) in surveys.MARKS.items()},
}


async def _view(survey: Survey, problem: str | None = None, given: Mapping[str, str] | None = None) -> SurveyView:
    bilan = await Bilan.get(id=survey.bilan_id).prefetch_related("organization")
    return SurveyView(
        state=SurveyState.ANSWERED if survey.answered_at else SurveyState.OPEN,
        brand=brand(bilan.organization),
        follow_up=survey.kind is survey.kind.FOLLOW_UP,
        problem=problem,
        given=given or {},
    )
