"""Calendars outside that people connect, and what does not fit."""

from typing import Annotated

import strawberry
from strawberry import UNSET
from tortoise.queryset import QuerySet

import models
from errors import Forbidden
from policy import Actor, Permission, row_id
from schema.calendars import (
    Calendar,
    CalendarConflict,
    CalendarConflictFilter,
    CalendarConflictResolveInput,
    CalendarConnectInput,
    CalendarDisconnectInput,
    CalendarFilter,
    CalendarSyncInput,
    CalendarToConnect,
    CalendarUpdateInput,
)
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, exchange, mutation, one, query
from services import calendar_choices
from services import calendars as calendars_service
from services.calendar_access import Access


@connection(Calendar, requires=Permission.AGENDA_READ)
def calendars(info: Info, filter: CalendarFilter | None = None) -> QuerySet[models.Calendar]:
    """Calendars that are kept in step with appointments. A consultant sees their own."""
    return filtered(actor(info).rows(models.Calendar), filter)


@one(Calendar, requires=Permission.AGENDA_READ)
def calendar(id: strawberry.ID) -> Wanted:
    """One calendar."""
    return models.Calendar, row_id(models.Calendar, id)


@connection(CalendarConflict, requires=Permission.AGENDA_READ)
def calendar_conflicts(info: Info, filter: CalendarConflictFilter | None = None) -> QuerySet[models.CalendarConflict]:
    """Where calendars and appointments differ, newest first. A consultant sees their own."""
    return filtered(actor(info).rows(models.CalendarConflict), filter)


@one(CalendarConflict, requires=Permission.AGENDA_READ)
def calendar_conflict(id: strawberry.ID) -> Wanted:
    """One of these."""
    return models.CalendarConflict, row_id(models.CalendarConflict, id)


@query(list[CalendarToConnect], requires=Permission.HOURS_WRITE)
async def calendars_to_connect(
    info: Info,
    oauth_grant: Annotated[strawberry.ID | None, strawberry.argument(description="A consent: its global id.")] = None,
) -> list[CalendarToConnect]:
    """The calendars that a consent opens, or the organization's own service account: the provider is asked."""
    found = await calendars_service.to_connect(await _access(actor(info), oauth_grant, "oauthGrant"))
    return [
        CalendarToConnect(
            remote_id=each.id, name=each.name, time_zone=each.time_zone, writable=each.writable, primary=each.primary
        )
        for each in found
    ]  # fmt: skip


@exchange(Calendar, requires=Permission.HOURS_WRITE)
async def calendar_connect(info: Info, input: CalendarConnectInput) -> models.Calendar:
    """Keep a calendar in step with somebody's appointments: they go out to it, its events make them busy, and what is
    moved or deleted there is followed where the rules allow. A consultant connects their own."""
    caller = actor(info)
    staff = await caller.get(models.Staff, input.staff, field="input.staff")
    if not caller.may(Permission.AGENDA_WRITE) and staff.membership_id != caller.own_id:
        raise Forbidden("You connect calendars of your own. Ask an owner or an admin.", field="input.staff")
    by = await _access(caller, input.oauth_grant, "input.oauthGrant")
    return await calendars_service.connect(staff, by, input.remote_id, outgoing=input.outgoing, incoming=input.incoming)


@mutation(Calendar, requires=Permission.HOURS_WRITE)
async def calendar_update(info: Info, input: CalendarUpdateInput) -> models.Calendar:
    """Change what goes out to a calendar, and whether its events make its person busy."""
    row = await actor(info).get(models.Calendar, input.calendar, field="input.calendar", for_update=True)
    outgoing, incoming = (None if each is UNSET else each for each in (input.outgoing, input.incoming))
    return await calendars_service.update(row, outgoing=outgoing, incoming=incoming)


@mutation(Calendar, requires=Permission.HOURS_WRITE)
async def calendar_disconnect(info: Info, input: CalendarDisconnectInput) -> models.Calendar:
    """Leave a calendar alone: its events make nobody busy any more. Appointments' events stay in it unless told
    otherwise. `calendarConnect` goes on with it, and catches up."""
    row = await actor(info).get(models.Calendar, input.calendar, field="input.calendar", for_update=True)
    return await calendars_service.disconnect(row, models.CalendarEventsThen(input.events))


@mutation(Calendar, requires=Permission.HOURS_WRITE)
async def calendar_sync(info: Info, input: CalendarSyncInput) -> models.Calendar:
    """Read a calendar now, instead of within the minute, and push what it lacks; `syncedAt` says when it was done."""
    row = await actor(info).get(models.Calendar, input.calendar, field="input.calendar", for_update=True)
    return await calendars_service.sync(row)


@mutation(CalendarConflict, requires=Permission.HOURS_WRITE)
async def calendar_conflict_resolve(info: Info, input: CalendarConflictResolveInput) -> models.CalendarConflict:
    """Settle a conflict: keep the appointment as it is, have it follow the calendar, or cancel it. The calendar is
    changed accordingly, and clients are told."""
    caller = actor(info)
    row = await caller.get(models.CalendarConflict, input.calendar_conflict, field="input.calendarConflict")
    by = caller.own_id if caller.may(Permission.MEMBER) else None
    return await calendar_choices.resolve(row, models.CalendarChoice(input.choice), by)


async def _access(caller: Actor, oauth_grant: strawberry.ID | None, field: str) -> Access:
    grant = await caller.get(models.OAuthGrant, oauth_grant, field=field) if oauth_grant else None
    return calendars_service.access(caller.organization_id, grant)
