"""Bilans de compétences: formules, who pays, phases and sessions, agreements, and what breaks a rule."""

from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, input, node, pages
from schema.bookings import Booking
from schema.clients import Client
from schema.connections import Connection
from schema.lists import among, between, filter, order
from schema.orders import Order
from schema.organizations import Membership
from schema.scalars import Money, MoneyInput


@node(models.Formule)
class Formule:
    """A bilan as it is offered: so many hours at a price TTC."""

    slug: auto
    name: auto
    description: auto
    minutes: auto
    price: Money
    vat_rate: auto
    active: auto
    created_at: auto


@node(models.BilanFunding)
class BilanFunding:
    """A part of a bilan's price that somebody takes on. All that stand come to no more than the price."""

    source: auto
    payer: Client | None
    amount: Money
    status: auto
    reference: auto
    order: Order | None
    agreed_at: auto
    paid_at: auto
    ended_at: auto
    end_reason: auto
    created_at: auto


@node(models.BilanAgreement)
class BilanAgreement:
    """Something that the beneficiary is asked to agree to in writing. Without an answer by its day it is refused."""

    kind: auto
    status: auto
    proposed_on: auto
    accept_by: auto
    decided_on: auto
    signer_name: auto
    decided_by: Membership | None
    created_at: auto


@node(models.BilanPhase)
class BilanPhase:
    """A legal phase of a bilan; all three are there from the beginning."""

    kind: auto
    position: auto
    completed_at: auto


@node(models.BilanSession)
class BilanSession:
    """An appointment of a phase: booked, or recorded by hand."""

    phase: BilanPhase
    booking: Booking | None
    starts_at: auto
    ends_at: auto
    attendance: auto
    minutes: auto
    noted_at: auto
    noted_by: Membership | None
    created_at: auto


@node(models.BilanWarning)
class BilanWarning:
    """What breaks a rule of law, kept from when it was first seen; and who decided to go on, when and why."""

    rule: auto
    message: auto
    reference: auto
    cleared_at: auto
    decided_at: auto
    decided_by: Membership | None
    decision_reason: auto
    created_at: auto


@node(models.Bilan)
class Bilan:
    """A bilan de compétences of one beneficiary. Its sessions and agreements are not for those who see money alone."""

    client: Client | None
    beneficiary_name: auto
    consultant: Membership | None
    formule: Formule
    employer: Client | None
    status: auto
    minutes_planned: auto
    minutes_done: auto
    price: Money
    vat_rate: auto
    allotted: Money
    secured: Money
    due: Money
    starts_on: auto
    ends_on: auto
    funded_at: auto
    begun_at: auto
    completed_at: auto
    canceled_at: auto
    cancel_reason: auto
    fundings: list[BilanFunding]
    agreements: list[BilanAgreement]
    phases: list[BilanPhase]
    warnings: list[BilanWarning]
    sessions: Connection[Annotated["BilanSession", strawberry.lazy("schema.bilans")]] = pages(  # type: ignore[assignment]
        "sessions", "Its appointments."
    )
    documents: Connection[Annotated["Document", strawberry.lazy("schema.documents")]] = pages(  # type: ignore  # noqa: F821
        "documents", "Its documents; which of them one opens, `documentOpen` says."
    )
    created_at: auto


@filter(models.Formule)
class FormuleFilter:
    """Which formules."""

    active: auto
    slug: auto


@filter(models.Bilan)
class BilanFilter:
    """Which bilans."""

    status: among
    client: strawberry.ID
    consultant: strawberry.ID
    formule: strawberry.ID
    created_at: between


BilanOrder = order(models.Bilan, created_at="id")


@input(models.Formule)
class FormuleCreateInput:
    """A new formule."""

    slug: auto
    name: auto
    description: auto
    minutes: auto
    price: MoneyInput = strawberry.field(description="Price TTC.")
    vat_rate: auto


@input(models.Formule, partial=True)
class FormuleUpdateInput:
    """What to change of a formule; what is left out stays. Bilans that were agreed keep their price and time."""

    formule: strawberry.ID = strawberry.field(description="The formule's global id.")
    name: auto
    description: auto
    minutes: auto
    price: MoneyInput | None = strawberry.field(description="Price TTC.", default=UNSET)
    vat_rate: auto
    active: auto


@strawberry.type(description="The formules that the organization has.")
class FormulesInstalled:
    formules: list[Formule] = strawberry.field(description="All of them, the shortest first.")


@input(models.Bilan)
class BilanCreateInput:
    """A new bilan, at its formule's price and for its time unless told."""

    client: strawberry.ID = strawberry.field(description="The beneficiary's global id.")
    formule: strawberry.ID = strawberry.field(description="The formule's global id.")
    consultant: strawberry.ID | None = strawberry.field(
        description="Global id of the membership of who holds it.", default=UNSET
    )
    employer: strawberry.ID | None = strawberry.field(
        description="Global id of the employer, as a client, who is party to a tripartite convention.", default=UNSET
    )
    price: MoneyInput | None = strawberry.field(description="Price TTC that was agreed instead.", default=UNSET)
    minutes_planned: int | None = strawberry.field(
        description="How long it is to be instead, in minutes.", default=UNSET
    )
    starts_on: auto
    ends_on: auto


@input(models.Bilan, partial=True)
class BilanUpdateInput:
    """What to change of a bilan; what is left out stays, null takes away."""

    bilan: strawberry.ID = strawberry.field(description="The bilan's global id.")
    consultant: strawberry.ID | None = strawberry.field(
        description="Global id of the membership of who holds it.", default=UNSET
    )
    employer: strawberry.ID | None = strawberry.field(
        description="Global id of the employer, as a client, who is party to a tripartite convention.", default=UNSET
    )
    price: MoneyInput | None = strawberry.field(
        description="Price TTC that was agreed since, no less than what its fundings have taken on.", default=UNSET
    )
    minutes_planned: auto
    starts_on: auto
    ends_on: auto
