"""The portal: what a client sees and asks by their private link, and nothing else is opened by one."""

from typing import Annotated, Any

import strawberry

import models
from models.base import global_id, global_id_of
from policy import Actor, Permission
from schema.availability import AvailabilitySlot, Since, Until, slots_of
from schema.context import Info, actor
from schema.portal import (
    Portal,
    PortalBooked,
    PortalBooking,
    PortalBookingCanceled,
    PortalBookingCancelInput,
    PortalBookingMoveInput,
    PortalBookInput,
    PortalInvoice,
    PortalLine,
    PortalOpportunity,
    PortalOrder,
    PortalPack,
    PortalPayInput,
    PortalPayment,
    PortalQuote,
    PortalService,
    PortalStaff,
    PortalTicket,
    PortalTicketCreateInput,
    PortalTicketOpened,
    PortalTicketReplied,
    PortalTicketReply,
    PortalTicketReplyInput,
)
from schema.roots import exchange, mutation, query
from schema.scalars import URL, CurrencyCode, Date, DateTime, Money
from services import files, links, portal_bookings, portal_payments, portal_tickets
from services import portal as portal_service
from services.portal_bookings import Offered
from services.portal_tickets import Thread


@query(Portal, requires=Permission.PORTAL)
async def portal(info: Info) -> Portal:
    """The portal of the client whose private link it is: its token (`portalTokenCreate`) is sent as
    `Authorization: Bearer …`. Nothing else is opened by one."""
    seen = await portal_service.opened(*_caller(info))
    return Portal(
        storefront=seen.storefront,  # type: ignore[arg-type]
        client_name=seen.client.name,
        client_kind=seen.client.kind,
        quotes=[_quote(row) for row in seen.quotes],
        opportunities=[_opportunity(row) for row in seen.opportunities],
        orders=[_order(row) for row in seen.orders],
        invoices=[_invoice(row) for row in seen.invoices],
        bookings=[_booking(row) for row in seen.bookings],
        packs=[_pack(row) for row in seen.packs],
        tickets=[_ticket(each) for each in seen.tickets],
        services=[_service(each) for each in seen.services],
    )


@query(list[AvailabilitySlot], requires=Permission.PORTAL)
async def portal_availability(
    info: Info,
    service: Annotated[strawberry.ID, strawberry.argument(description="The service's id, as the portal has it.")],
    since: Since,
    until: Until,
    staff: Annotated[
        strawberry.ID | None, strawberry.argument(description="With whom, by their id; left out for anybody.")
    ] = None,
) -> list[AvailabilitySlot]:
    """The times at which the client can book a service, as `availability` tells them."""
    await portal_service.came(*_caller(info))
    return slots_of(await portal_bookings.availabilities(actor(info), service, staff or None, since, until))


@exchange(PortalPayment, requires=Permission.PORTAL, idempotent=True)
async def portal_pay(info: Info, input: PortalPayInput) -> PortalPayment:
    """Give the client Stripe's page for what is due of an order of theirs, the same while it can be used."""
    await portal_service.came(*_caller(info))
    order, url, attempt = await portal_payments.start(actor(info), input.order)
    asked = attempt.amount_cents if attempt else 0
    return PortalPayment(
        url=URL(url),
        amount=_money(order, asked or 0),
        expires_at=DateTime(attempt.expires_at) if attempt and attempt.expires_at else None,
    )


@mutation(PortalBooked, requires=Permission.PORTAL, idempotent=True)
async def portal_book(info: Info, input: PortalBookInput) -> PortalBooked:
    """Book a time for the client. What it costs is paid by an order (`portalPay`), and the place is held meanwhile;
    what is free, or takes a session of a `pack`, is confirmed at once. A time that is taken is a SLOT_TAKEN, with the
    nearest that are free."""
    made = await portal_bookings.book(
        actor(info), service=input.service, starts_at=input.starts_at, staff=input.staff or None,
        pack=input.pack or None, notes=input.client_notes or None,
    )  # fmt: skip
    return await _booked(made)


@mutation(PortalBooked, requires=Permission.PORTAL, idempotent=True)
async def portal_booking_move(info: Info, input: PortalBookingMoveInput) -> PortalBooked:
    """Hold a booking of the client's at another time, while cancelling it is free."""
    moved = await portal_bookings.move(
        actor(info), booking=input.booking, starts_at=input.starts_at, staff=input.staff or None
    )
    return await _booked(moved)


@exchange(PortalBookingCanceled, requires=Permission.PORTAL, idempotent=True)
async def portal_booking_cancel(info: Info, input: PortalBookingCancelInput) -> PortalBookingCanceled:
    """Give a booking of the client's up: it costs what the service says, and what was paid beyond goes back, as does a
    session of a pack in time."""
    ended = await portal_bookings.cancel(actor(info), booking=input.booking, reason=input.reason or None)
    return PortalBookingCanceled(
        booking=strawberry.ID(global_id(ended)),
        fee=_money(ended, ended.fee_cents),
        session_returned=ended.pack_id is not None and not ended.draws_session,
    )


@mutation(PortalTicketOpened, requires=Permission.PORTAL, idempotent=True)
async def portal_ticket_create(info: Info, input: PortalTicketCreateInput) -> PortalTicketOpened:
    """Ask a question in the client's name. HTML in it is kept as text."""
    opened = await portal_tickets.open(actor(info), subject=input.subject, body=input.body)
    return PortalTicketOpened(ticket=strawberry.ID(global_id(opened)), number=opened.number)


@mutation(PortalTicketReplied, requires=Permission.PORTAL, idempotent=True)
async def portal_ticket_reply(info: Info, input: PortalTicketReplyInput) -> PortalTicketReplied:
    """Write under a ticket of the client's, which opens it again where it was resolved."""
    replied = await portal_tickets.reply(actor(info), ticket=input.ticket, body=input.body)
    return PortalTicketReplied(ticket=strawberry.ID(global_id(replied)), status=replied.status)


def _caller(info: Info) -> tuple[Actor, str | None, str | None]:
    """Who, from which address, with which program."""
    return actor(info), info.context.address, info.context.user_agent


def _quote(row: models.Quote) -> PortalQuote:
    return PortalQuote(
        number=row.number or "",
        version=row.version,
        lines=_lines(row),
        total=_money(row, row.total_cents),
        valid_until=Date(row.valid_until) if row.valid_until else None,
        url=URL(links.quote_link(row, links.SHOWN)),
    )


def _opportunity(row: Any) -> PortalOpportunity:
    due = row.order if row.order and row.order.is_open else None
    return PortalOpportunity(
        title=row.title,
        amount=None if row.amount_cents is None else _money(row, row.amount_cents),
        payment_status=models.OpportunityPayment(row.payment),
        order=strawberry.ID(global_id(due)) if due else None,
        pay_url=_pay_url(due) if due else None,
    )


def _order(row: models.Order) -> PortalOrder:
    return PortalOrder(
        id=strawberry.ID(global_id(row)),
        number=row.number,
        status=row.status,
        lines=_lines(row),
        total=_money(row, row.total_cents),
        balance=_money(row, row.balance_cents),
        due=_money(row, row.due_cents if row.is_open else 0),
        created_at=DateTime(row.created_at),
        paid_at=DateTime(row.paid_at) if row.paid_at else None,
        pay_url=_pay_url(row),
    )


def _invoice(row: models.Invoice) -> PortalInvoice:
    return PortalInvoice(
        number=row.number,
        type=row.type,
        issued_at=DateTime(row.issued_at),
        due_on=Date(row.due_on),
        settled_at=DateTime(row.settled_at) if row.settled_at else None,
        total=_money(row, row.total_cents),
        pdf_url=URL(files.invoice_link(row)) if row.is_rendered else None,
    )


def _booking(row: models.Booking) -> PortalBooking:
    held = row.appointment
    return PortalBooking(
        id=strawberry.ID(global_id(row)),
        service=held.service.name,
        staff=held.staff.display_name,
        starts_at=DateTime(held.starts_at),
        ends_at=DateTime(held.ends_at),
        status=row.status,
        hold_expires_at=DateTime(row.hold_expires_at) if row.hold_expires_at else None,
        price=_money(row, row.price_cents),
        free_until=DateTime(portal_bookings.free_until(held)),
        late_fee=_money(row, portal_bookings.late_fee(row)),
        pack=strawberry.ID(global_id_of(models.Pack, row.pack_id)) if row.pack_id and row.draws_session else None,
        meet_url=URL(held.meet_url) if held.meet_url and row.is_expected else None,
        location=held.location,
        pay_url=_pay_url(row.order) if row.order else None,
    )


def _pack(row: models.Pack) -> PortalPack:
    access = row.access
    return PortalPack(
        id=strawberry.ID(global_id(row)),
        name=access.product.name,
        sessions=row.sessions,
        left=row.remaining,
        ends_at=DateTime(access.ends_at) if access.ends_at else None,
        services=[
            strawberry.ID(global_id_of(models.Service, link.service_id)) for link in access.product.service_links
        ],
    )


def _ticket(each: Thread) -> PortalTicket:
    row = each.ticket
    return PortalTicket(
        id=strawberry.ID(global_id(row)),
        number=row.number,
        subject=row.subject,
        body=row.body,
        type=row.type,
        status=row.status,
        created_at=DateTime(row.created_at),
        replies=[
            PortalTicketReply(from_client=one.from_client, body=one.body, created_at=DateTime(one.created_at))
            for one in each.replies
        ],
    )


def _service(each: Offered) -> PortalService:
    row = each.service
    return PortalService(
        id=strawberry.ID(global_id(row)),
        name=row.name,
        description=row.description,
        duration_minutes=row.duration_minutes,
        price=_money(row, row.price_cents),
        staff=[PortalStaff(id=strawberry.ID(global_id(one)), name=one.display_name) for one in each.staff],
    )


async def _booked(row: models.Booking) -> PortalBooked:
    appointment = await models.Appointment.get(id=row.appointment_id)
    order = await models.Order.get(id=row.order_id) if row.order_id else None
    return PortalBooked(
        booking=strawberry.ID(global_id(row)),
        starts_at=DateTime(appointment.starts_at),
        ends_at=DateTime(appointment.ends_at),
        confirmed=row.is_expected,
        hold_expires_at=DateTime(row.hold_expires_at) if row.hold_expires_at else None,
        order=strawberry.ID(global_id(order)) if order and order.is_open else None,
    )


def _lines(row: models.Order | models.Quote) -> list[PortalLine]:
    return [
        PortalLine(description=line.description, quantity=line.quantity, total=_money(line, line.total_cents))
        for line in sorted(row.lines, key=lambda line: line.position)
    ]


def _pay_url(order: models.Order) -> URL | None:
    return URL(links.pay_link(order, links.SHOWN)) if order.is_open else None


def _money(row: Any, cents: int) -> Money:
    return Money(amount=cents, currency=CurrencyCode(row.currency))
