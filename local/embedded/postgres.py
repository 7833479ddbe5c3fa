"""PostgreSQL: a data directory made once, and the server over it.

It refuses to run as root, so for root it is run by `postgres` or `nobody`; when that account cannot reach the home,
`postgres/` there is a link to a folder elsewhere, and nobody's permissions are loosened.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg

from local import processes
from local.embedded import installations
from local.embedded.server import Server, environment, free_port, write_private
from local.processes import Failed

NAME = "comptoir"  # of the database, and of the role that owns it


def server(home: Path, folders: Iterable[Path], *, durable: bool, lock: int) -> Server:
    data, account = home / "postgres", _account(home / "postgres")
    if data.exists():
        made_by = int((data / "PG_VERSION").read_text())
        binaries = installations.choose_postgres(folders, major=made_by, account=account)
        _disown(data / "postmaster.pid")
    else:
        binaries = installations.choose_postgres(folders, account=account)
        _create_cluster(home, binaries, durable, account, lock)
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    password = (home / "postgres.password").read_text()
    return Server(
        name="PostgreSQL",
        address=f"postgres://{NAME}:{password}@127.0.0.1:{port}/{NAME}",
        command=[str(binaries / "postgres"), "-D", str(data.resolve()), *options],
        directory=Path("/"),
        log=home / "logs" / "postgres.log",
        lock=lock,
        farewell=signal.SIGINT,  # its "fast" shutdown: sessions end, everything is written
        answers=_answers,
        account=account,
    )


def remove(home: Path) -> None:
    """Delete the data, wherever it lies, and its password."""
    data = home / "postgres"
    if data.exists():
        shutil.rmtree(data.resolve())
        installations.forget_folder(data.resolve().parent)
    data.unlink(missing_ok=True)
    (home / "postgres.password").unlink(missing_ok=True)


def unprivileged() -> processes.Account:
    """Who runs PostgreSQL for root."""
    known = {entry.pw_name: processes.Account(entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _account(data: Path) -> processes.Account | None:
    """Who runs PostgreSQL: ourselves, but for root the data's owner, or someone unprivileged who will be."""
    if data.is_symlink() and not data.exists():
        raise Failed(
            f"{data} leads to {data.readlink()}, which is gone: bring it back, or remove the link to start anew."
        )
    if os.geteuid() != 0:
        return None
    if data.exists():
        return processes.Account(data.stat().st_uid, data.stat().st_gid)
    return unprivileged()


def _disown(pid_file: Path) -> None:
    """Say in a killed PostgreSQL's pid file that we wrote it: its number may be another program's by now.

    PostgreSQL refuses to start beside a living writer that is not its parent. The children's lock says that the writer
    is gone; the rest of the file stays, since PostgreSQL checks by it that nobody uses the shared memory.
    """
    if pid_file.exists():
        _, _, rest = pid_file.read_text().partition("\n")
        pid_file.write_text(f"{os.getpid()}\n{rest}")


def _create_cluster(home: Path, binaries: Path, durable: bool, account: processes.Account | None, lock: int) -> None:
    """Make `home/postgres`: complete, or not there at all."""
    place = home if installations.may_enter(home, account) else installations.folder_elsewhere(home)
    draft, password, secret = place / "postgres.new", secrets.token_urlsafe(24), place / "initdb.password"
    if draft.exists():
        shutil.rmtree(draft)
    draft.mkdir(mode=0o700)
    for path in (home / "postgres.password", secret):
        write_private(path, password)
    if account:
        os.chown(draft, *account)
        os.chown(secret, *account)
    command = [str(binaries / "initdb"), "-D", str(draft), f"--username={NAME}", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"] + ([] if durable else ["--no-sync"])
    log = home / "logs" / "initdb.log"
    try:
        if not any(_succeeds([*command, f"--locale={name}"], log, account, lock) for name in ("C.UTF-8", "C")):
            raise Failed(f"PostgreSQL's data could not be created. The end of {log}:\n{processes.tail(log)}")
    finally:
        secret.unlink()
    draft.rename(place / "postgres")
    if place != home:
        (home / "postgres").symlink_to(place / "postgres")


def _succeeds(command: list[str], log: Path, account: processes.Account | None, lock: int) -> bool:
    process = processes.spawn(
        command, log=log, environment=environment(), directory=Path("/"), keep_open=[lock], account=account
    )
    try:
        return process.wait(120) == 0
    finally:
        processes.stop(process, patience=1)


def _answers(address: str) -> bool:
    """Whether it lets us in; the database is made at the first time."""

    async def enter() -> None:
        connection = await asyncpg.connect(address, database="postgres", timeout=5, command_timeout=20)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", NAME):
                await connection.execute(f"CREATE DATABASE {NAME}")
        finally:
            await connection.close(timeout=5)

    try:
        with ThreadPoolExecutor(1) as aside:  # the caller's thread may have an event loop of its own
            aside.submit(asyncio.run, enter()).result()
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
        return False
    except asyncpg.InvalidPasswordError:
        raise Failed("postgres.password is not the one that PostgreSQL's data was made with.") from None
    return True
