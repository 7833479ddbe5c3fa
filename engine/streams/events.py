"""What is followed, what happened to it, and the log that says so."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Topic(NamedTuple):
    """The rows of a table that belong to a tenant, or one of them."""

    tenant: Hashable
    subject: str
    row: Hashable | None = None

    @property
    def all(self) -> "Topic":
        """All of the tenant's rows."""
        return Topic(self.tenant, self.subject)


class Event(NamedTuple):
    """What happened to a row, one thing or several, the last of them at `position`. Without a row: a beginning."""

    topic: Topic
    happened: tuple[str, ...]
    position: Any

    def then(self, later: "Event") -> "Event":
        """Both as one."""
        return Event(self.topic, tuple(dict.fromkeys(self.happened + later.happened)), later.position)


@dataclass(frozen=True, slots=True)
class News:
    """What came since a position, in order, up to another. `rights`: tenants whose callers have to be looked up again,
    None among them for all. `more`: there is more at once; `held`: more will be there in a moment."""

    events: tuple[Event, ...]
    rights: frozenset[Hashable | None]
    position: Any
    more: bool
    held: bool


class Log(Protocol):
    """What happened, at positions that grow, kept for a while."""

    async def horizon(self) -> Any:
        """The position of now: what is there already is before it."""
        ...

    async def since(self, position: Any) -> News: ...

    async def missed(self, topic: Topic, cursor: str) -> list[Event]:
        """What happened to a topic since a cursor. Raises DomainError for one that is none or too old."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until something may have happened, or so long."""
        ...


def together(events: list[Event]) -> dict[Topic, Event]:
    """One event for each row, in the order of their positions: whoever has told one has told all before it."""
    found: dict[Topic, Event] = {}
    for event in events:
        earlier = found.pop(event.topic, None)
        found[event.topic] = earlier.then(event) if earlier else event
    return found
