"""Those who buy."""

from typing import Annotated, Any

import strawberry
from tortoise.expressions import Q, Subquery
from tortoise.fields import DatetimeField

import models
from policy import row_id
from schema.base import auto, computed, enum, expression, input, node, pages, through
from schema.connections import Connection
from schema.lists import between, filter, meets, names, order
from schema.organizations import Membership
from schema.scalars import DateTime

# Over other tables, whose rows are always seen with the client's: the numbers are never more than the lists show.
STATUS = """CASE
    WHEN EXISTS (SELECT FROM subscriptions WHERE client_id = "clients"."id" AND status IN ('ACTIVE', 'PAST_DUE'))
    THEN 'ACTIVE'
    WHEN EXISTS (SELECT FROM subscriptions WHERE client_id = "clients"."id" AND status = 'TRIALING') THEN 'TRIAL'
    ELSE 'INACTIVE'
END"""

ORDERS = """SELECT {} FROM orders WHERE client_id = "clients"."id" AND status <> 'CANCELED'"""

KIND = "A person or a company; unless told a company where the name of one, or a SIREN, becomes known."
CONSULTANT = "Who looks after them: the global id of their membership."


@node(models.Contact)
class Contact:
    """A person of a client: whom to call, whom to write to."""

    client: Annotated["Client", strawberry.lazy("schema.clients")]
    first_name: auto
    last_name: auto
    job_title: auto
    email: auto
    phone: auto
    created_at: auto


@node(models.ClientNote)
class ClientNote:
    """What the organization writes down of a client for itself. Clients never see it."""

    client: Annotated["Client", strawberry.lazy("schema.clients")]
    author: Membership | None
    body: auto
    edited_at: auto
    created_at: auto


@node(models.Tag)
class Tag:
    """A word that the organization sorts its clients by. Clients never see it."""

    name: auto
    created_at: auto


@node(models.ClientConsent)
class ClientConsent:
    """That a client agreed to something, to which words, and until when."""

    client: Annotated["Client", strawberry.lazy("schema.clients")]
    purpose: auto
    wording: auto
    source: auto
    given_at: auto
    withdrawn_at: auto
    created_at: auto


@node(models.ClientMerge)
class ClientMerge:
    """That two clients turned out to be one."""

    client: Annotated["Client", strawberry.lazy("schema.clients")]
    duplicate_email: auto
    merged_by: Membership | None
    created_at: auto

    @computed("How many rows went over.", needs=("moved",))
    def moved_count(root: Any) -> int:
        return sum(root.moved.values())


@node(models.Client)
class Client:
    """A customer of the organization, one per e-mail address."""

    kind: auto
    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    display_name: str = expression(
        "coalesce(nullif(concat_ws(' ', first_name, last_name), ''), company, email)",
        "What to call them: their name, else their company's, else their address.",
    )  # type: ignore[assignment]
    status: enum(models.ClientStatus) = expression(  # type: ignore[valid-type]
        STATUS, "Whether they subscribe to anything."
    )
    orders_count: int = expression(
        f"({ORDERS.format('count(*)')})", "How many orders they made, those that were canceled aside."
    )  # type: ignore[assignment]
    last_order_at: DateTime | None = expression(  # type: ignore[assignment]
        f"({ORDERS.format('max(created_at)')})", "When they ordered last; `orders(first: 1)` is what.", of=DatetimeField
    )
    consultant: Membership | None
    contacts: list[Contact]
    tags: list[Tag] = through("client_tags__tag", "What they are sorted by; shown to who works here alone.")  # type: ignore[assignment]
    consents: list[ClientConsent]
    notes: Connection[ClientNote] = pages("notes", "What was written down; shown to who works here alone.")  # type: ignore[assignment]
    merges: list[ClientMerge]
    orders: Connection[Annotated["Order", strawberry.lazy("schema.orders")]] = pages("orders", "What they bought.")  # type: ignore  # noqa: F821
    subscriptions: Connection[Annotated["ClientSubscription", strawberry.lazy("schema.subscriptions")]] = pages(  # type: ignore  # noqa: F821
        "subscriptions", "What they pay for each period."
    )
    quotes: Connection[Annotated["Quote", strawberry.lazy("schema.quotes")]] = pages(  # type: ignore  # noqa: F821
        "quotes", "What was offered to them, each version of it."
    )
    opportunities: Connection[Annotated["Opportunity", strawberry.lazy("schema.opportunities")]] = pages(  # type: ignore  # noqa: F821
        "opportunities", "What they may buy, or said yes or no to."
    )
    bookings: Connection[Annotated["Booking", strawberry.lazy("schema.bookings")]] = pages(  # type: ignore  # noqa: F821
        "bookings", "Their places in appointments."
    )
    bilans: Connection[Annotated["Bilan", strawberry.lazy("schema.bilans")]] = pages(  # type: ignore  # noqa: F821
        "bilans", "Bilans of which they are the beneficiary."
    )
    tickets: Connection[Annotated["Ticket", strawberry.lazy("schema.tickets")]] = pages(  # type: ignore  # noqa: F821
        "tickets", "What they asked."
    )
    timeline: Connection[Annotated["TimelineEvent", strawberry.lazy("schema.timeline")]] = pages(  # type: ignore  # noqa: F821
        "timeline", "What happened with them."
    )
    stripe_id: auto
    created_at: auto


@input(models.Client)
class ClientCreateInput:
    """A new client."""

    kind: enum(models.ClientKind) | None = strawberry.field(  # type: ignore[valid-type]
        description=KIND, default=strawberry.UNSET
    )
    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    consultant: strawberry.ID | None = strawberry.field(description=CONSULTANT, default=strawberry.UNSET)


@input(models.Client, partial=True)
class ClientUpdateInput:
    """What to change of a client; what is left out stays, null takes away."""

    client: strawberry.ID = strawberry.field(description="The client's global id.")
    kind: enum(models.ClientKind) | None = strawberry.field(  # type: ignore[valid-type]
        description=KIND, default=strawberry.UNSET
    )
    email: auto
    first_name: auto
    last_name: auto
    company: auto
    siren: auto
    vat_number: auto
    electronic_address: auto
    electronic_address_scheme: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    delivery_address: auto
    delivery_postal_code: auto
    delivery_city: auto
    delivery_country: auto
    language: auto
    consultant: strawberry.ID | None = strawberry.field(description=CONSULTANT, default=strawberry.UNSET)


@strawberry.input(description="Which client to delete.")
class ClientDeleteInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")


def in_status(status: models.ClientStatus) -> Q:
    """The condition on a client; as `STATUS` has it."""
    paid, tried = (
        Subquery(models.ClientSubscription.filter(status__in=among).values("client_id"))
        for among in (("ACTIVE", "PAST_DUE"), ("TRIALING",))
    )
    if status is models.ClientStatus.ACTIVE:
        return Q(id__in=paid)
    of_tried = Q(id__in=tried)
    return ~Q(id__in=paid) & (of_tried if status is models.ClientStatus.TRIAL else ~of_tried)


def having_tag(key: str) -> dict[str, Any]:
    """The conditions on a client that the tag of a global id makes."""
    return {"id__in": Subquery(models.ClientTag.filter(tag_id=row_id(models.Tag, key)).values("client_id"))}


@filter(models.Client)
class ClientFilter:
    """Which clients."""

    kind: auto
    status: meets(models.ClientStatus, in_status, "Whether they subscribe to anything.")  # type: ignore[valid-type]
    tag: names(having_tag, "Who has this tag, by global id.")  # type: ignore[valid-type]
    email: auto
    consultant: strawberry.ID
    country: auto
    created_at: between


ClientOrder = order(models.Client, created_at="id", email="email")
