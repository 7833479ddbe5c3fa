"""Faults on request, to try how a client of the API bears them."""

import asyncio
from dataclasses import dataclass


@dataclass
class Fault:
    """What is wrong with the next `times` requests whose path begins with `path`.

    status: answered instead of executing; None: executed, then the connection is cut without an answer.
    delay: seconds that executing takes, the idempotency key being in use meanwhile.
    """

    status: int | None = 200
    times: int = 1
    path: str = "/v1/"
    delay: float = 0.0

    @property
    def refuses(self) -> bool:
        """Refused before executing: nothing is kept for the idempotency key."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def breaks(self) -> bool:
        """Failed while executing: kept for the idempotency key."""
        return self.status is not None and self.status >= 500

    async def wait(self) -> None:
        await asyncio.sleep(self.delay)


class Faults:
    def __init__(self) -> None:
        self._coming: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._coming.append(fault)

    def take(self, path: str) -> Fault:
        """The fault that this request suffers; one without effect when none is due."""
        for fault in self._coming:
            if path.startswith(fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self._coming.remove(fault)
                return fault
        return Fault()
