"""What is kept of a person, by table, and what erasing them does to each.

Every model from which keys lead to a client is here, with all of its texts: a test says so. Rows are erased in this
order, so that what names another goes before it. What is kept is kept for a law, which is said. What a person is given
of each is in `services/data_export_files.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tortoise.fields import BinaryField, CharField, JSONField, TextField

import models
from models.client import ERASED

WORD = "(effacé)"  # in place of a text that must be there
ACCOUNTS = "Accounting documents and what proves them: ten years (art. L123-22 du code de commerce)"
AGREED = "What was agreed for a bilan, and proves that it was held: three years (art. R6313-7 du code du travail)"
CONSENT = "Proof that the person agreed (art. 7(1) of the GDPR)"
CLAIMS = "What was offered and agreed to: five years, for claims (art. L110-4 du code de commerce)"
SECRECY = "Proof of who opened or asked for what is secret (art. L6313-4 du code du travail)"
OURS = "Says nothing of the person: codes, numbers and ids"
NUMBER = "What orders and invoices are of: a number without a name"


class Sql(str):
    """What a column holds afterwards, as an expression over the row."""


@dataclass(frozen=True)
class Held:
    """What a table says of a person. `path` leads from a row to the id of their client."""

    path: str
    deleted: bool = False
    blanked: Mapping[str, Any] = field(
        default_factory=dict
    )  # column → what it holds afterwards; WORD where it held any
    kept: Mapping[str, str] = field(default_factory=dict)  # column → why
    because: str = OURS  # rows are kept

    def personal(self, model: Any) -> frozenset[str]:
        """The columns whose values go, in the audit log too."""
        return frozenset(texts(model) if self.deleted else self.blanked)


def texts(model: Any) -> frozenset[str]:
    """The columns of a model that hold a text or JSON, and so may hold anything; lists of codes aside."""
    return frozenset(
        name
        for name, each in model._meta.fields_map.items()
        if isinstance(each, CharField | TextField | JSONField | BinaryField) and not hasattr(each, "enum_type")
    )


def _deleted(path: str = "client_id") -> Held:
    return Held(path, deleted=True)


def _kept(path: str, because: str, *columns: str, blanked: Mapping[str, Any] | None = None) -> Held:
    return Held(path, blanked=blanked or {}, kept=dict.fromkeys(columns, because), because=because)


_WHO = (
    "first_name", "last_name", "company", "siren", "vat_number", "electronic_address", "phone", "address",
    "postal_code", "city", "country", "delivery_address", "delivery_postal_code", "delivery_city", "delivery_country",
)  # fmt: skip
_AT_STRIPE = ("stripe_account", "stripe_id")

HELD: Mapping[type[Any], Held] = {
    models.TicketReply: _deleted("ticket__client_id"),
    models.Ticket: _deleted(),
    models.TimelineEvent: _deleted(),
    models.Contact: _deleted(),
    models.ClientNote: _deleted(),
    models.ClientTag: _deleted(),
    models.PortalToken: _deleted(),
    models.ClientDataExport: _deleted(),
    models.ClientConsent: _kept("client_id", CONSENT, "wording"),
    models.ClientMerge: _kept("client_id", OURS, "moved", blanked={"duplicate_email": f"merged{ERASED}"}),
    models.Erasure: _kept("client_id", OURS, "deleted", "blanked", "kept"),
    models.Booking: _kept(
        "client_id",
        ACCOUNTS,
        "currency",
        blanked={"attendee_name": WORD, "client_notes": None, "notes": None, "cancel_reason": None},
    ),
    models.BookingReminder: _kept("booking__client_id", OURS),
    models.OpportunityMove: _kept("opportunity__client_id", ACCOUNTS, blanked={"reason": WORD}),
    models.Opportunity: _kept(
        "client_id", ACCOUNTS, "currency", blanked={"title": WORD, "description": None, "lost_reason": WORD}
    ),
    models.Quote: _kept(
        "client_id",
        CLAIMS,
        "number",
        "currency",
        "discount_reason",
        "note",
        "content",
        "content_sha256",
        "message_id",
        "file_key",
        "file_sha256",
        "accepted_name",
        "accepted_from",
        blanked={"refuse_reason": None},
    ),
    models.QuoteLine: _kept("quote__client_id", CLAIMS, "description", "currency"),
    models.ClientSubscription: _kept(
        "client_id",
        ACCOUNTS,
        "currency",
        "failure_code",
        "failure_message",
        "told_of",
        *_AT_STRIPE,
        blanked={"pay_url": None, "open_invoice": None},
    ),
    models.Order: _kept(
        "client_id",
        ACCOUNTS,
        "currency",
        "discount_reason",
        "stripe_account",
        "stripe_invoice_id",
        "event_id",
        blanked={"cancel_reason": None},
    ),
    models.OrderLine: _kept("order__client_id", ACCOUNTS, "description", "currency"),
    models.Payment: _kept(
        "order__client_id",
        ACCOUNTS,
        "currency",
        "event_id",
        "reference",
        "failure_code",
        "failure_message",
        *_AT_STRIPE,
    ),
    models.Refund: _kept(
        "order__client_id", ACCOUNTS, "currency", "reason", "event_id", "reference", "failure_reason", *_AT_STRIPE
    ),
    models.Dispute: _kept("order__client_id", ACCOUNTS, "currency", "reason", *_AT_STRIPE),
    models.Invoice: _kept(
        "order__client_id",
        ACCOUNTS,
        "number",
        "currency",
        "stripe_account",
        "content",
        "message_id",
        "content_sha256",
        "chain_sha256",
        "file_key",
        "file_sha256",
    ),
    models.Reminder: _kept("order__client_id", ACCOUNTS, "message_id"),
    models.Conflict: _kept("order__client_id", ACCOUNTS, "currency", "reference", "message", "resolution"),
    models.Drift: _kept("order__client_id", ACCOUNTS, "reference", "message"),
    models.Access: _kept("client_id", ACCOUNTS),
    models.Pack: _kept("client_id", ACCOUNTS),
    models.Attempt: _kept("client_id", ACCOUNTS, "url", "error", *_AT_STRIPE, blanked={"request": {}}),
    models.Notification: _kept(
        "order__client_id",
        ACCOUNTS,
        "event_type",
        "event_id",
        blanked={"payload": Sql("""jsonb_set(payload::jsonb, '{customer}', '{}')::text""")},
    ),
    models.NotificationAttempt: _kept(
        "notification__order__client_id", ACCOUNTS, "url", "error", blanked={"response": None}
    ),
    models.DestructionRecord: _kept("document__bilan__client_id", AGREED, "sha256"),
    models.DocumentAccess: _kept("document__bilan__client_id", SECRECY, "reason", "requester", "address"),
    models.DocumentShare: _kept("document__bilan__client_id", AGREED, "recipient_name", "recipient_email", "statement"),
    models.Document: _kept("bilan__client_id", AGREED, "name", "content_type", "sha256"),
    models.QualityProof: _kept("bilan__client_id", AGREED, "title", "description"),
    models.Survey: _kept("bilan__client_id", AGREED, blanked={"comment": None}),
    models.BilanSession: _kept("bilan__client_id", AGREED),
    models.BilanPhase: _kept("bilan__client_id", AGREED),
    models.BilanWarning: _kept(
        "bilan__client_id", AGREED, "rule", "message", "reference", blanked={"decision_reason": WORD}
    ),
    models.BilanAgreement: _kept("bilan__client_id", AGREED, "signer_name"),
    models.BilanFunding: _kept("bilan__client_id", ACCOUNTS, "currency", "reference", "end_reason"),
    models.Bilan: _kept("client_id", AGREED, "currency", blanked={"beneficiary_name": WORD, "cancel_reason": WORD}),
    models.Client: Held(
        "id",
        blanked=dict.fromkeys((*_WHO, "member_id")) | {"email": Sql(f"id || '{ERASED}'")},
        kept={"electronic_address_scheme": OURS, "stripe_id": OURS, "stripe_account": OURS},
        because=NUMBER,
    ),
}
