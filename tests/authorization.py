"""A small authorization server (RFC 6749): what a provider of consents does, and may do wrong, as a transport."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import SecretStr

from providers.google_calendar import SCOPES
from services import outside

CLIENT_ID, CLIENT_SECRET = "client-of-ours", "client-secret-that-nobody-reads"
SCOPE = " ".join(SCOPES)


@contextmanager
def in_place() -> "Iterator[AuthorizationServer]":
    """One instead of Google's, for the time of the block."""
    usual, opened = outside.outside(), AuthorizationServer()
    client = {"google_oauth_client_id": CLIENT_ID, "google_oauth_client_secret": SecretStr(CLIENT_SECRET)}
    settings = usual.settings.model_copy(update=client | {"google_api_base": None})
    outside.use(replace(usual, settings=settings, oauth_transport=opened))
    try:
        yield opened
    finally:
        outside.use(usual)


class AuthorizationServer(httpx.AsyncBaseTransport):
    """Gives codes and tokens; each refresh token once, where it `rotates`. `asked` are the forms that came."""

    def __init__(self, *, rotates: bool = False) -> None:
        self.asked: list[dict[str, str]] = []
        self.rotates = rotates
        self.scope = SCOPE
        self.lasts = 3600
        self.failures: list[tuple[int, dict[str, Any]]] = []  # answered instead, one each
        self.delay = 0.0
        self._codes: dict[str, str] = {}  # code → PKCE challenge
        self._good: set[str] = set()  # refresh tokens
        self._made = 0

    def agree(self, authorization_url: str) -> dict[str, str]:
        """A person agrees: what they are sent back with."""
        asked = {name: values[0] for name, values in parse_qs(httpx.URL(authorization_url).query.decode()).items()}
        assert asked["client_id"] == CLIENT_ID and asked["code_challenge_method"] == "S256"
        code = self._token("code")
        self._codes[code] = asked["code_challenge"]
        return {"code": code, "state": asked["state"], "redirect_uri": asked["redirect_uri"]}

    def forget(self) -> None:
        """Every consent is revoked over there."""
        self._good.clear()

    @property
    def good(self) -> set[str]:
        """Refresh tokens that are taken."""
        return self._good

    @property
    def refreshes(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for form in self.asked)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs((await request.aread()).decode()).items()}
        self.asked.append(form)
        await asyncio.sleep(self.delay)
        if self.failures:
            status, told = self.failures.pop(0)
            return httpx.Response(status, json=told)
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return httpx.Response(401, json={"error": "invalid_client"})
        if request.url.path.endswith("/revoke"):
            self._good.discard(form["token"])
            return httpx.Response(200, json={})
        return self._code(form) if form["grant_type"] == "authorization_code" else self._refresh(form)

    def _code(self, form: dict[str, str]) -> httpx.Response:
        challenge = self._codes.pop(form["code"], None)
        if challenge is None or create_s256_code_challenge(form.get("code_verifier", "")) != challenge:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "Bad code or verifier."})
        return self._given(refreshed=self._new_refresh_token())

    def _refresh(self, form: dict[str, str]) -> httpx.Response:
        if form["refresh_token"] not in self._good:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return httpx.Response(400, json=told)
        if not self.rotates:
            return self._given(refreshed=None)
        self._good.discard(form["refresh_token"])
        return self._given(refreshed=self._new_refresh_token())

    def _given(self, refreshed: str | None) -> httpx.Response:
        told = {
            "access_token": self._token("access"), "token_type": "Bearer", "expires_in": self.lasts,
            "scope": self.scope,
        }  # fmt: skip
        return httpx.Response(200, json=told | ({"refresh_token": refreshed} if refreshed else {}))

    def _new_refresh_token(self) -> str:
        token = self._token("refresh")
        self._good.add(token)
        return token

    def _token(self, kind: str) -> str:
        self._made += 1
        return f"{kind}-token-number-{self._made:05}-of-the-server"
