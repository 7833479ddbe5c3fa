"""Calendars in memory, for what needs thousands of them or thousands of histories: the protocol, and nothing beside."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from errors import Changed, Gone, ProviderError, SyncExpired
from providers.capabilities import (
    Calendar,
    ChangesPage,
    EventStatus,
    OutgoingEvent,
    Period,
    Pushed,
    RemoteCalendar,
    RemoteEvent,
)

ZONE = "Europe/Paris"


@dataclass
class Book:
    """One calendar: its events, and at which change each was changed last. Changes before `forgotten` are not known."""

    events: dict[str, RemoteEvent] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    forgotten: int = 0

    def put(self, event: RemoteEvent) -> RemoteEvent:
        self.changes += 1
        self.changed[event.id] = self.changes
        self.events[event.id] = replace(event, etag=f'"{self.changes}"')
        return self.events[event.id]


@dataclass
class Memory(Calendar):
    """All of them. `fails` is raised instead of an answer; `page_size` events come at once."""

    books: dict[str, Book] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    fails: ProviderError | None = None
    page_size: int = 250
    makes_meet_at_once: bool = True
    latency: float = 0.0  # seconds

    # What a person does there

    def add(self, calendar: str, id: str, starts_at: datetime, minutes: int = 60, **values: Any) -> RemoteEvent:
        given = {
            "title": "Dentiste",
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(minutes=minutes),
        } | values
        return self.book(calendar).put(RemoteEvent(id=id, etag="", status=EventStatus.CONFIRMED, **given))

    def add_days(self, calendar: str, id: str, starts_on: date, ends_on: date) -> RemoteEvent:
        made = RemoteEvent(id=id, etag="", status=EventStatus.CONFIRMED, starts_on=starts_on, ends_on=ends_on)
        return self.book(calendar).put(made)

    def change(self, calendar: str, id: str, **values: Any) -> RemoteEvent:
        return self.book(calendar).put(replace(self.book(calendar).events[id], **values))

    def move(self, calendar: str, id: str, by: timedelta) -> RemoteEvent:
        event = self.book(calendar).events[id]
        assert event.starts_at and event.ends_at
        return self.change(calendar, id, starts_at=event.starts_at + by, ends_at=event.ends_at + by)

    def delete(self, calendar: str, id: str) -> None:
        self.change(calendar, id, status=EventStatus.CANCELLED)

    def forget(self, calendar: str) -> None:
        """Sync tokens that were given so far are good no longer."""
        self.book(calendar).changes += 1
        self.book(calendar).forgotten = self.book(calendar).changes

    def shown(self, calendar: str) -> list[RemoteEvent]:
        return [each for each in self.book(calendar).events.values() if each.status is not EventStatus.CANCELLED]

    def book(self, calendar: str) -> Book:
        return self.books.setdefault(calendar, Book())

    @asynccontextmanager
    async def opener(self, access: Any, purpose: str) -> AsyncIterator["Memory"]:
        """What `outside().calendars` is set to."""
        self.asked["opened"] += 1
        yield self

    # The protocol

    async def list_calendars(self) -> list[RemoteCalendar]:
        await self._answer("list_calendars")
        return [RemoteCalendar(id, id.title(), ZONE, writable=True, primary=False) for id in self.books]

    async def add_calendar(self, id: str) -> RemoteCalendar:
        raise Gone("no such calendar")

    async def event(self, calendar_id: str, id: str) -> RemoteEvent:
        await self._answer("event")
        if id not in self.book(calendar_id).events:
            raise Gone("no such event")
        return self.book(calendar_id).events[id]

    async def insert(self, calendar_id: str, event: OutgoingEvent) -> Pushed:
        await self._answer("insert")
        book = self.book(calendar_id)
        there = book.events.get(event.id)
        return Pushed(there or book.put(self._made(event, None)), invited=True)

    async def patch(self, calendar_id: str, event: OutgoingEvent, *, etag: str | None = None) -> Pushed:
        await self._answer("patch")
        present = await self._present(calendar_id, event.id, etag)
        return Pushed(self.book(calendar_id).put(self._made(event, present)), invited=True)

    async def cancel(self, calendar_id: str, id: str, *, etag: str | None = None) -> None:
        await self._answer("cancel")
        if id in self.book(calendar_id).events:
            await self._present(calendar_id, id, etag)
            self.delete(calendar_id, id)

    async def changes(
        self, calendar_id: str, *, since: datetime, until: datetime | None = None, sync_token: str | None = None,
        page_token: str | None = None,
    ) -> ChangesPage:  # fmt: skip
        await self._answer("changes")
        book = self.book(calendar_id)
        known = int(sync_token) if sync_token else 0
        if sync_token and known < book.forgotten:
            raise SyncExpired("410")
        upto, after = page_token.split(":", 1) if page_token else (str(book.changes), "")
        wanted = sorted(
            id for id, at in book.changed.items()
            if at > known and id > after and (known or book.events[id].status is not EventStatus.CANCELLED)
        )  # fmt: skip
        page, more = wanted[: self.page_size], len(wanted) > self.page_size
        return ChangesPage(
            [book.events[id] for id in page], ZONE, f"{upto}:{page[-1]}" if more else None, None if more else upto
        )

    async def free_busy(
        self, calendar_ids: Sequence[str], starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, list[Period] | None]:
        raise NotImplementedError

    async def _answer(self, what: str) -> None:
        self.asked[what] += 1
        await asyncio.sleep(self.latency)
        if self.fails:
            raise self.fails

    async def _present(self, calendar_id: str, id: str, etag: str | None) -> RemoteEvent:
        present = self.book(calendar_id).events.get(id)
        if present is None:
            raise Gone("no such event")
        if etag and present.etag != etag:
            raise Changed("another version")
        return present

    def _made(self, event: OutgoingEvent, before: RemoteEvent | None) -> RemoteEvent:
        meet = before.meet_url if before else None
        if event.wants_meet and meet is None and self.makes_meet_at_once:
            meet = f"https://meet.google.com/{event.id[:10]}"
        return RemoteEvent(
            id=event.id, etag="", status=EventStatus.CONFIRMED, title=event.title, starts_at=event.starts_at,
            ends_at=event.ends_at, attendees=event.attendees, meet_url=meet,
            meet_pending=event.wants_meet and meet is None, appointment_id=UUID(str(event.appointment_id)),
            sequence=event.sequence,
        )  # fmt: skip
