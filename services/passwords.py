"""Passwords: what is accepted as one, and what is kept of it (argon2id, RFC 9106)."""

import asyncio
import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from errors import Invalid
from models import User

LENGTH_LEAST = 12  # characters; with what is asked of who guesses, as NIST SP 800-63B and the CNIL want it
LENGTH_MOST = 1024  # more is no password, it is an attempt to make us hash

_hasher = PasswordHasher()  # argon2id with the library's parameters (RFC 9106, low memory)
# What an unknown address is checked against, so that it takes as long as a known one.
_NOBODYS = _hasher.hash("nobody")


def must_be_good(password: str, email: str, *, field: str = "input.password") -> None:
    """Raises Invalid for one that is too short, too long, one character over and over, or the address itself."""
    if not LENGTH_LEAST <= len(password) <= LENGTH_MOST:
        raise Invalid(f"A password has {LENGTH_LEAST} to {LENGTH_MOST:,} characters: a few words do.", field=field)
    if len(set(password)) < 4 or password.lower() in (email, email.partition("@")[0]):
        raise Invalid("This password is the first that one would guess. Choose another one.", field=field)


async def hashed(password: str) -> str:
    return await asyncio.to_thread(_hasher.hash, password)


async def matches(user: User | None, password: str) -> bool:
    """Whether it is the person's; of nobody it is not, and that takes as long."""
    if len(password) > LENGTH_MOST:
        return False
    kept = user.password_hash if user else _NOBODYS
    return await asyncio.to_thread(_verified, kept, password) and user is not None


def version(user: User) -> str:
    """Changes with the password: what was signed for the old one is good for nothing with the new one."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


def _verified(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False
