"""What tests of bookings say: a service that somebody gives, and places in their time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import models
from models.base import global_id, parse_global_id
from tests.shop import Shop

PARIS = ZoneInfo("Europe/Paris")

BOOK = """mutation ($input: BookingCreateInput!) { bookingCreate(input: $input) {
  startsAt endsAt confirmed holdExpiresAt payUrl orderNumber
  booking { id status order { id number status total { amount } } appointment { id staff { displayName } sequence } }
} }"""
SERIES = """mutation ($input: BookingSeriesCreateInput!) { bookingSeriesCreate(input: $input) {
  count skipped payUrl first { id order { id number lines { quantity } } appointment { startsAt } }
} }"""
MOVE = """mutation ($input: BookingMoveInput!) { bookingMove(input: $input) {
  booking { id status appointment { id startsAt sequence taken status } }
} }"""
CANCEL = """mutation ($input: BookingCancelInput!) { bookingCancel(input: $input) {
  booking { id status fee { amount } canceledAt order { id status } appointment { status taken } }
} }"""
BOOKING = """query ($id: ID!) { booking(id: $id) {
  status holdExpiresAt fee { amount } canceledBy { id } cancelReason client { id } attendeeName
  order {
    id number status total { amount } balance { amount } refunded { amount }
    conflicts { kind proposal proposed { amount } }
  }
  appointment { id startsAt endsAt status taken capacity sequence staff { id displayName } resource { id } }
} }"""


@dataclass
class Desk:
    """A service, and those who give it on each day from 9 to 18 o'clock in Paris."""

    shop: Shop
    row: models.Service
    staff: list[models.Staff]

    @classmethod
    async def open(cls, shop: Shop, *names: str, **values: Any) -> "Desk":
        """Free, of an hour, unless told."""
        given = {"name": "Bilan", "duration_minutes": 60, "price_cents": 0, "min_notice_minutes": 60, **values}
        row = await models.Service.create(organization_id=shop.organization.id, **given)
        desk = cls(shop, row, [])
        for name in names or ("Camille",):
            await desk.hire(name)
        return desk

    async def hire(self, name: str, **values: Any) -> models.Staff:
        here: dict[str, Any] = {"organization_id": self.row.organization_id}
        staff = await models.Staff.create(**here, display_name=name, **values)
        await models.ServiceStaff.create(**here, service=self.row, staff=staff)
        for day in range(1, 8):
            await models.WeeklyHours.create(
                **here, staff=staff, iso_weekday=day, starts_minute=9 * 60, ends_minute=18 * 60
            )
        self.staff.append(staff)
        return staff

    async def room(self, name: str) -> models.Resource:
        here: dict[str, Any] = {"organization_id": self.row.organization_id}
        room = await models.Resource.create(**here, name=name)
        await self.uses(room)
        return room

    async def uses(self, room: models.Resource) -> None:
        """The service needs it too."""
        await models.ServiceResource.create(organization_id=self.row.organization_id, service=self.row, resource=room)

    @property
    def service(self) -> str:
        return global_id(self.row)

    def asked(self, at: datetime, client: str, **values: Any) -> dict[str, Any]:
        return {"service": self.service, "startsAt": at.isoformat(), "client": client, **values}

    async def book(self, at: datetime, client: str | None = None, **values: Any) -> dict[str, Any]:
        client = client or await self.shop.client()
        made: dict[str, Any] = await self.shop(BOOK, input=self.asked(at, client, **values))
        return made

    async def see(self, booking: str) -> dict[str, Any]:
        seen: dict[str, Any] = await self.shop(BOOKING, id=booking)
        return seen

    async def cancel(self, booking: str, **values: Any) -> dict[str, Any]:
        return dict((await self.shop(CANCEL, input={"booking": booking, **values}))["booking"])

    async def move(self, booking: str, at: datetime, **values: Any) -> dict[str, Any]:
        moved = await self.shop(MOVE, input={"booking": booking, "startsAt": at.isoformat(), **values})
        return dict(moved["booking"])

    async def time_comes(self, booking: str, **passed: float) -> None:
        """The appointment of a booking is that much nearer, or past."""
        named = parse_global_id(booking)
        assert named
        columns = ("starts_at", "ends_at", "occupied_from", "occupied_until")
        nearer = ", ".join(f"{column} = {column} - $2::interval" for column in columns)
        await self.shop.sql(
            f"UPDATE appointments SET {nearer} WHERE id = (SELECT appointment_id FROM bookings WHERE id = $1)",
            named[1], timedelta(**passed),
        )  # fmt: skip

    async def holds_end(self) -> None:
        """Nobody pays, and a worker does what was promised for then."""
        await self.shop.sql(
            "UPDATE bookings SET hold_expires_at = now() - interval '1 minute' WHERE status = 'PENDING'"
        )
        await self.shop.sql("UPDATE outbox SET due_at = now() WHERE job = 'holds.lapse' AND due_at IS NOT NULL")
        await self.shop.work_is_done()


def ahead(days: int = 3, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of a day in Paris some days from now."""
    day = datetime.now(PARIS).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS).astimezone(UTC)
