"""The schema: every root field, the types that nothing else names, and its SDL."""

import strawberry
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types import ExecutionContext

from engine.masking import MaskErrors
from errors import ErrorCode
from resolvers import catalogue, clients, identity, invoices, nodes, orders, partners
from schema.roots import MUTATIONS, QUERIES
from schema.scalars import SCALARS

AREAS = (catalogue, clients, identity, invoices, nodes, orders, partners)  # importing them declares their fields


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Masking logs what is ours to mend; what a client got wrong is the client's."""


def build(*, introspection: bool = True) -> strawberry.Schema:
    return Schema(
        query=create_type("Query", list(QUERIES.values()), description="Everything that can be read."),
        mutation=create_type("Mutation", list(MUTATIONS.values()), description="Everything that can be done."),
        types=[strawberry.enum(ErrorCode, description=ErrorCode.__doc__)],
        extensions=[MaskErrors] if introspection else [MaskErrors, DisableIntrospection],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


def sdl() -> str:
    """The committed contract (`schema.graphql`)."""
    return build().as_str() + "\n"
