"""What the law has an invoice say, in words that change with the law and that an organization may choose."""

from tortoise import fields

from models.base import Owned
from models.fields import Coded


class MentionCode(Coded):
    """What a mention is about. Subject codes of notes (UNTDID 4451, EN 16931 BT-21) where France gives one."""

    DISCOUNT_TERMS = "DISCOUNT_TERMS", "Discount for early payment, AAB"
    LATE_PENALTIES = "LATE_PENALTIES", "Penalties for late payment, PMD"
    RECOVERY_COSTS = "RECOVERY_COSTS", "Fixed indemnity for recovery costs, PMT"
    OPERATION_GOODS = "OPERATION_GOODS", "Category of the operation: goods"
    OPERATION_SERVICES = "OPERATION_SERVICES", "Category of the operation: services"
    OPERATION_MIXED = "OPERATION_MIXED", "Category of the operation: goods and services"
    VAT_ON_DEBITS = "VAT_ON_DEBITS", "Option to pay VAT on debits"
    VAT_FRANCHISE = "VAT_FRANCHISE", "Why no VAT is charged, under the franchise en base"
    VAT_TRAINING = "VAT_TRAINING", "Why no VAT is charged, of an attested training body"
    VAT_EXEMPT = "VAT_EXEMPT", "Why no VAT is charged, of any other exempt operation"
    OTHER = "OTHER", "Whatever else the organization has its invoices say"


class MentionScope(Coded):
    """On which invoices a mention stands."""

    ALL = "ALL", "All"
    B2B = "B2B", "To companies"
    B2C = "B2C", "To consumers"
    GOODS = "GOODS", "Of goods alone"
    SERVICES = "SERVICES", "Of services alone"
    MIXED = "MIXED", "Of goods and services"
    VAT_ON_DEBITS = "VAT_ON_DEBITS", "Of whom VAT is due on debits, with VAT"
    FRANCHISE = "FRANCHISE", "Without VAT, under the franchise en base"
    TRAINING = "TRAINING", "Without VAT, of an attested training body"
    EXEMPT = "EXEMPT", "Without VAT for another reason"


class LegalMention(Owned):
    """An organization's own words for a mention, for invoices issued from a day on."""

    code = fields.CharEnumField(MentionCode, max_length=20, description="What it is about")
    scope = fields.CharEnumField(MentionScope, max_length=20, description="On which invoices it stands")
    text_fr = fields.CharField(500, description="In French, as printed")
    text_en = fields.CharField(500, null=True, description="In English, printed before the French where one reads it")
    valid_from = fields.DateField(description="First day of invoices that say so")
    valid_until = fields.DateField(null=True, description="Last day of invoices that say so; the next words end it too")

    class Meta:
        table = "legal_mentions"
        ordering = ("code", "valid_from")
