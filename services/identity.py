"""Signing in, and who a token speaks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Subquery

from errors import Forbidden, Unauthenticated
from models import Membership, Role, User
from models.database import fetch
from policy import Actor
from services import access_keys, lockout, passwords, portal_tokens, second_factors, sessions, tokens
from services.sessions import Device, Tokens

CHALLENGE_LIFE = timedelta(minutes=5)
SLUG = r"[^\0]{1,63}"  # what the column can be compared with
NOWHERE = "-"  # no slug begins so
WRONG = "Unknown e-mail address or wrong password."


@dataclass(frozen=True, slots=True)
class Challenge:
    """The password was right; with a code of the second factor, this token signs in."""

    token: str
    expires_at: datetime


async def sign_in(email: str, password: str, device: Device, organization: str | None = None) -> Tokens | Challenge:
    """Sign in to the organization of this slug, or the oldest that the person belongs to.

    Raises Unauthenticated, the same for any reason, and Limited after too many attempts.
    """
    user = await User.get_or_none(email=email)
    good = await lockout.tried(lockout.PASSWORD, email, device.address, lambda: passwords.matches(user, password))
    membership = await _membership(user, organization) if user and good else None
    if user is None or membership is None:
        raise Unauthenticated(WRONG)
    if user.second_factor_since:
        claims = {"user": str(user.id), "member": str(membership.id), "version": passwords.version(user)}
        return Challenge(*tokens.sign(tokens.SECOND_FACTOR, claims, CHALLENGE_LIFE))
    return await sessions.begin(user, membership, device)


async def answer(challenge: str, code: str, device: Device) -> Tokens:
    """Sign in with a code, after the password. Raises Unauthenticated, and Limited after too many attempts."""
    claims = tokens.read(tokens.SECOND_FACTOR, challenge)
    user = await User.get_or_none(id=UUID(claims["user"])) if claims else None
    if claims is None or user is None or passwords.version(user) != claims["version"] or not user.second_factor_since:
        raise Unauthenticated("This took too long. Sign in again.")
    membership = await Membership.get_or_none(id=UUID(claims["member"]), active=True)
    if membership is None or not await second_factors.takes(user, code, device.address):
        raise Unauthenticated(second_factors.WRONG, field="input.code")
    return await sessions.begin(user, membership, device)


async def actor_of(token: str, origin: str | None = None, organization: str | None = None) -> Actor | None:
    """Who a bearer token speaks for, with the role of this moment; None for a token that is no longer good.

    `origin` is the calling page's; keys are as `access_keys.actor_of` has it. `organization` is the slug of another one
    than the session's. Raises Forbidden where the person is no member of that.
    """
    if token.startswith(access_keys.PREFIXES):
        return await access_keys.actor_of(token, origin)
    if portal_tokens.is_token(token):
        return await portal_tokens.actor_of(token)
    claims = _access(token)
    if claims is None:
        return None
    if organization and not re.fullmatch(SLUG, organization):
        organization = NOWHERE
    # At each request, and so one small statement instead of a queryset.
    rows = await fetch(_ELSEWHERE if organization else _THERE, claims["sid"], organization or claims["org"])
    if rows:
        return Actor(Role(rows[0][0]), rows[0][1], rows[0][2])
    if organization and await fetch(_THERE, claims["sid"], claims["org"]):
        raise Forbidden("You are no member of an organization of this name.", field="organization")
    return None


async def places(actor: Actor) -> list[tuple[str, str, Role, bool]]:
    """(slug, name, role, whether it is this one) of each organization that the person belongs to."""
    # A sub-select: Tortoise joins a table to itself by an alias that it then keeps for every later query.
    oneself = Subquery(Membership.filter(id=actor.membership_id).values("user_id"))
    rows = await Membership.filter(active=True, user_id__in=oneself).order_by("id").prefetch_related("organization")
    return [
        (row.organization.slug, row.organization.name, row.role, row.organization_id == actor.organization_id)
        for row in rows
    ]


def session_of(token: str) -> UUID | None:
    """The session of an access token; None for a key, and for one that is no longer good."""
    claims = _access(token)
    return UUID(claims["sid"]) if claims else None


_OPEN = (
    "SELECT m.role, m.organization_id, m.id FROM sessions s JOIN memberships m ON m.user_id = s.user_id AND m.active"
)
_LASTS = "s.id = $1 AND s.ended_at IS NULL AND s.expires_at > now()"
_THERE = f"{_OPEN} WHERE {_LASTS} AND m.organization_id = $2"
_ELSEWHERE = f"{_OPEN} JOIN organizations o ON o.id = m.organization_id WHERE {_LASTS} AND o.slug = $2"


def _access(token: str) -> Mapping[str, Any] | None:
    """The claims of an access token; None for one that is no longer good, or is from before there were sessions."""
    claims = tokens.read(tokens.ACCESS, token)
    return claims if claims and "sid" in claims else None


async def _membership(user: User, organization: str | None) -> Membership | None:
    theirs = Membership.filter(user_id=user.id, active=True)
    if organization and not re.fullmatch(SLUG, organization):
        return None
    if organization:
        theirs = theirs.filter(organization__slug=organization)
    return await theirs.order_by("id").first()
