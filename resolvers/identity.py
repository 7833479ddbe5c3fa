"""Signing in, and who is signed in."""

from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from errors import NotFound, Unauthenticated
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.identity import (
    Done,
    Place,
    SecondFactorRequired,
    SecondFactorVerifyInput,
    Session,
    SessionEndInput,
    SessionRefreshInput,
    SessionResult,
    SessionsEnded,
    SignedIn,
    SignedInByCookie,
    SignInInput,
    SignInResult,
)
from schema.organizations import Membership
from schema.roots import Wanted, connection, exchange, mutation, one, query
from schema.scalars import DateTime
from services import identity
from services import sessions as sessions_service
from services.identity import Challenge
from services.sessions import Tokens


@one(Membership, requires=Permission.MEMBER)
def me(info: Info) -> Wanted:
    """The person signed in, their organization and their role there."""
    return models.Membership, actor(info).membership_id


@query(list[Place], requires=Permission.MEMBER)
async def my_organizations(info: Info) -> list[Place]:
    """The organizations that one belongs to, the oldest membership first."""
    rows = await identity.places(actor(info))
    return [Place(slug=slug, name=name, role=role, current=current) for slug, name, role, current in rows]


@connection(Session, requires=Permission.MEMBER)
def sessions(info: Info) -> QuerySet[models.Session]:
    """Where one is signed in, or was; newest first."""
    return actor(info).rows(models.Session)


@one(Session, requires=Permission.MEMBER)
def current_session(info: Info) -> Wanted:
    """The session of this request."""
    return (models.Session, info.context.session_id) if info.context.session_id else None


@one(Session, requires=Permission.MEMBER)
def session(id: strawberry.ID) -> Wanted:
    """One session of one's own."""
    return models.Session, row_id(models.Session, id)


@exchange(SignInResult, requires=Permission.PUBLIC)  # no transaction: hashing takes its time
async def sign_in(info: Info, input: SignInInput) -> Any:
    """Sign in with e-mail address and password. Where a second factor is set up, `secondFactorVerify` comes next."""
    given(input)
    device = info.context.device(by_cookie=_may_have_cookies(info, input.by_cookie))
    result = await identity.sign_in(input.email, input.password, device, input.organization)
    if isinstance(result, Challenge):
        return SecondFactorRequired(challenge=result.token, expires_at=DateTime(result.expires_at))
    return handed_over(info, result)


@exchange(SessionResult, requires=Permission.PUBLIC)
async def second_factor_verify(info: Info, input: SecondFactorVerifyInput) -> Any:
    """Sign in with a code, after the password."""
    device = info.context.device(by_cookie=_may_have_cookies(info, input.by_cookie))
    return handed_over(info, await identity.answer(input.challenge, input.code, device))


@exchange(SessionResult, requires=Permission.PUBLIC)
async def session_refresh(info: Info, input: SessionRefreshInput | None = None) -> Any:
    """The next access token, and the next refresh token. Each is good once: one that comes back ends the session."""
    token, kept = input.refresh_token if input else None, info.context.cookies
    if token is not None:
        return handed_over(info, await sessions_service.refresh(token, info.context.device()))
    kept.must_be_able_to_change()
    try:
        return handed_over(info, await sessions_service.refresh(kept.refresh or "", info.context.device()))
    except Unauthenticated:
        kept.forget()  # who cannot read them cannot throw them away either
        raise


@mutation(Done, requires=Permission.MEMBER)
async def sign_out(info: Info) -> Done:
    """End the session of this request."""
    if current := await models.Session.get_or_none(id=info.context.session_id):
        await sessions_service.end(current, models.SessionEnd.SIGNED_OUT)
        if current.by_cookie:
            info.context.cookies.forget()
    return Done()


@mutation(Session, requires=Permission.MEMBER)
async def session_end(info: Info, input: SessionEndInput) -> models.Session:
    """End one session of one's own: a device that was lost, say. Its tokens are good for nothing from now on."""
    row = await actor(info).get(models.Session, input.session, field="input.session", for_update=True)
    await sessions_service.end(row, models.SessionEnd.ENDED)
    return row


@mutation(SessionsEnded, requires=Permission.MEMBER)
async def session_end_others(info: Info) -> SessionsEnded:
    """End all of one's sessions but this one."""
    user = await person(info)
    count = await sessions_service.end_all(user.id, models.SessionEnd.ENDED, but=info.context.session_id)
    return SessionsEnded(count=count)


async def person(info: Info) -> models.User:
    """Who is signed in."""
    member = await models.Membership.get_or_none(id=actor(info).membership_id).prefetch_related("user")
    if member is None:
        raise NotFound("You are no member any more.")
    user: models.User = member.user
    return user


def handed_over(info: Info, tokens: Tokens) -> SignedIn | SignedInByCookie:
    """A session's tokens, in the answer or in cookies."""
    expires_at, ends_at = DateTime(tokens.expires_at), DateTime(tokens.session_ends_at)
    if tokens.by_cookie:
        info.context.cookies.keep(tokens)
        return SignedInByCookie(expires_at=expires_at, session_expires_at=ends_at)
    return SignedIn(
        access_token=tokens.access, expires_at=expires_at, refresh_token=tokens.refresh, session_expires_at=ends_at
    )


def _may_have_cookies(info: Info, by_cookie: bool) -> bool:
    if by_cookie:
        info.context.cookies.must_be_able_to_change()
    return by_cookie
