"""Second factors: set up, asked for, taken once, recovered from, removed; the secret is nobody's to read."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest

from models import RecoveryCode, SecretOpening, Session, User
from services import second_factors, tokens
from tests.identity.accounts import (
    CHANGE_PASSWORD,
    ME,
    OTHER_PASSWORD,
    TOKENS,
    as_nobody,
    bearer,
    forged,
    sign_in,
)
from tests.security.surroundings import nothing_changes
from tests.shop import PASSWORD, Shop

START = "mutation ($input: SecondFactorStartInput!) { secondFactorStart(input: $input) { secret uri qrSvg } }"
CONFIRM = "mutation ($input: SecondFactorConfirmInput!) { secondFactorConfirm(input: $input) { codes } }"
VERIFY = f"mutation ($input: SecondFactorVerifyInput!) {{ secondFactorVerify(input: $input) {{ {TOKENS} }} }}"
REMOVE = "mutation ($input: SecondFactorProofInput!) { secondFactorRemove(input: $input) { done } }"
RENEW = "mutation ($input: SecondFactorProofInput!) { recoveryCodesRenew(input: $input) { codes } }"
WRONG = ("UNAUTHENTICATED", "input.code", second_factors.WRONG)
TOO_LONG = ("UNAUTHENTICATED", None, "This took too long. Sign in again.")


class App:
    """An authenticator app."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)

    def code(self, *, steps: int = 0) -> str:
        """The one of this moment, or of so many steps of 30 s before or after."""
        return self._totp.generate_otp(self._totp.timecode(datetime.now(UTC)) + steps)


async def set_up(shop: Shop) -> tuple[App, list[str]]:
    """The app of the person signed in, of which no code was taken, and the recovery codes."""
    app = App((await shop(START, input={"password": PASSWORD}))["secret"])
    codes = (await shop(CONFIRM, input={"code": app.code()}))["codes"]
    await forget_the_steps()
    return app, codes


async def forget_the_steps() -> None:
    """As if the codes that were taken had been others, of long ago."""
    await User.all().update(totp_step=0)


async def answered(shop: Shop, code: str) -> dict[str, Any]:
    challenge = (await sign_in(shop))["challenge"]
    return dict(await as_nobody(shop).post(VERIFY, {"input": {"challenge": challenge, "code": code}}))


async def refused(shop: Shop, code: str, challenge: str = "") -> tuple[str, str | None, str]:
    challenge = challenge or (await sign_in(shop))["challenge"]
    return await as_nobody(shop).refused(VERIFY, input={"challenge": challenge, "code": code})


async def test_a_code_is_asked_for_once_the_app_showed_that_it_works(shop: Shop) -> None:
    setup = await shop(START, input={"password": PASSWORD})
    assert setup["uri"].startswith("otpauth://totp/Comptoir:owner%40shop.test?secret=")
    assert setup["secret"] in setup["uri"]
    assert setup["qrSvg"].startswith("<svg")
    assert (await sign_in(shop))["__typename"] == "SignedIn"

    codes = (await shop(CONFIRM, input={"code": App(setup["secret"]).code()}))["codes"]

    assert len(set(codes)) == second_factors.RECOVERY_CODES
    asked = await sign_in(shop)
    assert (asked["__typename"], set(asked)) == ("SecondFactorRequired", {"__typename", "challenge", "expiresAt"})
    assert (await shop(ME))["user"]["secondFactorSince"]
    await forget_the_steps()
    answer = await answered(shop, App(setup["secret"]).code())
    assert await bearer(shop, answer["data"]["secondFactorVerify"])(ME)


async def test_a_challenge_is_no_token_of_any_other_kind(shop: Shop) -> None:
    await set_up(shop)
    challenge = (await sign_in(shop))["challenge"]

    assert (await bearer(shop, {"accessToken": challenge}).refused(ME))[0] == "UNAUTHENTICATED"
    assert await Session.all().count() == 1


async def test_a_code_is_taken_once(shop: Shop) -> None:
    app, _ = await set_up(shop)
    code = app.code()

    assert "errors" not in await answered(shop, code)
    assert await refused(shop, code) == WRONG


async def test_a_code_given_many_times_at_once_signs_in_once(shop: Shop) -> None:
    app, _ = await set_up(shop)
    challenge = (await sign_in(shop))["challenge"]
    asked = {"input": {"challenge": challenge, "code": app.code()}}

    answers = await asyncio.gather(*(as_nobody(shop).post(VERIFY, asked) for _ in range(8)))

    assert sum("errors" not in answer for answer in answers) == 1


async def test_a_clock_may_be_wrong_by_one_step_and_no_more(shop: Shop) -> None:
    app, _ = await set_up(shop)

    assert await refused(shop, app.code(steps=-3)) == await refused(shop, app.code(steps=3)) == WRONG
    assert "errors" not in await answered(shop, app.code(steps=-1))
    assert "errors" not in await answered(shop, app.code(steps=1))
    assert await refused(shop, app.code()) == WRONG  # of before one that was taken


CODES = ("", "000000 1", "12345", "１２３４５６", "a\0b", "-1", "x" * 500_000, "0000-0000-0000-0000-0000")


@pytest.mark.parametrize("code", CODES, ids=range(len(CODES)))
async def test_a_wrong_code_signs_nobody_in(shop: Shop, code: str) -> None:
    await set_up(shop)
    challenge = (await sign_in(shop))["challenge"]

    assert await refused(shop, code, challenge) == WRONG
    assert await Session.all().count() == 1


async def test_codes_cannot_be_guessed_at_for_long(shop: Shop) -> None:
    await set_up(shop)
    challenge = (await sign_in(shop))["challenge"]

    answers = [await refused(shop, "000000", challenge) for _ in range(6)]
    assert answers[:5] == [WRONG] * 5
    assert answers[5][0] == "LIMITED"


async def test_a_recovery_code_is_good_once_however_it_is_typed(shop: Shop) -> None:
    _, codes = await set_up(shop)

    assert "errors" not in await answered(shop, codes[0].upper().replace("-", " "))
    assert await refused(shop, codes[0]) == WRONG
    assert "errors" not in await answered(shop, codes[1])


async def test_a_recovery_code_of_somebody_else_is_none(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, slug="other")
    _, theirs = await set_up(admin)
    await set_up(shop)

    assert await refused(shop, theirs[0]) == WRONG


async def test_a_challenge_ends_and_dies_with_the_password(shop: Shop) -> None:
    app, _ = await set_up(shop)
    challenge = (await sign_in(shop))["challenge"]
    user = await User.get(email=shop.email)
    claims = {"user": str(user.id), "member": str(user.id), "version": "x"}

    for bad in (
        "", "a\0b", "x" * 500_000, forged(challenge), shop.token,
        tokens.sign(tokens.SECOND_FACTOR, claims, timedelta(seconds=-1))[0],
        tokens.sign(tokens.SECOND_FACTOR, claims, timedelta(minutes=1))[0],
    ):  # fmt: skip
        refusal = await as_nobody(shop).refused(VERIFY, input={"challenge": bad, "code": app.code()})
        assert refusal == TOO_LONG, bad[:40]
    await shop(CHANGE_PASSWORD, input={"currentPassword": PASSWORD, "password": OTHER_PASSWORD})
    assert await refused(shop, app.code(), challenge) == TOO_LONG


async def test_to_remove_it_both_are_needed(shop: Shop) -> None:
    app, codes = await set_up(shop)

    async with nothing_changes(shop):
        for password, code, field in (("wrong", codes[0], "input.password"), (PASSWORD, "x", "input.code")):
            refusal = await shop.refused(REMOVE, input={"password": password, "code": code})
            assert refusal[:2] == ("FORBIDDEN", field)
    await shop(REMOVE, input={"password": PASSWORD, "code": app.code()})

    assert (await sign_in(shop))["__typename"] == "SignedIn"
    assert await RecoveryCode.all().count() == 0
    assert (await User.get(email=shop.email)).totp_secret is None


async def test_new_recovery_codes_take_the_place_of_the_old(shop: Shop) -> None:
    app, old = await set_up(shop)

    new = (await shop(RENEW, input={"password": PASSWORD, "code": app.code()}))["codes"]

    assert not set(new) & set(old)
    assert await refused(shop, old[0]) == WRONG
    assert "errors" not in await answered(shop, new[0])


async def test_what_is_not_set_up_or_is_already_is_refused_and_said(shop: Shop) -> None:
    proof = {"password": PASSWORD, "code": "123456"}
    for document, input in ((CONFIRM, {"code": "123456"}), (REMOVE, proof), (RENEW, proof)):
        assert (await shop.refused(document, input=input))[0] == "CONFLICT"
    assert (await shop.refused(START, input={"password": "wrong"}))[:2] == ("FORBIDDEN", "input.password")

    app, _ = await set_up(shop)

    before = (await User.get(email=shop.email)).totp_secret
    for document, input in ((START, {"password": PASSWORD}), (CONFIRM, {"code": app.code()})):
        assert (await shop.refused(document, input=input))[0] == "CONFLICT"
    assert (await User.get(email=shop.email)).totp_secret == before


async def test_a_wrong_code_sets_nothing_up(shop: Shop) -> None:
    secret = (await shop(START, input={"password": PASSWORD}))["secret"]

    for code in ("000000", "", "x" * 500_000, App(secret).code(steps=5)):
        assert (await shop.refused(CONFIRM, input={"code": code}))[:2] == ("INVALID", "input.code")
    assert await SecretOpening.filter(field="totp_secret").count() == 4
    assert (await sign_in(shop))["__typename"] == "SignedIn"


async def test_the_secret_is_sealed_its_opening_written_down_and_nothing_of_it_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = (await shop(START, input={"password": PASSWORD}))["secret"]
    used = App(secret).code()
    codes = (await shop(CONFIRM, input={"code": used}))["codes"]
    signed_in = (await answered(shop, codes[0]))["data"]["secondFactorVerify"]
    challenge = (await sign_in(shop))["challenge"]

    user = await User.get(email=shop.email)
    assert user.totp_secret
    assert user.totp_secret.startswith("v1.k1.")
    opening = await SecretOpening.filter(row_id=user.id, field="totp_secret").first()
    assert opening
    assert (opening.table_name, opening.purpose) == ("users", "second factor")
    rows = [str(row) for table in ("users", "recovery_codes", "sessions") for row in await shop.sql(f"TABLE {table}")]
    kept = caplog.text + "".join(rows)
    for each in (secret, challenge, signed_in["accessToken"], signed_in["refreshToken"], *codes, PASSWORD):
        assert each not in kept
        assert each.replace("-", "") not in kept
