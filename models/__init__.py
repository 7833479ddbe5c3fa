"""Tables and the rules of one row. Used as `models.Order`: a row; the GraphQL class of the same name is its view."""

from tortoise import Tortoise

from models.client import Client
from models.discount import DiscountCode
from models.idempotency import IdempotencyKey
from models.invoice import Invoice, InvoiceSeries, InvoiceType, Reminder
from models.key import PartnerKey, PublishableKey
from models.order import Conflict, ConflictKind, ConflictProposal, Order, OrderKind, OrderLine, OrderSource, OrderStatus
from models.organization import Membership, Organization, Role, Storefront, User, VatRegime
from models.partner import ATTEMPTS, Notification, NotificationAttempt, NotificationStatus, Partner
from models.payment import Attempt, AttemptStatus, Operation, Payment, PaymentMethod, PaymentStatus
from models.product import Access, Product, ProductPartner
from models.promise import Lane, Promise, SecretOpening, StripeEvent

__all__ = [
    "ATTEMPTS",
    "Access",
    "Attempt",
    "AttemptStatus",
    "Client",
    "Conflict",
    "ConflictKind",
    "ConflictProposal",
    "DiscountCode",
    "IdempotencyKey",
    "Invoice",
    "InvoiceSeries",
    "InvoiceType",
    "Lane",
    "Membership",
    "Notification",
    "NotificationAttempt",
    "NotificationStatus",
    "Operation",
    "Order",
    "OrderKind",
    "OrderLine",
    "OrderSource",
    "OrderStatus",
    "Organization",
    "Partner",
    "PartnerKey",
    "Payment",
    "PaymentMethod",
    "PaymentStatus",
    "Product",
    "ProductPartner",
    "Promise",
    "PublishableKey",
    "Reminder",
    "Role",
    "SecretOpening",
    "Storefront",
    "StripeEvent",
    "User",
    "VatRegime",
]

# Relations are known from both sides once all models are: views are built from them at import.
Tortoise.init_models(["models"], "models")
