"""What a log record is about: ids that every record names while something is under way."""

from collections.abc import Mapping
from contextvars import ContextVar

FIELDS = ("request_id", "order_id", "event_id", "promise", "job", "error_id")

_ids: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never changed in place


class log_context:  # noqa: N801 - reads as what it is: `with log_context(job=…)`
    """Records of this block, and of what it starts, name these ids (of FIELDS).

    Written out, since every request passes here, and a generator costs twice as much.
    """

    __slots__ = ("_given", "_token")

    def __init__(self, **ids: object) -> None:
        self._given = ids

    def __enter__(self) -> None:
        self._token = _ids.set({**_ids.get(), **self._given})

    def __exit__(self, *_: object) -> None:
        _ids.reset(self._token)


def note(**ids: object) -> None:
    """Learnt on the way: records name these ids too, until the enclosing `log_context` ends."""
    _ids.set({**_ids.get(), **ids})


def current() -> Mapping[str, object]:
    return _ids.get()
