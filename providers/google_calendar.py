"""Google Calendar, with Meet, by Google's own client and the description of the API that comes with it.

https://developers.google.com/workspace/calendar/api/v3/reference
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Self

import httplib2
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import HttpRequest

from errors import Changed, Gone, Refused, Unavailable
from providers import google, google_events
from providers.base import Provider, Surroundings
from providers.capabilities import Calendar, ChangesPage, OutgoingEvent, Period, Pushed, RemoteCalendar, RemoteEvent
from providers.google import Addresses, Credentials, Duplicate, Json, OwnAccount, ServiceAccount, Token, addresses
from providers.metrics import CALLS, timed
from providers.oauth import OAuth
from providers.offers import Category, Feature, Offer, Words

SCOPES = ("https://www.googleapis.com/auth/calendar",)
PAGE = 2500  # events, as many as Google gives at once
CALENDARS_PAGE = 250
CALENDARS_PAGES = 20
ATTENDEES = 20  # of an event that has more, only whose calendar it is comes back
ASKED_AT_ONCE = 50  # calendars in one question about free and busy times
TRIES = 3  # at a change that others are making too


class GoogleCalendar(Provider[Credentials], Calendar):
    """The calendars that a service account or a person sees.

    A service account sees what was shared with it, by its address; without delegation it may invite nobody, and events
    are put there without attendees. `tells_attendees`: Google writes to those who are invited, which it never does
    unless told to.
    """

    name, category = "Google Calendar", Category.CALENDAR
    offer = Offer(
        OwnAccount,
        does=Words(
            fr="Inscrit les rendez-vous dans les agendas Google, avec un lien Meet, et en lit les indisponibilités.",
            en="Puts appointments into Google calendars, with a link to Meet, and reads from them who is busy.",
        ),
        needs=Words(
            fr="Un compte de service avec qui les agendas sont partagés, ou l'accord de chaque personne (OAuth).",
            en="A service account that calendars are shared with, or each person's consent (OAuth).",
        ),
        opens=(Feature.CALENDAR_SYNC, Feature.VIDEO_MEETINGS),
    )
    oauth = OAuth(
        google.Addresses().authorize,
        google.Addresses().token,
        settings=("google_oauth_client_id", "google_oauth_client_secret"),
        scopes=SCOPES,
        revoke_url=google.Addresses().revoke,
        issuer="https://accounts.google.com",
        asks={"access_type": "offline", "prompt": "consent", "include_granted_scopes": "false"},
    )

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        at = addresses(surroundings.urls.get(cls.key))
        return cls(credentials, addresses=at, tells_attendees=not surroundings.private)

    def __init__(
        self, credentials: Credentials, *, addresses: Addresses | None = None, tells_attendees: bool = False
    ) -> None:
        super().__init__(credentials)
        self._addresses = addresses or Addresses()
        self._told = {"sendUpdates": "all" if tells_attendees else "none"}

    async def check(self) -> None:
        await self._call(self._service.calendarList().list(maxResults=1))

    async def list_calendars(self) -> list[RemoteCalendar]:
        found: list[RemoteCalendar] = []
        page_token = None
        for _ in range(CALENDARS_PAGES):
            asked = self._service.calendarList().list(maxResults=CALENDARS_PAGE, pageToken=page_token)
            page = await self._call(asked)
            found += [google_events.calendar_from(item) for item in page.get("items", [])]
            page_token = page.get("nextPageToken")
            if not page_token:
                break
        return found

    async def add_calendar(self, id: str) -> RemoteCalendar:
        return google_events.calendar_from(await self._call(self._service.calendarList().insert(body={"id": id})))

    async def event(self, calendar_id: str, id: str) -> RemoteEvent:
        return google_events.event_from(await self._get(calendar_id, id))

    async def insert(self, calendar_id: str, event: OutgoingEvent) -> Pushed:
        attendees = google_events.invited(event) if self._invites else []
        made = google_events.body(event, attendees=attendees, meet=event.wants_meet) | {"id": event.id}
        try:
            item = await self._write(self._service.events().insert, made, calendarId=calendar_id)
        except Duplicate:
            item = await self._get(calendar_id, event.id)
        return self._pushed(item)

    async def patch(self, calendar_id: str, event: OutgoingEvent, *, etag: str | None = None) -> Pushed:
        """It is read first: what attendees answered goes with them, and a link to Meet is made once."""
        for _ in range(TRIES):
            present = await self._get(calendar_id, event.id)
            if etag and present["etag"] != etag:
                break
            attendees = google_events.invited(event, present.get("attendees", [])) if self._invites else None
            meet = event.wants_meet and not google_events.has_meet(present)
            made = google_events.body(event, attendees=attendees, meet=meet)
            to = {"calendarId": calendar_id, "eventId": event.id}
            try:
                return self._pushed(await self._write(self._service.events().patch, made, present["etag"], **to))
            except Changed:
                continue
        raise Changed("Google: the event was changed there in the meantime.")

    async def cancel(self, calendar_id: str, id: str, *, etag: str | None = None) -> None:
        try:
            await self._call(self._service.events().delete(calendarId=calendar_id, eventId=id, **self._told), etag)
        except Gone:
            return

    async def changes(
        self,
        calendar_id: str,
        *,
        since: datetime,
        until: datetime | None = None,
        sync_token: str | None = None,
        page_token: str | None = None,
    ) -> ChangesPage:
        window = {"timeMin": since.isoformat(), "timeMax": until.isoformat() if until else None}
        asked = self._service.events().list(
            calendarId=calendar_id,
            singleEvents=True,
            showDeleted=True,
            maxResults=PAGE,
            maxAttendees=ATTENDEES,
            pageToken=page_token,
            fields=f"timeZone,nextPageToken,nextSyncToken,items({google_events.FIELDS})",
            **({"syncToken": sync_token} if sync_token else window),
        )
        page = await self._call(asked)
        return ChangesPage(
            events=[google_events.event_from(item) for item in page.get("items", [])],
            time_zone=page.get("timeZone", "UTC"),
            next_page_token=page.get("nextPageToken"),
            next_sync_token=page.get("nextSyncToken"),
        )

    async def free_busy(
        self, calendar_ids: Sequence[str], starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, list[Period] | None]:
        found: dict[str, list[Period] | None] = {}
        window = {"timeMin": starts_at.isoformat(), "timeMax": ends_at.isoformat()}
        for first in range(0, len(calendar_ids), ASKED_AT_ONCE):
            items = [{"id": id} for id in calendar_ids[first : first + ASKED_AT_ONCE]]
            answer = await self._call(self._service.freebusy().query(body=window | {"items": items}))
            for id, said in answer["calendars"].items():
                found[id] = None if said.get("errors") else google_events.busy_from(said.get("busy", []))
        return found

    @property
    def _invites(self) -> bool:
        """Whether it acts for a person: a service account by itself may have no guests."""
        return not isinstance(self.credentials, ServiceAccount) or self.credentials.subject is not None

    async def _get(self, calendar_id: str, id: str) -> Json:
        asked = self._service.events().get(calendarId=calendar_id, eventId=id, fields=google_events.FIELDS)
        return await self._call(asked)

    async def _write(self, method: Any, made: Json, etag: str | None = None, **to: str) -> Json:
        """Where a calendar makes no links to Meet, as a service account's, the event stands without."""
        to |= self._told | {"fields": google_events.FIELDS}
        try:
            return await self._call(method(body=made, conferenceDataVersion=1, **to), etag)
        except Refused as error:
            if "conferenceData" not in made or "conference type" not in str(error):
                raise
        plain = {name: value for name, value in made.items() if name != "conferenceData"}
        return await self._call(method(body=plain, **to), etag)

    def _pushed(self, item: Json) -> Pushed:
        return Pushed(google_events.event_from(item), invited=self._invites)

    async def _call(self, request: HttpRequest, etag: str | None = None) -> Json:
        """Its answer. With an `etag`, only while it is that one's."""
        if etag:
            request.headers["If-Match"] = etag
        with timed(CALLS, self.name):
            answer = await google.run(lambda http: _executed(request, self._token, http))
            if answer and not isinstance(answer, dict):  # the client gives what is no JSON as it came
                raise Unavailable("Google's answer cannot be read.")
            return answer or {}

    @cached_property
    def _token(self) -> Token:
        return google.token(self.credentials, self._addresses, SCOPES)

    @property
    def _service(self) -> Any:
        return _service(f"{self._addresses.api}/calendar/v3/")


def _executed(request: HttpRequest, token: Token, http: httplib2.Http) -> Any:
    """Once more where the token was refused and another may be had: it was revoked before its time."""
    bearer = token.get(http)
    request.headers["authorization"] = f"Bearer {bearer}"
    try:
        return request.execute(http=http)
    except HttpError as error:
        if error.resp.status != 401 or not token.refuse(bearer):
            raise
    request.headers["authorization"] = f"Bearer {token.get(http)}"
    return request.execute(http=http)


@cache
def _service(url: str) -> Any:
    """What makes requests, the same for all: it holds no credentials and opens no connection."""
    return build("calendar", "v3", http=httplib2.Http(), static_discovery=True, client_options={"api_endpoint": url})
