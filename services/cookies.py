"""A session's tokens in cookies, for front ends in a browser: no script reads them, and only allowed origins use them.

`__Host-` binds a cookie to this host, over HTTPS (RFC 6265bis, 4.1.3.2); over HTTP, in development, they go without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from errors import Forbidden
from services.outside import outside
from services.sessions import Tokens

ACCESS, REFRESH = "comptoir-access", "comptoir-refresh"
SAME_PLACE = ("same-origin", "none")  # of Sec-Fetch-Site: our own page, or the person's own doing


@dataclass
class Cookies:
    """Those that a request brought, and what its answer changes of them: values of Set-Cookie."""

    given: Mapping[str, str] = field(default_factory=dict)
    allowed: bool = False  # whether the page that asks may use cookies
    changes: list[bytes] = field(default_factory=list)

    @property
    def access(self) -> str | None:
        return self.given.get(_name(ACCESS))

    @property
    def refresh(self) -> str | None:
        return self.given.get(_name(REFRESH))

    def must_be_allowed(self) -> None:
        """Raises Forbidden where the page that asks is of no origin of ours (CSRF)."""
        if not self.allowed:
            raise Forbidden(
                "Cookies are for pages of allowed origins. Add this one to ALLOWED_ORIGINS, or use a bearer token."
            )

    def keep(self, tokens: Tokens) -> None:
        """Have the browser keep a session's tokens, each as long as it is good."""
        self._set(ACCESS, tokens.access, tokens.expires_at)
        self._set(REFRESH, tokens.refresh, tokens.session_ends_at)

    def forget(self) -> None:
        for name in (ACCESS, REFRESH):
            self._set(name, "", datetime.now(UTC))

    def _set(self, name: str, value: str, until: datetime) -> None:
        seconds = max(0, int((until - datetime.now(UTC)).total_seconds()))
        secure = "; Secure" if _secure() else ""
        cookie = f"{_name(name)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        self.changes.append(cookie.encode("ascii"))


def brought(
    given: Mapping[str, str], origin: str | None, fetch_site: str | None, changes: list[bytes]
) -> Cookies:  # fmt: skip
    """The cookies of a request, and whether its page may use them: of an allowed origin, or, where the browser names
    none, of ours."""
    settings = outside().settings
    allowed = origin in (settings.app_url, *settings.allowed_origins) if origin else fetch_site in SAME_PLACE
    return Cookies(given, allowed, changes)


def _name(name: str) -> str:
    return f"__Host-{name}" if _secure() else name


def _secure() -> bool:
    return outside().settings.app_url.startswith("https://")
