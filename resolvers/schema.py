"""The schema: every root field, the types that nothing else names, and its SDL."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, DisableIntrospection, MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types import ExecutionContext

from engine.limits import TOKENS_MOST, Bounded
from engine.masking import MaskErrors
from engine.reading import always_named
from engine.views import VIEWS
from policy import must_be_seen_together
from resolvers import catalogue, clients, identity, invoices, nodes, orders, partners
from schema.errors import ERROR_CODE
from schema.roots import MUTATIONS, QUERIES
from schema.scalars import SCALARS

AREAS = (catalogue, clients, identity, invoices, nodes, orders, partners)  # importing them declares their fields


_LIMITS: list[Any] = [
    MaskErrors,
    lambda: MaxTokensLimiter(max_token_count=TOKENS_MOST),
    lambda: AddValidationRules([Bounded]),
]


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Masking logs what is ours to mend; what a client got wrong is the client's."""


def build(*, introspection: bool = True) -> strawberry.Schema:
    """The schema. Raises TypeError where a role could see a row without what that row always names."""
    must_be_seen_together((model, target) for model, view in VIEWS.items() for target in always_named(view))
    return Schema(
        query=create_type("Query", list(QUERIES.values()), description="Everything that can be read."),
        mutation=create_type("Mutation", list(MUTATIONS.values()), description="Everything that can be done."),
        types=[ERROR_CODE],
        extensions=_LIMITS if introspection else [*_LIMITS, DisableIntrospection],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def sdl() -> str:
    """The committed contract (`schema.graphql`)."""
    return build().as_str() + "\n"
