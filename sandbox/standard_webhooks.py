"""What a partner does with a notification's signature (https://www.standardwebhooks.com), by the standard alone.

`webhook-signature` holds `v1,<base64>` one or more times: HMAC-SHA256, keyed by the secret, over `id.timestamp.body`.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum

PREFIX = "whsec_"
TOLERANCE = 300  # seconds between the timestamp and the arrival
SHORTEST = 24  # bytes of a key, by the standard


class Verdict(StrEnum):
    VERIFIED = "verified"
    WRONG = "wrong"
    STALE = "stale"
    UNSIGNED = "unsigned"


def key(secret: str) -> bytes:
    """The key that a secret, `whsec_…`, stands for. Raises ValueError for what is none."""
    try:
        found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not secret.startswith(PREFIX) or len(found) < SHORTEST:
        raise ValueError(f"A signing secret is {PREFIX} followed by base64 of at least {SHORTEST} bytes.")
    return found


def verdict(secret: str, headers: Mapping[str, str], body: bytes, at: float) -> Verdict:
    """Whether the secret signed a notification that arrived `at` (unix seconds). Header names in lower case."""
    id, timestamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id and timestamp and given):
        return Verdict.UNSIGNED
    signed = f"{id}.{timestamp}.".encode() + body
    right = base64.b64encode(hmac.new(key(secret), signed, hashlib.sha256).digest())
    signatures = [
        value.encode() for scheme, _, value in (part.partition(",") for part in given.split()) if scheme == "v1"
    ]
    if not any(hmac.compare_digest(right, signature) for signature in signatures):
        return Verdict.WRONG
    if not timestamp.isascii() or not timestamp.isdigit() or abs(at - int(timestamp)) > TOLERANCE:
        return Verdict.STALE
    return Verdict.VERIFIED
