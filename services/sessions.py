"""Sessions: an access token for a quarter of an hour, and a refresh token for the next one.

A refresh token is good once. Where one comes back that was used up, somebody has a copy of it, and the session ends
(RFC 9700, 4.14.2); but for the moments in which two tabs ask at once, or an answer is lost on its way.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from errors import Unauthenticated
from models import Membership, Session, SessionEnd, User
from models.database import transaction
from services import audit, tokens

ACCESS_LIFE = timedelta(minutes=15)
IDLE_MOST = timedelta(days=30)  # without being used
LIFE_MOST = timedelta(days=180)  # from signing in
REFRESHED = ("generation", "refreshed_at", "expires_at", "address", "user_agent", "organization_id")
KEPT = timedelta(days=90)  # after it could last be used, to be shown to the person
LENIENT = timedelta(seconds=10)  # in which the last token but one is taken for a lost answer


@dataclass(frozen=True, slots=True)
class Device:
    """Where a session is used: what is known of it, to be shown to the person."""

    address: str | None
    user_agent: str | None
    by_cookie: bool = False


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of a session: to call with, until when, and to get the next ones with."""

    access: str
    expires_at: datetime
    refresh: str
    session_ends_at: datetime
    by_cookie: bool


async def begin(user: User, membership: Membership, device: Device) -> Tokens:
    """Sign a person in on a device, to the organization of one of their memberships. Opens a transaction.

    Raises Unauthenticated where they have another password than the one that they were loaded with: who changes it
    ends all sessions, and none begins meanwhile with the old one.
    """
    now = datetime.now(UTC)
    async with transaction():
        current = await User.select_for_update(no_key=True).get(id=user.id)
        if current.password_hash != user.password_hash:
            raise _over()
        await Session.filter(user_id=user.id, expires_at__lt=now - KEPT).delete()
        session = await Session.create(
            user=user, organization_id=membership.organization_id, expires_at=now + IDLE_MOST,
            by_cookie=device.by_cookie, address=device.address, user_agent=device.user_agent,
        )  # fmt: skip
        await _note(session, "signedIn")
    return _tokens(session)


async def refresh(token: str, device: Device) -> Tokens:
    """The next tokens. Raises Unauthenticated, the same for any reason."""
    claims = tokens.read(tokens.REFRESH, token)
    if claims is None:
        raise _over()
    async with transaction():
        session = await Session.select_for_update().get_or_none(id=UUID(claims["sid"]))
        if session and _is_open(session) and await _has_a_place(session):
            now = datetime.now(UTC)
            if claims["gen"] == session.generation:
                session.generation += 1
                session.refreshed_at, session.expires_at = now, min(now + IDLE_MOST, session.created_at + LIFE_MOST)
                session.address, session.user_agent = device.address, device.user_agent
                await session.save(update_fields=list(REFRESHED))
                return _tokens(session)
            if claims["gen"] == session.generation - 1 and now - session.refreshed_at <= LENIENT:
                return _tokens(session)
            await end(session, SessionEnd.TOKEN_REUSED)
    raise _over()


async def end(session: Session, reason: SessionEnd) -> None:
    """Good for nothing from now on, its tokens with it."""
    if session.ended_at is None:
        session.ended_at, session.end_reason = datetime.now(UTC), reason
        await session.save(update_fields=["ended_at", "end_reason"])
        await _note(session, "sessionEnded", reason=reason.value)


async def end_all(user_id: UUID, reason: SessionEnd, *, but: UUID | None = None) -> int:
    """How many of a person's sessions were ended; one may go on."""
    theirs = Session.filter(user_id=user_id, ended_at=None)
    ended: int = await (theirs.exclude(id=but) if but else theirs).update(ended_at=datetime.now(UTC), end_reason=reason)
    return ended


async def _note(session: Session, action: str, **facts: str) -> None:
    """For the audit log of the organization that the session is for."""
    here = session.organization_id
    member = await Membership.get_or_none(user_id=session.user_id, organization_id=here)
    member_id = member.id if member else None
    await audit.note(action, organization_id=here, member_id=member_id, subject=session, **facts)


def _is_open(session: Session) -> bool:
    return session.ended_at is None and session.expires_at > datetime.now(UTC)


async def _has_a_place(session: Session) -> bool:
    """Whether the person still belongs to an organization: the session's, or else their oldest one from now on."""
    theirs = Membership.filter(user_id=session.user_id, active=True)
    if not await theirs.filter(organization_id=session.organization_id).exists():
        other = await theirs.order_by("id").first()
        if other is None:
            return False
        session.organization_id = other.organization_id
    return True


def _tokens(session: Session) -> Tokens:
    named = {"sid": str(session.id)}
    access, expires_at = tokens.sign(
        tokens.ACCESS, named | {"sub": str(session.user_id), "org": str(session.organization_id)}, ACCESS_LIFE
    )
    refresh, ends_at = tokens.sign(
        tokens.REFRESH, named | {"gen": session.generation}, session.expires_at - datetime.now(UTC)
    )
    return Tokens(access, expires_at, refresh, ends_at, session.by_cookie)


def _over() -> Unauthenticated:
    return Unauthenticated("This session is over. Sign in again.")
