"""Short-lived signed tokens (JWT, RFC 7519): access tokens and links to files. Each use has its own key."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from services.keys import derived

ACCESS = "access-token"
FILE = "file-link"


def sign(purpose: str, claims: dict[str, Any], life: timedelta) -> tuple[str, datetime]:
    """(token, until when it is good)."""
    expires_at = datetime.now(UTC) + life
    return jwt.encode({**claims, "exp": expires_at}, derived(purpose)[0], algorithm="HS256"), expires_at


def read(purpose: str, token: str) -> dict[str, Any] | None:
    """The claims, or None for one that is not ours, altered or expired."""
    for key in derived(purpose):
        try:
            return jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp"]})
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            return None
    return None
