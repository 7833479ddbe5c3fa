"""Letters about bookings: to who comes and to who holds the appointment, with the file for their calendar."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from models.content import Branding
from services import letters
from services.envelopes import Envelope
from services.wording import phone


@dataclass(frozen=True, slots=True)
class Occasion:
    """What letters say of a booking. Moments are in the zone of who holds it; the price is minor units TTC. `to_join`
    is where one joins online, `place` where one goes."""

    brand: Branding
    live: bool
    service: str
    staff: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    meet_url: str | None
    price_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What a cancellation comes to, in minor units TTC: what is owed for it (`fee_cents`), of what was paid what goes
    back; `session_back`: a pack has its session again. `reason` is what was given for it."""

    by_client: bool
    reason: str | None
    fee_cents: int
    refund_cents: int
    session_back: bool


@dataclass(frozen=True, slots=True)
class Guest:
    """Who comes, as the person who holds the appointment is told."""

    name: str
    email: str
    phone: str | None
    notes: str | None


def confirmed(occasion: Occasion, *, name: str, sessions_left: int | None, envelope: Envelope) -> EmailMessage:
    """To a client whose booking stands. `sessions_left` of the pack that it was drawn from, if any."""
    return _to_client("booking_confirmed", occasion, name, envelope, sessions_left=sessions_left)


def moved(occasion: Occasion, *, name: str, envelope: Envelope) -> EmailMessage:
    """To a client whose appointment is held at another time, or elsewhere."""
    return _to_client("booking_moved", occasion, name, envelope)


def canceled(occasion: Occasion, ending: Ending, *, name: str, envelope: Envelope) -> EmailMessage:
    """To a client who is not expected any more: by whom it was cancelled, what it costs and what goes back."""
    return _to_client("booking_canceled", occasion, name, envelope, ending=ending)


def expired(occasion: Occasion, *, name: str, paid_late: bool, envelope: Envelope) -> EmailMessage:
    """To a client whose place was not paid while it was held for them; `paid_late`: it was, once the time was gone."""
    return _to_client("booking_paid_late" if paid_late else "booking_expired", occasion, name, envelope)


def reminder(occasion: Occasion, *, name: str, envelope: Envelope) -> EmailMessage:
    """To a client who is expected soon."""
    return _to_client("booking_reminder", occasion, name, envelope)


def for_staff(occasion: Occasion, what: str, guests: Sequence[Guest], *, name: str, envelope: Envelope) -> EmailMessage:
    """To who holds an appointment, of what happened to it (`MADE`, `MOVED`, `CANCELED`, `ATTENDEES`, `ENTRUSTED` by
    somebody else, `HANDED_OVER` to somebody else), and who comes."""
    said = _said(occasion) | {"what": what, "guests": [_presented(guest) for guest in guests], "contacts": []}
    return letters.of_no_order("booking_for_staff", said, name=name, brand=occasion.brand, envelope=envelope)


def with_calendar(letter: EmailMessage, file: bytes, method: str) -> EmailMessage:
    """The letter with a calendar file of that METHOD, which mail programs offer to take in (RFC 6047, 2.4)."""
    named = {"REQUEST": "rendez-vous.ics", "CANCEL": "annulation.ics"}[method]
    letter.add_attachment(
        file, maintype="text", subtype="calendar", filename=named, params={"charset": "utf-8", "method": method}
    )
    return letter


def _to_client(template: str, occasion: Occasion, name: str, envelope: Envelope, **said: Any) -> EmailMessage:
    said = _said(occasion) | {"action_url": occasion.meet_url if template in _WITH_LINK else None} | said
    return letters.of_no_order(template, said, name=name, brand=occasion.brand, envelope=envelope)


_WITH_LINK = ("booking_confirmed", "booking_moved", "booking_reminder")


def _presented(guest: Guest) -> str:
    ways = filter(None, (guest.email, phone(guest.phone) if guest.phone else None))
    return f"{guest.name} ({', '.join(ways)})" + (f" : {guest.notes}" if guest.notes else "")


def _said(occasion: Occasion) -> dict[str, Any]:
    return {"live": occasion.live, "currency": occasion.currency, "occasion": occasion}
