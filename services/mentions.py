"""What the law has an invoice say on a day: the organization's own words, else those shipped here, each with its dates.

Confirmed by secondary sources, November 2026. An organization may choose its own words (`legalMentionSet`); an invoice
that was issued keeps what it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from errors import Invalid
from models import Client, LegalMention, MentionCode, MentionScope, OperationCategory, Organization, VatRegime, rows
from models.content import Mention, NoteSubject, Sums, VatCategory
from models.organization import EXEMPTIONS

SINCE = date(2013, 1, 1)  # of the 40 €; all that is older is as good
REFORM = date(2026, 9, 1)  # décret 2022-1299, art. 242 nonies A of annexe II to the CGI
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)  # PostgreSQL takes 9999-12-31 for infinity
MOST = 100  # rows of an organization


@dataclass(frozen=True, slots=True)
class Shipped:
    """Words for a mention, and where the law asks for it."""

    code: MentionCode
    scope: MentionScope
    text_fr: str
    text_en: str
    reference: str
    valid_from: date = SINCE
    valid_until: date | None = None


SHIPPED = (
    Shipped(
        MentionCode.DISCOUNT_TERMS, MentionScope.ALL,
        "Pas d’escompte pour paiement anticipé.",
        "No discount for early payment.",
        "Code de commerce, art. L441-9",
    ),
    Shipped(
        MentionCode.LATE_PENALTIES, MentionScope.B2B,
        "Pénalités de retard : trois fois le taux d’intérêt légal, exigibles sans rappel.",
        "Late payment penalties: three times the French legal interest rate, due without reminder.",
        "Code de commerce, art. L441-10",
    ),
    Shipped(
        MentionCode.RECOVERY_COSTS, MentionScope.B2B,
        "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €.",
        "Fixed indemnity for recovery costs in case of late payment: €40.",
        "Code de commerce, art. D441-5",
    ),
    Shipped(
        MentionCode.OPERATION_SERVICES, MentionScope.SERVICES,
        "Catégorie de l’opération : prestation de services.",
        "Category of the operation: services.",
        "CGI, annexe II, art. 242 nonies A", REFORM,
    ),
    Shipped(
        MentionCode.OPERATION_GOODS, MentionScope.GOODS,
        "Catégorie de l’opération : livraison de biens.",
        "Category of the operation: delivery of goods.",
        "CGI, annexe II, art. 242 nonies A", REFORM,
    ),
    Shipped(
        MentionCode.OPERATION_MIXED, MentionScope.MIXED,
        "Catégorie de l’opération : livraison de biens et prestation de services.",
        "Category of the operation: delivery of goods and services.",
        "CGI, annexe II, art. 242 nonies A", REFORM,
    ),
    Shipped(
        MentionCode.VAT_ON_DEBITS, MentionScope.VAT_ON_DEBITS,
        "Option pour le paiement de la taxe d’après les débits.",
        "Option to pay VAT on the basis of debits.",
        "CGI, annexe II, art. 242 nonies A; CGI, art. 269-2-c", REFORM,
    ),
    Shipped(
        MentionCode.VAT_FRANCHISE, MentionScope.FRANCHISE,
        "TVA non applicable, art. 293 B du CGI",
        "VAT not applicable, article 293 B of the French tax code (CGI)",
        "CGI, art. 293 E",
    ),
    Shipped(
        MentionCode.VAT_TRAINING, MentionScope.TRAINING,
        "Exonération de TVA, art. 261-4-4° a du CGI",
        "Exempt from VAT, article 261-4-4° a of the French tax code (CGI)",
        "CGI, annexe II, art. 242 nonies A",
    ),
    Shipped(
        MentionCode.VAT_EXEMPT, MentionScope.EXEMPT,
        "Opération exonérée de TVA",
        "Operation exempt from VAT",
        "CGI, annexe II, art. 242 nonies A",
    ),
)  # fmt: skip

_SUBJECTS = {
    MentionCode.DISCOUNT_TERMS: NoteSubject.EARLY_PAYMENT,
    MentionCode.LATE_PENALTIES: NoteSubject.LATE_PAYMENT,
    MentionCode.RECOVERY_COSTS: NoteSubject.RECOVERY,
}

SCOPE_OF: Mapping[MentionCode, MentionScope] = {each.code: each.scope for each in SHIPPED}


@dataclass(frozen=True, slots=True)
class Words:
    """A mention as it is said on a day. `reference` is of the law, none of an organization's own."""

    code: MentionCode
    scope: MentionScope
    text_fr: str
    text_en: str | None
    reference: str | None
    valid_from: date
    valid_until: date | None
    own: bool


async def of(organization_id: UUID) -> list[LegalMention]:
    """An organization's own words of all days, as `on` takes them."""
    return await rows.find(LegalMention, "organization_id = $1 ORDER BY valid_from, id", organization_id)


def on(day: date, words: Sequence[LegalMention]) -> list[Words]:
    """All that is said on a day, in the order in which it is printed; of own `words` for the same those that began
    last."""
    rows = [row for row in words if _holds(row, day)]
    own = {row.code: row for row in rows if row.code is not MentionCode.OTHER}
    said = [_own(own[each.code]) if each.code in own else _shipped(each) for each in SHIPPED if _holds(each, day)]
    early = [_own(row) for code, row in own.items() if code not in {words.code for words in said}]
    return said + early + [_own(row) for row in rows if row.code is MentionCode.OTHER]


async def save(organization_id: UUID, values: dict[str, Any]) -> LegalMention:
    """An organization's own words from a day on, or other words from the same day. Raises Invalid, naming the field."""
    code, scope = values["code"], values.get("scope")
    if scope is not None and scope is not SCOPE_OF.get(code, scope):
        raise Invalid(f"{code} stands on {SCOPE_OF[code]} invoices: leave this out.", field="input.scope")
    values = values | {"scope": SCOPE_OF.get(code, scope or MentionScope.ALL)}
    for column, name in (("valid_from", "validFrom"), ("valid_until", "validUntil")):
        if values.get(column) and not EARLIEST <= values[column] <= LATEST:
            raise Invalid(f"A day is {EARLIEST} to {LATEST}; leave out the last for no end.", field=f"input.{name}")
    if values.get("valid_until") and values["valid_until"] < values["valid_from"]:
        raise Invalid("The last day is not before the first.", field="input.validUntil")
    for column, name in (("text_fr", "textFr"), ("text_en", "textEn")):
        if values.get(column) is not None and not values[column].strip():
            raise Invalid("This cannot be empty.", field=f"input.{name}")
    same = {"organization_id": organization_id, "code": code, "valid_from": values["valid_from"]}
    row = await LegalMention.get_or_none(**same) if code is not MentionCode.OTHER else None
    if row is None:
        if await LegalMention.filter(organization_id=organization_id).count() >= MOST:
            raise Invalid(f"{MOST} words of your own at most. Delete some first.", field="input.code")
        return await LegalMention.create(organization_id=organization_id, **values)
    row.update_from_dict(values)
    await row.save()
    return row


def of_invoice(
    words: Sequence[Words],
    organization: Organization,
    client: Client,
    sums: Sums,
    category: OperationCategory,
    *,
    english: bool,
) -> tuple[Mention, ...]:
    """What one invoice says, of what may be said; why it bears no VAT stands with the amounts (`said`)."""
    is_exempt = any(group.category is VatCategory.EXEMPT for group in sums.vat)
    holds = {
        MentionScope.ALL: True,
        MentionScope.B2B: client.is_company,
        MentionScope.B2C: not client.is_company,
        MentionScope.GOODS: category is OperationCategory.GOODS,
        MentionScope.SERVICES: category is OperationCategory.SERVICES,
        MentionScope.MIXED: category is OperationCategory.MIXED,
        MentionScope.VAT_ON_DEBITS: organization.vat_on_debits and sums.vat_cents > 0,
        MentionScope.FRANCHISE: is_exempt and organization.vat_regime is VatRegime.FRANCHISE,
        MentionScope.TRAINING: is_exempt and organization.vat_regime is VatRegime.EXEMPT_TRAINING,
        MentionScope.EXEMPT: is_exempt and organization.vat_regime is VatRegime.STANDARD,
    }
    return tuple(
        Mention(text=each.text_fr, english=each.text_en if english else None, subject=_SUBJECTS.get(each.code))
        for each in words
        if holds[each.scope] and each.code not in EXEMPTIONS.values()
    )


def of_credit_note(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Of what an invoice says, what its credit note says too: nothing about how and when it is paid."""
    return tuple(each for each in mentions if each.subject is None)


def said(words: Sequence[Words], code: MentionCode) -> dict[str, str | None]:
    """Why a document bears no VAT, as its breakdown says it: in ours where the words have none."""
    found = next(each for each in (*words, *map(_shipped, SHIPPED)) if each.code is code)
    return {"exemption": found.text_fr, "exemption_english": found.text_en}


def _holds(each: Shipped | LegalMention, day: date) -> bool:
    return each.valid_from <= day and (each.valid_until is None or day <= each.valid_until)


def _shipped(each: Shipped) -> Words:
    return Words(
        each.code, each.scope, each.text_fr, each.text_en, each.reference, each.valid_from, each.valid_until, own=False
    )


def _own(row: LegalMention) -> Words:
    return Words(row.code, row.scope, row.text_fr, row.text_en, None, row.valid_from, row.valid_until, own=True)
