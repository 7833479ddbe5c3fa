"""PostgreSQL and Valkey for development and tests: started under a home directory, gone with us, their data kept.

A home has `postgres/` and `valkey/` (data), `logs/`, `postgres.password` and, while they run, `servers.json`, which
tells other commands where they are. Both listen on 127.0.0.1 only, and want a password.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local import processes
from local.embedded import installations
from local.embedded import postgres as postgresql
from local.embedded import valkey as valkeys
from local.embedded.server import PATIENCE, Server, write_private
from local.processes import Failed

__all__ = ["Failed", "Servers", "remove", "running", "servers"]


@dataclass(frozen=True)
class Servers:
    """Where they answer; an address is empty when that server was not asked for."""

    database_url: str = ""
    redis_url: str = ""
    lock: int = -1  # descriptor: the next start in this home waits for every child that inherits it
    _started: tuple[Server, ...] = field(default=(), repr=False)

    def revive(self) -> list[str]:
        """Start again those that ended, at the same address; gives their names. Raises Failed."""
        ended = [server for server in self._started if server.has_ended]
        for server in ended:
            server.start()
        return [server.name for server in ended]


@contextmanager
def servers(
    home: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    durable: bool = True,
    postgres_folders: Iterable[Path] | None = None,
) -> Iterator[Servers]:
    """Start the servers of `home`, and stop them after the block. Call from the main thread: they die with it.

    `durable=False` trades safety in a power cut for speed (tests). `postgres_folders`: where to look for PostgreSQL's
    binaries, first choice first, instead of everywhere. Raises Failed: the home is in use, no binary fits, or a server
    does not answer within 30 s.
    """
    home = home.resolve()
    with ExitStack() as stack:
        lock = stack.enter_context(_owned(home))
        wanted: dict[str, Server] = {}
        if postgres:
            folders = postgres_folders or installations.postgres_folders()
            wanted["database_url"] = postgresql.server(home, folders, durable=durable, lock=lock)
        if valkey:
            wanted["redis_url"] = valkeys.server(home, durable=durable, lock=lock)
        for server in wanted.values():
            stack.callback(server.stop)
            server.start()
        addresses = {name: server.address for name, server in wanted.items()}
        announcement = home / "servers.json"
        stack.callback(announcement.unlink, missing_ok=True)
        write_private(announcement, json.dumps(addresses))
        yield Servers(**addresses, lock=lock, _started=tuple(wanted.values()))


def running(home: Path) -> Servers | None:
    """The servers that another process keeps up in `home`, or None."""
    announcement = home / "servers.json"
    if not processes.is_locked(home / "lock") or not announcement.exists():
        return None
    return Servers(**json.loads(announcement.read_text()))


def remove(home: Path) -> None:
    """Delete the servers' data, wherever it lies. Raises Failed while they run."""
    home = home.resolve()
    with _owned(home):
        postgresql.remove(home)
        if (home / "valkey").exists():
            shutil.rmtree(home / "valkey")


@contextmanager
def _owned(home: Path) -> Iterator[int]:
    """Be the only one in `home`, once all that a killed run left behind is gone; gives the children's lock."""
    with ExitStack() as stack:
        try:
            home.mkdir(mode=0o711, parents=True, exist_ok=True)
            (home / "logs").mkdir(mode=0o700, exist_ok=True)
            stack.enter_context(processes.locked(home / "lock", patience=1))
        except PermissionError as refusal:
            raise Failed(f"{refusal.filename} cannot be written by you: choose another COMPTOIR_HOME.") from None
        except OSError as refusal:
            raise Failed(f"{home} cannot be used: {refusal}. Choose another COMPTOIR_HOME.") from None
        except processes.Taken as owner:
            raise Failed(f"{home}: already running, pid {owner}. Stop it, or set COMPTOIR_HOME.") from None
        try:
            lock = stack.enter_context(processes.locked(home / "children.lock", patience=PATIENCE))
        except processes.Taken as owner:
            raise Failed(
                f"{home}: programs started by pid {owner}, which is gone, still run after {PATIENCE:.0f} s. "
                f"Stop them (`fuser {home / 'children.lock'}` names them)."
            ) from None
        yield lock
