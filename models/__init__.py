"""Tables and the rules of one row. Used as `models.Order`: a row; the GraphQL class of the same name is its view."""

from tortoise import Tortoise

from models.accounting import AccountUse
from models.agenda import (
    BusyBlock,
    BusySource,
    HoursException,
    Resource,
    Service,
    ServiceResource,
    ServiceStaff,
    Staff,
    WeeklyHours,
)
from models.audit import AuditActor, AuditEntry, AuditOperation
from models.booking import Appointment, AppointmentStatus, Booking
from models.calendar import (
    Calendar,
    CalendarChoice,
    CalendarConflict,
    CalendarConflictKind,
    CalendarEvent,
    CalendarStatus,
)
from models.client import Client, ClientKind, ClientStatus
from models.crm import (
    ClientConsent,
    ClientMerge,
    ClientNote,
    ClientTag,
    ConsentPurpose,
    ConsentSource,
    Contact,
    Tag,
)
from models.discount import DiscountCode
from models.export import Export, ExportKind, ExportStatus
from models.generation import KeyGeneration
from models.idempotency import IdempotencyKey
from models.identity import EmailChange, Invitation, PasswordRequest, RecoveryCode, Registration, Session, SessionEnd
from models.integration import Integration, IntegrationSecret, IntegrationStatus
from models.invoice import Invoice, InvoiceSeries, InvoiceType, Reminder
from models.key import ApiKey, ApiScope, PartnerKey, PortalToken, PublishableKey
from models.language import Language
from models.mention import LegalMention, MentionCode, MentionScope
from models.notice import BookingReminder, CalendarFeed, ReminderChannel
from models.oauth import OAuthGrant, OAuthRequest, OAuthStatus
from models.order import Conflict, ConflictKind, ConflictProposal, Order, OrderKind, OrderLine, OrderSource
from models.organization import Membership, Organization, Role, Storefront, User, VatRegime
from models.pack import Pack, ProductService
from models.partner import (
    ATTEMPTS,
    BreakerState,
    Missed,
    Notification,
    NotificationAttempt,
    NotificationReplay,
    NotificationStatus,
    Partner,
    PartnerEndpoint,
    PartnerEvent,
    RetryPolicy,
)
from models.payment import Attempt, AttemptStatus, Operation, Payment, PaymentMethod
from models.place import KnownPlace
from models.product import Access, AccessWithdrawal, Interval, OperationCategory, Product, ProductPartner
from models.promise import Lane, Promise, SecretOpening, StripeEvent
from models.quote import Quote, QuoteLine, QuoteSeries, QuoteStatus
from models.reconciliation import Drift, DriftKind, Reconciliation, ReconciliationPoint
from models.refund import Dispute, Refund
from models.states import (
    BookingNews,
    BookingStatus,
    DisputeNews,
    DisputeStatus,
    OrderNews,
    OrderStatus,
    PaymentNews,
    PaymentStatus,
    RefundNews,
    RefundStatus,
)
from models.stripe_account import StripeAccount
from models.subscription import ClientSubscription, SubscriptionStatus
from models.ticket import Ticket, TicketPriority, TicketReply, TicketSource, TicketStatus, TicketType
from models.timeline import TimelineEvent, TimelineKind
from models.upload import StoredFile, Upload, UploadPurpose

__all__ = [
    "ATTEMPTS",
    "Access",
    "AccessWithdrawal",
    "AccountUse",
    "ApiKey",
    "ApiScope",
    "Appointment",
    "AppointmentStatus",
    "Attempt",
    "AttemptStatus",
    "AuditActor",
    "AuditEntry",
    "AuditOperation",
    "Booking",
    "BookingNews",
    "BookingReminder",
    "BookingStatus",
    "BreakerState",
    "BusyBlock",
    "BusySource",
    "Calendar",
    "CalendarChoice",
    "CalendarConflict",
    "CalendarConflictKind",
    "CalendarEvent",
    "CalendarFeed",
    "CalendarStatus",
    "Client",
    "ClientConsent",
    "ClientKind",
    "ClientMerge",
    "ClientNote",
    "ClientStatus",
    "ClientSubscription",
    "ClientTag",
    "Conflict",
    "ConflictKind",
    "ConflictProposal",
    "ConsentPurpose",
    "ConsentSource",
    "Contact",
    "DiscountCode",
    "Dispute",
    "DisputeNews",
    "DisputeStatus",
    "Drift",
    "DriftKind",
    "EmailChange",
    "Export",
    "ExportKind",
    "ExportStatus",
    "HoursException",
    "IdempotencyKey",
    "Integration",
    "IntegrationSecret",
    "IntegrationStatus",
    "Interval",
    "Invitation",
    "Invoice",
    "InvoiceSeries",
    "InvoiceType",
    "KeyGeneration",
    "KnownPlace",
    "Lane",
    "Language",
    "LegalMention",
    "Membership",
    "MentionCode",
    "MentionScope",
    "Missed",
    "Notification",
    "NotificationAttempt",
    "NotificationReplay",
    "NotificationStatus",
    "OAuthGrant",
    "OAuthRequest",
    "OAuthStatus",
    "Operation",
    "OperationCategory",
    "Order",
    "OrderKind",
    "OrderLine",
    "OrderNews",
    "OrderSource",
    "OrderStatus",
    "Organization",
    "Pack",
    "Partner",
    "PartnerEndpoint",
    "PartnerEvent",
    "PartnerKey",
    "PasswordRequest",
    "Payment",
    "PaymentMethod",
    "PaymentNews",
    "PaymentStatus",
    "PortalToken",
    "Product",
    "ProductPartner",
    "ProductService",
    "Promise",
    "PublishableKey",
    "Quote",
    "QuoteLine",
    "QuoteSeries",
    "QuoteStatus",
    "Reconciliation",
    "ReconciliationPoint",
    "RecoveryCode",
    "Refund",
    "RefundNews",
    "RefundStatus",
    "Registration",
    "Reminder",
    "ReminderChannel",
    "Resource",
    "RetryPolicy",
    "Role",
    "SecretOpening",
    "Service",
    "ServiceResource",
    "ServiceStaff",
    "Session",
    "SessionEnd",
    "Staff",
    "StoredFile",
    "Storefront",
    "StripeAccount",
    "StripeEvent",
    "SubscriptionStatus",
    "Tag",
    "Ticket",
    "TicketPriority",
    "TicketReply",
    "TicketSource",
    "TicketStatus",
    "TicketType",
    "TimelineEvent",
    "TimelineKind",
    "Upload",
    "UploadPurpose",
    "User",
    "VatRegime",
    "WeeklyHours",
]

# Relations are known from both sides once all models are: views are built from them at import.
Tortoise.init_models(["models"], "models")
