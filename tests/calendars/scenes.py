"""Somebody with a calendar, whose time is booked."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    Appointment,
    Booking,
    BookingStatus,
    Calendar,
    CalendarConflict,
    CalendarEvent,
    Client,
    Service,
    ServiceStaff,
    Staff,
    WeeklyHours,
)
from models.base import parse_global_id
from models.database import query, transaction
from services import appointment_news, calendar_polling, cancellations
from services.appointment_news import What
from services.outside import outside
from tests.calendars.memory import Memory
from tests.shop import Shop

MORNING = (datetime.now(UTC) + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)


def at(hours: float) -> datetime:
    """So long after nine o'clock (UTC) of a day next week."""
    return MORNING + timedelta(hours=hours)


@dataclass
class Scene:
    shop: Shop
    memory: Memory
    service: Service
    staff: Staff
    calendar: Calendar
    _clients: int = field(default=0)

    @classmethod
    async def of(cls, shop: Shop, memory: Memory, **service: Any) -> "Scene":
        organization = shop.organization
        offered = {"name": "Bilan", "duration_minutes": 60, "price_cents": 0} | service
        made = await Service.create(organization=organization, **offered)
        staff = await Staff.create(organization=organization, display_name="Camille")
        await ServiceStaff.create(organization=organization, service=made, staff=staff)
        for day in range(1, 8):
            await WeeklyHours.create(
                organization=organization, staff=staff, iso_weekday=day, starts_minute=0, ends_minute=1440
            )
        outside().calendars = memory.opener
        return cls(shop, memory, made, staff, await cls.connected(shop, staff, "camille"))

    @staticmethod
    async def connected(shop: Shop, staff: Staff, remote_id: str, **values: Any) -> Calendar:
        given = {"outgoing": True, "incoming": True} | values
        return await Calendar.create(
            organization=shop.organization, staff=staff, provider="google_calendar", remote_id=remote_id,
            name=remote_id, time_zone="Europe/Paris", next_poll_at=datetime.now(UTC), **given,
        )  # fmt: skip

    async def booked(self, starts_at: datetime, staff: Staff | None = None) -> Appointment:
        """A client is expected then, whether or not anything else lies there."""
        async with transaction():
            return await self.book(starts_at, staff)

    async def book(self, starts_at: datetime, staff: Staff | None = None) -> Appointment:
        """The same, in the open transaction."""
        self._clients += 1
        client = await Client.create(
            organization=self.shop.organization, email=f"ana{self._clients}@example.com", first_name="Ana",
            last_name="Roux",
        )  # fmt: skip
        ends_at = starts_at + timedelta(minutes=self.service.duration_minutes)
        made = await Appointment.create(
            organization=self.shop.organization, service=self.service, staff=staff or self.staff,
            starts_at=starts_at, ends_at=ends_at, occupied_from=starts_at, occupied_until=ends_at, taken=1,
        )  # fmt: skip
        await Booking.create(
            organization=self.shop.organization, appointment=made, client=client, attendee_name="Ana Roux",
            status=BookingStatus.CONFIRMED, price_cents=0, currency="EUR",
        )  # fmt: skip
        await appointment_news.changed(made, What.MADE)
        return made

    async def moved(self, appointment: Appointment, starts_at: datetime, staff: Staff | None = None) -> None:
        """By us."""
        async with transaction():
            row = await Appointment.select_for_update().get(id=appointment.id)
            by = starts_at - row.starts_at
            row.starts_at, row.ends_at = row.starts_at + by, row.ends_at + by
            row.occupied_from, row.occupied_until = row.occupied_from + by, row.occupied_until + by
            row.staff_id = staff.id if staff else row.staff_id
            row.sequence += 1
            await row.save()
            await appointment_news.changed(row, What.MOVED)

    async def canceled(self, appointment: Appointment) -> None:
        """By us."""
        async with transaction():
            row = await Appointment.get(id=appointment.id)
            await cancellations.cancel_appointment(row, None, by_id=None)

    async def paid(self, appointment: Appointment) -> None:
        """By an order that nothing is owed of any more."""
        booking = await Booking.get(appointment_id=appointment.id)
        order = await self.shop.sell(await self.shop.product())
        key = parse_global_id(order["id"])
        assert key
        booking.order_id = key[1]
        await booking.save()

    async def poll(self) -> None:
        """All calendars are read now, whenever they would be."""
        await query("UPDATE calendars SET next_poll_at = now() WHERE next_poll_at IS NOT NULL")
        while calendars := await calendar_polling.claim(100):
            for access, theirs in calendar_polling.by_access(calendars).items():
                await calendar_polling.poll_all(access, theirs)

    async def settled(self) -> None:
        """What is promised is done, and calendars are read, until nothing happens any more."""
        for _ in range(4):
            await self.shop.work_is_done()
            await self.poll()
        await self.shop.work_is_done()

    async def busy(self) -> list[tuple[datetime, datetime]]:
        rows = await query("SELECT starts_at, ends_at FROM busy_blocks WHERE staff_id = $1 ORDER BY 1", self.staff.id)
        return [(row["starts_at"], row["ends_at"]) for row in rows]

    async def conflicts(self) -> list[CalendarConflict]:
        return await CalendarConflict.filter(organization_id=self.shop.organization.id, resolved_at=None).order_by("id")

    async def now(self, appointment: Appointment) -> Appointment:
        return await Appointment.get(id=appointment.id)

    async def known(self, appointment: Appointment) -> CalendarEvent:
        return await CalendarEvent.get(appointment_id=appointment.id)
