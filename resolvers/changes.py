"""Subscriptions: what happens while one looks."""

import strawberry
from tortoise.models import Model

import models
from policy import Permission
from schema.bookings import Appointment, Booking
from schema.client_imports import ClientImport
from schema.data_exports import ClientDataExport
from schema.exports import Export
from schema.integrations import Integration
from schema.invoices import Invoice
from schema.orders import Order
from schema.partners import Notification
from schema.quality import QualityExport
from schema.roots import subscription
from schema.tickets import Ticket
from schema.timeline import TimelineEvent


@subscription(Order, requires=Permission.ORDERS_READ)
def order_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Orders that are made, paid, changed or given up, and payments of theirs: one by its id, or all that one sees."""
    return models.Order


@subscription(Booking, requires=Permission.BOOKINGS_READ)
def booking_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Bookings that are made, confirmed, cancelled or given back: one by its id, or all that one sees."""
    return models.Booking


@subscription(Appointment, requires=Permission.BOOKINGS_READ)
def appointment_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Appointments that are made, moved or cancelled, and who comes: one by its id, or all that one sees."""
    return models.Appointment


@subscription(Invoice, requires=Permission.INVOICES_READ)
def invoice_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Invoices that are issued, ready, sent or settled: one by its id, or all that one sees."""
    return models.Invoice


@subscription(Notification, requires=Permission.PARTNERS_READ)
def notification_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """What partners are told, until they accept it or it is given up: one by its id, or all that one sees."""
    return models.Notification


@subscription(Export, requires=Permission.EXPORTS)
def export_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Exports, from when they are asked for until they are ready: one by its id, or all that one sees."""
    return models.Export


@subscription(QualityExport, requires=Permission.QUALITY)
def quality_export_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """What is made for auditors, from when it is asked for until it is ready: one by its id, or all that one sees."""
    return models.QualityExport


@subscription(ClientDataExport, requires=Permission.DATA_EXPORTS)
def client_data_export_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Exports of clients' data, until they are ready or failed: one by its id, or all that one sees."""
    return models.ClientDataExport


@subscription(ClientImport, requires=Permission.CLIENTS_WRITE)
def client_import_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Imports of clients, with each thousand lines: one by its id, or all that one sees."""
    return models.ClientImport


@subscription(Integration, requires=Permission.INTEGRATIONS_READ)
def integration_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Integrations that are set up, switched on or off, and how they do: one by its id, or all that one sees."""
    return models.Integration


@subscription(Ticket, requires=Permission.TICKETS_READ)
def ticket_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """Tickets that are opened, answered or changed: one by its id, or all that one sees."""
    return models.Ticket


@subscription(TimelineEvent, requires=Permission.TIMELINE_READ)
def timeline_event_changed(id: strawberry.ID | None = None, after: str | None = None) -> type[Model]:
    """What happens with clients, as it comes into their timelines: to all whom one sees."""
    return models.TimelineEvent
