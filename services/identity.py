"""Signing in, and who a token speaks for."""

import asyncio
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from errors import Unauthenticated
from models import Membership, Role, User
from models.database import fetch
from policy import Actor
from services import access_keys, tokens

ACCESS_LIFE = timedelta(minutes=15)
PASSWORD_MOST = 1024  # characters; more is no password, it is an attempt to make us hash

_hasher = PasswordHasher()  # argon2id with the library's parameters (RFC 9106, low memory)
# What an unknown address is checked against, so that it takes as long as a known one.
_nobody = _hasher.hash("nobody")


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def sign_in(email: str, password: str) -> tuple[str, datetime]:
    """(access token, until when it is good). Raises Unauthenticated, the same for any reason."""
    user = await User.get_or_none(email=email)
    good = len(password) <= PASSWORD_MOST and await asyncio.to_thread(
        _matches, user.password_hash if user else _nobody, password
    )
    membership = await Membership.filter(user_id=user.id, active=True).order_by("id").first() if user else None
    if user is None or membership is None or not good:
        raise Unauthenticated("Unknown e-mail address or wrong password.")
    claims = {"sub": str(user.id), "org": str(membership.organization_id)}
    return tokens.sign(tokens.ACCESS, claims, ACCESS_LIFE)


async def actor_of(token: str, origin: str | None = None) -> Actor | None:
    """Who a bearer token speaks for, with the role of this moment; None for a token that is no longer good. `origin` is
    the calling page's; keys are as `access_keys.actor_of` has it."""
    if token.startswith(access_keys.PREFIXES):
        return await access_keys.actor_of(token, origin)
    claims = tokens.read(tokens.ACCESS, token)
    if claims is None:
        return None
    # At each request, and so one small statement instead of a queryset.
    rows = await fetch(
        "SELECT role, organization_id, id FROM memberships WHERE organization_id = $1 AND user_id = $2 AND active",
        claims["org"],
        claims["sub"],
    )
    return Actor(Role(rows[0][0]), rows[0][1], rows[0][2]) if rows else None


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
