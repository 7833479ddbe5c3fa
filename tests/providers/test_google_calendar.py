"""Google Calendar as a provider, against the stand-in: what goes out, what comes back, what may go wrong."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from errors import Changed, Disconnected, Gone, NotConfigured, Refused, SyncExpired, Unavailable
from providers.capabilities import Attendee, EventStatus, OutgoingEvent, Participation, Period
from providers.google import AccessToken, ServiceAccount, addresses
from providers.google_calendar import GoogleCalendar
from sandbox import Sandbox
from sandbox.google_people import SERVICE_ACCOUNT

ANNE = "anne@example.com"
MARIE = Attendee("marie@example.com", "Marie Martin")
AT = datetime(2027, 1, 18, 9, tzinfo=UTC)
SINCE = AT - timedelta(days=30)
EVENT = OutgoingEvent(
    id="rdv0000000001",
    appointment_id=UUID(int=7),
    sequence=0,
    title="Bilan de compétences",
    starts_at=AT,
    ends_at=AT + timedelta(hours=1),
    time_zone="Europe/Paris",
    description="Premier entretien",
    location="12 rue des Lilas, Paris",
    attendees=(MARIE,),
    wants_meet=True,
)


@pytest.fixture(scope="module")
def private_key():
    """One for all: making one takes a tenth of a second."""
    return Sandbox().google.people.service_account()


@pytest.fixture
async def sandbox():
    async with Sandbox() as sandbox:
        sandbox.google.person(ANNE)
        yield sandbox


@pytest.fixture
def google(sandbox):
    return sandbox.google


@pytest.fixture
async def calendar(sandbox, google):
    """As Anne, who agreed."""
    token = AccessToken(access_token=SecretStr(google.people.access_token(ANNE)))
    async with GoogleCalendar(token, addresses=addresses(sandbox.url)) as calendar:
        yield calendar


@pytest.fixture
def account(sandbox, google, private_key):
    """As a service account, which Anne shares her calendar with; connected anew with what is given."""
    google.people.service_account(private_key=private_key)
    google.share(ANNE, SERVICE_ACCOUNT)

    def connected(**more):
        given = {"service_account_email": SERVICE_ACCOUNT, "private_key": private_key} | more
        return GoogleCalendar(ServiceAccount(**given), addresses=addresses(sandbox.url))

    return connected


async def everything(calendar, **asked):
    events, page = [], await calendar.changes(ANNE, since=SINCE, **asked)
    while page.next_page_token:
        events += page.events
        page = await calendar.changes(ANNE, since=SINCE, page_token=page.next_page_token, **asked)
    return events + page.events, page.next_sync_token


async def test_an_appointment_is_put_there_once_with_a_link_and_its_client(calendar, google):
    first, again = await calendar.insert(ANNE, EVENT), await calendar.insert(ANNE, EVENT)
    (event,) = google.events(ANNE)

    assert first == again
    assert first.invited
    assert first.event.meet_url == event["hangoutLink"]
    assert (first.event.appointment_id, first.event.sequence) == (EVENT.appointment_id, 0)
    assert first.event.period("Europe/Paris") == Period(AT, AT + timedelta(hours=1))
    assert event["attendees"] == [
        {"email": MARIE.email, "displayName": "Marie Martin", "responseStatus": "needsAction"}
    ]
    assert (event["location"], event["guestsCanSeeOtherGuests"]) == ("12 rue des Lilas, Paris", False)


async def test_two_at_the_same_time_put_it_there_once(calendar, google):
    pushed = await asyncio.gather(*(calendar.insert(ANNE, EVENT) for _ in range(5)))

    assert len(google.events(ANNE)) == 1
    assert len({each.event.etag for each in pushed}) == 1


async def test_an_insertion_whose_answer_was_lost_is_found_done(calendar, google):
    google.fail(None, times=2)  # httplib2 tries twice by itself
    with pytest.raises(Unavailable):
        await calendar.insert(ANNE, EVENT)

    await calendar.insert(ANNE, EVENT)
    assert len(google.events(ANNE)) == 1


async def test_google_writes_to_attendees_only_where_it_may(sandbox, google, calendar):
    token = calendar.credentials
    await calendar.insert(ANNE, EVENT)
    told = GoogleCalendar(token, addresses=addresses(sandbox.url), tells_attendees=True)
    await told.insert(ANNE, replace(EVENT, id="rdv0000000002"))

    assert [each.query["sendUpdates"] for each in google.requests] == ["none", "all"]


async def test_a_move_keeps_the_link_and_what_the_client_answered(calendar, google):
    pushed = await calendar.insert(ANNE, EVENT)
    google.answer(ANNE, EVENT.id, MARIE.email, "accepted")
    luc = Attendee("luc@example.com")
    later = AT + timedelta(days=1)
    moved = await calendar.patch(
        ANNE, replace(EVENT, sequence=1, starts_at=later, ends_at=later + timedelta(hours=1), attendees=(MARIE, luc))
    )

    assert moved.event.meet_url == pushed.event.meet_url
    assert moved.event.starts_at == later
    assert moved.event.sequence == 1
    assert [(each.email, each.participation) for each in moved.event.attendees] == [
        (MARIE.email, Participation.ACCEPTED),
        (luc.email, Participation.NEEDS_ACTION),
    ]


async def test_who_does_not_come_any_more_is_taken_off(calendar):
    await calendar.insert(ANNE, EVENT)

    assert (await calendar.patch(ANNE, replace(EVENT, attendees=()))).event.attendees == ()


async def test_what_was_changed_there_meanwhile_is_not_overwritten(calendar, google):
    pushed = await calendar.insert(ANNE, EVENT)
    google.move(ANNE, EVENT.id, "2027-01-19T14:00:00+01:00", "2027-01-19T15:00:00+01:00")

    with pytest.raises(Changed):
        await calendar.patch(ANNE, EVENT, etag=pushed.event.etag)
    with pytest.raises(Changed):
        await calendar.cancel(ANNE, EVENT.id, etag=pushed.event.etag)
    there = await calendar.event(ANNE, EVENT.id)
    assert (await calendar.patch(ANNE, EVENT, etag=there.etag)).event.starts_at == AT


async def test_one_that_lasted_days_or_was_cancelled_there_is_set_right(calendar, google):
    await calendar.insert(ANNE, EVENT)
    google.move(ANNE, EVENT.id, "2027-01-19", "2027-01-20")
    google.delete(ANNE, EVENT.id)
    cancelled = await calendar.insert(ANNE, EVENT)
    revived = await calendar.patch(ANNE, EVENT)

    assert cancelled.event.status is EventStatus.CANCELLED
    assert (revived.event.status, revived.event.starts_at) == (EventStatus.CONFIRMED, AT)


async def test_cancelling_what_is_gone_is_fine(calendar, google):
    await calendar.insert(ANNE, EVENT)
    for _ in range(2):
        await calendar.cancel(ANNE, EVENT.id)
    await calendar.cancel(ANNE, "never0000")

    assert (await calendar.event(ANNE, EVENT.id)).status is EventStatus.CANCELLED


async def test_what_is_not_there_is_gone(calendar):
    with pytest.raises(Gone):
        await calendar.event(ANNE, "never0000")
    with pytest.raises(Gone):
        await calendar.patch(ANNE, EVENT)
    with pytest.raises(Gone):
        await calendar.insert("nobody@example.com", EVENT)


async def test_a_link_that_takes_its_time_is_pending_until_it_is_there(calendar, google):
    google.make_meets(slowly=True)
    pending = (await calendar.insert(ANNE, EVENT)).event
    await calendar.patch(ANNE, EVENT)
    google.finish_meet(ANNE, EVENT.id)
    made = await calendar.event(ANNE, EVENT.id)

    assert (pending.meet_url, pending.meet_pending) == (None, True)
    assert made.meet_url and not made.meet_pending


async def test_a_service_account_by_itself_puts_events_without_attendees(account, google):
    calendar = account()
    added = await calendar.add_calendar(ANNE)
    pushed = await calendar.insert(ANNE, EVENT)

    assert added in await calendar.list_calendars()
    assert (added.writable, added.time_zone) == (True, "Europe/Paris")
    assert not pushed.invited
    assert "attendees" not in google.events(ANNE)[0] or google.events(ANNE)[0]["attendees"] == []
    assert not (await calendar.patch(ANNE, replace(EVENT, sequence=1))).invited


async def test_where_a_service_account_makes_no_links_the_event_stands_without(account, google):
    google.make_meets(for_service_accounts=False)
    pushed = await account().insert(ANNE, EVENT)

    assert (pushed.event.meet_url, pushed.event.meet_pending) == (None, False)


async def test_a_service_account_that_acts_for_a_person_invites(account, google):
    google.people.delegate()

    assert (await account(subject=ANNE).insert(ANNE, EVENT)).invited


async def test_a_domain_that_does_not_delegate_lets_nobody_in(account):
    with pytest.raises(Disconnected, match="unauthorized_client"):
        await account(subject=ANNE).check()


async def test_a_private_key_may_be_written_as_environments_write_it(account, private_key):
    await account(private_key='"' + private_key.replace("\n", "\\n") + '"').check()


async def test_an_access_token_is_asked_for_once_an_hour(account, google, sandbox):
    calendar = account()
    await asyncio.gather(*(calendar.check() for _ in range(8)))
    await account().check()
    issued = len(sandbox.google.books.store.all("google_token"))
    google.people.expire_access_tokens()
    await calendar.check()

    assert issued == 1
    assert google.requests[-1].status == 200


@pytest.mark.parametrize("given", [{"private_key": "nonsense"}, {"private_key": None}, {"service_account_email": ""}])
async def test_a_key_that_is_none_is_said(account, given):
    with pytest.raises((Disconnected, NotConfigured), match="private key"):
        await account(**given).check()


async def test_a_key_that_is_not_the_accounts_is_refused(account, google):
    other = google.people.service_account("other@sandbox.iam.gserviceaccount.com")

    with pytest.raises(Disconnected, match="invalid_grant") as refusal:
        await account(private_key=other).check()
    assert "PRIVATE KEY" not in str(refusal.value)


async def test_a_person_who_took_the_consent_back_is_disconnected(calendar, google):
    google.people.expire_access_tokens()

    with pytest.raises(Disconnected):
        await calendar.check()


@pytest.mark.parametrize(
    ("status", "reason", "waits"),
    [
        (403, "rateLimitExceeded", 60),
        (403, "userRateLimitExceeded", 60),
        (429, "rateLimitExceeded", 60),
        (503, "backendError", None),
    ],
)
async def test_quotas_and_failures_ask_for_a_pause(calendar, google, status, reason, waits):
    google.fail(status, reason)
    with pytest.raises(Unavailable) as pause:
        await calendar.check()
    google.fail(status, reason, retry_after=7)
    with pytest.raises(Unavailable) as told:
        await calendar.check()

    assert (pause.value.retry_after, told.value.retry_after) == (waits, 7)
    assert pause.value.answered
    assert len(google.requests) == 2


async def test_a_calendar_that_is_only_read_refuses_what_is_written(calendar, google, sandbox):
    google.person("luc@example.com")
    google.share("luc@example.com", ANNE, "reader")

    with pytest.raises(Refused, match="writer access"):
        await calendar.insert("luc@example.com", EVENT)


async def test_google_that_is_not_there_is_unavailable(calendar, sandbox):
    nowhere = GoogleCalendar(calendar.credentials, addresses=addresses("http://127.0.0.1:9"))

    with pytest.raises(Unavailable):
        await nowhere.check()


@pytest.mark.parametrize("status", [200, 404, 410])
async def test_a_page_that_is_not_googles_says_nothing_about_events(calendar, google, status):
    """A proxy in between may answer anything: an event is not gone for that."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        page = b"<html>Maintenance</html>"
        writer.write(
            f"HTTP/1.1 {status} Said\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n".encode() + page
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        behind = GoogleCalendar(calendar.credentials, addresses=addresses(f"http://127.0.0.1:{port}"))
        with pytest.raises(Unavailable, match="cannot be read"):
            await behind.event(ANNE, EVENT.id)
        with pytest.raises(Unavailable, match="cannot be read"):
            await behind.cancel(ANNE, EVENT.id)


async def test_changes_come_by_pages_and_then_only_what_is_new(calendar, google):
    google.add(ANNE, "2027-01-18", "2027-01-20", "Congés")
    google.add(ANNE, "2027-01-21T09:00:00+01:00", "2027-01-21T10:00:00+01:00", transparency="transparent")
    declined = [{"email": ANNE, "responseStatus": "declined"}]
    google.add(ANNE, "2027-01-21T11:00:00+01:00", "2027-01-21T12:00:00+01:00", attendees=declined)
    google.add(ANNE, "2027-01-22T09:00:00+01:00", "2027-01-22T10:00:00+01:00", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    first, token = await everything(calendar)
    asked_before = len(google.requests)
    unchanged, token = await everything(calendar, sync_token=token)
    google.delete(ANNE, next(each.id for each in first if each.starts_on))
    changed, _ = await everything(calendar, sync_token=token)

    days = next(each for each in first if each.starts_on)
    midnight = datetime(2027, 1, 17, 23, tzinfo=UTC)
    assert (days.starts_on, days.ends_on) == (date(2027, 1, 18), date(2027, 1, 20))
    assert days.period("Europe/Paris") == Period(midnight, midnight + timedelta(days=2))
    assert [each.occupies for each in first].count(True) == 3
    assert unchanged == []
    assert len(google.requests) == asked_before + 2
    assert [(each.id, each.status) for each in changed] == [(days.id, EventStatus.CANCELLED)]
    assert changed[0].period("Europe/Paris") is None


async def test_a_window_bounds_what_is_read_at_first(calendar, google):
    google.add(ANNE, "2026-01-18T09:00:00+01:00", "2026-01-18T10:00:00+01:00", "Passé")
    google.add(ANNE, "2027-01-18T09:00:00+01:00", "2027-01-18T10:00:00+01:00", "Proche")
    google.add(ANNE, "2028-01-18T09:00:00+01:00", "2028-01-18T10:00:00+01:00", "Lointain")
    events, _ = await everything(calendar, until=AT + timedelta(days=90))

    assert [each.title for each in events] == ["Proche"]


async def test_a_token_that_is_too_old_says_so(calendar, google):
    _, token = await everything(calendar)
    google.expire_sync_tokens(ANNE)

    with pytest.raises(SyncExpired):
        await everything(calendar, sync_token=token)


async def test_a_large_calendar_comes_in_pages_without_its_descriptions(calendar, google):
    with google.books.store.transaction():
        for number in range(2600):
            at = AT + timedelta(minutes=number)
            event = {
                "id": f"big{number:05}", "status": "confirmed", "description": "x" * 5000, "summary": "Occupé",
                "start": {"dateTime": at.isoformat()}, "end": {"dateTime": (at + timedelta(minutes=1)).isoformat()},
            }  # fmt: skip
            google.books.keep(ANNE, event)
    page = await calendar.changes(ANNE, since=SINCE)
    rest = await calendar.changes(ANNE, since=SINCE, page_token=page.next_page_token)

    assert (len(page.events), len(rest.events)) == (2500, 100)
    assert (page.next_sync_token, rest.next_page_token) == (None, None)
    assert google.requests[-1].query["maxResults"] == "2500"


async def test_busy_times_are_told_for_each_calendar_that_can_be_read(calendar, google):
    google.add(ANNE, "2027-01-18T10:00:00+01:00", "2027-01-18T11:00:00+01:00")
    many = [ANNE, *(f"nobody{number}@example.com" for number in range(60))]
    found = await calendar.free_busy(many, AT - timedelta(hours=1), AT + timedelta(hours=4))

    assert found[ANNE] == [Period(AT, AT + timedelta(hours=1))]
    assert found["nobody59@example.com"] is None
    assert len(found) == 61
