"""The demonstration's agenda: two services and a group class, the consultant who gives them in a room, a pack of
sessions, and bookings past and coming."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models import (
    Appointment,
    Booking,
    BookingStatus,
    Client,
    Membership,
    Organization,
    Product,
    ProductService,
    Resource,
    Role,
    Service,
    ServiceResource,
    ServiceStaff,
    Staff,
    WeeklyHours,
)
from services import availability, bookings, catalogue_sync
from services.bookings import Wanted
from services.outbox import later

ONLINE, MASSAGE, CLASS = "Entretien découverte (vidéo)", "Séance individuelle", "Atelier collectif"
PACK = "Forfait 5 séances"
SERVICES: tuple[dict[str, Any], ...] = (
    {"name": ONLINE, "duration_minutes": 30, "price_cents": 0, "online": True},
    {
        "name": MASSAGE, "duration_minutes": 60, "buffer_after_minutes": 15, "price_cents": 6000,
        "location": "12 rue de la Paix, 75002 Paris", "late_cancel_percent": 5000, "no_show_percent": 10_000,
    },
    {
        "name": CLASS, "duration_minutes": 90, "price_cents": 0, "capacity": 8,
        "location": "12 rue de la Paix, 75002 Paris",
    },
)  # fmt: skip


async def seed(organization: Organization, clients: list[Client]) -> None:
    """Made where nothing can be booked yet; in the open transaction."""
    if await Service.exists(organization_id=organization.id):
        return
    here: dict[str, Any] = {"organization": organization}
    staff, room = await _staff(organization), await Resource.create(name="Salle Bellevue", **here)
    services = {each["name"]: await Service.create(**each, **here) for each in SERVICES}
    for service in services.values():
        await ServiceStaff.create(service=service, staff=staff, **here)
        if not service.online:
            await ServiceResource.create(service=service, resource=room, **here)
    await _pack(organization, services[MASSAGE])
    await _past(clients[0], services[ONLINE], staff)
    for place, client in enumerate(clients):
        await _coming(client, services[CLASS], days=3)
        await _coming(client, services[ONLINE], days=5 + place)


async def _staff(organization: Organization) -> Staff:
    """The consultant, from Monday to Friday."""
    member = await Membership.filter(organization_id=organization.id, role=Role.CONSULTANT).order_by("id").first()
    staff = await Staff.create(organization=organization, membership=member, display_name="Claude Démo")
    for day in range(1, 6):
        for begins, ends in ((9 * 60, 12 * 60 + 30), (14 * 60, 18 * 60)):
            await WeeklyHours.create(
                organization=organization, staff=staff, iso_weekday=day, starts_minute=begins, ends_minute=ends
            )
    return staff


async def _pack(organization: Organization, service: Service) -> None:
    pack = await Product.create(
        organization=organization, name=PACK, description="Cinq séances à prendre dans les six mois",
        price_cents=27_000, pack_sessions=5, pack_days=183,
    )  # fmt: skip
    await ProductService.create(organization=organization, product=pack, service=service)
    await later(catalogue_sync.push, pack)


async def _past(client: Client, service: Service, staff: Staff) -> None:
    """One that was held: a week ago at noon."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    starts_at = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0) - timedelta(days=7)
    ends_at = starts_at + timedelta(minutes=service.duration_minutes)
    appointment = await Appointment.create(
        service=service, staff=staff, starts_at=starts_at, ends_at=ends_at, occupied_from=starts_at,
        occupied_until=ends_at, taken=1, **here,
    )  # fmt: skip
    await Booking.create(
        appointment=appointment, client=client, attendee_name=client.name, status=BookingStatus.COMPLETED,
        price_cents=0, currency=service.currency, **here,
    )  # fmt: skip


async def _coming(client: Client, service: Service, *, days: int) -> None:
    """At the nearest time that is free, so many days from now."""
    about = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=days)
    for free in await availability.nearest(service, None, about, most=1, within=timedelta(days=7)):
        begins = datetime.fromtimestamp(free.slot.begins, UTC)
        await bookings.book(client, Wanted(service, begins, free.staff_ids[0], by_rules=False))
