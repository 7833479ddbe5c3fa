"""Google Calendar's stand-in, asked by Google's own client."""

import asyncio

import pytest
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

ANNE = "anne@example.com"


@pytest.fixture
def google(sandbox):
    sandbox.google.person(ANNE)
    return sandbox.google


@pytest.fixture
def api(sandbox, google):
    return connect(sandbox, google.people.access_token(ANNE))


def connect(sandbox, token):
    at = {"api_endpoint": f"{sandbox.url}/calendar/v3/"}
    return build("calendar", "v3", credentials=Credentials(token), static_discovery=True, client_options=at)


async def ask(request):
    """In a thread, as the client blocks and the stand-in runs in this loop."""
    return await asyncio.to_thread(request.execute)


async def refused(request):
    with pytest.raises(HttpError) as refusal:
        await ask(request)
    return refusal.value.resp.status, refusal.value.error_details[0]["reason"]


def timed(hour, **more):
    start, end = f"2027-01-18T{hour:02}:00:00+01:00", f"2027-01-18T{hour + 1:02}:00:00+01:00"
    return {"summary": "Bilan", "start": {"dateTime": start}, "end": {"dateTime": end}} | more


async def everything(api, **asked):
    """All pages; the events, and the sync token of the last."""
    events, page_token = [], None
    while True:
        page = await ask(api.events().list(calendarId="primary", pageToken=page_token, **asked))
        events += page["items"]
        page_token = page.get("nextPageToken")
        if not page_token:
            return events, page.get("nextSyncToken")


async def test_an_event_is_made_once_under_an_id_of_ones_own(api):
    made = await ask(api.events().insert(calendarId="primary", body=timed(10, id="rdv00001")))
    again = await refused(api.events().insert(calendarId="primary", body=timed(11, id="rdv00001")))
    await ask(api.events().delete(calendarId="primary", eventId="rdv00001"))
    once_more = await refused(api.events().insert(calendarId="primary", body=timed(11, id="rdv00001")))

    assert (made["status"], made["start"]["dateTime"]) == ("confirmed", "2027-01-18T10:00:00+01:00")
    assert again == once_more == (409, "duplicate")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (timed(10, id="Majuscule"), "invalid"),
        (timed(10, id="wxyz1"), "invalid"),
        (timed(10) | {"end": {"dateTime": "2027-01-18T09:00:00+01:00"}}, "timeRangeEmpty"),
        (timed(10) | {"end": None}, "required"),
        (timed(10) | {"start": {"date": "2027-01-18"}}, "invalid"),
        (timed(10) | {"start": {"dateTime": "2027-01-18T10:00:00"}}, "required"),
        (timed(10, attendees=[{"email": "personne"}]), "invalid"),
        (timed(10, recurrence=["RRULE:FREQ=SOMETIMES"]), "invalid"),
    ],
)
async def test_what_is_no_event_is_refused(api, body, reason):
    assert await refused(api.events().insert(calendarId="primary", body=body)) == (400, reason)


async def test_a_change_is_made_only_of_what_was_read(api):
    made = await ask(api.events().insert(calendarId="primary", body=timed(10)))
    patch = api.events().patch(calendarId="primary", eventId=made["id"], body={"summary": "Suivi"})
    patch.headers["If-Match"] = made["etag"]
    changed = await ask(patch)
    late = api.events().delete(calendarId="primary", eventId=made["id"])
    late.headers["If-Match"] = made["etag"]

    assert (changed["summary"], changed["start"]) == ("Suivi", made["start"])
    assert await refused(late) == (412, "conditionNotMet")


async def test_what_is_deleted_stays_as_cancelled(api):
    made = await ask(api.events().insert(calendarId="primary", body=timed(10)))
    gone = api.events().delete(calendarId="primary", eventId=made["id"])
    await ask(gone)

    assert await refused(gone) == (410, "deleted")
    assert (await ask(api.events().get(calendarId="primary", eventId=made["id"])))["status"] == "cancelled"
    assert (await everything(api))[0] == []
    assert await refused(api.events().get(calendarId="primary", eventId="never00")) == (404, "notFound")


async def test_pages_and_sync_tokens_leave_nothing_out(api, google):
    for hour in range(8, 15):
        google.add(ANNE, f"2027-01-18T{hour:02}:00:00+01:00", f"2027-01-18T{hour:02}:30:00+01:00")
    events, token = await everything(api, maxResults=3, singleEvents=True)
    unchanged, same = await everything(api, maxResults=3, singleEvents=True, syncToken=token)
    google.delete(ANNE, events[0]["id"])
    google.move(ANNE, events[1]["id"], "2027-01-19T08:00:00+01:00", "2027-01-19T09:00:00+01:00")
    changed, _ = await everything(api, singleEvents=True, syncToken=same)

    assert len({each["id"] for each in events}) == 7
    assert unchanged == []
    assert {each["id"]: each["status"] for each in changed} == {
        events[0]["id"]: "cancelled",
        events[1]["id"]: "confirmed",
    }


async def test_what_changes_between_two_pages_comes_with_the_next_changes(api, google):
    made = [
        google.add(ANNE, f"2027-01-18T{hour:02}:00:00+01:00", f"2027-01-18T{hour:02}:30:00+01:00") for hour in (8, 9)
    ]
    page = await ask(api.events().list(calendarId="primary", maxResults=1))
    for each in made:
        google.change(ANNE, each["id"], summary="Autre")
    last = await ask(api.events().list(calendarId="primary", maxResults=1, pageToken=page["nextPageToken"]))
    changed, _ = await everything(api, syncToken=last["nextSyncToken"])

    assert {each["id"] for each in changed} == {each["id"] for each in made}


async def test_a_sync_token_that_expired_asks_for_all_anew(api, google):
    _, token = await everything(api)
    google.expire_sync_tokens(ANNE)

    assert await refused(api.events().list(calendarId="primary", syncToken=token)) == (410, "fullSyncRequired")
    _, fresh = await everything(api)
    assert (await everything(api, syncToken=fresh))[0] == []


async def test_a_sync_token_takes_no_window(api):
    _, token = await everything(api)
    request = api.events().list(calendarId="primary", syncToken=token, timeMin="2027-01-01T00:00:00Z")

    assert await refused(request) == (400, "invalid")


async def test_what_was_updated_lately_can_be_asked_for(api, google, clock):
    google.add(ANNE, "2027-01-18T08:00:00+01:00", "2027-01-18T09:00:00+01:00", "Ancien")
    clock.now += 1800
    google.add(ANNE, "2027-01-18T10:00:00+01:00", "2027-01-18T11:00:00+01:00", "Récent")
    since = "2027-01-15T08:15:00Z"

    assert [each["summary"] for each in (await everything(api, updatedMin=since))[0]] == ["Récent"]
    old = api.events().list(calendarId="primary", updatedMin="2026-01-01T00:00:00Z")
    assert await refused(old) == (410, "updatedMinTooLongAgo")


async def test_a_series_keeps_its_hour_over_the_change_to_summer_time(api, google):
    google.add(
        ANNE,
        "2027-03-22T09:00:00+01:00",
        "2027-03-22T10:00:00+01:00",
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Paris:20270405T090000"],
    )
    occurrences, _ = await everything(api, singleEvents=True)

    assert [each["start"]["dateTime"] for each in occurrences] == [
        "2027-03-22T09:00:00+01:00",
        "2027-03-29T09:00:00+02:00",
    ]
    assert {each["recurringEventId"] for each in occurrences} == {occurrences[0]["id"].partition("_")[0]}


async def test_a_series_that_never_ends_is_shown_as_far_as_one_asks(api, google):
    google.add(ANNE, "2023-01-02T09:00:00+01:00", "2023-01-02T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY"])
    window = {"timeMin": "2027-01-18T00:00:00Z", "timeMax": "2027-01-21T00:00:00Z"}
    occurrences, _ = await everything(api, singleEvents=True, **window)

    assert [each["start"]["dateTime"][:10] for each in occurrences] == ["2027-01-18", "2027-01-19", "2027-01-20"]


async def test_days_of_a_series_stay_whole_where_the_hour_changes(api, google):
    google.add(ANNE, "2027-03-27", "2027-03-28", recurrence=["RRULE:FREQ=DAILY;COUNT=3", "RDATE;VALUE=DATE:20270402"])
    occurrences, _ = await everything(api, singleEvents=True)

    assert [(each["start"]["date"], each["end"]["date"]) for each in occurrences] == [
        ("2027-03-27", "2027-03-28"),
        ("2027-03-28", "2027-03-29"),
        ("2027-03-29", "2027-03-30"),
        ("2027-04-02", "2027-04-03"),
    ]


async def test_an_occurrence_is_moved_and_another_cancelled_by_themselves(api, google):
    google.add(ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY;COUNT=3"])
    (first, second, third), token = await everything(api, singleEvents=True)
    moved = {"start": {"dateTime": "2027-01-18T14:00:00+01:00"}, "end": {"dateTime": "2027-01-18T15:00:00+01:00"}}
    await ask(api.events().patch(calendarId="primary", eventId=first["id"], body=moved))
    await ask(api.events().delete(calendarId="primary", eventId=second["id"]))
    changed, _ = await everything(api, singleEvents=True, syncToken=token)
    left, _ = await everything(api, singleEvents=True)

    assert {each["id"]: each["status"] for each in changed} == {first["id"]: "confirmed", second["id"]: "cancelled"}
    assert {each["id"]: each["start"]["dateTime"][11:16] for each in left} == {
        first["id"]: "14:00",
        third["id"]: "09:00",
    }


@pytest.mark.parametrize("how", ["deleted", "shortened"])
async def test_occurrences_that_a_series_has_no_more_are_told_as_cancelled(api, google, how):
    series = google.add(
        ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]
    )
    occurrences, token = await everything(api, singleEvents=True)
    if how == "deleted":
        google.delete(ANNE, series["id"])
    else:
        google.change(ANNE, series["id"], recurrence=["RRULE:FREQ=DAILY;COUNT=1"])
    changed, _ = await everything(api, singleEvents=True, syncToken=token)

    gone = {each["id"] for each in changed if each["status"] == "cancelled"}
    assert gone >= {each["id"] for each in occurrences[1:]}
    assert (occurrences[0]["id"] in gone) == (how == "deleted")


async def test_free_and_busy_times_leave_out_what_occupies_nobody(api, google):
    google.add(ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00")
    google.add(ANNE, "2027-01-18T09:30:00+01:00", "2027-01-18T11:00:00+01:00")
    google.add(ANNE, "2027-01-18T14:00:00+01:00", "2027-01-18T15:00:00+01:00", transparency="transparent")
    google.add(
        ANNE,
        "2027-01-18T16:00:00+01:00",
        "2027-01-18T17:00:00+01:00",
        attendees=[{"email": ANNE, "responseStatus": "declined"}],
    )
    asked = {
        "timeMin": "2027-01-18T00:00:00Z",
        "timeMax": "2027-01-19T00:00:00Z",
        "items": [{"id": ANNE}, {"id": "nobody@example.com"}],
    }
    answer = (await ask(api.freebusy().query(body=asked)))["calendars"]

    assert answer[ANNE] == {"busy": [{"start": "2027-01-18T08:00:00Z", "end": "2027-01-18T10:00:00Z"}]}
    assert answer["nobody@example.com"]["errors"] == [{"domain": "global", "reason": "notFound"}]


async def test_a_link_to_meet_is_made_where_it_is_asked_for_by_the_right_version(api):
    meet = {"createRequest": {"requestId": "rdv-1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    ignored = await ask(api.events().insert(calendarId="primary", body=timed(9, conferenceData=meet)))
    made = await ask(
        api.events().insert(calendarId="primary", body=timed(10, conferenceData=meet), conferenceDataVersion=1)
    )

    assert "hangoutLink" not in ignored
    assert made["hangoutLink"].startswith("https://meet.google.com/")
    assert made["conferenceData"]["createRequest"]["status"] == {"statusCode": "success"}


async def test_others_see_a_calendar_only_as_it_is_shared_with_them(sandbox, google):
    luc = google.person("luc@example.com")
    api = connect(sandbox, google.people.access_token(luc))
    before = await refused(api.events().list(calendarId=ANNE))
    google.share(ANNE, luc, "reader")

    assert before == (404, "notFound")
    assert (await ask(api.events().list(calendarId=ANNE)))["items"] == []
    assert await refused(api.events().insert(calendarId=ANNE, body=timed(9))) == (403, "requiredAccessLevel")
    assert {each["id"] for each in (await ask(api.calendarList().list()))["items"]} == {ANNE, luc}


async def test_a_part_of_an_answer_can_be_asked_for(api, google):
    google.add(ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00", description="Long")
    page = await ask(api.events().list(calendarId="primary", fields="timeZone,items(summary,start/dateTime)"))

    assert page == {
        "timeZone": "Europe/Paris",
        "items": [{"summary": "Occupé", "start": {"dateTime": "2027-01-18T09:00:00+01:00"}}],
    }
    assert await refused(api.events().list(calendarId="primary", fields="items(")) == (400, "invalidParameter")


async def test_a_token_that_is_none_or_opens_something_else_is_refused(sandbox, google):
    other = google.people.access_token(ANNE, scopes=["https://www.googleapis.com/auth/drive"])

    assert await refused(connect(sandbox, other).calendarList().list()) == (403, "insufficientPermissions")


async def test_quotas_are_exceeded_on_request(api, google):
    google.fail(403, "rateLimitExceeded")
    google.fail(429, "rateLimitExceeded")

    assert await refused(api.calendarList().list()) == (403, "rateLimitExceeded")
    assert await refused(api.calendarList().list()) == (429, "rateLimitExceeded")
    assert (await ask(api.calendarList().list()))["items"][0]["primary"]
