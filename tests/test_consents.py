"""Consents at other services: asked for, given, refreshed by one at a time, lost and withdrawn."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from errors import Disconnected, Refused, Unavailable
from models import Membership, OAuthGrant, OAuthRequest, OAuthStatus, Role
from providers.google_calendar import GoogleCalendar
from providers.oauth import Client, OAuthClient
from services import oauth, retention
from tests.authorization import CLIENT_ID, CLIENT_SECRET, AuthorizationServer, in_place
from tests.shop import PASSWORD, SIGN_IN, Shop, said

START = "mutation ($input: OAuthStartInput!) { oauthStart(input: $input) { authorizationUrl } }"
FINISH = """mutation ($input: OAuthFinishInput!) {
    oauthFinish(input: $input) { oauthGrant { id provider status scopes membership { id } } }
}"""
REVOKE = "mutation ($input: OAuthRevokeInput!) { oauthRevoke(input: $input) { oauthGrant { id status } } }"
GRANTS = "{ oauthGrants { nodes { id status reason membership { user { email } } } } }"
OVER = (
    "CONFLICT", "input.state",
    "This consent was begun elsewhere, is finished already, or took too long. Begin again (oauthStart).",
)  # fmt: skip


@pytest.fixture
def server(shop: Shop) -> Iterator[AuthorizationServer]:
    with in_place() as opened:
        yield opened


async def start(shop: Shop, **input: Any) -> str:
    return str((await shop(START, input={"provider": "google_calendar"} | input))["authorizationUrl"])


async def agreed(shop: Shop, server: AuthorizationServer, **input: Any) -> dict[str, str]:
    """What a person comes back with."""
    back = server.agree(await start(shop, **input))
    return {"code": back["code"], "state": back["state"]}


async def connect(shop: Shop, server: AuthorizationServer, **input: Any) -> OAuthGrant:
    finished = await shop(FINISH, input=await agreed(shop, server, **input))
    assert finished["oauthGrant"]["status"] == "CONNECTED"
    return await OAuthGrant.all().order_by("-connected_at").first()  # type: ignore[return-value]


async def expired(shop: Shop, server: AuthorizationServer) -> OAuthGrant:
    """A consent whose access token has ended."""
    grant = await connect(shop, server)
    await OAuthGrant.all().update(expires_at=datetime.now(UTC))
    return grant


async def signed_in_again(shop: Shop) -> Shop:
    """The same person in another session."""
    signed_in = await shop(SIGN_IN, input={"email": shop.email, "password": PASSWORD})
    return replace(shop, token=signed_in["accessToken"])


# Giving it


async def test_a_person_connects_their_calendar(shop: Shop, server: AuthorizationServer) -> None:
    finished = await shop(FINISH, input=await agreed(shop, server))

    grant = await OAuthGrant.get()
    assert finished["oauthGrant"]["scopes"] == ["https://www.googleapis.com/auth/calendar"]
    assert finished["oauthGrant"]["membership"] is not None
    assert await oauth.access_token(grant, "a test") == "access-token-number-00003-of-the-server"
    (asked,) = server.asked
    assert (asked["grant_type"], asked["redirect_uri"]) == ("authorization_code", "http://comptoir.test/account")
    assert len(asked["code_verifier"]) >= 43
    for column in (grant.access_token, grant.refresh_token):
        assert column and column.startswith("v1.") and "of-the-server" not in column


async def test_a_state_is_good_once(shop: Shop, server: AuthorizationServer) -> None:
    back = await agreed(shop, server)
    await shop(FINISH, input=back)

    assert await shop.refused(FINISH, input=back) == OVER
    assert len(server.asked) == 1


async def test_a_stolen_state_is_good_for_nobody_else_nor_in_another_session(
    shop: Shop, server: AuthorizationServer
) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    neighbour = await Shop.open(shop.http, shop.sandbox, slug="neighbour")
    back = await agreed(shop, server)

    for thief in (admin, neighbour, await signed_in_again(shop)):
        assert await thief.refused(FINISH, input=back) == OVER
    assert server.asked == []
    await shop(FINISH, input=back)  # and it stays good for whose it is


@pytest.mark.parametrize("role", [Role.BENEFICIARY, Role.ACCOUNTANT])
async def test_who_may_connect_no_calendar_is_asked_for_no_consent(
    shop: Shop, server: AuthorizationServer, role: Role
) -> None:
    person = await Shop.open(shop.http, shop.sandbox, role=role)

    code, *_ = await person.refused(START, input={"provider": "google_calendar"})

    assert code == "FORBIDDEN"
    assert await OAuthRequest.all().count() == 0


async def test_who_runs_the_shop_no_longer_connects_nothing_for_it(shop: Shop, server: AuthorizationServer) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    back = await agreed(admin, server, forOrganization=True)
    await Membership.filter(role=Role.ADMIN).update(role=Role.CONSULTANT)

    code, *_ = await admin.refused(FINISH, input=back)

    assert code == "FORBIDDEN"
    assert server.asked == [] and await OAuthGrant.all().count() == 0


async def test_who_is_removed_while_they_finish_leaves_no_consent(shop: Shop, server: AuthorizationServer) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    back = await agreed(admin, server)
    server.delay = 0.3
    finishing = asyncio.create_task(admin.refused(FINISH, input=back))
    while not server.asked:
        await asyncio.sleep(0.01)
    await Membership.filter(role=Role.ADMIN).update(active=False)

    assert await finishing == OVER
    assert await OAuthGrant.all().count() == 0
    assert "token" in server.asked[-1]  # withdrawn at the provider too


async def test_a_state_is_good_for_ten_minutes(shop: Shop, server: AuthorizationServer) -> None:
    back = await agreed(shop, server)
    await shop.sql("UPDATE oauth_requests SET expires_at = now()")

    assert await shop.refused(FINISH, input=back) == OVER


async def test_a_code_of_another_request_is_refused_for_want_of_its_verifier(
    shop: Shop, server: AuthorizationServer
) -> None:
    mine, other = await agreed(shop, server), await agreed(shop, server)

    code, field, message = await shop.refused(FINISH, input={"code": other["code"], "state": mine["state"]})

    assert (code, field) == ("CONFLICT", "input.code")
    assert message == "Google Calendar: Bad code or verifier. Begin again (oauthStart)."
    assert await OAuthGrant.all().count() == 0


async def test_somebody_else_s_answer_is_refused(shop: Shop, server: AuthorizationServer) -> None:
    back = await agreed(shop, server) | {"iss": "https://accounts.evil.example"}

    assert (await shop.refused(FINISH, input=back))[:2] == ("CONFLICT", "input.iss")
    assert server.asked == []


async def test_who_does_not_allow_all_is_asked_again(shop: Shop, server: AuthorizationServer) -> None:
    server.scope = "openid"

    code, _, message = await shop.refused(FINISH, input=await agreed(shop, server))

    assert code == "CONFLICT" and "auth/calendar" in message
    assert server.asked[-1].keys() == {"token", "client_id", "client_secret"}
    assert await OAuthGrant.all().count() == 0


@pytest.mark.parametrize("redirect", ["https://evil.example/back", "http://comptoir.test/account#x"])
async def test_people_come_back_to_pages_of_ours_alone(shop: Shop, server: AuthorizationServer, redirect: str) -> None:
    refused = await shop.refused(START, input={"provider": "google_calendar", "redirectUri": redirect})

    assert refused[:2] == ("INVALID", "input.redirectUri")


@pytest.mark.parametrize("provider", ["smtp", "nobody", "registry", "os"])
async def test_a_provider_without_consents_is_refused(shop: Shop, server: AuthorizationServer, provider: str) -> None:
    assert (await shop.refused(START, input={"provider": provider}))[0] == "NOT_CONFIGURED"


async def test_without_a_client_of_ours_nothing_is_begun(shop: Shop) -> None:
    code, _, message = await shop.refused(START, input={"provider": "google_calendar"})

    assert code == "NOT_CONFIGURED" and "GOOGLE_OAUTH_CLIENT_ID is not set" in message


async def test_people_see_their_own_and_those_who_run_the_shop_all(shop: Shop, server: AuthorizationServer) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    await connect(consultant, server)
    await connect(shop, server)
    await connect(shop, server, forOrganization=True)

    everybodys = (await shop(GRANTS))["nodes"]
    own = (await consultant(GRANTS))["nodes"]

    assert len(everybodys) == 3
    assert [each["membership"]["user"]["email"] for each in own] == [consultant.email]
    organizations = next(each for each in everybodys if each["membership"] is None)
    assert (await consultant.refused(REVOKE, input={"oauthGrant": organizations["id"]}))[0] == "NOT_FOUND"
    refused = await consultant.refused(START, input={"provider": "google_calendar", "forOrganization": True})
    assert refused[0] == "FORBIDDEN"


async def test_given_again_it_is_the_same_row(shop: Shop, server: AuthorizationServer) -> None:
    first = await expired(shop, server)
    server.forget()
    with pytest.raises(Disconnected):
        await oauth.access_token(first, "a test")

    again = await connect(shop, server)

    assert again.id == first.id
    assert await oauth.access_token(again, "a test")


# Using it


async def test_fifty_at_once_make_one_refresh(shop: Shop, server: AuthorizationServer) -> None:
    server.rotates, server.delay = True, 0.1
    grant = await expired(shop, server)

    tokens = await asyncio.gather(*(oauth.access_token(grant, "a test") for _ in range(50)))

    assert len(set(tokens)) == 1
    assert server.refreshes == 1


async def test_a_rotated_refresh_token_is_kept_before_anybody_has_what_came_with_it(
    shop: Shop, server: AuthorizationServer
) -> None:
    server.rotates = True
    grant = await expired(shop, server)
    for _ in range(3):  # each takes the one before
        await oauth.access_token(grant, "a test")
        await OAuthGrant.all().update(expires_at=datetime.now(UTC))

    assert server.refreshes == 3
    assert (await OAuthGrant.get()).status is OAuthStatus.CONNECTED


async def test_who_leaves_while_it_is_refreshed_loses_nothing(shop: Shop, server: AuthorizationServer) -> None:
    server.rotates, server.delay = True, 0.2
    grant = await expired(shop, server)
    leaving = asyncio.create_task(oauth.access_token(grant, "a test"))
    while not server.refreshes:
        await asyncio.sleep(0.01)
    leaving.cancel()

    assert await oauth.access_token(grant, "a test")
    assert server.refreshes == 1


async def test_a_process_that_dies_before_the_commit_leaves_a_lease_that_ends(
    shop: Shop, server: AuthorizationServer
) -> None:
    grant = await expired(shop, server)
    died = "UPDATE oauth_grants SET leased_by = gen_random_uuid(), leased_until = now() + interval '0.3 seconds'"
    await shop.sql(died)

    assert await oauth.access_token(grant, "a test")
    assert server.refreshes == 1


async def test_where_each_refresh_token_is_good_once_such_a_death_ends_the_consent(
    shop: Shop, server: AuthorizationServer
) -> None:
    server.rotates = True
    grant = await expired(shop, server)
    server.forget()  # it answered one who died: what we have is no good any more

    with pytest.raises(Disconnected):
        await oauth.access_token(grant, "a test")
    assert (await OAuthGrant.get()).status is OAuthStatus.DISCONNECTED


async def test_a_consent_that_is_over_is_asked_about_once_and_its_person_told_once(
    shop: Shop, server: AuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    grant = await expired(shop, server)
    server.forget()

    tried = await asyncio.gather(*(oauth.access_token(grant, "a test") for _ in range(20)), return_exceptions=True)
    await shop.work_is_done()

    assert {type(error) for error in tried} == {Disconnected}
    assert server.refreshes == 1
    (shown,) = (await shop(GRANTS))["nodes"]
    assert (shown["status"], shown["reason"]) == (
        "DISCONNECTED", "Google Calendar: Token has been expired or revoked.",
    )  # fmt: skip
    (letter,) = shop.mails(shop.email)
    assert "Google Calendar n’accepte plus l’accès" in said(letter)
    assert (await OAuthGrant.get()).refresh_token is None


async def test_a_server_that_fails_is_left_alone_for_a_while(shop: Shop, server: AuthorizationServer) -> None:
    grant = await expired(shop, server)
    server.failures = [(503, {"error": "temporarily_unavailable"})]

    tried = await asyncio.gather(*(oauth.access_token(grant, "a test") for _ in range(20)), return_exceptions=True)
    assert {type(error) for error in tried} == {Unavailable}
    assert server.refreshes == 1

    await shop.sql("UPDATE oauth_grants SET leased_until = now()")
    assert await oauth.access_token(grant, "a test")


async def test_a_client_that_is_wrong_ends_nobody_s_consent(shop: Shop, server: AuthorizationServer) -> None:
    grant = await expired(shop, server)
    server.failures = [(401, {"error": "invalid_client", "error_description": "The OAuth client was not found."})]

    with pytest.raises(Refused, match="client was not found"):
        await oauth.access_token(grant, "a test")
    assert (await OAuthGrant.get()).status is OAuthStatus.CONNECTED


async def test_a_token_that_was_refused_before_its_time_is_replaced(shop: Shop, server: AuthorizationServer) -> None:
    grant = await connect(shop, server)
    first = await oauth.access_token(grant, "a test")

    again = await oauth.access_token(grant, "a test", refused=first)

    assert again != first
    assert await oauth.access_token(grant, "a test", refused=first) == again
    assert server.refreshes == 1


async def test_each_use_is_in_the_access_log_and_no_token_in_any_other(
    shop: Shop, server: AuthorizationServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    grant = await expired(shop, server)
    await oauth.access_token(grant, "calendar_sync.push")

    openings = await shop.sql(
        "SELECT field, purpose FROM secret_openings WHERE table_name = 'oauth_grants' ORDER BY id"
    )
    assert [(row["field"], row["purpose"]) for row in openings] == [
        ("refresh_token", "calendar_sync.push"), ("access_token", "calendar_sync.push"),
    ]  # fmt: skip
    assert "of-the-server" not in caplog.text
    assert CLIENT_SECRET not in caplog.text


# Withdrawing it


async def test_a_consent_that_is_withdrawn_is_used_no_more_and_the_service_is_told(
    shop: Shop, server: AuthorizationServer
) -> None:
    grant = await connect(shop, server)
    (shown,) = (await shop(GRANTS))["nodes"]

    await shop(REVOKE, input={"oauthGrant": shown["id"]})
    with pytest.raises(Disconnected, match="withdrawn"):
        await oauth.access_token(grant, "a test")
    await shop.work_is_done()

    assert server.asked[-1]["token"].startswith("refresh-token")
    kept = await OAuthGrant.get()
    assert (kept.status, kept.access_token, kept.refresh_token) == (OAuthStatus.REVOKED, None, None)
    assert (await shop.refused(REVOKE, input={"oauthGrant": shown["id"]}))[0] == "CONFLICT"


@pytest.mark.parametrize("rotates", [True, False])
async def test_what_comes_while_a_consent_is_withdrawn_is_withdrawn_too(
    shop: Shop, server: AuthorizationServer, rotates: bool
) -> None:
    server.rotates, server.delay = rotates, 0.2
    grant = await expired(shop, server)
    (shown,) = (await shop(GRANTS))["nodes"]
    refreshing = asyncio.create_task(oauth.access_token(grant, "a test"))
    while not server.refreshes:
        await asyncio.sleep(0.01)

    await shop(REVOKE, input={"oauthGrant": shown["id"]})
    await shop.work_is_done()
    asked_while_refreshing = [form for form in server.asked if "token" in form]
    with pytest.raises(Disconnected, match="withdrawn"):
        await refreshing
    await shop.time_passes(seconds=30)
    await shop.work_is_done()

    assert asked_while_refreshing == []
    assert server.good == set()  # neither the one before nor the one after
    kept = await OAuthGrant.get()
    assert (kept.status, kept.access_token, kept.refresh_token) == (OAuthStatus.REVOKED, None, None)


async def test_a_consent_that_is_lost_while_it_is_withdrawn_writes_no_letter(
    shop: Shop, server: AuthorizationServer
) -> None:
    grant = await expired(shop, server)
    server.forget()
    server.delay = 0.2
    (shown,) = (await shop(GRANTS))["nodes"]
    refreshing = asyncio.create_task(oauth.access_token(grant, "a test"))
    while not server.refreshes:
        await asyncio.sleep(0.01)

    await shop(REVOKE, input={"oauthGrant": shown["id"]})
    with pytest.raises(Disconnected):
        await refreshing
    await shop.time_passes(seconds=30)
    await shop.work_is_done()

    assert (await OAuthGrant.get()).status is OAuthStatus.REVOKED
    assert shop.mails(shop.email) == []


async def test_with_a_member_go_their_consents(shop: Shop, server: AuthorizationServer) -> None:
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    await connect(consultant, server)
    (shown,) = (await shop("{ members { nodes { id role } } }"))["nodes"][:1]
    assert shown["role"] == "CONSULTANT"

    await shop("mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { __typename } }",
               input={"member": shown["id"]})  # fmt: skip

    assert (await OAuthGrant.get()).status is OAuthStatus.REVOKED


def test_a_consent_is_begun_with_pkce_and_for_when_its_person_is_away() -> None:
    assert GoogleCalendar.oauth
    client = OAuthClient(
        "Google", GoogleCalendar.oauth, Client(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))
    )
    url = client.authorization_url(redirect_uri="https://x.example/back", state="s", verifier="v" * 43)

    assert url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    for part in ("response_type=code", "code_challenge_method=S256", "access_type=offline", "state=s"):
        assert part in url
    assert CLIENT_SECRET not in url


async def test_what_was_begun_is_forgotten_after_a_day(shop: Shop, server: AuthorizationServer) -> None:
    await start(shop)
    await shop.sql("UPDATE oauth_requests SET created_at = $1", datetime.now(UTC) - timedelta(days=1, minutes=1))
    await retention.forget()

    assert await shop.count("oauth_requests") == 0
