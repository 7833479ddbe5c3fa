"""A bilan comes to another step, and its beneficiary's timeline tells of it."""

from datetime import datetime
from uuid import UUID

from models import Bilan, BilanNews, Formule, TimelineKind
from models.base import global_id
from services import timeline


async def move(bilan: Bilan, news: BilanNews, *, at: datetime, by_id: UUID | None = None) -> bool:
    """Whether the news change where a bilan, locked, stands: then it is saved, and told of."""
    before = bilan.status
    if not bilan.hear(news, at=at):
        return False
    await bilan.save()
    formule = await Formule.get(id=bilan.formule_id)
    await timeline.note(
        bilan.organization_id, bilan.client_id, TimelineKind.BILAN_MOVED, at=at, author=by_id, about=global_id(bilan),
        title=formule.name, from_step=before, to_step=bilan.status,
    )  # fmt: skip
    return True
