"""Faults on request, to try how a client of Google's API bears them."""

import asyncio
from dataclasses import dataclass

from sandbox.google_errors import GoogleError

MESSAGES = {
    "rateLimitExceeded": "Rate Limit Exceeded",
    "userRateLimitExceeded": "User Rate Limit Exceeded",
    "quotaExceeded": "Calendar usage limits exceeded.",
    "backendError": "Backend Error",
}
DOMAIN = {403: "usageLimits", 429: "usageLimits"}


@dataclass
class GoogleFault:
    """What is wrong with the next `times` requests whose path begins with `path`.

    status and reason: answered instead of executing; None: executed, then the connection is cut without an answer.
    retry_after: seconds, in a header. delay: seconds before anything is done.
    """

    status: int | None = 503
    reason: str = "backendError"
    times: int = 1
    path: str = "/calendar/v3/"
    retry_after: int | None = None
    delay: float = 0.0

    async def strike(self) -> None:
        """Raises GoogleError unless the request is carried out all the same."""
        await asyncio.sleep(self.delay)
        if self.status is not None and self.status >= 400:
            headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else {}
            message = MESSAGES.get(self.reason, self.reason)
            raise GoogleError(
                self.status, self.reason, message, domain=DOMAIN.get(self.status, "global"), headers=headers
            )


class GoogleFaults:
    def __init__(self) -> None:
        self._coming: list[GoogleFault] = []

    def add(self, fault: GoogleFault) -> None:
        self._coming.append(fault)

    @property
    def coming(self) -> int:
        """How many requests will suffer one."""
        return sum(fault.times for fault in self._coming)

    def take(self, path: str) -> GoogleFault | None:
        """The fault that this request suffers, if any."""
        for fault in self._coming:
            if path.startswith(fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                return fault
        return None
