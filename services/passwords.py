"""Passwords: what is accepted as one, and what is kept of it (argon2id, RFC 9106): slow on purpose, and so beside the
event loop, few at once, after everything else.

A hash takes 64 MiB and a sixth of a second. A queue of its own bounds how many are made and how many wait, half of the
processors are left alone, and its threads give way to those that answer requests.
"""

import asyncio
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from errors import Invalid, Limited
from models import User
from services.metrics import HASHES

T = TypeVar("T")

LENGTH_LEAST = 12  # characters; with what is asked of who guesses, as NIST SP 800-63B and the CNIL want it
LENGTH_MOST = 1024  # more is no password, it is an attempt to make us hash
AT_ONCE = max(1, min(4, (os.cpu_count() or 1) // 2))
WAITING_MOST = 64  # some ten seconds' worth where there are two processors
RETRY_AFTER = 10  # seconds
NICENESS = 5  # a third of what others get where there is not enough for all: they are not starved either


def must_be_good(password: str, email: str, *, field: str = "input.password") -> None:
    """Raises Invalid for one that is too short, too long, one character over and over, or the address itself."""
    if not LENGTH_LEAST <= len(password) <= LENGTH_MOST:
        raise Invalid(f"A password has {LENGTH_LEAST} to {LENGTH_MOST:,} characters: a few words do.", field=field)
    if len(set(password)) < 4 or password.lower() in (email, email.partition("@")[0]):
        raise Invalid("This password is the first that one would guess. Choose another one.", field=field)


async def hash_password(password: str) -> str:
    """What is kept of a password. Raises Limited where too many wait already."""
    return await _in_turn(_hasher.hash, password)


async def matches(user: User | None, password: str) -> bool:
    """Whether it is the person's; of nobody it is not, and that takes as long. Raises Limited where too many wait
    already."""
    if len(password) > LENGTH_MOST:
        return False
    return await _in_turn(_matches, user.password_hash if user else _nobody, password) and user is not None


def version(user: User) -> str:
    """Changes with the password: what was signed for the old one is good for nothing with the new one."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


async def _in_turn(function: Callable[..., T], *arguments: str) -> T:
    global _waiting
    if _waiting >= WAITING_MOST:
        raise Limited(f"Too many people are signing in. Try again in {RETRY_AFTER} s.", retry_after=RETRY_AFTER)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, function, *arguments)
    finally:
        _waiting -= 1
        HASHES.inc()


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def _give_way() -> None:
    """A low priority, for this thread."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


# RFC 9106's second choice, on one lane: as much work, without four threads at once.
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
_nobody = _hasher.hash("nobody")
_threads = ThreadPoolExecutor(AT_ONCE, "hashing", initializer=_give_way)
_waiting = 0
