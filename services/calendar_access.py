"""A calendar's provider, opened for a use: by its person's consent, or by the organization's own keys."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from errors import Disconnected, NotConfigured, Unavailable
from models import Calendar, OAuthGrant
from providers import capabilities, registry
from providers.google import AccessToken
from services import integrations, oauth
from services.outside import outside


@dataclass(frozen=True)
class Access:
    """What a provider is reached by; calendars with the same share it. `grant_id` None: the organization's own keys."""

    organization_id: UUID
    provider: str
    grant_id: UUID | None

    @classmethod
    def of(cls, calendar: Calendar) -> "Access":
        return cls(calendar.organization_id, calendar.provider, calendar.grant_id)


Opener = Callable[[Access, str], AbstractAsyncContextManager[capabilities.Calendar]]


def opened(access: Access, purpose: str) -> AbstractAsyncContextManager[capabilities.Calendar]:
    """The provider; `purpose`, the job that wants it, goes to the access log. Raises NotConfigured where it is switched
    off, Disconnected where access was withdrawn, and what the provider raises."""
    if opener := outside().calendars:
        return opener(access, purpose)
    if access.grant_id:
        return _consented(access, access.grant_id, purpose)
    return integrations.connected(access.organization_id, access.provider, purpose)


@asynccontextmanager
async def _consented(access: Access, grant_id: UUID, purpose: str) -> AsyncIterator[capabilities.Calendar]:
    """By a consent. Where its token is refused before its time another is asked for, and used the next time."""
    grant = await OAuthGrant.get(id=grant_id)
    token = await oauth.access_token(grant, purpose)
    kind = registry.provider(access.provider)
    if kind is None:
        raise NotConfigured(f"{access.provider} cannot be connected.")
    async with kind.connect(AccessToken(access_token=SecretStr(token)), integrations.surroundings()) as remote:
        try:
            yield remote  # type: ignore[misc]
        except Disconnected:
            await oauth.access_token(grant, purpose, refused=token)  # raises Disconnected where the consent is over
            raise Unavailable(f"{kind.name} did not take its token, which was renewed", retry_after=1) from None
