"""Consents (OAuth 2.0, RFC 6749): what a provider says of its own in its module, and the client for all of them.

    class GoogleCalendar(Provider[Credentials], Calendar):
        oauth = OAuth("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token", scopes=(…))

With PKCE (RFC 7636, S256), `iss` where the provider sends it (RFC 9207), revocation where there is some (RFC 7009).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx
import orjson
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import BaseModel, SecretStr

from errors import Disconnected, Refused, Unavailable
from providers.base import HttpProvider, _reason
from providers.offers import Category


class InvalidGrant(Disconnected):
    """The consent, or the code, is over: expired, revoked, used (RFC 6749 5.2)."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """A provider's side of it. `settings` are the names of ours that hold the client's id and secret; `asks` goes to
    the page of consent besides."""

    authorize_url: str
    token_url: str
    settings: tuple[str, str]
    scopes: tuple[str, ...]
    revoke_url: str | None = None
    issuer: str | None = None
    asks: Mapping[str, str] = field(default_factory=dict)

    def at(self, base: str) -> "OAuth":
        """The same at a stand-in's address."""
        return replace(
            self,
            authorize_url=base + urlsplit(self.authorize_url).path,
            token_url=base + urlsplit(self.token_url).path,
            revoke_url=base + urlsplit(self.revoke_url).path if self.revoke_url else None,
            issuer=None,
        )


class Client(BaseModel):
    """Who we are there."""

    client_id: str
    client_secret: SecretStr


@dataclass(frozen=True, slots=True, repr=False)
class Tokens:
    """What a token endpoint gives (RFC 6749 5.1). None where it says nothing: no new refresh token, no end, the scopes
    that were asked for."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    scopes: tuple[str, ...] | None


class OAuthClient(HttpProvider[Client]):
    """Speaks to a provider's token endpoint. Raises InvalidGrant, Refused (ours is the mistake) or Unavailable."""

    category: ClassVar[Category] = Category.INFRASTRUCTURE

    def __init__(
        self, name: str, oauth: OAuth, credentials: Client, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.name, self.server = name, oauth  # type: ignore[misc]
        super().__init__(credentials, url=_origin(oauth.token_url), transport=transport)

    async def check(self) -> None:
        """A refresh token that is none is refused as such to a client that is known."""
        try:
            await self.refresh("none")
        except InvalidGrant:
            return

    def authorization_url(self, *, redirect_uri: str, state: str, verifier: str) -> str:
        """Where a person is sent to agree."""
        return str(
            prepare_grant_uri(
                self.server.authorize_url, self.credentials.client_id, "code", redirect_uri=redirect_uri,
                scope=" ".join(self.server.scopes), state=state, code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256", **self.server.asks,
            )
        )  # fmt: skip

    async def exchange(self, code: str, *, redirect_uri: str, verifier: str) -> Tokens:
        """Tokens for the code that a person came back with."""
        return await self._tokens(
            grant_type="authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """The next access token."""
        return await self._tokens(grant_type="refresh_token", refresh_token=refresh_token)

    async def revoke(self, token: str) -> None:
        """Withdraw a consent. One that is over already is fine."""
        if not self.server.revoke_url:
            return
        if _origin(self.server.revoke_url) != _origin(self.server.token_url):
            raise ValueError(f"{self.name}: tokens are revoked where they are given, and sent nowhere else")
        try:
            await self.call("POST", urlsplit(self.server.revoke_url).path, data={"token": token, **self._ours})
        except Refused:  # Google says invalid_token, where RFC 7009 wants 200
            return

    @property
    def _ours(self) -> dict[str, str]:
        return {
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret.get_secret_value(),
        }

    async def _tokens(self, **asked: str) -> Tokens:
        answer = await self.call("POST", urlsplit(self.server.token_url).path, data=asked | self._ours)
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise Unavailable(f"{self.name} gave no access token")
        if str(answer.get("token_type", "")).lower() != "bearer":
            raise Refused(f"{self.name} gives tokens of a kind that we do not know")
        scopes = answer.get("scope")
        return Tokens(
            answer["access_token"], answer.get("refresh_token") or None, _until(answer.get("expires_in")),
            tuple(scopes.split()) if isinstance(scopes, str) else None,
        )  # fmt: skip

    def _answer(self, response: httpx.Response, body: bytes) -> Any:
        """The status alone does not tell a consent that is over from a client that is wrong: the answer does."""
        if response.status_code in (400, 401) and _error(body) == "invalid_grant":
            raise InvalidGrant(self.without_secrets(f"{self.name}: {_reason(body)}"))
        try:
            return super()._answer(response, body)
        except Disconnected as error:
            raise Refused(str(error)) from error


def _error(body: bytes) -> object:
    """RFC 6749 5.2."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return told.get("error") if isinstance(told, dict) else None


def _until(seconds: object) -> datetime | None:
    if isinstance(seconds, str) and seconds.isdecimal():
        seconds = int(seconds)
    return datetime.now(UTC) + timedelta(seconds=seconds) if isinstance(seconds, int) else None


def _origin(url: str) -> str:
    at = urlsplit(url)
    return f"{at.scheme}://{at.netloc}"
