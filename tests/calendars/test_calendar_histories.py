"""No history of bookings, moves, cancellations and edits in calendars, done at once, books anybody twice; and once
nothing is under way any more, calendars and appointments agree, or a person is asked about each difference."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from errors import DomainError, Unavailable
from models import Appointment, AppointmentStatus, Calendar, CalendarConflict, Staff
from models.database import query, transaction
from services import cancellations, moves
from tests.calendars.scenes import Scene, at

STEPS, AT_ONCE, HOURS = 14, 5, 10
OVERLAPS = """
    SELECT a.id, b.id FROM appointments a JOIN appointments b ON a.staff_id = b.staff_id AND a.id < b.id
    AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.status = 'ACTIVE' AND b.status = 'ACTIVE'
"""


@pytest.mark.parametrize("seed", range(8))
async def test_nobody_is_booked_twice_and_in_the_end_both_sides_agree(scene: Scene, seed: int) -> None:
    history = History(scene, Random(seed))
    await history.people()

    for _ in range(STEPS):
        await asyncio.gather(*(history.step() for _ in range(AT_ONCE)))
        assert await query(OVERLAPS) == []

    scene.memory.fails = None
    await scene.shop.time_passes(hours=1)
    await scene.settled()
    assert await query(OVERLAPS) == []
    await history.must_agree()


class History:
    """What people do, here and in their calendars, as chance has it."""

    def __init__(self, scene: Scene, random: Random) -> None:
        self.scene, self.memory, self.random = scene, scene.memory, random
        self.foreign = 0

    async def people(self) -> None:
        dominique = await Staff.create(organization=self.scene.shop.organization, display_name="Dominique")
        self.staff = {"camille": self.scene.staff, "dominique": dominique}
        await self.scene.connected(self.scene.shop, dominique, "dominique")
        await self.scene.connected(self.scene.shop, self.scene.staff, "private", outgoing=False)

    async def step(self) -> None:
        steps: list[Callable[[], Awaitable[None]]] = [
            self.book, self.book, self.move, self.cancel, self.edit_ours, self.edit_ours, self.delete_ours,
            self.add_foreign, self.edit_foreign, self.forget, self.work, self.work, self.read,
        ]  # fmt: skip
        with suppress(DomainError, IntegrityError, OperationalError):
            await self.random.choice(steps)()

    async def book(self) -> None:
        staff = self.random.choice(list(self.staff.values()))
        await self.scene.booked(self.hour(), staff=staff)

    async def move(self) -> None:
        if appointment := await self.some():
            async with transaction():
                await moves.move_appointment(appointment, self.hour(), None)

    async def cancel(self) -> None:
        if appointment := await self.some():
            async with transaction():
                await cancellations.cancel_appointment(appointment, None, by_id=None)

    async def edit_ours(self) -> None:
        name = self.random.choice(list(self.staff))
        if ours := [event.id for event in self.memory.shown(name) if event.appointment_id]:
            id, starts_at = self.random.choice(ours), self.hour()
            minutes = self.random.choice((60, 60, 60, 90))
            self.memory.change(name, id, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes))

    async def delete_ours(self) -> None:
        name = self.random.choice(list(self.staff))
        if ours := [event.id for event in self.memory.shown(name) if event.appointment_id]:
            self.memory.delete(name, self.random.choice(ours))

    async def add_foreign(self) -> None:
        self.foreign += 1
        self.memory.add(self.random.choice(("camille", "dominique", "private")), f"foreign{self.foreign}", self.hour())

    async def edit_foreign(self) -> None:
        name = self.random.choice(("camille", "dominique", "private"))
        if foreign := [event.id for event in self.memory.shown(name) if not event.appointment_id]:
            self.memory.change(name, self.random.choice(foreign), transparent=self.random.random() < 0.3)

    async def forget(self) -> None:
        self.memory.forget(self.random.choice(("camille", "dominique", "private")))
        self.memory.fails = Unavailable("Google: 503") if self.random.random() < 0.2 else None

    async def work(self) -> None:
        await self.scene.shop.work_is_done()

    async def read(self) -> None:
        await self.scene.poll()

    async def some(self) -> Appointment | None:
        found = await Appointment.filter(status=AppointmentStatus.ACTIVE)
        return self.random.choice(found) if found else None

    def hour(self) -> datetime:
        return at(self.random.randrange(HOURS * 2) / 2)

    async def must_agree(self) -> None:
        asked = {
            (str(row.calendar_id), row.appointment_id.hex, row.external_id)
            for row in await CalendarConflict.filter(resolved_at=None)
        }
        appointments = await Appointment.filter(status=AppointmentStatus.ACTIVE)
        for calendar in await Calendar.all():
            theirs = [each for each in appointments if each.staff_id == calendar.staff_id]
            shown = {event.id: event for event in self.memory.shown(calendar.remote_id)}
            if calendar.outgoing:
                ours = {each.id.hex: (each.starts_at, each.ends_at) for each in theirs}
                there = {id: (e.starts_at, e.ends_at) for id, e in shown.items() if e.appointment_id}
                for id in ours.keys() | there.keys():
                    assert ours.get(id) == there.get(id) or (str(calendar.id), id, id) in asked
            foreign = [event for event in shown.values() if not event.appointment_id and event.occupies]
            for event in foreign:
                for each in theirs:
                    assert event.starts_at and event.ends_at
                    if each.starts_at < event.ends_at and event.starts_at < each.ends_at:
                        assert (str(calendar.id), each.id.hex, event.id) in asked
