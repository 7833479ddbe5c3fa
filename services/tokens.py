"""Short-lived signed tokens (JWT, RFC 7519): access tokens and links to files. Each use has its own key."""

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson

from services.keys import derived

ACCESS = "access-token"
REFRESH = "refresh-token"
SECOND_FACTOR = "second-factor"  # the password was right, a code is still asked for
REGISTRATION = "registration-link"
INVITATION = "invitation-link"
PASSWORD = "password-link"  # noqa: S105 - a purpose
EMAIL = "email-link"
FILE = "file-link"
UPLOAD = "upload-link"
DOCUMENT = "document-link"
PAY = "pay-link"
QUOTE = "quote-link"
SURVEY = "survey-link"


def sign(purpose: str, claims: dict[str, Any], life: timedelta) -> tuple[str, datetime]:
    """(token, until when it is good)."""
    expires_at = datetime.now(UTC) + life
    said = b".".join((_HS256, _encoded(orjson.dumps({**claims, "exp": int(expires_at.timestamp())}))))
    signed = b".".join((said, _encoded(hmac.digest(derived(purpose)[0], said, "sha256"))))
    return signed.decode(), expires_at


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


# Made here: PyJWT's checks take five times as long, and each delivery and each invoice of a list has a link.
_HS256 = _encoded(b'{"alg":"HS256","typ":"JWT"}')


def read(purpose: str, token: str) -> Mapping[str, Any] | None:
    """The claims, or None for one that is not ours, altered or expired."""
    keys = derived(purpose)
    digest = hashlib.sha256(b"".join((*keys, token.encode()))).digest()
    claims = _verified.get(digest)
    if claims is None:
        claims = _decoded(keys, token)
        if claims is None:
            return None
        _remember(digest, claims)
    elif claims["exp"] <= datetime.now(UTC).timestamp():
        del _verified[digest]
        return None
    else:
        _verified.move_to_end(digest)
    return claims


# Claims of tokens that were verified: checking a signature costs ten times looking it up. By a digest, so that no token
# lies about in memory, with the keys in it, so that a key taken away takes its tokens along.
_verified: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()
VERIFIED_MOST = 10_000  # about 10 MB


def _remember(digest: bytes, claims: Mapping[str, Any]) -> None:
    _verified[digest] = claims
    if len(_verified) > VERIFIED_MOST:
        _verified.popitem(last=False)


def _decoded(keys: Sequence[bytes], token: str) -> Mapping[str, Any] | None:
    for key in keys:
        try:
            return jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp"]})
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            return None
    return None
