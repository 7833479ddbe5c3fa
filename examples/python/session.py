"""Signing in, and staying so."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
from api import Api, refusal_of
from comptoir import (
    ErrorCode,
    SecondFactorVerifyInput,
    SessionRefreshInput,
    SignInInput,
    SignInSignInSecondFactorRequired,
    Tokens,
)
from comptoir.base_model import BaseModel

EARLY = timedelta(seconds=30)  # before its end, in which an access token is not used any more


class Session(httpx.Auth):
    """Of a person who is signed in: sends their access token, and asks for the next one when it ends."""

    def __init__(self, url: str, tokens: Tokens) -> None:
        self.url, self._tokens = url, tokens
        self._refreshing = asyncio.Lock()

    def api(self) -> Api:
        """To call as this person. An UNAUTHENTICATED that it raises means that the session is over."""
        return Api(self.url, auth=self)

    async def access_token(self, refused: str | None = None) -> str:
        """One that is good. `refused` is one that the API does not take any more."""
        async with self._refreshing:  # a refresh token is good once
            if self._tokens.access_token == refused or self._tokens.expires_at - datetime.now(UTC) < EARLY:
                async with Api(self.url) as api:
                    given = SessionRefreshInput(refresh_token=self._tokens.refresh_token)
                    self._tokens = _tokens_of(await api.session_refresh(given))
            return self._tokens.access_token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        await response.aread()
        refusal = refusal_of(response)
        if refusal and refusal.code is ErrorCode.UNAUTHENTICATED:
            request.headers["Authorization"] = f"Bearer {await self.access_token(refused=token)}"
            yield request


async def sign_in(url: str, email: str, password: str, ask_code: Callable[[], Awaitable[str]]) -> Session:
    """Sign in; `ask_code` gives a code of the person's authenticator app, where they have one. Raises ApiError."""
    async with Api(url) as api:
        came: BaseModel = await api.sign_in(SignInInput(email=email, password=password))
        if isinstance(came, SignInSignInSecondFactorRequired):
            answer = SecondFactorVerifyInput(challenge=came.challenge, code=await ask_code())
            came = await api.second_factor_verify(answer)
    return Session(url, _tokens_of(came))


def _tokens_of(came: BaseModel) -> Tokens:
    """Cookies come only to who asks for them with `by_cookie=True`."""
    if isinstance(came, Tokens):
        return came
    raise TypeError("The tokens came in cookies.")
