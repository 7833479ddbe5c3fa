"""Passwords of people: what is accepted as one, whether it is theirs. Hashing itself is `services/hashing.py`'s."""

import hashlib

from errors import Invalid
from models import User
from services import hashing
from services.hashing import PASSWORD_MOST

LENGTH_LEAST = 12  # characters; with what is asked of who guesses, as NIST SP 800-63B and the CNIL want it


def must_be_good(password: str, email: str, *, field: str = "input.password") -> None:
    """Raises Invalid for one that is too short, too long, one character over and over, or the address itself."""
    if not LENGTH_LEAST <= len(password) <= PASSWORD_MOST:
        raise Invalid(f"A password has {LENGTH_LEAST} to {PASSWORD_MOST:,} characters: a few words do.", field=field)
    if len(set(password)) < 4 or password.lower() in (email, email.partition("@")[0]):
        raise Invalid("This password is the first that one would guess. Choose another one.", field=field)


async def matches(user: User | None, password: str) -> bool:
    """Whether it is the person's; of nobody it is not, and that takes as long. Raises Limited where too many wait."""
    return await hashing.matches(user.password_hash if user else None, password)


def version(user: User) -> str:
    """Changes with the password: what was signed for the old one is good for nothing with the new one."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
