"""A week that looks like one: what the calendars of the demonstration's people hold before anything is booked."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.google_account import GoogleAccount
from sandbox.google_books import zone
from sandbox.google_week import monday

WEEKLY, WORKDAYS = ["RRULE:FREQ=WEEKLY;COUNT=52"], ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=260"]
PEOPLE: dict[str, list[tuple[int, str, str, str, dict[str, Any]]]] = {
    "owner@demo.test": [
        (0, "09:00", "10:00", "Point d’équipe", {"recurrence": WEEKLY}),
        (0, "12:30", "13:30", "Déjeuner", {"recurrence": WORKDAYS}),
        (1, "15:00", "16:00", "Expert-comptable", {}),
        (2, "09:30", "11:30", "Comité de pilotage", {}),
        (3, "14:00", "15:30", "Webinaire (décliné)", {"declines": True}),
        (4, "10:00", "11:00", "Anniversaire de Marie", {"transparency": "transparent"}),
        (8, "", "", "Congés", {"days": 2}),
    ],
    "consultant@demo.test": [
        (0, "09:00", "10:00", "Point d’équipe", {"recurrence": WEEKLY}),
        (0, "12:00", "13:00", "Déjeuner", {"recurrence": WORKDAYS}),
        (1, "08:30", "10:30", "Formation interne", {}),
        (2, "16:30", "17:30", "Médecin", {}),
        (3, "", "", "Télétravail", {"days": 1, "transparency": "transparent"}),
        (4, "16:00", "18:00", "Visite chez Atelier Nord", {}),
    ],
}


def fill(google: GoogleAccount, service_account: str | None, private_key: str | None) -> None:
    """Know the service account, whose key is given; make what is not there yet, shared with it."""
    if service_account and private_key:
        google.people.service_account(service_account, private_key)
    for email, events in PEOPLE.items():
        if google.books.store.get("google_calendar", email) is None:
            google.person(email)
            for day, starts, ends, title, more in events:
                _add(google, email, day, starts, ends, title, dict(more))
        if service_account:
            google.share(email, service_account)


def _add(google: GoogleAccount, email: str, day: int, starts: str, ends: str, title: str, more: dict[str, Any]) -> None:
    days_in = zone(google.books.calendar(email))
    on: date = monday(datetime.fromtimestamp(google.books.clock(), UTC).astimezone(days_in).date()) + timedelta(
        days=day
    )
    if more.pop("declines", False):
        more["attendees"] = [{"email": email, "responseStatus": "declined"}]
    if lasts := more.pop("days", 0):
        google.add(email, on.isoformat(), (on + timedelta(days=lasts)).isoformat(), title, **more)
        return
    start, end = (datetime.fromisoformat(f"{on}T{at}").replace(tzinfo=days_in).isoformat() for at in (starts, ends))
    google.add(email, start, end, title, **more)
