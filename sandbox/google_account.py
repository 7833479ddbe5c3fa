"""Google, as the sandbox plays it: what tests hold in their hands."""

from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox import google_events as events
from sandbox.google_api import GoogleApi, GoogleRequest, new_calendar
from sandbox.google_books import GoogleBooks, Json
from sandbox.google_events import Meet, Writer
from sandbox.google_faults import GoogleFault, GoogleFaults
from sandbox.google_people import GooglePeople
from sandbox.store import Store

TIME_ZONE = "Europe/Paris"


class GoogleAccount:
    """`people` has who may do what: service accounts, consents and tokens. `api`: its routes."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self.books = GoogleBooks(store, clock)
        self.people = GooglePeople(self.books)
        self.faults = GoogleFaults()
        self.api = GoogleApi(self.books, self.people, self.faults)

    @property
    def requests(self) -> deque[GoogleRequest]:
        """The newest requests to the API, oldest first."""
        return self.api.requests

    def person(self, email: str, time_zone: str = TIME_ZONE) -> str:
        """Somebody with a calendar of their own, whose id is their address; as it is where they are there already."""
        if self.books.store.get("google_calendar", email) is None:
            self.books.keep_calendar(new_calendar(email, email, email, time_zone))
        return email

    def calendar(self, owner: str, name: str, time_zone: str = TIME_ZONE) -> str:
        """One more calendar of somebody's; gives its id."""
        id = f"{name.lower().replace(' ', '-')}.{owner.replace('@', '.')}@group.calendar.google.com"
        self.books.keep_calendar(new_calendar(id, owner, name, time_zone))
        return id

    def share(self, calendar_id: str, email: str, role: str = "writer") -> None:
        """With a service account, which does not see it in its list before it adds it; or with another person."""
        calendar = self.books.calendar(calendar_id)
        calendar["shared"][email] = role
        if not email.endswith(".gserviceaccount.com"):
            calendar["listed"] = [*calendar["listed"], email]
        self.books.keep_calendar(calendar)

    def unshare(self, calendar_id: str, email: str) -> None:
        calendar = self.books.calendar(calendar_id)
        calendar["shared"].pop(email, None)
        self.books.keep_calendar(calendar)

    def events(self, calendar_id: str) -> list[Json]:
        """All that a calendar has, cancelled ones and exceptions of series too, in order of arrival."""
        return self.books.events(calendar_id)

    def event(self, calendar_id: str, id: str) -> Json:
        """Raises GoogleError where there never was one."""
        return events.find(self.books, self.books.calendar(calendar_id), id)

    def add(self, calendar_id: str, start: str, end: str, title: str = "Occupé", **more: Any) -> Json:
        """Write an event as a person in Google would. `start`, `end`: days, or moments with an offset."""
        given = {"summary": title, "start": _at(start), "end": _at(end)} | more
        return self._written(
            lambda calendar, by: events.insert(self.books, calendar, given, by, conference=True, meet=self.api.meet),
            calendar_id,
        )

    def change(self, calendar_id: str, id: str, **given: Any) -> Json:
        """Change what is given, as a person in Google would; None unsets."""
        return self._written(
            lambda calendar, by: events.patch(
                self.books, calendar, id, given, by, conference=True, meet=self.api.meet, etag=None
            ),
            calendar_id,
        )

    def move(self, calendar_id: str, id: str, start: str, end: str) -> Json:
        return self.change(calendar_id, id, start=_at(start), end=_at(end))

    def answer(self, calendar_id: str, id: str, email: str, response: str) -> Json:
        """What an attendee says: accepted, declined, tentative or needsAction."""
        event = self.event(calendar_id, id)
        guests = [
            each | ({"responseStatus": response} if each["email"] == email else {}) for each in event["attendees"]
        ]
        return self.change(calendar_id, id, attendees=guests)

    def delete(self, calendar_id: str, id: str) -> None:
        with self.books.store.transaction():
            events.delete(self.books, self.books.calendar(calendar_id), id)

    def drop_calendar(self, calendar_id: str) -> None:
        """Delete a calendar with all that is in it."""
        self.books.store.drop("google_calendar", calendar_id)
        self.books.store.forget(f"google_event:{calendar_id}")

    def expire_sync_tokens(self, calendar_id: str) -> None:
        """Those given until now: the next use is answered 410."""
        calendar = self.books.calendar(calendar_id)
        calendar |= {"version": calendar["version"] + 1}
        self.books.keep_calendar(calendar | {"floor": calendar["version"]})

    def fail(
        self,
        status: int | None = 503,
        reason: str = "backendError",
        *,
        times: int = 1,
        path: str = "/calendar/v3/",
        retry_after: int | None = None,
        delay: float = 0.0,
    ) -> None:
        """Answer the next requests so: `fail(403, "rateLimitExceeded")`; None carries out, then cuts the connection."""
        self.faults.add(GoogleFault(status, reason, times, path, retry_after, delay))

    def make_meets(self, *, slowly: bool = False, for_service_accounts: bool = True) -> None:
        """How links to Meet are made from now on: pending until `finish_meet`, or not for service accounts alone."""
        self.api.meet = Meet(slowly, for_service_accounts)

    def finish_meet(self, calendar_id: str, id: str) -> None:
        with self.books.store.transaction():
            events.finish_meet(self.books, self.books.calendar(calendar_id), id)

    def _written(self, write: Callable[[Json, Writer], Json], calendar_id: str) -> Json:
        calendar = self.books.calendar(calendar_id)
        with self.books.store.transaction():
            return write(calendar, Writer(calendar["owner"]))


def _at(given: str) -> Json:
    """Another kind than before is unset."""
    return {"dateTime": given, "date": None} if "T" in given else {"date": given, "dateTime": None, "timeZone": None}
