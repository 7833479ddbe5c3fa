"""What tests of accounts do, in their words: ask, open a letter, sign in, go on."""

import logging
import re
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from tests.documents import SIGN_IN
from tests.shop import PASSWORD, Shop, said

TOKENS = "__typename ... on SignedIn { accessToken expiresAt refreshToken sessionExpiresAt }"
ME = "{ me { role user { email firstName lastName secondFactorSince } organization { slug } } }"
REFRESH = f"mutation ($input: SessionRefreshInput) {{ sessionRefresh(input: $input) {{ {TOKENS} }} }}"
SIGN_OUT = "mutation { signOut { done } }"
SESSIONS = "{ sessions { totalCount nodes { id endedAt endReason userAgent address byCookie } } }"

REGISTER = "mutation ($input: OrganizationRegisterInput!) { organizationRegister(input: $input) { to } }"
CONFIRM = (
    f"mutation ($input: RegistrationConfirmInput!) {{ registrationConfirm(input: $input) {{ {TOKENS} "
    "... on SignedInByCookie { expiresAt } } }"
)
INVITE = """mutation ($input: InvitationCreateInput!) {
  invitationCreate(input: $input) { invitation { id email role expiresAt acceptedAt revokedAt invitedBy { id } } }
}"""
REVOKE = "mutation ($input: InvitationRevokeInput!) { invitationRevoke(input: $input) { invitation { revokedAt } } }"
OFFER = "query ($token: String!) { invitationOffer(token: $token) { organizationName email role hasAccount } }"
ACCEPT = (
    "mutation ($input: InvitationAcceptInput!) { invitationAccept(input: $input) "
    f"{{ organization session {{ {TOKENS} }} }} }}"
)
FORGOT = "mutation ($input: PasswordResetRequestInput!) { passwordResetRequest(input: $input) { to } }"
RESET = "mutation ($input: PasswordResetInput!) { passwordReset(input: $input) { done } }"
CHANGE_PASSWORD = "mutation ($input: PasswordChangeInput!) { passwordChange(input: $input) { done } }"
CHANGE_EMAIL = "mutation ($input: EmailChangeInput!) { emailChange(input: $input) { to } }"
CONFIRM_EMAIL = "mutation ($input: TokenInput!) { emailConfirm(input: $input) { done } }"

OTHER_PASSWORD = "four quiet rivers run"
NEW_NAME = {"firstName": "Noé", "lastName": "Blanc", "password": OTHER_PASSWORD}
OVER = ("UNAUTHENTICATED", None, "This session is over. Sign in again.")
SIGN_IN_FIRST = ("UNAUTHENTICATED", None, "Sign in first, and send `Authorization: Bearer <accessToken>`.")


def as_nobody(shop: Shop) -> Shop:
    """The same shop, to somebody who is not signed in."""
    return replace(shop, token="")


def bearer(shop: Shop, signed_in: dict[str, Any]) -> Shop:
    """The shop as whoever these tokens are for."""
    return replace(shop, token=signed_in["accessToken"])


async def sign_in(shop: Shop, email: str = "", password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    """The tokens of a new session, or the challenge."""
    return dict(await as_nobody(shop)(SIGN_IN, input={"email": email or shop.email, "password": password} | more))


async def token_in_letter(shop: Shop, email: str, what: str) -> str:
    """What the newest letter to an address carries behind `#what=`, once all letters are sent."""
    await shop.work_is_done()
    found = re.findall(rf"/account#{what}=([\w.-]+)", said(shop.mails(email)[-1]))
    assert len(set(found)) == 1, said(shop.mails(email)[-1])
    return str(found[0])


def forged(token: str) -> str:
    """The same claims with another signature."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


async def work_of(caplog: pytest.LogCaptureFixture, doing: Awaitable[Any]) -> list[str]:
    """The statements of it, without their values: the same work asks the database for the same."""
    with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
        caplog.clear()
        await doing
    made = (record.getMessage() for record in caplog.records if record.name == "tortoise.db_client")
    return [sql.partition(": ")[0] for sql in made]
