"""A session's tokens in cookies, for front ends in a browser: no script reads them, and only allowed origins use them.

`__Host-` binds a cookie to this host, over HTTPS (RFC 6265bis, 4.1.3.2); over HTTP, in development, they go without.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from errors import Forbidden
from services.outside import outside
from services.sessions import Tokens

ACCESS, REFRESH = "comptoir-access", "comptoir-refresh"


@dataclass
class Cookies:
    """Those of a request, and what its answer changes of them: values of Set-Cookie.

    `must_be_allowed` raises Forbidden where the page that asks may use none (CSRF): to be asked before one is believed,
    or given.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    must_be_allowed: Callable[[], None] = lambda: None
    changes: list[bytes] | None = field(default_factory=list)  # None where the answer has no headers any more

    @property
    def access(self) -> str | None:
        return self.given.get(_name(ACCESS))

    @property
    def refresh(self) -> str | None:
        return self.given.get(_name(REFRESH))

    def must_be_able_to_change(self) -> None:
        """Raises Forbidden where the browser cannot be given any, or may not be."""
        self.must_be_allowed()
        if self.changes is None:
            raise Forbidden("Cookies are given with an answer to POST. Ask there for them.")

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
        if self.changes is not None:
            self.changes.append(cookie.encode("ascii"))


def _name(name: str) -> str:
    return f"__Host-{name}" if _secure() else name


def _secure() -> bool:
    return outside().settings.app_url.startswith("https://")
