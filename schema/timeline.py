"""The timeline of clients: events, each with data of its kind."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from tortoise.models import Model

import models
from models import Language, PaymentMethod, TicketType, TimelineKind
from models.base import global_id_of
from schema.base import auto, computed, enum, node
from schema.clients import Client
from schema.integrations import LANGUAGE
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import CurrencyCode, DateTime, Money
from schema.tickets import Ticket
from services import timeline_words

PAYMENT_METHOD: Any = enum(PaymentMethod)
CONFLICT_KIND: Any = enum(models.ConflictKind)
TICKET_TYPE: Any = enum(TicketType)


@strawberry.type(description="Money that came, or went back.")
class TimelinePayment:
    order: strawberry.ID = strawberry.field(description="The order, by global id.")
    order_number: int = strawberry.field(description="The order's number.")
    amount: Money = strawberry.field(description="How much.")
    method: PAYMENT_METHOD = strawberry.field(description="How.")
    balance: Money | None = strawberry.field(description="What was still to be paid then; null for a refund.")
    conflict: CONFLICT_KIND | None = strawberry.field(description="Why it was flagged; null where it was not.")


@strawberry.type(description="A quote that was sent or answered.")
class TimelineQuote:
    quote: strawberry.ID = strawberry.field(description="The quote, by global id.")
    quote_number: str = strawberry.field(description="Its number, with its version.")
    total: Money = strawberry.field(description="What it comes to, TTC.")
    accepted_order: strawberry.ID | None = strawberry.field(description="The order that it became, by global id.")
    reason: str | None = strawberry.field(description="Why it was refused, in the client's words.")


@strawberry.type(description="A booking that was confirmed, moved or cancelled.")
class TimelineBooking:
    booking: strawberry.ID = strawberry.field(description="The booking, by global id.")
    service: str = strawberry.field(description="Of what.")
    staff: str = strawberry.field(description="With whom.")
    starts_at: DateTime = strawberry.field(description="When it begins, as of then.")
    ends_at: DateTime = strawberry.field(description="When it ends, as of then.")
    reason: str | None = strawberry.field(description="Why it was cancelled, as it was given.")


@strawberry.type(description="A ticket that was opened, answered or resolved.")
class TimelineTicket:
    ticket: strawberry.ID = strawberry.field(description="The ticket, by global id.")
    ticket_number: int = strawberry.field(description="Its number.")
    subject: str = strawberry.field(description="What it is about.")
    type: TICKET_TYPE = strawberry.field(description="What it is.")
    from_client: bool = strawberry.field(description="Whether it was the client who did it.")


@strawberry.type(description="An opportunity or a bilan that came to another step.")
class TimelineMove:
    about: strawberry.ID = strawberry.field(description="The opportunity or the bilan, by global id.")
    title: str = strawberry.field(description="What it is called.")
    from_step: str | None = strawberry.field(description="Where it stood before; null at its beginning.")
    to_step: str = strawberry.field(description="Where it stands since.")


@strawberry.type(description="A file that came with an e-mail. It is not kept.")
class EmailAttachment:
    name: str = strawberry.field(description="Its name.")
    content_type: str = strawberry.field(description="What the sender says it is: `application/pdf`.")
    size: int = strawberry.field(description="Its size, in bytes.")


@strawberry.type(description="An e-mail, as it was pasted.")
class TimelineEmail:
    sender: str | None = strawberry.field(description="From which address; null where it does not say.")
    sender_name: str | None = strawberry.field(description="From whom, in words.")
    recipients: list[str] = strawberry.field(description="To which addresses.")
    from_client: bool = strawberry.field(description="Whether it came from the client's own address.")
    subject: str = strawberry.field(description="Its subject; empty where it has none.")
    body: str = strawberry.field(description="What it says, as plain text, of 100,000 characters at most.")
    truncated: bool = strawberry.field(description="Whether it says more than is kept.")
    message_id: str | None = strawberry.field(description="Its Message-ID, as `<left@right>`.")
    thread_id: str | None = strawberry.field(description="Message-ID of the e-mail with which its thread began.")
    attachments: list[EmailAttachment] = strawberry.field(description="What came with it.")


TimelineData = Annotated[
    TimelineEmail | TimelinePayment | TimelineQuote | TimelineBooking | TimelineTicket | TimelineMove,
    strawberry.union("TimelineData", description="What there is to say of an event, by its kind."),
]


@node(models.TimelineEvent)
class TimelineEvent:
    """Something that happened with a client, at its time."""

    client: Client
    kind: auto
    occurred_at: auto
    author: Membership | None
    created_at: auto

    @computed("What happened, in a line.", needs=("kind", "data"))
    def summary(root: Any, language: LANGUAGE = Language.FR) -> str:
        return timeline_words.summary(root.kind, root.data, language)

    @computed(
        "What there is to say of it, of a type by its kind: `... on TimelinePayment { amount { formatted } }`.",
        needs=("kind", "data", "message_id", "thread_id"),
    )
    def data(root: Any) -> TimelineData:
        shown: TimelineData = _DATA[root.kind](root)
        return shown


@strawberry.input(description="An e-mail to put into a client's timeline.")
class ClientEmailAddInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")
    message: str = strawberry.field(
        description="The e-mail, of 1,000,000 bytes at most: its source (MIME), or what a mail program gives when one"
        " copies what one reads, with labels such as `De :` and `Objet :`, or `From:` and `Subject:`."
    )
    open_ticket: bool = strawberry.field(description="Whether to open a ticket of it, too.", default=False)


@strawberry.type(description="An e-mail put into a client's timeline.")
class ClientEmailAdded:
    timeline_event: TimelineEvent = strawberry.field(description="The e-mail.")
    ticket: Ticket | None = strawberry.field(description="The ticket that was opened of it, where one was asked for.")


@strawberry.input(description="Which e-mail to take out of a timeline.")
class ClientEmailRemoveInput:
    timeline_event: strawberry.ID = strawberry.field(description="The event's global id.")


@filter(models.TimelineEvent)
class TimelineFilter:
    """Which events."""

    client: strawberry.ID
    kind: among
    thread_id: auto
    occurred_at: between


def _payment(root: Any) -> TimelinePayment:
    said = root.data
    return TimelinePayment(
        order=_id(models.Order, said["order"]), order_number=said["order_number"],
        amount=_money(said, "amount_cents"), method=PaymentMethod(said["method"]),
        balance=_money(said, "balance_cents") if "balance_cents" in said else None,
        conflict=models.ConflictKind(said["conflict"]) if "conflict" in said else None,
    )  # fmt: skip


def _quote(root: Any) -> TimelineQuote:
    said, order = root.data, root.data.get("order")
    return TimelineQuote(
        quote=_id(models.Quote, said["quote"]), quote_number=said["number"], total=_money(said, "amount_cents"),
        accepted_order=_id(models.Order, order) if order else None, reason=said.get("reason"),
    )  # fmt: skip


def _booking(root: Any) -> TimelineBooking:
    said = root.data
    return TimelineBooking(
        booking=_id(models.Booking, said["booking"]), service=said["service"], staff=said["staff"],
        starts_at=_moment(said["starts_at"]), ends_at=_moment(said["ends_at"]), reason=said.get("reason"),
    )  # fmt: skip


def _ticket(root: Any) -> TimelineTicket:
    said = root.data
    return TimelineTicket(
        ticket=_id(models.Ticket, said["ticket"]), ticket_number=said["number"], subject=said["subject"],
        type=TicketType(said["type"]), from_client=said["from_client"],
    )  # fmt: skip


def _email(root: Any) -> TimelineEmail:
    said = root.data
    return TimelineEmail(
        **{name: said[name] for name in _OF_EMAIL}, message_id=root.message_id, thread_id=root.thread_id,
        attachments=[EmailAttachment(**each) for each in said["attachments"]],
    )  # fmt: skip


def _move(root: Any) -> TimelineMove:
    said = root.data
    return TimelineMove(
        about=strawberry.ID(said["about"]), title=said["title"], from_step=said.get("from_step"),
        to_step=said["to_step"],
    )  # fmt: skip


_OF_EMAIL = ("sender", "sender_name", "recipients", "from_client", "subject", "body", "truncated")

_DATA: dict[TimelineKind, Callable[[Any], Any]] = {
    TimelineKind.CLIENT_EMAIL: _email,
    TimelineKind.PAYMENT_RECEIVED: _payment,
    TimelineKind.PAYMENT_FLAGGED: _payment,
    TimelineKind.PAYMENT_REFUNDED: _payment,
    TimelineKind.QUOTE_SENT: _quote,
    TimelineKind.QUOTE_ACCEPTED: _quote,
    TimelineKind.QUOTE_REFUSED: _quote,
    TimelineKind.BOOKING_CONFIRMED: _booking,
    TimelineKind.BOOKING_MOVED: _booking,
    TimelineKind.BOOKING_CANCELED: _booking,
    TimelineKind.TICKET_OPENED: _ticket,
    TimelineKind.TICKET_REPLIED: _ticket,
    TimelineKind.TICKET_RESOLVED: _ticket,
    TimelineKind.OPPORTUNITY_MOVED: _move,
    TimelineKind.BILAN_MOVED: _move,
}


def _id(model: type[Model], key: str) -> strawberry.ID:
    return strawberry.ID(global_id_of(model, key))


def _money(said: dict[str, Any], name: str) -> Money:
    return Money(amount=said[name], currency=CurrencyCode(said["currency"]))


def _moment(text: str) -> DateTime:
    return DateTime(datetime.fromisoformat(text))
