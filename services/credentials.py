"""A person's own password and e-mail address, changed by themselves."""

from datetime import UTC, datetime
from uuid import UUID

from errors import Conflict, Forbidden, Invalid
from models import EmailChange, Membership, PasswordRequest, RecoveryCode, SessionEnd, User
from models.database import transaction
from services import account_letters, audit, hashing, lockout, passwords, sessions, tokens
from services.outbox import later

OVER = "This link is no longer good. Ask for another one."
WRONG = "This is not your password."


async def ask_for_password(email: str) -> None:
    """Send a link to whoever has this address: in a transaction, and the same for an address that nobody has."""
    await later(account_letters.reset_password, await PasswordRequest.create(email=email))


async def reset_password(token: str, password: str, address: str | None) -> None:
    """Set a password anew, by a letter's link, good once; every session ends. Opens a transaction. Raises Invalid.

    Who reads the letters is who they are: `address` is known for them, and others' guesses keep them out no more.
    """
    claims = tokens.read(tokens.PASSWORD, token)
    user = await User.get_or_none(id=UUID(claims["user"])) if claims else None
    if claims is None or user is None or (user.email, passwords.version(user)) != (claims["email"], claims["version"]):
        raise Invalid(OVER, field="input.token")
    await _set(user, password, OVER, "input.token", by_letter=True)
    await lockout.succeeded(lockout.PASSWORD, user.email, address)


async def change_password(
    user: User, current: str, password: str, *, address: str | None, session: UUID | None
) -> None:
    """Give oneself another password; the other sessions end. Opens a transaction. Raises Forbidden, Limited and
    Invalid."""
    await must_know(user, current, address, field="input.currentPassword")
    await _set(user, password, WRONG, "input.currentPassword", but=session)


async def must_know(user: User, password: str, address: str | None, *, field: str = "input.password") -> None:
    """Raises Forbidden for who does not know the password of the account that they are signed in to, and Limited after
    too many attempts from their address."""
    if not await lockout.tried(lockout.PASSWORD, user.email, address, lambda: passwords.matches(user, password)):
        raise Forbidden(WRONG, field=field)


async def change_email(user: User, email: str) -> None:
    """Ask the new address whether it is theirs, the same for one that somebody else has. Opens a transaction."""
    if email == user.email:
        raise Invalid("This is your address already.", field="input.email")
    async with transaction():
        await later(account_letters.confirm_email, await EmailChange.create(user=user, former=user.email, email=email))


async def confirm_email(token: str) -> None:
    """Take the new address in place of the old, which is told: in a transaction. Raises Invalid and Conflict.

    Only the newest that was asked for, and with the password that it was asked with: what somebody else began is
    nothing any more once the person chose another one.
    """
    claims = tokens.read(tokens.EMAIL, token)
    change = await EmailChange.select_for_update().get_or_none(id=UUID(claims["id"])) if claims else None
    user = await User.select_for_update().get(id=change.user_id) if change else None
    if claims is None or change is None or user is None or passwords.version(user) != claims["version"]:
        raise Invalid(OVER, field="input.token")
    later_one = EmailChange.filter(user_id=user.id, id__gt=change.id)
    if change.confirmed_at or user.email != change.former or await later_one.exists():
        raise Invalid(OVER, field="input.token")
    if await User.exists(email=change.email):
        raise Conflict("This address belongs to another account.", field="input.token")
    user.email, user.confirmed_at = change.email, datetime.now(UTC)
    change.confirmed_at = user.confirmed_at
    await user.save(update_fields=["email", "confirmed_at"])
    await change.save(update_fields=["confirmed_at"])
    await _note(user, "emailConfirmed", email=user.email)
    await later(account_letters.tell_of_email, change)


async def claim(user: User, password_hash: str) -> None:
    """An account is whose letters it gets: with this password, and nothing that another person had set up in it before.
    In a transaction, the account locked."""
    if user.confirmed_at is None:
        user.second_factor_since = user.totp_secret = None
        await RecoveryCode.filter(user_id=user.id).delete()
    user.password_hash, user.confirmed_at = password_hash, user.confirmed_at or datetime.now(UTC)
    await user.save(update_fields=["password_hash", "confirmed_at", "second_factor_since", "totp_secret"])
    await sessions.end_all(user.id, SessionEnd.PASSWORD_CHANGED)


async def _set(
    user: User, password: str, otherwise: str, field: str, *, but: UUID | None = None, by_letter: bool = False
) -> None:  # fmt: skip
    """In place of the password that the user was loaded with; whoever changed it meanwhile was first."""
    passwords.must_be_good(password, user.email)
    before, hashed = user.password_hash, await hashing.hashed(password)
    async with transaction():
        current = await User.select_for_update().get(id=user.id)
        if current.password_hash != before:
            raise Invalid(otherwise, field=field)
        if by_letter:
            await claim(current, hashed)
            await _note(user, "passwordReset")
        else:
            current.password_hash = hashed
            await current.save(update_fields=["password_hash"])
            await sessions.end_all(user.id, SessionEnd.PASSWORD_CHANGED, but=but)
        await later(account_letters.tell_of_password, current)


async def _note(user: User, action: str, email: str | None = None) -> None:
    """For the audit log of each organization that the person belongs to."""
    for member in await Membership.filter(user_id=user.id, active=True):
        await audit.note(action, organization_id=member.organization_id, member_id=member.id, email=email)
