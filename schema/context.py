"""Who is calling, as resolvers see it."""

from dataclasses import dataclass, field
from uuid import UUID

import strawberry

from engine.views import Viewer
from errors import Unauthenticated
from policy import NOBODY, Actor, Permission
from services.cookies import Cookies
from services.sessions import Device


@dataclass
class Context:
    """What every resolver is given."""

    actor: Actor | None
    address: str | None = None  # where the request came from
    user_agent: str | None = None
    session_id: UUID | None = None  # of a person
    cookies: Cookies = field(default_factory=Cookies)

    @property
    def viewer(self) -> Viewer:
        """Whose rows are shown: the caller's, and nothing to nobody."""
        return self.actor or NOBODY

    def device(self, *, by_cookie: bool = False) -> Device:
        """Where a session is begun or goes on."""
        return Device(self.address, self.user_agent, by_cookie)


Info = strawberry.Info[Context, None]


def actor(info: Info) -> Actor:
    """The caller. Raises Unauthenticated for nobody."""
    if info.context.actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    return info.context.actor


def oneself(info: Info) -> UUID | None:
    """The caller's membership; None for a key, which is nobody's."""
    caller = actor(info)
    return caller.membership_id if caller.may(Permission.MEMBER) else None
