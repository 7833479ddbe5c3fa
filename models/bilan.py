"""Bilans de compétences: what is agreed with a beneficiary, who pays for it, and its three legal phases.

Money is on the bilan and its fundings; what happens in it is on its phases, sessions, agreements and warnings, which
those who only see the money do not read (`policy.py`).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields

import errors
from models.base import Owned
from models.client import Client
from models.fields import Coded, CurrencyField, belongs_to
from models.states import (
    AGREEMENT,
    BILAN,
    FUNDING,
    AgreementNews,
    AgreementStatus,
    BilanNews,
    BilanStatus,
    FundingNews,
    FundingStatus,
)


class Formule(Owned):
    """A bilan as it is offered: so many hours at a price TTC."""

    slug = fields.CharField(40, description="Short name in addresses and imports: `standard`")
    name = fields.CharField(100, description="Name, as clients read it")
    description = fields.CharField(2000, null=True, description="What one gets")
    minutes = fields.IntField(description="How long the accompaniment is, in minutes")
    price_cents = fields.IntField(description="Price TTC, in minor units")
    currency = CurrencyField(default="EUR", description="Currency of the price")
    vat_rate = fields.IntField(
        default=0, description="VAT rate in hundredths of a percent; 0 where training is exempt (art. 261-4-4° a CGI)"
    )
    active = fields.BooleanField(default=True, description="Whether it is sold")
    # Orders, invoices and Stripe know products. Made with the first order, and not for sale by itself.
    product_id: UUID | None
    product: Any = belongs_to("Product", None, "What stands for it on orders", null=True)

    class Meta:
        table = "formules"
        unique_together = (("organization", "slug"),)


class Bilan(Owned):
    """A bilan de compétences of one beneficiary, at the price and for the time that were agreed.

    What its fundings come to is kept by the database (`bilan_fundings_counted`), and is never more than the price; so
    are the minutes done (`bilan_sessions_counted`). Read them back after a save.
    """

    client_id: UUID
    client: Client = belongs_to("Client", "bilans", "The beneficiary")
    beneficiary_name = fields.CharField(200, description="What the beneficiary was called when it was agreed")
    consultant_id: UUID | None
    consultant: Any = belongs_to("Membership", None, "Who holds it", null=True)
    formule_id: UUID
    formule: Formule = belongs_to("Formule", "bilans", "What was agreed")
    employer_id: UUID | None
    employer: Client | None = belongs_to("Client", None, "The employer, party to a tripartite convention", null=True)
    status = fields.CharEnumField(
        BilanStatus, max_length=20, default=BilanStatus.AWAITING_FUNDING, description="Where it stands"
    )
    minutes_planned = fields.IntField(description="How long the accompaniment is to be, in minutes")
    minutes_done: Any = fields.IntField(generated=True, description="How long it was so far, by attendance, in minutes")
    price_cents = fields.IntField(description="Price TTC that was agreed, in minor units")
    vat_rate = fields.IntField(description="VAT rate that was agreed, in hundredths of a percent")
    currency = CurrencyField(description="Currency of every amount")
    allotted_cents: Any = fields.IntField(
        generated=True, description="What the fundings that stand come to, planned ones included, in minor units"
    )
    secured_cents: Any = fields.IntField(
        generated=True, description="What of it is paid, or agreed by who pays, in minor units"
    )
    due_cents: Any = fields.IntField(
        generated=True, description="What remains due: neither paid nor agreed by anybody, in minor units"
    )
    starts_on = fields.DateField(null=True, description="The day on which it is to begin")
    ends_on = fields.DateField(null=True, description="The day by which it is to end")
    funded_at = fields.DatetimeField(null=True, description="When all of its price was paid or agreed")
    begun_at = fields.DatetimeField(null=True, description="When the first session was attended")
    completed_at = fields.DatetimeField(null=True, description="When its last phase was completed")
    canceled_at = fields.DatetimeField(null=True, description="When it was given up")
    cancel_reason = fields.CharField(500, null=True, description="Why it was given up")

    documents: Any
    fundings: Any
    agreements: Any
    phases: Any
    sessions: Any
    warnings: Any

    class Meta:
        table = "bilans"

    @property
    def is_funded(self) -> bool:
        """Whether its appointments can be booked."""
        return self.status in (BilanStatus.FUNDED, BilanStatus.IN_PROGRESS)

    @property
    def is_over(self) -> bool:
        return self.status in (BilanStatus.COMPLETED, BilanStatus.CANCELED)

    @property
    def unallotted_cents(self) -> int:
        """What no funding has taken on, in minor units."""
        return self.price_cents - int(self.allotted_cents)

    def must_be_under_way(self) -> None:
        """Raises Conflict for one that was completed or given up."""
        if self.is_over:
            raise errors.Conflict(f"This bilan is {self.status}: {_BILAN_SINCE[self.status]}.", field="input.bilan")

    def must_be_funded(self) -> None:
        """Raises Conflict while some of its price is neither paid nor agreed."""
        self.must_be_under_way()
        if not self.is_funded:
            missing = f"{(self.price_cents - self.secured_cents) / 100:.2f} {self.currency}"
            raise errors.Conflict(
                f"{missing} of this bilan is neither paid nor agreed: its appointments can be booked once it is.",
                field="input.bilan",
            )

    def hear(self, news: BilanNews, *, at: datetime) -> bool:
        """Whether the news change its state, and change it."""
        before = self.status
        self.status = BILAN.after(before, news)
        if self.status is before:
            return False
        match self.status:
            case BilanStatus.FUNDED:
                self.funded_at = at
            case BilanStatus.AWAITING_FUNDING:
                self.funded_at = None
            case BilanStatus.IN_PROGRESS:
                self.begun_at = self.begun_at or at
            case BilanStatus.COMPLETED:
                self.completed_at = at
            case BilanStatus.CANCELED:
                self.canceled_at = at
        return True


_BILAN_SINCE = {
    BilanStatus.COMPLETED: "it has ended, and stands as it is",
    BilanStatus.CANCELED: "it was given up; make another",
}


class FundingSource(Coded):
    """Whose money it is."""

    OWN = "OWN", "The beneficiary's own"
    CPF = "CPF", "Their personal training account (compte personnel de formation)"
    EMPLOYER = "EMPLOYER", "The employer's training plan"
    OPCO = "OPCO", "The employer's skills operator (opérateur de compétences)"
    FRANCE_TRAVAIL = "FRANCE_TRAVAIL", "France Travail, for a job seeker"


class BilanFunding(Owned):
    """A part of a bilan's price that somebody takes on. All that stand come to no more than the price: the database
    refuses it (`bilans_allotted_check`)."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "fundings", "The bilan")
    source = fields.CharEnumField(FundingSource, max_length=20, description="Whose money it is")
    payer_id: UUID | None
    payer: Client | None = belongs_to(
        "Client", None, "Who pays and is invoiced; null where nobody is, or it is the beneficiary", null=True
    )
    amount_cents = fields.IntField(description="How much, TTC, in minor units")
    currency = CurrencyField(description="Currency of the amount, the bilan's")
    status = fields.CharEnumField(
        FundingStatus, max_length=20, default=FundingStatus.PLANNED, description="Where it stands"
    )
    reference = fields.CharField(100, null=True, description="What the payer calls it: the number of a dossier")
    order_id: UUID | None
    order: Any = belongs_to("Order", "fundings", "The order by which it is paid", null=True)
    agreed_at = fields.DatetimeField(null=True, description="When the payer agreed to pay")
    paid_at = fields.DatetimeField(null=True, description="When it was paid")
    ended_at = fields.DatetimeField(null=True, description="When it was withdrawn, or its money given back")
    end_reason = fields.CharField(500, null=True, description="Why it was withdrawn")

    class Meta:
        table = "bilan_fundings"

    @property
    def stands(self) -> bool:
        return self.status in (FundingStatus.PLANNED, FundingStatus.AGREED, FundingStatus.PAID)

    def hear(self, news: FundingNews, *, at: datetime) -> bool:
        """Whether the news change its state, and change it."""
        before = self.status
        self.status = FUNDING.after(before, news)
        if self.status is before:
            return False
        match self.status:
            case FundingStatus.AGREED:
                self.agreed_at = at
            case FundingStatus.PAID:
                self.paid_at, self.ended_at = at, None
            case FundingStatus.WITHDRAWN | FundingStatus.REFUNDED:
                self.ended_at = at
        return True

    def must_hear(self, news: FundingNews, *, at: datetime) -> None:
        """The same for what a person asks. Raises Conflict where it is past that."""
        if not self.hear(news, at=at):
            raise errors.Conflict(
                f"This funding is {self.status}: {_FUNDING_SINCE[self.status]}.", field="input.bilanFunding"
            )


_FUNDING_SINCE = {
    FundingStatus.PLANNED: "nobody agreed to it yet",
    FundingStatus.AGREED: "it was agreed already",
    FundingStatus.PAID: "it was paid; refund its payment (paymentRefund)",
    FundingStatus.REFUNDED: "it was given back; plan another",
    FundingStatus.WITHDRAWN: "it was withdrawn; plan another",
}


class AgreementKind(Coded):
    """What the law wants agreed in writing."""

    CONSENT = "CONSENT", "The beneficiary's consent, without which no bilan is held (art. L6313-4 du code du travail)"
    CONVENTION = (
        "CONVENTION",
        "The convention between beneficiary, employer and organization (art. R6313-8 du code du travail)",
    )


class BilanAgreement(Owned):
    """Something that the beneficiary is asked to agree to in writing. Without an answer by its day it is refused."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "agreements", "The bilan")
    kind = fields.CharEnumField(AgreementKind, max_length=20, description="What is agreed to")
    status = fields.CharEnumField(
        AgreementStatus, max_length=20, default=AgreementStatus.PROPOSED, description="Where it stands"
    )
    proposed_on = fields.DateField(description="The day on which it was given to the beneficiary")
    accept_by = fields.DateField(null=True, description="The last day to accept it; null where there is none")
    decided_on = fields.DateField(null=True, description="The day on which it was accepted or refused")
    signer_name = fields.CharField(200, null=True, description="Who accepted it: first and last name")
    decided_by_id: UUID | None
    decided_by: Any = belongs_to(
        "Membership", None, "Who noted the answer: the beneficiary, or a person for them", null=True
    )

    class Meta:
        table = "bilan_agreements"

    def must_hear(self, news: AgreementNews, *, on: date) -> None:
        """What a person answers. Raises Conflict where it was answered already, or too late."""
        before = self.status
        self.status = AGREEMENT.after(before, news)
        if self.status is before:
            raise errors.Conflict(
                f"This agreement is {self.status}: propose another (bilanAgreementPropose).",
                field="input.bilanAgreement",
            )
        self.decided_on = on


class PhaseKind(Coded):
    """The legal phases, in their order (art. R6313-4 du code du travail)."""

    PRELIMINARY = "PRELIMINARY", "Needs, commitment and how the bilan is to go"
    INVESTIGATION = "INVESTIGATION", "Interests, skills and possible paths"
    CONCLUSION = "CONCLUSION", "Results, conditions and steps of the project, and the synthesis"


class BilanPhase(Owned):
    """A legal phase of a bilan; all three are there from the beginning."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "phases", "The bilan")
    kind = fields.CharEnumField(PhaseKind, max_length=20, description="Which phase")
    position = fields.IntField(description="Place in the bilan, from 1")
    completed_at = fields.DatetimeField(null=True, description="When it was completed")

    class Meta:
        table = "bilan_phases"
        ordering = ("position",)
        unique_together = (("bilan", "kind"),)


class Attendance(Coded):
    """Whether the beneficiary was there."""

    EXPECTED = "EXPECTED", "It is still to be held, or nobody has noted it"
    ATTENDED = "ATTENDED", "The beneficiary was there"
    ABSENT = "ABSENT", "The beneficiary did not come"
    CANCELED = "CANCELED", "It was not held"


class BilanSession(Owned):
    """An appointment of a phase: booked, or recorded by hand. A booking that is moved, cancelled or held is followed by
    the database (`bookings_of_bilans`)."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "sessions", "The bilan")
    phase_id: UUID
    phase: BilanPhase = belongs_to("BilanPhase", "sessions", "The phase that it is part of")
    booking_id: UUID | None
    booking: Any = belongs_to("Booking", "bilan_sessions", "The booking; null where it was recorded by hand", null=True)
    starts_at = fields.DatetimeField(description="When it begins")
    ends_at = fields.DatetimeField(description="When it ends")
    attendance = fields.CharEnumField(
        Attendance, max_length=20, default=Attendance.EXPECTED, description="Whether the beneficiary was there"
    )
    minutes = fields.IntField(default=0, description="How long it was, in minutes; 0 unless the beneficiary was there")
    noted_at = fields.DatetimeField(null=True, description="When attendance was noted")
    noted_by_id: UUID | None
    noted_by: Any = belongs_to("Membership", None, "Who noted attendance", null=True)

    class Meta:
        table = "bilan_sessions"

    @property
    def is_live(self) -> bool:
        """Whether it is to be held, or was."""
        return self.attendance is not Attendance.CANCELED


class BilanWarning(Owned):
    """What breaks a rule of law, kept from when it was first seen; and who decided to go on, when and why."""

    bilan_id: UUID
    bilan: Bilan = belongs_to("Bilan", "warnings", "The bilan")
    rule = fields.CharField(60, description="Which rule (`services/bilan_rules.py`)")
    message = fields.CharField(500, description="What breaks it, in the organization's language")
    reference = fields.CharField(300, description="Where the rule is written, in the organization's language")
    extent = fields.IntField(null=True, description="How far it is from what the rule asks, in the rule's unit")
    cleared_at = fields.DatetimeField(null=True, description="Since when it no longer holds; null while it does")
    decided_at = fields.DatetimeField(null=True, description="When a person decided to go on in spite of it")
    decided_by_id: UUID | None
    decided_by: Any = belongs_to("Membership", None, "Who decided it", null=True)
    decision_reason = fields.CharField(500, null=True, description="Why, in that person's words")

    class Meta:
        table = "bilan_warnings"
        unique_together = (("bilan", "rule"),)
