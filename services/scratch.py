"""Folders for what is written before it is stored: of this account alone (0700), and gone with the block. What was left
by a process that was killed is deleted when a worker starts: a folder is locked while its process lives (flock(2))."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "comptoir-work-"
TRIES = 3  # at a folder that is swept before it is locked

log = logging.getLogger("comptoir.scratch")


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, deleted afterwards with all that is in it."""
    path, lock = _made()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep() -> int:
    """Delete the folders of this account that no process holds any more; how many."""
    swept = sum([_swept(each) for each in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")])
    if swept:
        log.warning("deleted %d folders of processes that were killed", swept)
    return swept


def _made() -> tuple[Path, int]:
    for _ in range(TRIES):
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)
    raise OSError(f"{tempfile.gettempdir()} is being emptied: no folder stays there")


def _swept(path: Path) -> bool:
    """Whether nobody held it: then it is gone. Who made it at this moment waits for the lock, and makes another."""
    with suppress(OSError):  # held, somebody else's, or deleted just now
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
            return True
        finally:
            os.close(lock)
    return False
