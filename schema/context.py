"""Who is calling, as resolvers see it."""

from dataclasses import dataclass

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from strawberry.http.temporal_response import TemporalResponse
from tortoise.models import Model
from tortoise.queryset import QuerySet

from engine.reading import Scope
from errors import Unauthenticated
from policy import Actor


@dataclass
class Context:
    """What every resolver is given."""

    request: Request
    response: Response | TemporalResponse
    actor: Actor | None


Info = strawberry.Info[Context, None]


def actor(info: Info) -> Actor:
    """The caller. Raises Unauthenticated for nobody."""
    if info.context.actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    return info.context.actor


def scope(info: Info) -> Scope:
    """What a relation may show: the caller's rows, and nothing to nobody."""
    caller = info.context.actor
    return caller.rows if caller else _nothing


def _nothing(model: type[Model]) -> QuerySet[Model]:
    return model.filter(pk__in=[])
