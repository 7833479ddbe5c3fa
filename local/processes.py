"""Child processes that never outlive us, and the locks that tell who is alive."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypedDict

LOG_LIMIT = 5_000_000  # bytes; a longer log is set aside, once, when its program starts again
_PR_SET_PDEATHSIG = 1


class Account(NamedTuple):
    """A user of this machine to run a program as; only root can."""

    uid: int
    gid: int


class Failed(Exception):
    """A program could not be started or kept; the message says why, and what to do."""


class Taken(Exception):
    """Another process holds the lock, and kept it for as long as we would wait."""


@contextmanager
def locked(path: Path, *, patience: float) -> Iterator[int]:
    """Hold the lock file `path` for the time of the block; gives its descriptor.

    The lock belongs to the descriptor: a child that inherits it holds the lock too, until it ends. Waits `patience`
    seconds for the present holders, then raises Taken with the last owner's pid.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise Taken(os.pread(descriptor, 20, 0).decode())
            time.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock. The look holds it for an instant: `locked` needs some patience."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path,
    farewell: signal.Signals = signal.SIGTERM,
    keep_open: Sequence[int] = (),
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command`; what it prints is added to `log`.

    It lives in a session of its own, so that Ctrl-C in the terminal reaches only us, and the kernel sends it `farewell`
    (Linux) when the thread that called this ends, however it ends: call from the main thread.
    """
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=directory,
            pass_fds=keep_open,
            start_new_session=True,
            preexec_fn=_dying_with_us(farewell),
            **_identity(account),
        )


def stop(process: subprocess.Popen[bytes], farewell: signal.Signals = signal.SIGTERM, *, patience: float) -> None:
    """Ask it to leave, wait `patience` seconds, then kill it and what it started. Ctrl-C ends the waiting."""
    if has_ended(process):
        return
    process.send_signal(farewell)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    finally:
        _sweep(process)
        process.wait(10)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it is over; what it left behind in its session is ended too, the moment we learn it."""
    if process.returncode is not None:  # swept already; by now the number may be somebody else's
        return True
    ended = process.poll() is not None
    if ended:
        _sweep(process)
    return ended


def output(command: Sequence[str], *, account: Account | None = None) -> str | None:
    """What a short command prints when run as `account`; None when it cannot be run, fails or takes over 10 s."""
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            cwd="/",
            **_identity(account),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return ""
    with log.open(errors="replace") as text:
        return "".join(deque(text, maxlen=lines)).rstrip()


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Identity(TypedDict):
    user: int | None
    group: int | None
    extra_groups: list[int] | None


def _identity(account: Account | None) -> _Identity:
    """Popen's arguments to run as somebody else, without our groups."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _dying_with_us(farewell: signal.Signals) -> Callable[[], None] | None:
    """Run in the child just before exec, after the change of user (which would clear the request)."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, int(farewell))
        if os.getppid() != parent:  # we ended between the fork and the request
            os._exit(1)

    return request
