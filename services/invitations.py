"""Asking somebody to become a member, and their answer."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Conflict, Invalid, Limited
from models import Invitation, Membership, Organization, Role, User
from models.database import query, transaction
from policy import Actor, Permission
from services import account_letters, audit, beneficiaries, credentials, hashing, passwords, tokens
from services.outbox import later

LIFE = timedelta(days=7)
WITHIN_LIFE_MOST = 200  # of an organization, open or not: each is a letter to somebody
OVER = "This invitation is no longer good. Ask for another one."


async def create(actor: Actor, email: str, role: Role) -> Invitation:
    """Invite somebody, in place of an invitation that they have. Raises Forbidden, Conflict and Limited."""
    actor.must_be_able_to_give(role)
    here, now = actor.organization_id, datetime.now(UTC)
    await Organization.select_for_update(no_key=True).get(id=here)  # two at once take turns
    mine = Invitation.filter(organization_id=here, accepted_at=None, revoked_at=None)
    if await Membership.exists(organization_id=here, user__email=email, active=True):
        raise Conflict("This person is a member already. Change their role instead.", field="input.email")
    actor.must_be_able_to_give(*[former.role for former in await mine.filter(email=email)])
    await mine.filter(email=email).update(revoked_at=now)
    if await Invitation.filter(organization_id=here, created_at__gt=now - LIFE).count() >= WITHIN_LIFE_MOST:
        raise Limited(f"{WITHIN_LIFE_MOST} people were invited within a week. Wait for some days.")
    invitation = await Invitation.create(
        organization_id=here, email=email, role=role, invited_by_id=actor.membership_id, expires_at=now + LIFE,
    )  # fmt: skip
    await later(account_letters.invite, invitation)
    return invitation


async def revoke(actor: Actor, invitation: Invitation) -> Invitation:
    """Take an invitation back. Raises Forbidden, and Conflict for one that was accepted."""
    actor.must_be_able_to_give(invitation.role)
    if invitation.accepted_at:
        raise Conflict("This invitation was accepted. Remove the member instead.", field="input.invitation")
    if invitation.revoked_at is None:
        invitation.revoked_at = datetime.now(UTC)
        await invitation.save(update_fields=["revoked_at"])
    return invitation


async def of_token(token: str) -> Invitation:
    """The open invitation of a link. Raises Invalid, the same for any reason."""
    claims = tokens.read(tokens.INVITATION, token)
    id = UUID(claims["id"]) if claims else None
    invitation = await Invitation.get_or_none(id=id).prefetch_related("organization", "invited_by")
    if invitation is None or not invitation.is_open or not _still_invites(invitation.invited_by, invitation.role):
        raise Invalid(OVER, field="input.token")
    return invitation


async def accept(
    token: str, first_name: str | None, last_name: str | None, password: str | None
) -> tuple[Membership, bool]:
    """(the member, whether they are new here and so may be signed in at once). Opens a transaction.

    Who has an account keeps its password and name, and signs in with them; but for an account that somebody made for
    their address, and whose password they may know. Raises Invalid, naming the field, and Conflict.
    """
    invitation = await of_token(token)
    known, hashed = await has_account(invitation.email), ""
    if not known:
        for name, value in (("firstName", first_name), ("lastName", last_name), ("password", password)):
            if not value:
                raise Invalid("Whoever is new here gives a name and chooses a password.", field=f"input.{name}")
        passwords.must_be_good(password or "", invitation.email)
        hashed = await hashing.hashed(password or "")  # it takes its time, and so before anything is locked
    async with transaction():
        taken = await query(
            "UPDATE invitations SET accepted_at = now() WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL"
            " RETURNING id",
            invitation.id,
        )
        if not taken:
            raise Invalid(OVER, field="input.token")
        user = await User.select_for_update(no_key=True).get_or_none(email=invitation.email)
        if not known:
            user = await _joined(user or User(email=invitation.email), hashed, first_name or "", last_name or "")
        elif user is None:
            raise Invalid(OVER, field="input.token")  # they took another address just now
        member = await _member(invitation, user)
        if client := await beneficiaries.connect(member.organization_id, invitation.email):
            await audit.note(
                "clientConnected", organization_id=member.organization_id, member_id=member.id, subject=client
            )
        await audit.note(
            "invitationAccepted", organization_id=member.organization_id, member_id=member.id, subject=invitation
        )
        return member, not known


async def has_account(email: str) -> bool:
    """Whether somebody who reads the letters to this address has one."""
    return await User.filter(email=email).exclude(confirmed_at=None).exists()


async def _joined(user: User, password_hash: str, first_name: str, last_name: str) -> User:
    if user.confirmed_at:
        raise Conflict("You have an account by now. Open the letter again, and sign in.", field="input.token")
    user.first_name, user.last_name, user.password_hash = first_name, last_name, password_hash
    await user.save()
    await credentials.claim(user, password_hash)
    return user


def _still_invites(inviter: Membership, role: Role) -> bool:
    """Whether who invited could do so today: nobody comes back by an invitation that they sent before they left."""
    actor = Actor(inviter.role, inviter.organization_id, inviter.id)
    owners = inviter.role is Role.OWNER or role is not Role.OWNER
    return inviter.active and actor.may(Permission.MEMBERS_WRITE) and owners


async def _member(invitation: Invitation, user: User) -> Membership:
    member = await Membership.get_or_none(organization_id=invitation.organization_id, user_id=user.id)
    if member is None:
        return await Membership.create(
            organization_id=invitation.organization_id, user=user, role=invitation.role
        )  # fmt: skip
    if not member.active:
        member.role, member.active = invitation.role, True
        await member.save(update_fields=["role", "active"])
    return member
