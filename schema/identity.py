"""Signing in: sessions, second factors, registrations, invitations."""

from typing import Annotated

import strawberry
from strawberry import UNSET

import models
from schema.base import auto, enum, input, node
from schema.lists import among, filter
from schema.organizations import Membership, OrganizationCreateInput
from schema.scalars import DateTime, Email


@node(models.Session)
class Session:
    """Signed in on one device."""

    created_at: auto
    refreshed_at: auto
    expires_at: auto
    ended_at: auto
    end_reason: auto
    by_cookie: auto
    address: auto
    user_agent: auto


@node(models.Invitation)
class Invitation:
    """Somebody is asked to become a member."""

    email: auto
    role: auto
    invited_by: Membership
    created_at: auto
    expires_at: auto
    accepted_at: auto
    revoked_at: auto


@filter(models.Invitation)
class InvitationFilter:
    """Which invitations."""

    role: among
    email: auto


@strawberry.type(description="Signed in, with tokens for whoever keeps them safe: a mobile application, a server.")
class SignedIn:
    access_token: str = strawberry.field(description="Send it as `Authorization: Bearer …`.")
    expires_at: DateTime = strawberry.field(description="Until when the access token is good.")
    refresh_token: str = strawberry.field(description="With which `sessionRefresh` gives the next two; good once.")
    session_expires_at: DateTime = strawberry.field(description="Until when the refresh token is good.")


@strawberry.type(description="Signed in, with tokens in cookies that no script can read: for front ends in a browser.")
class SignedInByCookie:
    expires_at: DateTime = strawberry.field(description="When to call `sessionRefresh`, at the latest.")
    session_expires_at: DateTime = strawberry.field(description="Until when that does.")


@strawberry.type(description="The password was right; a code of the second factor is asked for.")
class SecondFactorRequired:
    challenge: str = strawberry.field(description="To be given to `secondFactorVerify` with the code.")
    expires_at: DateTime = strawberry.field(description="Until when.")


SessionResult = Annotated[
    SignedIn | SignedInByCookie, strawberry.union("SessionResult", description="Tokens, or cookies that hold them.")
]
SignInResult = Annotated[
    SignedIn | SignedInByCookie | SecondFactorRequired,
    strawberry.union("SignInResult", description="What came of signing in."),
]

_BY_COOKIE = "Whether to keep the tokens in cookies: for front ends in a browser, of an origin that the API allows."


@input(models.User)
class SignInInput:
    """Who signs in."""

    email: auto
    password: str = strawberry.field(description="Their password.")
    organization: str | None = strawberry.field(
        description="Slug of the organization to begin in, where they belong to several.", default=None
    )
    by_cookie: bool = strawberry.field(description=_BY_COOKIE, default=False)


@strawberry.input(description="The code that is asked for after the password.")
class SecondFactorVerifyInput:
    challenge: str = strawberry.field(description="What `signIn` gave.")
    code: str = strawberry.field(description="Six digits of the authenticator app, or a recovery code.")
    by_cookie: bool = strawberry.field(description=_BY_COOKIE, default=False)


@strawberry.input(description="Whose next tokens.")
class SessionRefreshInput:
    refresh_token: str | None = strawberry.field(
        description="The last one; none for who has it in a cookie.", default=None
    )


@strawberry.input(description="Which session to end.")
class SessionEndInput:
    session: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="Sessions were ended.")
class SessionsEnded:
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="Done.")
class Done:
    done: bool = strawberry.field(description="Always true: what fails is an error.", default=True)


@strawberry.type(description="An organization that one belongs to: its slug in the header `X-Organization` picks it.")
class Place:
    slug: str = strawberry.field(description="Its short name.")
    name: str = strawberry.field(description="Its usual name.")
    role: enum(models.Role) = strawberry.field(description="What one may do there.")  # type: ignore[valid-type]
    current: bool = strawberry.field(description="Whether this request is for it.")


# Registering and inviting


@input(models.User)
class OrganizationRegisterInput:
    """A new organization, and who owns it."""

    email: auto
    first_name: auto
    last_name: auto
    organization: OrganizationCreateInput = strawberry.field(description="The organization.")


@strawberry.input(description="Another organization of one's own.")
class OrganizationCreateAnotherInput:
    organization: OrganizationCreateInput = strawberry.field(description="The organization.")


@strawberry.input(description="What a letter's link carries behind the `=`.")
class TokenInput:
    token: str = strawberry.field(description="As the letter has it.")


@strawberry.input(description="What the letter of a registration carries, and the owner's password.")
class RegistrationConfirmInput:
    token: str = strawberry.field(description="As the letter has it.")
    password: str = strawberry.field(description="12 to 1,024 characters: a few words do.")
    by_cookie: bool = strawberry.field(description=_BY_COOKIE, default=False)


@strawberry.type(description="A letter is on its way.")
class LetterSent:
    to: Email = strawberry.field(description="To this address, if it is one that gets such letters.")


@input(models.Invitation)
class InvitationCreateInput:
    """Who is invited, as what."""

    email: auto
    role: auto


@strawberry.input(description="Which invitation to take back.")
class InvitationRevokeInput:
    invitation: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="What one is invited to.")
class InvitationOffer:
    organization_name: str = strawberry.field(description="Of which organization.")
    email: Email = strawberry.field(description="Who is invited.")
    role: enum(models.Role) = strawberry.field(description="As what.")  # type: ignore[valid-type]
    expires_at: DateTime = strawberry.field(description="Until when.")
    has_account: bool = strawberry.field(description="Whether they have an account, and so a password and a name.")


@input(models.User)
class InvitationAcceptInput:
    """The answer to an invitation."""

    token: str = strawberry.field(description="As the letter has it.")
    first_name: str | None = strawberry.field(description="First name, of who is new here.", default=UNSET)
    last_name: str | None = strawberry.field(description="Last name, of who is new here.", default=UNSET)
    password: str | None = strawberry.field(description="The password that who is new here chooses.", default=UNSET)
    by_cookie: bool = strawberry.field(description=_BY_COOKIE, default=False)


@strawberry.type(description="An invitation was accepted.")
class InvitationAccepted:
    organization: str = strawberry.field(description="Slug of the organization.")
    session: SessionResult | None = strawberry.field(
        description="Of who is new here; null for who has an account already, and signs in with it."
    )


# One's own account


@strawberry.input(description="Whose password is forgotten.")
class PasswordResetRequestInput:
    email: Email = strawberry.field(description="The account's e-mail address.")


@strawberry.input(description="A new password, by a letter's link.")
class PasswordResetInput:
    token: str = strawberry.field(description="As the letter has it.")
    password: str = strawberry.field(description="The new password: 12 to 1,024 characters.")


@strawberry.input(description="Another password.")
class PasswordChangeInput:
    current_password: str = strawberry.field(description="The password until now.")
    password: str = strawberry.field(description="The new one: 12 to 1,024 characters.")


@strawberry.input(description="Another e-mail address.")
class EmailChangeInput:
    email: Email = strawberry.field(description="The new address.")
    password: str = strawberry.field(description="One's password.")


@input(models.User, partial=True)
class ProfileUpdateInput:
    """What to change of oneself; what is left out stays."""

    first_name: auto
    last_name: auto


@strawberry.input(description="Beginning to set up a second factor.")
class SecondFactorStartInput:
    password: str = strawberry.field(description="One's password.")


@strawberry.type(description="What an authenticator app is given.")
class SecondFactorSetup:
    secret: str = strawberry.field(description="The secret in Base32, to be typed in.")
    uri: str = strawberry.field(description="The same as an address: `otpauth://totp/…`.")
    qr_svg: str = strawberry.field(description="The same as a picture to be scanned, an SVG element.")


@strawberry.input(description="A code of the app, which shows that it is set up.")
class SecondFactorConfirmInput:
    code: str = strawberry.field(description="Six digits.")


@strawberry.type(description="A second factor is asked for from now on.")
class RecoveryCodes:
    codes: list[str] = strawberry.field(
        description="Each signs in once instead of a code of the app. Shown this once: keep them apart from the phone."
    )


@strawberry.input(description="Who one is, twice over.")
class SecondFactorProofInput:
    password: str = strawberry.field(description="One's password.")
    code: str = strawberry.field(description="Six digits of the app, or a recovery code.")
