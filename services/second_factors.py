"""Second factors: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
import segno

from errors import Conflict, Forbidden, Invalid
from models import RecoveryCode, User
from models.database import query, transaction
from services import lockout, vault

ISSUER = "Comptoir"
DRIFT = 1  # steps of 30 s that a clock may be wrong by
RECOVERY_CODES = 10
SET_UP = "A second factor is set up already. Remove it first."
WRONG = "This code is wrong, or was used already. Wait for the next one."


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator app is given: the secret in Base32, the same as an address, and as a picture of it."""

    secret: str
    uri: str
    qr_svg: str


async def start(user: User) -> Setup:
    """A new secret for an app, of which codes are asked for once one was given. Opens a transaction. Raises Conflict
    where some are."""
    if user.second_factor_since:
        raise Conflict(SET_UP)
    secret = pyotp.random_base32()
    vault.seal(user, "totp_secret", secret)
    async with transaction():
        if not await User.filter(id=user.id, second_factor_since=None).update(totp_secret=user.totp_secret):
            raise Conflict(SET_UP)
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    return Setup(secret, uri, segno.make(uri, error="m").svg_inline(scale=4, border=4))


async def confirm(user: User, code: str) -> list[str]:
    """Ask for codes from now on; the recovery codes, shown this once. Opens a transaction. Raises Invalid, Conflict."""
    if user.second_factor_since:
        raise Conflict(SET_UP)
    if user.totp_secret is None:
        raise Conflict("Begin with secondFactorStart: it gives the secret for the app.")
    if not await _is_of_app(user, code):
        raise Invalid(WRONG, field="input.code")
    async with transaction():
        current = await User.select_for_update(no_key=True).get(id=user.id)
        if current.second_factor_since or current.totp_secret != user.totp_secret:
            raise Conflict("The secret was replaced meanwhile. Begin with secondFactorStart again.")
        current.second_factor_since = datetime.now(UTC)
        await current.save(update_fields=["second_factor_since"])
        return await new_recovery_codes(current)


async def remove(user: User) -> None:
    """Ask for no codes any more. Opens a transaction."""
    user.second_factor_since = user.totp_secret = None
    async with transaction():
        await user.save(update_fields=["second_factor_since", "totp_secret"])
        await RecoveryCode.filter(user_id=user.id).delete()


async def new_recovery_codes(user: User) -> list[str]:
    """In place of the old, in a transaction. 80 bits each, and so a plain hash of each is kept. Raises Conflict."""
    if not user.second_factor_since:
        raise Conflict("No second factor is set up. Begin with secondFactorStart.")
    await RecoveryCode.filter(user_id=user.id).delete()
    codes = ["-".join(re.findall("....", secrets.token_hex(10))) for _ in range(RECOVERY_CODES)]
    await RecoveryCode.bulk_create([RecoveryCode(user=user, code_hash=_hash_of(code)) for code in codes])
    return codes


async def must_take(user: User, code: str, address: str | None) -> None:
    """Raises Conflict where none is set up, Forbidden for a wrong code, and Limited after too many."""
    if not user.second_factor_since:
        raise Conflict("No second factor is set up.")
    if not await takes(user, code, address):
        raise Forbidden(WRONG, field="input.code")


async def takes(user: User, code: str, address: str | None) -> bool:
    """Whether a code is the app's of this moment, or a recovery code; each is taken once, by whoever is first.

    Opens a transaction. `address` is whose it comes from. Raises Limited after too many attempts.
    """
    return await lockout.tried(lockout.CODE, user.email, address, lambda: _takes(user, code))


async def _takes(user: User, code: str) -> bool:
    if re.fullmatch(r"\d{6}", code.strip()):
        return await _is_of_app(user, code.strip())
    return bool(
        await query(
            "UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL"
            " RETURNING id",
            user.id, _hash_of(code),
        )
    )  # fmt: skip


async def _is_of_app(user: User, code: str) -> bool:
    secret = await vault.open(user, "totp_secret", "second factor")
    assert secret is not None
    app, now = pyotp.TOTP(secret), datetime.now(UTC)
    for step in range(app.timecode(now) - DRIFT, app.timecode(now) + DRIFT + 1):
        if secrets.compare_digest(app.generate_otp(step), code.strip().encode("ascii", "replace").decode()):
            return await _is_new(user, step)
    return False


async def _is_new(user: User, step: int) -> bool:
    taken = "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id"
    async with transaction():
        return bool(await query(taken, user.id, step))


def _hash_of(code: str) -> str:
    plain = re.sub(r"[^0-9a-f]", "", code.lower())
    return hashlib.sha256(plain.encode()).hexdigest()
