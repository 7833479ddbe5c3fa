"""When something can be booked."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from models import Language, Staff
from models.base import global_id_of
from schema.base import enum
from schema.scalars import DateTime
from services.availability import Offer
from services.timetable import SlotReason

# What clients read: in French, and in English for those who asked for it.
SAID: Mapping[SlotReason, tuple[str, str]] = {
    SlotReason.TOO_SOON: ("Trop tard pour réserver", "Too late to book"),
    SlotReason.TOO_FAR: ("Pas encore ouvert à la réservation", "Not open for booking yet"),
    SlotReason.HOLIDAY: ("Jour férié", "Public holiday"),
    SlotReason.CLOSED: ("Fermé", "Closed"),
    SlotReason.FULL: ("Complet", "Full"),
    SlotReason.BOOKED: ("Déjà réservé", "Already booked"),
    SlotReason.BUSY: ("Indisponible", "Not available"),
    SlotReason.RESOURCE_TAKEN: ("Aucune salle libre", "No room free"),
}


Since = Annotated[DateTime, strawberry.argument(name="from", description="Slots that begin then or later.")]
Until = Annotated[
    DateTime,
    strawberry.argument(name="to", description="Slots that begin before: 62 days later at most, or 31 for anybody."),
]


@strawberry.type(description="A time at which a service is given, and whether it can be booked.")
class AvailabilitySlot:
    starts_at: DateTime = strawberry.field(description="When it begins.")
    ends_at: DateTime = strawberry.field(description="When it ends.")
    available: bool = strawberry.field(description="Whether it can be booked.")
    places: int = strawberry.field(description="How many places are left; 0 where it cannot be booked.")
    reason: enum(SlotReason) | None = strawberry.field(  # type: ignore[valid-type]
        description="Why it cannot be booked; null where it can. Never whose booking it is."
    )
    staff: list[strawberry.ID] = strawberry.field(description="Who could give it then, by global id.")

    @strawberry.field(description="The reason as clients read it.")
    def reason_text(
        self,
        language: Annotated[
            enum(Language),  # type: ignore[valid-type]
            strawberry.argument(description="In which it is; French unless given."),
        ] = Language.FR,
    ) -> str | None:
        return SAID[self.reason][language is Language.EN] if self.reason else None


def slots_of(offers: Sequence[Offer]) -> list[AvailabilitySlot]:
    """What was found, as it is published."""
    named = {id: strawberry.ID(global_id_of(Staff, id)) for id in {id for each in offers for id in each.staff_ids}}
    return [_slot(offer, named) for offer in offers]


def _slot(offer: Offer, named: Mapping[UUID, strawberry.ID]) -> AvailabilitySlot:
    begins, ends, places, reason = offer.slot
    return AvailabilitySlot(
        starts_at=DateTime(datetime.fromtimestamp(begins, UTC)),
        ends_at=DateTime(datetime.fromtimestamp(ends, UTC)),
        available=reason is None,
        places=places,
        reason=reason,
        staff=[named[id] for id in offer.staff_ids],
    )
