"""The schema: every root field, the types that nothing else names, and its SDL."""

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types import ExecutionContext

from engine.execution import Engine
from engine.extensions import Limits, MaskErrors
from engine.plans import Plans
from engine.reading import always_named
from engine.views import VIEWS
from models.database import reader
from policy import must_be_seen_together
from resolvers import (
    accesses,
    accounts,
    agenda,
    audit,
    availability,
    bilan_funding,
    bilan_sessions,
    bilans,
    bookings,
    calendar_feeds,
    calendars,
    catalogue,
    changes,
    client_imports,
    client_merges,
    client_search,
    clients,
    consents,
    crm,
    data_exports,
    discounts,
    documents,
    erasures,
    exports,
    identity,
    integrations,
    invoices,
    keys,
    members,
    mentions,
    nodes,
    opportunities,
    orders,
    organization,
    packs,
    partners,
    payments,
    portal,
    portal_tokens,
    quality,
    quotes,
    reconciliation,
    refunds,
    subscriptions,
    tickets,
    timeline,
    uploads,
)
from schema.errors import ERROR_CODE
from schema.roots import MUTATIONS, QUERIES, SUBSCRIPTIONS, admitted
from schema.scalars import SCALARS

AREAS = (  # importing them declares their fields
    accesses, accounts, agenda, audit, availability, bilan_funding, bilan_sessions, bilans, bookings,
    calendar_feeds, calendars, catalogue, changes, client_imports, client_merges, client_search, clients,
    consents, crm, data_exports, discounts, documents, erasures, exports, identity, integrations, invoices, keys,
    members, mentions, nodes, opportunities, orders, organization, packs, partners, payments, portal, portal_tokens,
    quality, quotes, reconciliation, refunds, subscriptions, tickets, timeline, uploads,
)  # fmt: skip


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Masking logs what is ours to mend; what a client got wrong is the client's."""


@cache
def build(*, introspection: bool = True) -> strawberry.Schema:
    """The schema, the same for all of a process: nothing in it changes. Raises TypeError where a role could see a row
    without what that row always names."""
    must_be_seen_together((model, *hop) for model, view in VIEWS.items() for hop in always_named(view))
    return Schema(
        query=create_type("Query", list(QUERIES.values()), description="Everything that can be read."),
        mutation=create_type("Mutation", list(MUTATIONS.values()), description="Everything that can be done."),
        subscription=create_type("Subscription", list(SUBSCRIPTIONS.values()), description="What can be followed."),
        types=[ERROR_CODE],
        extensions=[MaskErrors, Limits] if introspection else [MaskErrors, DisableIntrospection, Limits],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not introspection),
    )


def engine(*, introspection: bool = True) -> Engine:
    """What runs the schema's operations."""
    schema = build(introspection=introspection)
    return Engine(schema, plans=Plans(schema, reader), admit=admitted, introspection=introspection)


def sdl() -> str:
    """The committed contract (`schema.graphql`)."""
    return build().as_str() + "\n"
