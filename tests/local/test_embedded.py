"""The servers that a fresh machine is given: kept, refused twice, recovered."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio as redis

from local import embedded
from local.embedded import installations, postgres

PROJECT = Path(embedded.__file__).parents[2]
OWNER = """
import sys, time, pathlib; from local import embedded
with embedded.servers(pathlib.Path(sys.argv[1]), durable=False):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for these tests: making PostgreSQL's data takes most of a second."""
    home = tmp_path_factory.mktemp("a home")
    yield home
    embedded.remove(home)


@pytest.fixture
def owner(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that keeps the servers up in `home`."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


async def test_data_is_kept_between_runs(home: Path) -> None:
    with embedded.servers(home) as servers:
        await execute(servers, "CREATE TABLE kept AS SELECT 'é' AS word")
        await remember(servers, "kept", "é")

    with embedded.servers(home) as servers:
        assert await execute(servers, "SELECT word FROM kept") == "é"
        assert await recall(servers, "kept") == "é"


async def test_exclusion_constraints_on_plain_columns_are_there(home: Path) -> None:
    with embedded.servers(home, valkey=False, durable=False) as servers:
        assert await execute(servers, "CREATE EXTENSION btree_gist") is None
        assert servers.redis_url == ""


async def test_nobody_enters_without_the_password(home: Path) -> None:
    with embedded.servers(home, durable=False) as servers:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(servers.database_url, password="guessed")
        with pytest.raises(redis.AuthenticationError):
            await recall(embedded.Servers(redis_url=servers.redis_url.replace("//:", "//:guessed")), "kept")


def test_a_second_start_is_refused_and_names_the_first(home: Path, owner: subprocess.Popen[str]) -> None:
    with pytest.raises(embedded.Failed, match=f"already running, pid {owner.pid}"), embedded.servers(home):
        pass


async def test_other_commands_find_the_servers_while_they_run(home: Path, owner: subprocess.Popen[str]) -> None:
    servers = embedded.running(home)

    assert servers is not None
    assert await execute(servers, "SELECT 'found'") == "found"

    owner.kill()
    owner.wait(10)
    assert embedded.running(home) is None


async def test_the_next_start_recovers_when_the_owner_was_killed(home: Path, owner: subprocess.Popen[str]) -> None:
    owner.kill()

    with embedded.servers(home, durable=False) as servers:
        assert await execute(servers, "SELECT 'back'") == "back"


async def test_the_next_start_recovers_when_postgres_was_killed_too(home: Path, owner: subprocess.Popen[str]) -> None:
    os.kill(postmaster(home), signal.SIGKILL)
    owner.kill()

    with embedded.servers(home, durable=False) as servers:
        assert await execute(servers, "SELECT 'back'") == "back"


async def test_a_pid_file_that_names_another_living_process_does_not_hold_up_the_start(home: Path) -> None:
    with embedded.servers(home, valkey=False, durable=False) as servers:
        os.kill(postmaster(home), signal.SIGKILL)
    pid_file = home / "postgres" / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split("\n")[0], str(os.getppid()), 1))

    with embedded.servers(home, valkey=False, durable=False) as servers:
        assert await execute(servers, "SELECT 'back'") == "back"


async def test_a_killed_server_is_started_again_where_it_was(home: Path) -> None:
    with embedded.servers(home, valkey=False, durable=False) as servers:
        os.kill(postmaster(home), signal.SIGKILL)
        while not (revived := servers.revive()):
            pass

        assert revived == ["PostgreSQL"]
        assert await execute(servers, "SELECT 'back'") == "back"


def test_the_version_that_made_the_data_decides_which_postgres_runs(tmp_path: Path) -> None:
    newest, older = installation(tmp_path, "18.6"), installation(tmp_path, "15.18 (Debian 15.18-0+deb12u1)")

    assert installations.choose_postgres([newest, older]) == newest
    assert installations.choose_postgres([newest, older], major=15) == older
    with pytest.raises(embedded.Failed, match=r"PostgreSQL 16, which made the data here, .*seen: 18, 15"):
        installations.choose_postgres([newest, older], major=16)


def test_a_postgres_too_old_or_without_btree_gist_is_passed_over(tmp_path: Path) -> None:
    old, bare, fit = (
        installation(tmp_path, "13.1"),
        installation(tmp_path, "17.2", gist=False),
        installation(tmp_path, "14.9"),
    )

    assert installations.choose_postgres([tmp_path / "absent", old, bare, fit]) == fit


def test_the_postgres_of_the_wheel_fits() -> None:
    account = None if os.geteuid() else postgres.unprivileged()

    assert installations.choose_postgres(installations.postgres_wheel(), account=account).name == "bin"


async def execute(servers: embedded.Servers, statement: str) -> object:
    connection = await asyncpg.connect(servers.database_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def remember(servers: embedded.Servers, key: str, value: str) -> None:
    async with redis.Redis.from_url(servers.redis_url) as client:
        await client.set(key, value)


async def recall(servers: embedded.Servers, key: str) -> str | None:
    async with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
        found: str | None = await client.get(key)
        return found


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def installation(folder: Path, version: str, *, gist: bool = True) -> Path:
    """A folder whose `initdb` only tells its version and where its extensions lie."""
    binaries, share = folder / version / "bin", folder / version / "share"
    binaries.mkdir(parents=True)
    (share / "extension").mkdir(parents=True)
    if gist:
        (share / "extension" / "btree_gist.control").touch()
    program = binaries / "initdb"
    program.write_text(f"#!/bin/sh\necho 'VERSION={version}'\necho 'share_path={share}'\n")
    program.chmod(0o755)
    return binaries
