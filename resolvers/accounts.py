"""Registering, being invited, and one's own account."""

from typing import Any

import strawberry
from tortoise.queryset import QuerySet

import models
from models.database import transaction
from policy import Permission, row_id
from resolvers.identity import handed_over, person
from schema.base import given
from schema.context import Info, actor
from schema.identity import (
    Done,
    EmailChangeInput,
    Invitation,
    InvitationAccepted,
    InvitationAcceptInput,
    InvitationCreateInput,
    InvitationFilter,
    InvitationOffer,
    InvitationRevokeInput,
    LetterSent,
    OrganizationCreateAnotherInput,
    OrganizationRegisterInput,
    PasswordChangeInput,
    PasswordResetInput,
    PasswordResetRequestInput,
    Place,
    ProfileUpdateInput,
    RecoveryCodes,
    RegistrationConfirmInput,
    SecondFactorConfirmInput,
    SecondFactorProofInput,
    SecondFactorSetup,
    SecondFactorStartInput,
    SessionResult,
    TokenInput,
)
from schema.lists import filtered
from schema.organizations import User
from schema.roots import Wanted, connection, exchange, mutation, one, query
from schema.scalars import DateTime, Email
from services import credentials, registrations, second_factors, sessions
from services import invitations as invitations_service
from services.registrations import Owner

# Registering


@exchange(LetterSent, requires=Permission.PUBLIC)
async def organization_register(input: OrganizationRegisterInput) -> LetterSent:
    """Ask for an account for a new organization. A letter to the address asks to confirm it; nothing is made before."""
    given(input)
    organization = given(input.organization, path="input.organization")
    owner = Owner(input.email, input.first_name, input.last_name)
    await registrations.register(owner, organization)
    return LetterSent(to=Email(input.email))


@exchange(SessionResult, requires=Permission.PUBLIC)
async def registration_confirm(info: Info, input: RegistrationConfirmInput) -> Any:
    """Make the organization and its owner, who chooses a password and is signed in."""
    if input.by_cookie:
        info.context.cookies.must_be_able_to_change()
    member = await registrations.confirm(input.token, input.password)
    return handed_over(
        info, await sessions.begin(await member.user, member, info.context.device(by_cookie=input.by_cookie))
    )


@mutation(Place, requires=Permission.MEMBER, idempotent=True)
async def organization_create(info: Info, input: OrganizationCreateAnotherInput) -> Place:
    """Make another organization, of which one is the owner. The header `X-Organization`, with its slug, picks it."""
    columns = given(input.organization, path="input.organization")
    user = await person(info)
    member = await registrations.found(user, registrations.completed(columns, user.email))
    organization: models.Organization = await member.organization
    return Place(slug=organization.slug, name=organization.name, role=member.role, current=False)


# Inviting


@connection(Invitation, requires=Permission.MEMBERS_READ)
def invitations(info: Info, filter: InvitationFilter | None = None) -> QuerySet[models.Invitation]:
    """Who was invited to become a member, newest first."""
    return filtered(actor(info).rows(models.Invitation), filter)


@one(Invitation, requires=Permission.MEMBERS_READ)
def invitation(id: strawberry.ID) -> Wanted:
    """One invitation."""
    return models.Invitation, row_id(models.Invitation, id)


@query(InvitationOffer, requires=Permission.PUBLIC)
async def invitation_offer(token: str) -> InvitationOffer:
    """What the link of an invitation offers."""
    row = await invitations_service.of_token(token)
    return InvitationOffer(
        organization_name=row.organization.name,
        email=Email(row.email),
        role=row.role,
        expires_at=DateTime(row.expires_at),
        has_account=await invitations_service.has_account(row.email),
    )


@mutation(Invitation, requires=Permission.MEMBERS_WRITE, idempotent=True)
async def invitation_create(info: Info, input: InvitationCreateInput) -> models.Invitation:
    """Invite somebody to become a member, by a letter; an earlier invitation of theirs is good no more. Only an owner
    invites owners."""
    given(input)
    return await invitations_service.create(actor(info), input.email, input.role)


@mutation(Invitation, requires=Permission.MEMBERS_WRITE)
async def invitation_revoke(info: Info, input: InvitationRevokeInput) -> models.Invitation:
    """Take an invitation back, for good and at once."""
    row = await actor(info).get(models.Invitation, input.invitation, field="input.invitation", for_update=True)
    return await invitations_service.revoke(actor(info), row)


@exchange(InvitationAccepted, requires=Permission.PUBLIC)  # no transaction: hashing takes its time
async def invitation_accept(info: Info, input: InvitationAcceptInput) -> InvitationAccepted:
    """Become a member. Who is new here gives a name, chooses a password, and is signed in."""
    given(input)
    if input.by_cookie:
        info.context.cookies.must_be_able_to_change()
    member, is_new = await invitations_service.accept(
        input.token, input.first_name or None, input.last_name or None, input.password or None
    )
    organization: models.Organization = await member.organization
    session = None
    if is_new:
        device = info.context.device(by_cookie=input.by_cookie)
        session = handed_over(info, await sessions.begin(await member.user, member, device))
    return InvitationAccepted(organization=organization.slug, session=session)


# One's own account


@mutation(LetterSent, requires=Permission.PUBLIC)
async def password_reset_request(input: PasswordResetRequestInput) -> LetterSent:
    """Ask for a link to choose a new password. The answer is the same for an address that nobody has."""
    await credentials.ask_for_password(input.email)
    return LetterSent(to=input.email)


@exchange(Done, requires=Permission.PUBLIC)  # no transaction: hashing takes its time
async def password_reset(info: Info, input: PasswordResetInput) -> Done:
    """Choose a new password, by a letter's link; all sessions end."""
    await credentials.reset_password(input.token, input.password, info.context.address)
    return Done()


@exchange(Done, requires=Permission.MEMBER)  # no transaction: hashing takes its time
async def password_change(info: Info, input: PasswordChangeInput) -> Done:
    """Choose another password; all other sessions end."""
    context = info.context
    await credentials.change_password(
        await person(info), input.current_password, input.password, address=context.address, session=context.session_id
    )
    return Done()


@exchange(LetterSent, requires=Permission.MEMBER)  # no transaction: hashing takes its time
async def email_change(info: Info, input: EmailChangeInput) -> LetterSent:
    """Ask for another e-mail address. A letter to it asks to confirm it; until then the old one holds."""
    user = await person(info)
    await credentials.must_know(user, input.password, info.context.address)
    await credentials.change_email(user, input.email)
    return LetterSent(to=input.email)


@mutation(Done, requires=Permission.PUBLIC)
async def email_confirm(input: TokenInput) -> Done:
    """Take a new e-mail address in place of the old one, by a letter's link."""
    await credentials.confirm_email(input.token)
    return Done()


@mutation(User, requires=Permission.MEMBER)
async def profile_update(info: Info, input: ProfileUpdateInput) -> models.User:
    """Change one's own name."""
    user, changes = await person(info), given(input)
    if changes:
        await user.update_from_dict(changes).save(update_fields=list(changes))
    return user


# Second factor


@exchange(SecondFactorSetup, requires=Permission.MEMBER)  # no transaction: hashing takes its time
async def second_factor_start(info: Info, input: SecondFactorStartInput) -> SecondFactorSetup:
    """Begin to set up an authenticator app (TOTP). Nothing is asked for before `secondFactorConfirm`."""
    user = await person(info)
    await credentials.must_know(user, input.password, info.context.address)
    setup = await second_factors.start(user)
    return SecondFactorSetup(secret=setup.secret, uri=setup.uri, qr_svg=setup.qr_svg)


@exchange(RecoveryCodes, requires=Permission.MEMBER)  # no transaction: a secret that is opened is written down anyway
async def second_factor_confirm(info: Info, input: SecondFactorConfirmInput) -> RecoveryCodes:
    """Show that the app gives the right codes: from now on one is asked for besides the password."""
    return RecoveryCodes(codes=await second_factors.confirm(await person(info), input.code))


@exchange(Done, requires=Permission.MEMBER)  # no transaction: hashing takes its time
async def second_factor_remove(info: Info, input: SecondFactorProofInput) -> Done:
    """Ask for no codes any more."""
    await second_factors.remove(await _proven(info, input))
    return Done()


@exchange(RecoveryCodes, requires=Permission.MEMBER)  # no transaction around it: hashing takes its time
async def recovery_codes_renew(info: Info, input: SecondFactorProofInput) -> RecoveryCodes:
    """New recovery codes; the old ones are good no more."""
    user = await _proven(info, input)
    async with transaction():
        return RecoveryCodes(codes=await second_factors.new_recovery_codes(user))


async def _proven(info: Info, input: SecondFactorProofInput) -> models.User:
    user = await person(info)
    await credentials.must_know(user, input.password, info.context.address)
    await second_factors.must_take(user, input.code, info.context.address)
    return user
