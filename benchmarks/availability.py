"""When anybody of ten people can be booked within thirty days, with 5,000 bookings: our process's CPU, against the bare
SQL that it takes, whose rows are thrown away.

What ours says is compared with what a naive reading of the same rows says, hour by hour.
"""

import gc
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import orjson
import uvloop

from benchmarks import load
from benchmarks.figures import OURS, Figure, Turn, Turns, turns_of
from benchmarks.installation import Installation
from models import Service
from models.database import fetch, query
from services import availability, outside
from services.availability import Offer
from settings import Settings

BARE = "bare SQL"
STAFF, DAYS, BOOKINGS = 10, 30, 5_000
CPU_MOST = 50.0  # ms of our process
PARIS = ZoneInfo("Europe/Paris")

Answer = Callable[[], Awaitable[Any]]


def measure(installed: Installation, rounds: int, seconds: float) -> list[Figure]:
    """In one process that is warm, the service alone: no HTTP, no GraphQL."""
    turns = turns_of(installed.run("benchmarks.availability", rounds, seconds, ENVIRONMENT="development"))
    cpus = [turn.cpu / 1000 for turn in turns[OURS]]
    ratios = [ours.cpu / bare.cpu for ours, bare in zip(turns[OURS], turns[BARE], strict=True)]
    medians = {way: sorted(taken, key=lambda turn: turn.cpu)[len(taken) // 2] for way, taken in turns.items()}
    cpu, ratio = medians[OURS].cpu / 1000, sorted(ratios)[len(ratios) // 2]
    return [
        Figure("availability", "CPU", cpu, CPU_MOST, at_least=False, unit=" ms", spread=(min(cpus), max(cpus)),
               by_cpu=cpu, ways=medians),
        Figure("availability", BARE, ratio, None, at_least=False, spread=(min(ratios), max(ratios)), by_cpu=ratio),
    ]  # fmt: skip


async def main(rounds: int, seconds: float) -> Turns:
    """The turns of both ways. Raises Failed unless what ours says is what the rows say."""
    settings = Settings(_env_file=None)
    async with outside.connected(settings):
        begins = datetime.now(PARIS).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        service = await _made(begins)
        ends = begins + timedelta(days=DAYS)
        found = await availability.offers(service, None, begins, ends)
        _compare(found, await fetch(_ALL), begins)
        bare = await asyncpg.connect(settings.database_url)
        try:
            ways: dict[str, Answer] = {
                OURS: lambda: availability.offers(service, None, begins, ends),
                BARE: lambda: _bare(bare, service, begins, ends),
            }
            gc.collect()
            gc.freeze()
            return await _turns(ways, rounds, seconds)
        finally:
            await bare.close()


async def _made(begins: datetime) -> Service:
    """Ten people who work every day from 8 to 21, and their bookings of half an hour, seventeen a day at most."""
    await query(_STAFF, STAFF)
    await query(_BOOKED, begins, BOOKINGS, DAYS)
    return await Service.get(name="benchmark")


async def _bare(connection: asyncpg.Connection, service: Service, begins: datetime, ends: datetime) -> None:
    staff = [
        row["id"] for row in await connection.fetch(availability._STAFF, service.id, service.organization_id, None)
    ]
    await connection.fetch(availability._HOURS, staff)
    await connection.fetch(availability._EXCEPTIONS, service.organization_id, staff, begins.date(), ends.date())
    await connection.fetch(availability._RESOURCES, service.id)
    await connection.fetch(availability._APPOINTMENTS, staff, [], begins, ends)
    await connection.fetch(availability._BLOCKS, staff, begins, ends)


def _compare(found: list[Offer], rows: list[asyncpg.Record], begins: datetime) -> None:
    """Each half hour of each day, by whom it is not booked."""
    taken = {(row["staff_id"], row["starts_at"]) for row in rows}
    everybody = {row["staff_id"] for row in rows}
    expected = []
    for day in range(DAYS):
        for half in range(16, 42):
            at = (begins + timedelta(days=day)).replace(hour=half // 2, minute=half % 2 * 30).astimezone(UTC)
            expected.append((at, {each for each in everybody if (each, at) not in taken}))
    said = [(datetime.fromtimestamp(offer.slot.begins, UTC), set(offer.staff_ids)) for offer in found]
    if len(rows) != BOOKINGS or len(everybody) != STAFF or said != expected:
        raise load.Failed("availability is not what the appointments say")


async def _turns(ways: dict[str, Answer], rounds: int, seconds: float) -> Turns:
    taken: Turns = {way: [] for way in ways}
    for round in range(-1, rounds):
        for way, answer in ways.items():
            turn = await _turn(answer, seconds)
            if round >= 0:  # the first warms up
                taken[way].append(turn)
    return taken


async def _turn(answer: Answer, seconds: float) -> Turn:
    number, started, used = 0, time.perf_counter(), time.process_time()
    while not number or time.perf_counter() - started < seconds:
        await answer()
        number += 1
    return Turn(number / (time.perf_counter() - started), (time.process_time() - used) / number * 1e6)


_STAFF = """
WITH service AS (
    INSERT INTO services (id, created_at, organization_id, name, duration_minutes, buffer_before_minutes,
        buffer_after_minutes, slot_step_minutes, capacity, price_cents, deposit_cents, currency, vat_rate, online,
        min_notice_minutes, max_ahead_days, free_cancel_hours, late_cancel_percent, no_show_percent, active)
    SELECT gen_random_uuid(), now(), id, 'benchmark', 30, 0, 0, 30, 1, 0, 0, 'EUR', 2000, false, 0, 60, 0, 0, 0, true
    FROM organizations WHERE slug = 'told' RETURNING *
), person AS (
    INSERT INTO staff (id, created_at, organization_id, display_name, time_zone, active)
    SELECT gen_random_uuid(), now(), organization_id, 'Camille ' || n, 'Europe/Paris', true
    FROM service, generate_series(1, $1::int) AS n RETURNING *
), given AS (
    INSERT INTO service_staff (id, created_at, organization_id, service_id, staff_id)
    SELECT gen_random_uuid(), now(), service.organization_id, service.id, person.id FROM service, person
), off AS (
    UPDATE organizations SET public_holidays_off = false WHERE slug = 'told'
)
INSERT INTO weekly_hours (id, created_at, organization_id, staff_id, iso_weekday, starts_minute, ends_minute)
SELECT gen_random_uuid(), now(), organization_id, id, weekday, 480, 1260 FROM person, generate_series(1, 7) AS weekday
"""
_BOOKED = """
INSERT INTO appointments (id, created_at, organization_id, service_id, staff_id, starts_at, ends_at, occupied_from,
    occupied_until, capacity, taken, status, sequence)
SELECT gen_random_uuid(), now(), service.organization_id, service.id, staff_id, at, at + interval '30 minutes', at,
    at + interval '30 minutes', 1, 1, 'ACTIVE', 0
FROM services AS service, LATERAL (
    SELECT staff.id AS staff_id,
        ($1::timestamptz AT TIME ZONE 'Europe/Paris' + make_interval(days => day, mins => 480 + 30 * half))
            AT TIME ZONE 'Europe/Paris' AS at
    FROM staff, generate_series(0, $3::int - 1) AS day, generate_series(0, 25) AS half
    WHERE staff.organization_id = service.organization_id
    ORDER BY md5(staff.display_name || '-' || day || '-' || half) LIMIT $2::int
) AS place
WHERE service.name = 'benchmark'
"""
_ALL = "SELECT staff_id, starts_at FROM appointments WHERE status = 'ACTIVE'"


if __name__ == "__main__":
    told = uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
    print(orjson.dumps(told).decode())
