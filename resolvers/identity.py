"""Signing in, and who is signed in."""

import models
from policy import Permission
from schema.base import given
from schema.context import Info, actor
from schema.organizations import Membership, SignedIn, SignInInput
from schema.roots import Wanted, exchange, one
from schema.scalars import DateTime
from services import identity


@one(Membership, requires=Permission.MEMBER)
def me(info: Info) -> Wanted:
    """The person signed in, their organization and their role there."""
    return models.Membership, actor(info).membership_id


@exchange(SignedIn, requires=Permission.PUBLIC)  # no transaction: hashing takes its time
async def sign_in(info: Info, input: SignInInput) -> SignedIn:
    """Sign in with e-mail address and password; the access token is good for 15 minutes."""
    given(input)
    token, expires_at = await identity.sign_in(input.email, input.password, info.context.address)
    return SignedIn(access_token=token, expires_at=DateTime(expires_at))
