"""Sessions: the organization that a request is for, tokens that are good once, what ends a session."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from models import Membership, Role, Session, SessionEnd, User
from services import sessions, tokens
from tests.documents import SIGN_IN
from tests.identity.accounts import (
    ME,
    OVER,
    REFRESH,
    SESSIONS,
    SIGN_IN_FIRST,
    SIGN_OUT,
    as_nobody,
    bearer,
    forged,
    sign_in,
    work_of,
)
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import PASSWORD, Shop

END = "mutation ($input: SessionEndInput!) { sessionEnd(input: $input) { session { id endedAt endReason } } }"
END_OTHERS = "mutation { sessionEndOthers { count } }"
CURRENT = "{ currentSession { id } }"
NO_MEMBER = ("FORBIDDEN", "organization", "You are no member of an organization of this name.")
WRONG = ("UNAUTHENTICATED", None, "Unknown e-mail address or wrong password.")
A_MINUTE_AGO = "UPDATE sessions SET refreshed_at = refreshed_at - interval '1 minute'"


async def refreshed(shop: Shop, signed_in: dict[str, Any]) -> dict[str, Any]:
    """The next tokens, a minute later: no two tabs at once."""
    await shop.sql(A_MINUTE_AGO)
    return dict(await as_nobody(shop)(REFRESH, input={"refreshToken": signed_in["refreshToken"]}))


async def at_once(shop: Shop, signed_in: dict[str, Any], times: int) -> list[dict[str, Any]]:
    asked = {"input": {"refreshToken": signed_in["refreshToken"]}}
    return await asyncio.gather(*(as_nobody(shop).post(REFRESH, asked) for _ in range(times)))


async def is_over(shop: Shop, signed_in: dict[str, Any]) -> None:
    assert await bearer(shop, signed_in).refused(ME) == SIGN_IN_FIRST
    assert await as_nobody(shop).refused(REFRESH, input={"refreshToken": signed_in["refreshToken"]}) == OVER


def ask_for(shop: Shop, slug: str) -> Any:
    headers = {"Authorization": f"Bearer {shop.token}", "X-Organization": slug}
    return shop.http.post("/graphql", json={"query": ME}, headers=headers)


# Signing in


async def test_who_is_no_member_any_more_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    left = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    await Membership.filter(user__email=left.email).update(active=False)

    async with nothing_changes(shop):
        for email, password in ((left.email, PASSWORD), (shop.email, "wrong"), ("nobody@shop.test", PASSWORD)):
            assert await as_nobody(shop).refused(SIGN_IN, input={"email": email, "password": password}) == WRONG
    work = [
        await work_of(caplog, as_nobody(shop).post(SIGN_IN, {"input": {"email": email, "password": "wrong"}}))
        for email in (left.email, shop.email, "nobody@shop.test")
    ]
    assert work[0] == work[1] == work[2]


async def test_one_of_several_organizations_is_picked_by_its_slug(shop: Shop) -> None:
    theirs = await neighbour(shop)
    user = await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)

    for given, slug in (({}, "shop"), ({"organization": "neighbour"}, "neighbour"), ({"organization": None}, "shop")):
        me = await bearer(shop, await sign_in(shop, **given))(ME)
        assert me["organization"]["slug"] == slug
    for slug in ("nowhere", "a\0b", "x" * 300_000):
        asked = {"email": shop.email, "password": PASSWORD, "organization": slug}
        assert await as_nobody(shop).refused(SIGN_IN, input=asked) == WRONG


async def test_the_header_picks_another_organization_of_the_persons_and_no_other(shop: Shop) -> None:
    theirs = await neighbour(shop)
    assert (await ask_for(shop, "neighbour")).json()["errors"] == (await ask_for(shop, "nowhere")).json()["errors"]
    (error,) = (await ask_for(shop, "neighbour")).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"], error["message"]) == NO_MEMBER

    user = await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)

    me = (await ask_for(shop, "neighbour")).json()["data"]["me"]
    assert (me["role"], me["organization"]["slug"]) == ("ACCOUNTANT", "neighbour")
    assert (await ask_for(shop, "shop")).json()["data"]["me"]["role"] == "OWNER"
    assert await shop("{ myOrganizations { slug role current } }") == [
        {"slug": "shop", "role": "OWNER", "current": True},
        {"slug": "neighbour", "role": "ACCOUNTANT", "current": False},
    ]
    await Membership.filter(organization=theirs.organization, user=user).update(active=False)
    assert (await ask_for(shop, "neighbour")).json()["errors"][0]["message"] == NO_MEMBER[2]
    assert len(await shop("{ myOrganizations { slug } }")) == 1


async def test_to_who_is_not_signed_in_the_header_says_nothing(shop: Shop) -> None:
    for slug in ("shop", "nowhere"):
        answer = (await ask_for(as_nobody(shop), slug)).json()
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_no_session_begins_with_a_password_that_is_changed_meanwhile(shop: Shop) -> None:
    user = await User.get(email=shop.email)
    member = await Membership.get(user=user)
    await User.filter(id=user.id).update(password_hash="another")

    with pytest.raises(Exception, match="Sign in again"):
        await sessions.begin(user, member, sessions.Device(None, None))


# The next tokens


async def test_each_refresh_gives_the_next_two_tokens(shop: Shop) -> None:
    signed_in = await sign_in(shop)

    for _ in range(3):
        following = await refreshed(shop, signed_in)
        assert following["refreshToken"] != signed_in["refreshToken"]
        assert (await bearer(shop, following)(ME))["user"]["email"] == shop.email
        signed_in = following


async def test_a_used_token_that_comes_back_ends_the_session_with_all_of_its_tokens(shop: Shop) -> None:
    first = await sign_in(shop)
    second = await refreshed(shop, first)
    third = await refreshed(shop, second)

    assert await as_nobody(shop).refused(REFRESH, input={"refreshToken": first["refreshToken"]}) == OVER

    for each in (first, second, third):
        await is_over(shop, each)
    ended = await Session.get(id=jwt.decode(third["accessToken"], options={"verify_signature": False})["sid"])
    assert ended.end_reason is SessionEnd.TOKEN_REUSED
    assert (await shop(ME))["user"]["email"] == shop.email  # another session of theirs goes on


async def test_the_last_token_but_one_comes_back_a_minute_later(shop: Shop) -> None:
    first = await sign_in(shop)
    second = await refreshed(shop, first)
    await shop.sql(A_MINUTE_AGO)

    assert await as_nobody(shop).refused(REFRESH, input={"refreshToken": first["refreshToken"]}) == OVER
    await is_over(shop, second)


async def test_two_tabs_that_refresh_at_once_both_go_on(shop: Shop) -> None:
    signed_in = await sign_in(shop)

    one, other = [answer["data"]["sessionRefresh"] for answer in await at_once(shop, signed_in, 2)]

    for each in (one, other):
        assert await bearer(shop, each)(ME)
    assert await refreshed(shop, one)
    assert (await at_once(shop, other, 1))[0]["data"]["sessionRefresh"]


async def test_twenty_at_once_use_up_one_token_between_them(shop: Shop) -> None:
    signed_in = await sign_in(shop)

    answers = await at_once(shop, signed_in, 20)

    assert not any("errors" in answer for answer in answers)
    sid = jwt.decode(signed_in["accessToken"], options={"verify_signature": False})["sid"]
    assert (await Session.get(id=sid)).generation == 2
    assert await bearer(shop, answers[0]["data"]["sessionRefresh"])(ME)


async def test_whose_answer_was_lost_asks_again(shop: Shop) -> None:
    signed_in = await sign_in(shop)
    for _ in range(2):
        (answer,) = await at_once(shop, signed_in, 1)

    assert await refreshed(shop, answer["data"]["sessionRefresh"])


async def test_a_token_that_is_forged_expired_or_for_something_else_refreshes_nothing(shop: Shop) -> None:
    signed_in = await sign_in(shop)
    sid = jwt.decode(signed_in["accessToken"], options={"verify_signature": False})["sid"]
    claims = {"sid": sid, "gen": 1}
    bad = [
        "x", "a\0b", "é" * 100_000, signed_in["accessToken"], forged(signed_in["refreshToken"]),
        tokens.sign(tokens.REFRESH, claims, timedelta(seconds=-1))[0],
        tokens.sign(tokens.ACCESS, claims, timedelta(minutes=1))[0],
    ]  # fmt: skip

    async with nothing_changes(shop):
        for each in bad:
            assert await as_nobody(shop).refused(REFRESH, input={"refreshToken": each}) == OVER, each[:40]
    assert await refreshed(shop, signed_in)
    assert await bearer(shop, {"accessToken": signed_in["refreshToken"]}).refused(ME) == SIGN_IN_FIRST


async def test_a_session_that_is_not_used_for_long_is_over(shop: Shop) -> None:
    signed_in = await sign_in(shop)
    await Session.all().update(expires_at=datetime.now(UTC))

    await is_over(shop, signed_in)


async def test_a_session_does_not_last_for_ever_however_often_it_is_used(shop: Shop) -> None:
    signed_in = await sign_in(shop)
    almost = datetime.now(UTC) - sessions.LIFE_MOST + timedelta(hours=1)
    await Session.all().update(created_at=almost)

    following = await refreshed(shop, signed_in)

    ends = datetime.fromisoformat(following["sessionExpiresAt"])
    assert abs(ends - (almost + sessions.LIFE_MOST)) < timedelta(seconds=5)


async def test_once_the_membership_ended_the_session_goes_on_where_the_person_is_still_one(shop: Shop) -> None:
    theirs = await neighbour(shop)
    signed_in, user = await sign_in(shop), await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)
    await Membership.filter(user=user, organization=shop.organization).update(active=False)

    assert await bearer(shop, signed_in).refused(ME) == SIGN_IN_FIRST
    following = await refreshed(shop, signed_in)

    assert (await bearer(shop, following)(ME))["organization"]["slug"] == "neighbour"
    await Membership.filter(user=user).update(active=False)
    await is_over(shop, following)


# Seeing and ending them


async def test_one_sees_ones_own_sessions_and_nobody_elses(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    theirs = (await admin(CURRENT))["id"]
    signed_in = bearer(shop, await sign_in(shop))

    seen = await signed_in(SESSIONS)
    assert seen["totalCount"] == 2
    assert (await signed_in(CURRENT))["id"] == seen["nodes"][0]["id"]
    assert (await shop(CURRENT))["id"] == seen["nodes"][1]["id"]
    assert theirs not in {each["id"] for each in seen["nodes"]}
    assert await shop("query ($id: ID!) { session(id: $id) { id } }", id=theirs) is None
    assert await shop("query ($id: ID!) { node(id: $id) { id } }", id=theirs) is None
    async with nothing_changes(shop):
        refusals = {await shop.refused(END, input={"session": each}) for each in (theirs, never_made("Session"))}
    assert refusals == {("NOT_FOUND", "input.session", "No such session.")}


async def test_what_a_session_is_used_from_is_shown(shop: Shop) -> None:
    asked = {"query": SIGN_IN, "variables": {"input": {"email": shop.email, "password": PASSWORD}}}
    await shop.http.post("/graphql", json=asked, headers={"User-Agent": "Firefox" + "x" * 5000})

    (newest, _) = (await shop(SESSIONS))["nodes"]
    assert newest["userAgent"] == ("Firefox" + "x" * 5000)[:200]
    assert newest["address"]


async def test_a_session_that_one_ends_is_over_at_once(shop: Shop) -> None:
    lost, other = await sign_in(shop), await sign_in(shop)
    id = (await bearer(shop, lost)(CURRENT))["id"]

    ended = (await shop(END, input={"session": id}))["session"]

    assert (ended["id"], ended["endReason"]) == (id, "ENDED")
    assert (await shop(END, input={"session": id}))["session"] == ended
    await is_over(shop, lost)
    assert await bearer(shop, other)(ME)


async def test_all_others_end_at_once(shop: Shop) -> None:
    others = [await sign_in(shop) for _ in range(2)]
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)

    assert (await shop(END_OTHERS))["count"] == 2

    for each in others:
        await is_over(shop, each)
    assert await shop(ME)
    assert await admin(ME)


async def test_who_signs_out_ends_this_session_alone(shop: Shop) -> None:
    signed_in = await sign_in(shop)

    assert (await bearer(shop, signed_in)(SIGN_OUT))["done"]

    await is_over(shop, signed_in)
    assert await shop(ME)
    assert await replace(shop, token=signed_in["accessToken"]).refused(SIGN_OUT) == SIGN_IN_FIRST


async def test_sessions_of_long_ago_are_forgotten_when_the_person_signs_in(shop: Shop) -> None:
    await sign_in(shop)
    await Session.all().update(expires_at=datetime.now(UTC) - sessions.KEPT)

    await sign_in(shop)

    assert await Session.all().count() == 1
