"""Those who work in an organization: let in, given another role, removed.

Changes of an organization's members take turns, so that two of them at once cannot leave it without an owner.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from errors import Conflict
from models import Client, Invitation, Membership, OAuthGrant, OAuthStatus, Organization, Role, User
from policy import Actor
from services import consents, hashing


@dataclass(frozen=True)
class Person:
    """Who is let in."""

    email: str
    first_name: str
    last_name: str


async def add(actor: Actor, person: Person, role: Role) -> tuple[Membership, str | None]:
    """(the member, the password to give to somebody new; None for who has an account, with a password and a name of
    their own). Raises Forbidden, and Conflict for who is a member already."""
    actor.must_be_able_to_give(role)
    password = secrets.token_urlsafe(12)
    hashed = await hashing.hashed(password)  # it takes its time, and so before anything is locked
    await _take_turns(actor)
    user = await User.get_or_none(email=person.email)
    known = user is not None
    if user is None:
        user = await User.create(
            email=person.email, first_name=person.first_name, last_name=person.last_name, password_hash=hashed
        )
    member = await Membership.get_or_none(organization_id=actor.organization_id, user_id=user.id)
    if member is not None and member.active:
        raise Conflict("This person is a member already. Change their role instead.", field="input.email")
    if known and member is None and user.confirmed_at is None:
        # Somebody else made this account, and knows its password.
        raise Conflict("Nobody confirmed this address yet. Invite them instead.", field="input.email")
    member = member or Membership(organization_id=actor.organization_id, user=user)
    member.role, member.active = role, True
    await member.save()
    return member, None if known else password


async def update(actor: Actor, member: Membership, role: Role) -> Membership:
    """The member with another role, which holds from their next request on. Raises Forbidden and Conflict."""
    member = await _in_turn(actor, member)
    actor.must_be_able_to_give(member.role, role)
    if role is not Role.OWNER:
        await _must_leave_an_owner(member)
    member.role = role
    await member.save(update_fields=["role"])
    return member


async def remove(actor: Actor, member: Membership) -> Membership:
    """Let somebody in no more, from their next request on; nobody looks after their clients. What they did keeps their
    name. Raises Forbidden and Conflict."""
    member = await _in_turn(actor, member)
    actor.must_be_able_to_give(member.role)
    await _must_leave_an_owner(member)
    member.active = False
    await member.save(update_fields=["active"])
    await Client.filter(organization_id=member.organization_id, consultant_id=member.id).update(consultant_id=None)
    await _take_invitations_back(member)
    for grant in await OAuthGrant.filter(
        organization_id=member.organization_id, membership_id=member.id, status=OAuthStatus.CONNECTED
    ).select_for_update():
        await consents.withdraw(grant)
    return member


async def _in_turn(actor: Actor, member: Membership) -> Membership:
    """The member as they are once it is our turn."""
    await _take_turns(actor)
    current: Membership = await Membership.get(id=member.id)
    if not current.active:
        raise Conflict("This person is no member any more. Add them again.", field="input.member")
    return current


async def _take_invitations_back(member: Membership) -> None:
    """Those of the person, who would come back by them."""
    theirs = Invitation.filter(organization_id=member.organization_id, accepted_at=None, revoked_at=None)
    email = (await User.get(id=member.user_id)).email
    await theirs.filter(email=email).update(revoked_at=datetime.now(UTC))


async def _take_turns(actor: Actor) -> None:
    await Organization.select_for_update(no_key=True).get(id=actor.organization_id)


async def _must_leave_an_owner(member: Membership) -> None:
    if member.role is not Role.OWNER:
        return
    others = Membership.filter(organization_id=member.organization_id, role=Role.OWNER, active=True)
    if not await others.exclude(id=member.id).exists():
        raise Conflict("This is the last owner. Make somebody else an owner first.", field="input.member")
