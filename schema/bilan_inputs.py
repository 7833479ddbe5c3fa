"""What is asked of a bilan's money, sessions and agreements."""

import strawberry
from strawberry import UNSET

import models
from schema.base import enum
from schema.scalars import URL, Date, DateTime, MoneyInput

BILAN = "The bilan's global id."


@strawberry.input(description="A part of a bilan's price that somebody is to pay.")
class BilanFundingAddInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    source: enum(models.FundingSource) = strawberry.field(description="Whose money it is.")  # type: ignore[valid-type]
    amount: MoneyInput | None = strawberry.field(
        description="How much, TTC; all that nobody has taken on unless given.", default=UNSET
    )
    payer: strawberry.ID | None = strawberry.field(
        description="Global id of who pays, as a client; of an employer's part the bilan's employer unless given.",
        default=UNSET,
    )
    reference: str | None = strawberry.field(
        description="What the payer calls it: the number of a dossier.", default=UNSET
    )


@strawberry.input(description="A part of a bilan's price to which its payer has agreed.")
class BilanFundingAgreeInput:
    bilan_funding: strawberry.ID = strawberry.field(description="The funding's global id.")
    reference: str | None = strawberry.field(
        description="What the payer calls it: the number of a dossier.", default=UNSET
    )


@strawberry.input(description="A part of a bilan's price to invoice before it is paid.")
class BilanFundingInvoiceInput:
    bilan_funding: strawberry.ID = strawberry.field(description="The funding's global id.")
    payer: strawberry.ID | None = strawberry.field(
        description="Global id of who is invoiced, as a client, where the funding names nobody.", default=UNSET
    )


@strawberry.input(description="A part of a bilan's price that nobody will pay.")
class BilanFundingWithdrawInput:
    bilan_funding: strawberry.ID = strawberry.field(description="The funding's global id.")
    reason: str | None = strawberry.field(description="Why.", default=UNSET)


@strawberry.input(description="Which bilan to pay what is left of, and where the beneficiary comes back to.")
class BilanCheckoutStartInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    success_url: URL = strawberry.field(
        description="Where the client lands once paid; `{CHECKOUT_SESSION_ID}` is filled in."
    )
    cancel_url: URL | None = strawberry.field(description="Where the client lands on giving up.", default=UNSET)


@strawberry.input(description="Which bilan to give up.")
class BilanCancelInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    reason: str | None = strawberry.field(description="Why.", default=UNSET)


@strawberry.input(description="An appointment of a phase, to book.")
class BilanSessionBookInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    phase: enum(models.PhaseKind) = strawberry.field(description="Of which phase.")  # type: ignore[valid-type]
    service: strawberry.ID = strawberry.field(description="Global id of a service without a price.")
    starts_at: DateTime = strawberry.field(description="When it begins: one of `availability`.")
    staff: strawberry.ID | None = strawberry.field(
        description="With whom; with who holds the bilan unless told, where they give the service.", default=UNSET
    )


@strawberry.input(description="An appointment of a phase that no calendar here has.")
class BilanSessionRecordInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    phase: enum(models.PhaseKind) = strawberry.field(description="Of which phase.")  # type: ignore[valid-type]
    starts_at: DateTime = strawberry.field(description="When it begins, or began.")
    ends_at: DateTime = strawberry.field(description="When it ends, or ended.")


@strawberry.input(description="What came of a session.")
class BilanSessionAttendInput:
    bilan_session: strawberry.ID = strawberry.field(description="The session's global id.")
    attendance: enum(models.Attendance) = strawberry.field(description="Whether the beneficiary was there.")  # type: ignore[valid-type]
    minutes: int | None = strawberry.field(
        description="For how long, where it was not all of the session.", default=UNSET
    )


@strawberry.input(description="Which phase is over.")
class BilanPhaseCompleteInput:
    bilan_phase: strawberry.ID = strawberry.field(description="The phase's global id.")


@strawberry.input(description="Something that the beneficiary was given to agree to.")
class BilanAgreementProposeInput:
    bilan: strawberry.ID = strawberry.field(description=BILAN)
    kind: enum(models.AgreementKind) = strawberry.field(description="What it is.")  # type: ignore[valid-type]
    proposed_on: Date | None = strawberry.field(
        description="The day on which they were given it; today unless told.", default=UNSET
    )


@strawberry.input(description="What the beneficiary accepted in writing.")
class BilanAgreementAcceptInput:
    bilan_agreement: strawberry.ID = strawberry.field(description="The agreement's global id.")
    name: str = strawberry.field(description="Who signed it: first and last name.")
    decided_on: Date | None = strawberry.field(description="On which day; today unless told.", default=UNSET)


@strawberry.input(description="What the beneficiary refused.")
class BilanAgreementRefuseInput:
    bilan_agreement: strawberry.ID = strawberry.field(description="The agreement's global id.")
    decided_on: Date | None = strawberry.field(description="On which day; today unless told.", default=UNSET)


@strawberry.input(description="A warning in spite of which somebody goes on.")
class BilanWarningDecideInput:
    bilan_warning: strawberry.ID = strawberry.field(description="The warning's global id.")
    reason: str = strawberry.field(description="Why.")
