"""Signing in, and who a token speaks for."""

from datetime import datetime, timedelta

from errors import Limited, Unauthenticated
from models import Membership, Role, User
from models.database import fetch
from policy import Actor
from services import access_keys, hashing, lockout, tokens

ACCESS_LIFE = timedelta(minutes=15)


async def sign_in(email: str, password: str, address: str | None) -> tuple[str, datetime]:
    """(access token, until when it is good). Raises Unauthenticated, the same for any reason, and Limited where too
    many attempts were made before (`services/lockout.py`)."""
    await lockout.check(lockout.PASSWORD, email, address)
    user = await User.get_or_none(email=email)
    try:
        good = await hashing.matches(user.password_hash if user else None, password)
    except Limited:
        await lockout.untried(lockout.PASSWORD, email, address)
        raise
    membership = await Membership.filter(user_id=user.id, active=True).order_by("id").first() if user else None
    if user is None or membership is None or not good:
        await lockout.failed(lockout.PASSWORD, email, address)
        raise Unauthenticated("Unknown e-mail address or wrong password.")
    await lockout.succeeded(lockout.PASSWORD, email, address)
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
