"""Who is calling, as resolvers see it."""

from dataclasses import dataclass

import strawberry

from engine.views import Viewer
from errors import Unauthenticated
from policy import NOBODY, Actor


@dataclass
class Context:
    """What every resolver is given."""

    actor: Actor | None
    address: str | None = None  # where the request came from
    user_agent: str | None = None  # what the caller's program calls itself

    @property
    def viewer(self) -> Viewer:
        """Whose rows are shown: the caller's, and nothing to nobody."""
        return self.actor or NOBODY


Info = strawberry.Info[Context, None]


def actor(info: Info) -> Actor:
    """The caller. Raises Unauthenticated for nobody."""
    if info.context.actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    return info.context.actor
