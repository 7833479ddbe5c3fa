"""Google's refusals: `{"error": {"code", "message", "errors": [{"domain", "reason", "message"}]}}`, and OAuth's own."""

from typing import Any


class GoogleError(Exception):
    """An answer of 4xx or 5xx of the Calendar API. `reason`: Google's word, which clients go by."""

    def __init__(
        self, status: int, reason: str, message: str, *, domain: str = "global", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.domain = domain
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        one = {"domain": self.domain, "reason": self.reason, "message": str(self)}
        return {"error": {"errors": [one], "code": self.status, "message": str(self)}}


class OAuthError(Exception):
    """A refusal of the token endpoint (RFC 6749 5.2). `code`: `invalid_grant` and its like."""

    def __init__(self, code: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.status = status

    def body(self) -> dict[str, str]:
        return {"error": self.code, "error_description": str(self)}


def not_found() -> GoogleError:
    return GoogleError(404, "notFound", "Not Found")


def invalid(message: str, reason: str = "invalid") -> GoogleError:
    return GoogleError(400, reason, message)


def full_sync_required() -> GoogleError:
    message = "Sync token is no longer valid, a full sync is required."
    return GoogleError(410, "fullSyncRequired", message, domain="calendar")


def forbidden(reason: str, message: str) -> GoogleError:
    return GoogleError(403, reason, message, domain="calendar")
