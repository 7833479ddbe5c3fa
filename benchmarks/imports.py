"""What importing clients from a CSV file takes a worker: lines a second, CPU, and memory.

`python -m benchmarks.imports` starts PostgreSQL and Valkey, stores a file of so many clients as an upload is stored,
encrypted, and carries the import out as a worker does: each line is looked at, then all are written, a thousand in a
transaction, with the audit log, what clients are found by, and how far it is. Memory is that of this process, before
and at most while it goes on, for files of two sizes: it must not grow with the file.

Exit code: 0, or 2 if it could not be measured.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson
import uvloop

from benchmarks import data
from local import embedded, processes
from local.home import new_master_key
from models import ClientImport, ClientImportStatus, OnBrokenLine, OnExistingClient
from models.database import query, transaction
from services import client_imports, file_types, outside, stored_files
from services.uploads import UNUSED
from settings import Settings

HEADINGS = "E-mail;Prénom;Nom;Société;Téléphone;Adresse;Code postal;Ville;Pays\r\n"
SMALL = 5  # the smaller file has so many times fewer lines


@dataclass(frozen=True)
class Seen:
    """What was measured. Times in seconds, memory in MB."""

    lines: int
    seconds: float
    lines_per_second: float
    cpu_per_line_ms: float
    memory_before: float
    memory_most_small: float
    memory_most: float


def main() -> int:
    options = _options()
    try:
        with embedded.servers(options.home, durable=True) as servers:
            seen = uvloop.run(_measured(servers, options))
    except (processes.Failed, ConnectionError, TimeoutError) as failure:
        print(f"error: {failure or 'no answer in time'}", file=sys.stderr)
        return 2
    print(orjson.dumps(seen, option=orjson.OPT_INDENT_2).decode())
    return 0


async def _measured(servers: embedded.Servers, options: argparse.Namespace) -> Seen:
    settings = Settings(
        _env_file=None, database_url=await data.fresh(servers.database_url), redis_url=servers.redis_url,
        comptoir_home=options.home, comptoir_master_keys=new_master_key(), stripe_secret_key="", app_url="http://127.0.0.1",
    )  # fmt: skip
    async with outside.connected(settings):
        (organization,) = await query("SELECT id FROM organizations LIMIT 1")
        await _imported(organization["id"], "warm", 1000)
        before = _most()
        await _imported(organization["id"], "small", options.lines // SMALL)
        small, started, used = _most(), time.perf_counter(), _cpu()
        await _imported(organization["id"], "large", options.lines)
        seconds, cpu = time.perf_counter() - started, _cpu() - used
    return Seen(
        options.lines, seconds, options.lines / seconds, cpu / options.lines * 1000, before, small, _most()
    )  # fmt: skip


async def _imported(organization_id: UUID, name: str, lines: int) -> None:
    async with stored_files.draft(organization_id, file_types.CSV, kept_for=UNUSED) as draft:
        await draft.write(_file(name, lines))
        await draft.store()
    async with transaction():
        made = await ClientImport.create(
            organization_id=organization_id, filename="clients.csv", file=draft.file, dry_run=False,
            on_existing=OnExistingClient.SKIP, on_broken=OnBrokenLine.REFUSE,
        )  # fmt: skip
    await client_imports.run(made)
    done = await ClientImport.get(id=made.id)
    if (done.status, done.created) != (ClientImportStatus.IMPORTED, lines):
        raise processes.Failed(f"{done.status}: {done.created} of {lines} clients, {done.broken} lines broken")


async def _file(name: str, lines: int) -> AsyncIterator[bytes]:
    yield HEADINGS.encode()
    for number in range(lines):
        yield (
            f"{name}{number}@example.com;Zoé;Žukov{number};Cabinet {number};06 12 {number % 10**6 // 10**4:02}"
            f" {number % 10**4 // 100:02} {number % 100:02};{number} rue de la Paix;75002;Paris;France\r\n"
        ).encode()


def _most() -> float:
    """The most memory that the process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _cpu() -> float:
    return time.process_time()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.imports",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    home = Path(os.environ.get("COMPTOIR_HOME", "var")) / "benchmarks"
    parser.add_argument("--home", type=Path, default=home, help=f"where the database lies; {home} unless told")
    parser.add_argument("--lines", type=int, default=50_000, help="50000 unless told")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
