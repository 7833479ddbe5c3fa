"""What reading calendars costs one worker: how many it reads a minute, requests, and the memory of a first reading.

`python -m benchmarks.calendars` starts PostgreSQL and Valkey, and reads calendars that are in memory: what is measured
is ours, all but the provider's own client. Each request is answered after as long as Google takes (`--latency`).

Exit code: 0, or 2 if it could not be measured.
"""

import argparse
import asyncio
import os
import resource
import sys
import time
import tracemalloc
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import uvloop
from uuid_utils.compat import uuid7

from benchmarks import data
from local import embedded, processes
from local.home import new_master_key
from models.database import query
from services import outside
from settings import Settings
from tests.calendars.memory import Memory
from workers.polling import Polling

ORGANIZATIONS = 50
PAGE = 2500  # events, as many as Google gives at once


@dataclass(frozen=True)
class Seen:
    """What was measured. Times in seconds, memory in MB."""

    calendars: int
    polled_per_minute: float
    cpu_per_poll_ms: float
    requests_per_poll: float
    first_events: int
    first_seconds: float
    first_requests: int
    first_memory: float  # most that Python held at once, beyond what it held before


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
    async with outside.connected(settings) as opened:
        memory = Memory(latency=options.latency, page_size=PAGE)
        opened.calendars = memory.opener
        (person,) = await query("SELECT id FROM organizations LIMIT 1")
        await _connect(options.calendars)
        await _read(memory)  # the first time
        requests = memory.asked["changes"]
        await query("UPDATE calendars SET next_poll_at = now()")
        cpu, seconds = await _read(memory)
        polls = memory.asked["changes"] - requests
        memory.asked.clear()
        first = await _first(memory, person["id"], options.events)
    return Seen(
        options.calendars, polls / seconds * 60, cpu / polls * 1000, polls / options.calendars, options.events, *first
    )


async def _read(memory: Memory) -> tuple[float, float]:
    """Until none is due: CPU and time."""
    polling, started, used = Polling(), time.perf_counter(), _cpu()
    while True:
        await polling.look()
        if polling.under_way:
            await asyncio.wait(polling.under_way, return_when=asyncio.FIRST_COMPLETED)
        due = await query("SELECT 1 FROM calendars WHERE next_poll_at <= now() LIMIT 1")
        if not due and not polling.under_way:
            return _cpu() - used, time.perf_counter() - started


async def _first(memory: Memory, organization_id: UUID, events: int) -> tuple[float, int, float]:
    """Time, requests and memory of reading a large calendar that was never read."""
    soon = datetime.now(UTC) + timedelta(days=1)
    for number in range(events):
        memory.add("large", f"event{number:05}", soon + timedelta(minutes=30 * number), minutes=20)
    await _calendar(organization_id, "large")
    tracemalloc.start()
    _, seconds = await _read(memory)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (kept,) = await query("SELECT count(*) AS n FROM busy_blocks")
    if kept["n"] != events:
        raise processes.Failed(f"{kept['n']} busy times of {events}")
    return seconds, memory.asked["changes"], most / 1e6


async def _connect(calendars: int) -> None:
    (first,) = await query("SELECT * FROM organizations LIMIT 1")
    made = [first["id"]]
    columns = [name for name in first if name not in ("id", "slug", "invoice_prefix")]
    for number in range(1, ORGANIZATIONS):
        made.append(uuid7())
        await query(
            f"INSERT INTO organizations (id, slug, invoice_prefix, {', '.join(columns)})"
            f" SELECT $1, $2, $3, {', '.join(columns)} FROM organizations WHERE id = $4",
            made[-1], f"shop{number}", f"S{number}", first["id"],
        )  # fmt: skip
    for number in range(calendars):
        await _calendar(made[number % ORGANIZATIONS], f"calendar{number}")


async def _calendar(organization_id: UUID, remote_id: str) -> None:
    staff_id = uuid7()
    await query(
        "INSERT INTO staff (id, created_at, organization_id, display_name, time_zone, active)"
        " VALUES ($1, now(), $2, $3, 'Europe/Paris', true)",
        staff_id, organization_id, remote_id,
    )  # fmt: skip
    await query(
        "INSERT INTO calendars (id, created_at, organization_id, staff_id, provider, remote_id, name, time_zone,"
        " outgoing, incoming, status, failures, next_poll_at)"
        " VALUES ($1, now(), $2, $3, 'google_calendar', $4, $4, 'Europe/Paris', true, true, 'CONNECTED', 0, now())",
        uuid7(), organization_id, staff_id, remote_id,
    )  # fmt: skip


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calendars", description=__doc__)
    parser.add_argument("--calendars", type=int, default=1000)
    parser.add_argument("--events", type=int, default=10_000, help="of the large one")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds")
    parser.add_argument(
        "--home", type=Path, default=Path(os.environ.get("COMPTOIR_HOME", "var")).resolve() / "benchmarks"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
