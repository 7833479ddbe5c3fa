"""Passwords, hashed with argon2id: slow on purpose, and so beside the event loop, few at once, after everything else.

A hash takes 64 MiB and a sixth of a second. A queue of its own bounds how many are made and how many wait, half of the
processors are left alone, and its threads give way to those that answer requests.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from errors import Limited
from services.metrics import HASHES

T = TypeVar("T")

PASSWORD_MOST = 1024  # characters; more is no password, it is an attempt to make us hash
AT_ONCE = max(1, min(4, (os.cpu_count() or 1) // 2))
WAITING_MOST = 64  # some ten seconds' worth where there are two processors
RETRY_AFTER = 10  # seconds
NICENESS = 5  # a third of what others get where there is not enough for all: they are not starved either


def use(hasher: PasswordHasher, nobodys: str) -> None:
    """Hash with other parameters, of which `nobodys` is a hash: tests sign in by the thousand."""
    global _hasher, _nobody
    _hasher, _nobody = hasher, nobodys


async def hashed(password: str) -> str:
    """What is kept of a password. Raises Limited where too many wait already."""
    return await _in_turn(_hasher.hash, password)


async def matches(kept: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; for None, nobody's, never, after as long. Raises Limited where too many
    wait already."""
    if len(password) > PASSWORD_MOST:
        return False
    return await _in_turn(_matches, kept or _nobody, password) and kept is not None


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


def _matches(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


def _give_way() -> None:
    """A low priority, for this thread."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


# RFC 9106's second choice, on one lane: as much work, without four threads at once.
STRONG = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# Of 64 random digits that were thrown away, under the same parameters: checked against as long as anybody's.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$eGDDs9l/ZXG+jXJgt6FZkQ$cYLUrm8epGl0+pf0VD5aLaNSkfwvduY0JMR/lMKZWNE"
_hasher, _nobody = STRONG, NOBODYS
_threads = ThreadPoolExecutor(AT_ONCE, "hashing", initializer=_give_way)
_waiting = 0
