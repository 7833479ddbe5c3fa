"""Letters about accounts: what was asked for is confirmed by a link that only its address gets."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tortoise.queryset import QuerySet

from models import EmailChange, Invitation, Lane, PasswordRequest, Registration, User
from models.base import Row
from models.content import Branding
from models.database import transaction
from services import letters, links, passwords, tokens
from services.envelopes import Envelope
from services.invoice_content import brand
from services.links import account_link, message_id
from services.outbox import job
from services.outside import outside

CONFIRMED_WITHIN = timedelta(hours=24)
PASSWORD_WITHIN = timedelta(hours=1)
AN_HOUR = 3  # letters of a kind to an address, whoever asks for them
PLATFORM = Branding(name="Comptoir", color="#1f3a5f", contact_email="")


@job(Lane.MAIL)
async def confirm_registration(registration: Registration) -> None:
    """To who registers; one who has an account already is told so, and nobody else learns of it."""
    if await _is_one_too_many(Registration.filter(email=registration.email), registration):
        return
    if await User.exists(email=registration.email):
        await _send("registration_known", registration, to=registration.email, name=registration.first_name)
        return
    token, _ = tokens.sign(tokens.REGISTRATION, {"id": str(registration.id)}, CONFIRMED_WITHIN)
    await _send(
        "registration", registration, to=registration.email, name=registration.first_name,
        organization=registration.organization["name"], action_url=account_link("registration", token),
    )  # fmt: skip


@job(Lane.MAIL)
async def invite(invitation: Invitation) -> None:
    """To who is invited, in the organization's name."""
    if not invitation.is_open:
        return
    await invitation.fetch_related("organization", "invited_by__user")
    inviter = invitation.invited_by.user
    await _send(
        "invitation", invitation, to=invitation.email, name="", from_brand=brand(invitation.organization),
        inviter=f"{inviter.first_name} {inviter.last_name}", organization=invitation.organization.name,
        until=invitation.expires_at.date(), action_url=account_link("invitation", links.invitation_token(invitation)),
    )  # fmt: skip


@job(Lane.MAIL)
async def reset_password(request: PasswordRequest) -> None:
    """To whoever has the address, if anybody; to nobody more often than a person would ask."""
    user = await User.get_or_none(email=request.email)
    if user is None or not await _is_to_be_answered(request, user):
        return
    claims = {"user": str(user.id), "email": user.email, "version": passwords.version(user)}
    token, _ = tokens.sign(tokens.PASSWORD, claims, PASSWORD_WITHIN)
    await _send(
        "password", request, to=user.email, name=user.first_name, action_url=account_link("password", token)
    )  # fmt: skip


@job(Lane.MAIL)
async def tell_of_password(user: User) -> None:
    """To who has a new password: it may not have been them."""
    await _send("password_changed", user, to=user.email, name=user.first_name, more=passwords.version(user))


@job(Lane.MAIL)
async def confirm_email(change: EmailChange) -> None:
    """To the new address of somebody."""
    if change.confirmed_at or await _is_one_too_many(EmailChange.filter(user_id=change.user_id), change):
        return
    user = await User.get(id=change.user_id)
    claims = {"id": str(change.id), "version": passwords.version(user)}
    token, _ = tokens.sign(tokens.EMAIL, claims, CONFIRMED_WITHIN)
    await _send(
        "email_change", change, to=change.email, name=user.first_name, email=change.email,
        action_url=account_link("email", token),
    )  # fmt: skip


@job(Lane.MAIL)
async def tell_of_email(change: EmailChange) -> None:
    """To the old address of somebody."""
    user = await User.get(id=change.user_id)
    await _send("email_changed", change, to=change.former, name=user.first_name, email=change.email, more="former")


async def _is_one_too_many(alike: QuerySet[Any], row: Row) -> bool:
    """Whether others of the same hour went before, as many as are written about."""
    hour = row.created_at.replace(minute=0, second=0, microsecond=0)
    return await alike.filter(created_at__gte=hour, id__lt=row.id).count() >= AN_HOUR


async def _is_to_be_answered(request: PasswordRequest, user: User) -> bool:
    """Whether it is one of the few of the last hour; the same at each try."""
    async with transaction():
        await User.select_for_update(no_key=True).get(id=user.id)  # several at once take turns
        current = await PasswordRequest.get(id=request.id)
        answered = PasswordRequest.filter(email=request.email, answered_at__gt=datetime.now(UTC) - timedelta(hours=1))
        if current.answered_at is None and await answered.count() < AN_HOUR:
            current.answered_at = datetime.now(UTC)
            await current.save(update_fields=["answered_at"])
    return current.answered_at is not None


async def _send(
    template: str, row: Row, *, to: str, name: str, from_brand: Branding | None = None, more: str = "", **said: Any
) -> None:
    sender = outside().settings.required("smtp_from")
    what = f"{template.replace('_', '-')}{more and '-'}{more}"
    await outside().mailer.send(
        letters.of_no_order(
            template, said, name=name, brand=from_brand or PLATFORM.model_copy(update={"contact_email": sender}),
            envelope=Envelope(to, message_id(what, row), sender),
        )
    )  # fmt: skip
