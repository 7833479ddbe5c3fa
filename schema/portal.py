"""The portal: what a client sees and asks by their private link. Ids are for what is asked: no row is read by them."""

import strawberry
from strawberry import UNSET

import models
from schema.base import enum
from schema.organizations import Storefront
from schema.scalars import URL, Date, DateTime, Money


@strawberry.type(description="One thing offered or sold.")
class PortalLine:
    description: str = strawberry.field(description="What it is.")
    quantity: int = strawberry.field(description="How many.")
    total: Money = strawberry.field(description="Price of all of them, TTC, what was taken off this line deducted.")


@strawberry.type(description="A quote that the client can accept or refuse.")
class PortalQuote:
    number: str = strawberry.field(description="Its number.")
    version: int = strawberry.field(description="Which version of it.")
    lines: list[PortalLine] = strawberry.field(description="What is offered.")
    total: Money = strawberry.field(description="What it comes to, TTC.")
    valid_until: Date | None = strawberry.field(description="The last day on which it can be accepted.")
    url: URL = strawberry.field(description="The page where it is read, accepted or refused, for two days.")


@strawberry.type(description="What the client agreed to, as they see it.")
class PortalOpportunity:
    title: str = strawberry.field(description="What it is.")
    amount: Money | None = strawberry.field(description="What it comes to, TTC; null until it is known.")
    payment_status: enum(models.OpportunityPayment) = strawberry.field(  # type: ignore[valid-type]
        description="What came of its money."
    )
    order: strawberry.ID | None = strawberry.field(description="To pay it (`portalPay`); null where nothing is due.")
    pay_url: URL | None = strawberry.field(description="Where that is paid, for two days; null where nothing is due.")


@strawberry.type(description="An order, as its client sees it.")
class PortalOrder:
    id: strawberry.ID = strawberry.field(description="To pay it (`portalPay`).")
    number: int = strawberry.field(description="Number within the organization.")
    status: enum(models.OrderStatus) = strawberry.field(description="Where it stands.")  # type: ignore[valid-type]
    lines: list[PortalLine] = strawberry.field(description="What was ordered.")
    total: Money = strawberry.field(description="All of it, TTC, a discount on the whole taken off.")
    balance: Money = strawberry.field(description="What is still to be paid.")
    due: Money = strawberry.field(
        description="What is asked for now (`portalPay`): a deposit, or all that is left; zero where nothing is."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")
    paid_at: DateTime | None = strawberry.field(description="When it was paid in full.")
    pay_url: URL | None = strawberry.field(description="Where that is paid, for two days; null where nothing is due.")


@strawberry.type(description="An invoice, as its client sees it.")
class PortalInvoice:
    number: str = strawberry.field(description="Its number.")
    type: enum(models.InvoiceType) = strawberry.field(description="What it is.")  # type: ignore[valid-type]
    issued_at: DateTime = strawberry.field(description="When it was issued.")
    due_on: Date = strawberry.field(description="Until when it is to be paid.")
    settled_at: DateTime | None = strawberry.field(description="When it was paid in full.")
    total: Money = strawberry.field(description="What it comes to, TTC.")
    pdf_url: URL | None = strawberry.field(description="Where to fetch the PDF, for 24 hours; null until it is made.")


@strawberry.type(description="A booking that is to come, as its client sees it.")
class PortalBooking:
    id: strawberry.ID = strawberry.field(description="To move it or give it up.")
    service: str = strawberry.field(description="What is held.")
    staff: str = strawberry.field(description="Who holds it.")
    starts_at: DateTime = strawberry.field(description="When it begins.")
    ends_at: DateTime = strawberry.field(description="When it ends.")
    status: enum(models.BookingStatus) = strawberry.field(  # type: ignore[valid-type]
        description="Whether the client is expected, or has to pay first."
    )
    hold_expires_at: DateTime | None = strawberry.field(description="Until when it is held without being paid.")
    price: Money = strawberry.field(description="Its price, TTC.")
    free_until: DateTime = strawberry.field(description="Until when it is cancelled for nothing, and can be moved.")
    late_fee: Money = strawberry.field(
        description="What cancelling it later costs; a session of a pack is not given back then."
    )
    pack: strawberry.ID | None = strawberry.field(
        description="The pack of which it takes a session; null where it is paid, or free."
    )
    meet_url: URL | None = strawberry.field(description="Where the video is; null before it is paid.")
    location: str | None = strawberry.field(description="Where it is held.")
    pay_url: URL | None = strawberry.field(description="Where it is paid, for two days; null where nothing is due.")


@strawberry.type(description="Sessions that the client paid for ahead, and can book with.")
class PortalPack:
    id: strawberry.ID = strawberry.field(description="To book with it (`portalBook`).")
    name: str = strawberry.field(description="What it was sold as.")
    sessions: int = strawberry.field(description="How many were bought.")
    left: int = strawberry.field(description="How many are left.")
    ends_at: DateTime | None = strawberry.field(description="Before when they are held; null for no end.")
    services: list[strawberry.ID] = strawberry.field(description="Of which services they may be, by their ids.")


@strawberry.type(description="What was written under a ticket.")
class PortalTicketReply:
    from_client: bool = strawberry.field(description="Whether the client wrote it.")
    body: str = strawberry.field(description="What was written: plain text, never HTML.")
    created_at: DateTime = strawberry.field(description="When it was written.")


@strawberry.type(description="What the client asked.")
class PortalTicket:
    id: strawberry.ID = strawberry.field(description="To reply to it.")
    number: int = strawberry.field(description="Number within the organization.")
    subject: str = strawberry.field(description="What it is about.")
    body: str = strawberry.field(description="What was asked: plain text, never HTML.")
    type: enum(models.TicketType) = strawberry.field(description="What it is.")  # type: ignore[valid-type]
    status: enum(models.TicketStatus) = strawberry.field(description="Where it stands.")  # type: ignore[valid-type]
    created_at: DateTime = strawberry.field(description="When it was asked.")
    replies: list[PortalTicketReply] = strawberry.field(description="What was written under it, in order.")


@strawberry.type(description="Somebody who can be booked.")
class PortalStaff:
    id: strawberry.ID = strawberry.field(description="To book with them.")
    name: str = strawberry.field(description="What to call them.")


@strawberry.type(description="What the client can book.")
class PortalService:
    id: strawberry.ID = strawberry.field(description="To book it, at a time of `portalAvailability`.")
    name: str = strawberry.field(description="What it is called.")
    description: str | None = strawberry.field(description="What one gets.")
    duration_minutes: int = strawberry.field(description="How long it lasts.")
    price: Money = strawberry.field(description="Price of a place, TTC.")
    staff: list[PortalStaff] = strawberry.field(description="Who gives it.")


@strawberry.type(description="What a client sees by their private link: what is theirs, and nothing internal.")
class Portal:
    storefront: Storefront = strawberry.field(description="Whose client they are.")
    client_name: str = strawberry.field(description="What to call the client.")
    client_kind: enum(models.ClientKind) = strawberry.field(  # type: ignore[valid-type]
        description="A person or a company."
    )
    quotes: list[PortalQuote] = strawberry.field(description="What they were offered, and can accept.")
    opportunities: list[PortalOpportunity] = strawberry.field(
        description="What they agreed to, that is, what was won: the latest 100."
    )
    orders: list[PortalOrder] = strawberry.field(
        description="What they ordered, open, paid and given back: the latest 100."
    )
    invoices: list[PortalInvoice] = strawberry.field(description="Their invoices: the latest 100.")
    bookings: list[PortalBooking] = strawberry.field(description="When they are expected: the next 100.")
    packs: list[PortalPack] = strawberry.field(description="Sessions they paid for ahead: the latest 100 that last.")
    tickets: list[PortalTicket] = strawberry.field(description="What they asked: the latest 20.")
    services: list[PortalService] = strawberry.field(description="What they can book.")


@strawberry.input(description="Which of the client's orders to pay.")
class PortalPayInput:
    order: strawberry.ID = strawberry.field(description="The order's id, as the portal has it.")


@strawberry.type(description="Where the client pays.")
class PortalPayment:
    url: URL = strawberry.field(description="Stripe's page: send the client there. They come back to the order's page.")
    amount: Money = strawberry.field(description="What is asked for now: a deposit, or all that is left.")
    expires_at: DateTime | None = strawberry.field(
        description="Until when that page can be used; null where nothing had to be paid, and the order is complete."
    )


@strawberry.input(description="A time of a service.")
class PortalBookInput:
    service: strawberry.ID = strawberry.field(description="The service's id, as the portal has it.")
    starts_at: DateTime = strawberry.field(description="When it begins: one of `portalAvailability`.")
    staff: strawberry.ID | None = strawberry.field(
        description="With whom; with who is free and has least to do, unless told.", default=UNSET
    )
    pack: strawberry.ID | None = strawberry.field(
        description="The pack to take a session of, as the portal has it; the place is paid for by it.", default=UNSET
    )
    client_notes: str | None = strawberry.field(
        description="What those who hold it are to know: 2,000 characters at most.", default=UNSET
    )


@strawberry.type(description="A place is held, or taken.")
class PortalBooked:
    booking: strawberry.ID = strawberry.field(description="The booking's id, as the portal has it.")
    starts_at: DateTime = strawberry.field(description="When it begins.")
    ends_at: DateTime = strawberry.field(description="When it ends.")
    confirmed: bool = strawberry.field(description="Whether the client is expected; else it is to be paid first.")
    hold_expires_at: DateTime | None = strawberry.field(
        description="Until when the place is held without being paid; longer while the client is at the payment page."
    )
    order: strawberry.ID | None = strawberry.field(description="The order to pay; null where nothing is to be paid.")


@strawberry.input(description="Which of the client's bookings to move, and to when.")
class PortalBookingMoveInput:
    booking: strawberry.ID = strawberry.field(description="The booking's id, as the portal has it.")
    starts_at: DateTime = strawberry.field(description="When it begins instead.")
    staff: strawberry.ID | None = strawberry.field(description="With whom, if not with the same.", default=UNSET)


@strawberry.input(description="Which of the client's bookings to give up.")
class PortalBookingCancelInput:
    booking: strawberry.ID = strawberry.field(description="The booking's id, as the portal has it.")
    reason: str | None = strawberry.field(description="Why: 500 characters at most.", default=UNSET)


@strawberry.type(description="A booking that was given up.")
class PortalBookingCanceled:
    booking: strawberry.ID = strawberry.field(description="The booking's id.")
    fee: Money = strawberry.field(description="What that cost; what was paid beyond goes back.")
    session_returned: bool = strawberry.field(
        description="Whether its pack has the session again; false where it took none, or it was too late."
    )


@strawberry.input(description="What the client asks.")
class PortalTicketCreateInput:
    subject: str = strawberry.field(description="What it is about, in a line: 200 characters at most.")
    body: str = strawberry.field(description="The question, as plain text: 20,000 characters at most.")


@strawberry.type(description="A question was asked.")
class PortalTicketOpened:
    ticket: strawberry.ID = strawberry.field(description="The ticket's id, as the portal has it.")
    number: int = strawberry.field(description="Number within the organization.")


@strawberry.input(description="What the client writes under a ticket of theirs.")
class PortalTicketReplyInput:
    ticket: strawberry.ID = strawberry.field(description="The ticket's id, as the portal has it.")
    body: str = strawberry.field(description="Plain text: 20,000 characters at most.")


@strawberry.type(description="A reply was written.")
class PortalTicketReplied:
    ticket: strawberry.ID = strawberry.field(description="The ticket's id.")
    status: enum(models.TicketStatus) = strawberry.field(description="Where it stands now.")  # type: ignore[valid-type]
