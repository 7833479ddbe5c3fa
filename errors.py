"""What can go wrong, as one tree.

    Exception
    ├── DomainError            the caller can act on it: code, field, message, shown as they are
    │   ├── Unauthenticated    nobody is signed in, or the token is no longer good
    │   ├── Forbidden          signed in, without the right
    │   ├── NotFound           no such row for this caller (another tenant's row is the same as none)
    │   ├── Invalid            the input breaks a rule
    │   ├── Conflict           the input is fine, the state of things is not
    │   │   ├── SlotTaken      … somebody has the time that was asked for; with the nearest that are free
    │   │   └── Known          … it is here already; with the id of what is
    │   ├── Expired            what was read so far cannot be gone on from: begin anew
    │   ├── Limited            too much, too often
    │   ├── NotConfigured      an operator has to set something first
    │   │   └── Incomplete     … the organization, what its invoices have to say of it
    │   ├── Nonconforming      an invoice that would break the rules of e-invoicing is neither made nor sent
    │   └── Unreachable        an outside system failed while the caller waited
    └── ProviderError          an outside system said no; the three that someone treats differently
        ├── Refused            it will never work as asked: give up, tell a person
        │   ├── Gone           … because what it names over there is gone
        │   │   └── SyncExpired   … the point up to which changes were read: read all anew
        │   └── Changed        … because it was changed over there since we read it
        ├── Disconnected       the credentials are no good: reconnect the integration
        └── Unavailable        try again, `retry_after` seconds from now when it said so

Everything else is a bug: masked for clients, logged with an id that the client is given.
"""

from collections.abc import Mapping, Sequence
from enum import Enum


class ErrorCode(Enum):
    """Why a request was refused: `errors[].extensions.code`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    CONFLICT = "CONFLICT"
    SLOT_TAKEN = "SLOT_TAKEN"
    EXPIRED = "EXPIRED"
    LIMITED = "LIMITED"
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"


class DomainError(Exception):
    """A refusal that the caller can act on. `field` is the camelCase path of the input to blame."""

    code = ErrorCode.INVALID

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    @property
    def extensions(self) -> dict[str, object]:
        """What graphql-core copies to `errors[].extensions`."""
        named: dict[str, object] = {"field": self.field} if self.field else {}
        return {"code": self.code.value, **named}


class Unauthenticated(DomainError):
    code = ErrorCode.UNAUTHENTICATED


class Forbidden(DomainError):
    code = ErrorCode.FORBIDDEN


class NotFound(DomainError):
    code = ErrorCode.NOT_FOUND


class Invalid(DomainError):
    code = ErrorCode.INVALID


class Conflict(DomainError):
    code = ErrorCode.CONFLICT


class SlotTaken(Conflict):
    """`nearest`: free slots around it, as clients read them. `taken`: of several dates those that are not free."""

    code = ErrorCode.SLOT_TAKEN

    def __init__(
        self, message: str, *, field: str, nearest: Sequence[Mapping[str, str]] = (),
        taken: Sequence[Mapping[str, str]] = (),
    ) -> None:  # fmt: skip
        super().__init__(message, field=field)
        self.nearest, self.taken = tuple(nearest), tuple(taken)

    @property
    def extensions(self) -> dict[str, object]:
        several: dict[str, object] = {"taken": list(self.taken)} if self.taken else {}
        return super().extensions | {"nearest": list(self.nearest)} | several


class Known(Conflict):
    """`known`: the global id of what is here already."""

    def __init__(self, message: str, known: str, *, field: str) -> None:
        super().__init__(message, field=field)
        self.known = known

    @property
    def extensions(self) -> dict[str, object]:
        return super().extensions | {"known": self.known}


class Expired(DomainError):
    code = ErrorCode.EXPIRED


class Limited(DomainError):
    """`retry_after`: in how many seconds it may be tried again, where waiting is all that is needed."""

    code = ErrorCode.LIMITED

    def __init__(self, message: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, object]:
        waiting: dict[str, object] = {"retryAfter": self.retry_after} if self.retry_after else {}
        return super().extensions | waiting


class NotConfigured(DomainError):
    code = ErrorCode.NOT_CONFIGURED


class Incomplete(NotConfigured):
    """`missing`: the camelCase names of what has to be filled."""

    def __init__(self, message: str, missing: Sequence[str], *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.missing = tuple(missing)

    @property
    def extensions(self) -> dict[str, object]:
        return super().extensions | {"missing": list(self.missing)}


class Nonconforming(DomainError):
    """The message names each rule that is broken."""


class Unreachable(DomainError):
    code = ErrorCode.UNAVAILABLE


class ProviderError(Exception):
    """An outside system did not do what we asked. The message never holds a secret."""


class Refused(ProviderError):
    """The same request will be refused again."""


class Gone(Refused):
    """It named something of theirs that is no longer there."""


class SyncExpired(Gone):
    """The other side no longer knows what changed since that token: read all anew."""


class Changed(Refused):
    """It was changed over there since we read it: read it again, then decide."""


class Disconnected(ProviderError):
    """The credentials are wrong, expired or revoked."""


class Unavailable(ProviderError):
    """No answer, or one that says later. `answered`: it did answer, that it failed; else the outcome is unknown."""

    def __init__(self, message: str, *, retry_after: float | None = None, answered: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.answered = answered
