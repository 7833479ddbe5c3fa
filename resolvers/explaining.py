"""How a query is answered, for developers: `bin/comptoir plan`."""

import asyncpg
import orjson
from graphql import get_variable_values

from engine.documents import DocumentErrors
from engine.execution import Engine
from engine.plans.explaining import Explained, explained
from errors import Invalid, NotFound
from models import Membership
from models.database import connect, disconnect
from policy import Actor
from resolvers.schema import build
from schema.context import Context


async def explain(database_url: str, document: str, variables: str, name: str | None, email: str) -> Explained:
    """The plan of a query for the person of that address. Raises DomainError, saying what to give instead."""
    schema = build()
    asked = Engine(schema)
    try:
        operation = asked.documents.operation(document, name)
        given = orjson.loads(variables)
    except DocumentErrors as refused:
        raise Invalid("; ".join(error.message for error in refused.errors)) from refused
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The variables are not JSON: {error}.") from error
    values = get_variable_values(asked.schema, operation.node.variable_definitions or (), given)
    if isinstance(values, list):
        raise Invalid("; ".join(error.message for error in values))
    await connect(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        member = await Membership.filter(user__email=email, active=True).order_by("id").first()
        if member is None:
            raise NotFound(f"Nobody here signs in as {email}.")
        actor = Actor(member.role, member.organization_id, member.id)
        return await explained(schema, connection, operation, values, Context(actor))
    finally:
        await connection.close()
        await disconnect()
