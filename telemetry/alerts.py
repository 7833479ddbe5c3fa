"""Alerts: records at ERROR and above of our own loggers. Each is counted; Sentry is told of what is new.

Whoever can provoke an error could post it a million times: alike alerts are told once a minute, and no more than
thirty of all kinds.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from prometheus_client import Counter

COUNTED = Counter("comptoir_alerts", "Log records at ERROR and above: somebody should look", ["logger"])

OURS = "comptoir"
PERIOD = 60.0  # seconds
MOST = 30  # told in a period, of all kinds
KINDS_MOST = 1000  # remembered


class Told(Protocol):
    """Whom alerts are told to."""

    def send(self, record: logging.LogRecord, alike: int) -> None:
        """Tell of a record, and of how many like it there were since the last that was told. Never waits."""
        ...


class Alerts(logging.Handler):
    """Counts alerts, and tells of those that are new. `clock` gives seconds."""

    def __init__(self, told: Told | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.ERROR)
        self._told, self._clock = told, clock
        self._kinds: OrderedDict[object, tuple[float, int]] = OrderedDict()  # when last told, how many since
        self._period, self._in_period = clock(), 0

    def emit(self, record: logging.LogRecord) -> None:
        COUNTED.labels(record.name).inc()
        if self._told is None:
            return
        try:
            kind, now = _kind(record), self._clock()
            last, alike = self._kinds.pop(kind, (-PERIOD, 0))
            if now - last < PERIOD or not self._may_tell(now):
                self._kinds[kind] = last, alike + 1
            else:
                self._kinds[kind] = now, 0
                self._told.send(record, alike)
            if len(self._kinds) > KINDS_MOST:
                self._kinds.popitem(last=False)
        except Exception:  # as for every handler: an alert that cannot be told stops nothing
            self.handleError(record)

    def _may_tell(self, now: float) -> bool:
        if now - self._period >= PERIOD:
            self._period, self._in_period = now, 0
        self._in_period += 1
        return self._in_period <= MOST


def set_up(told: Told | None) -> None:
    """Alerts of this process are counted, and told to `told` where there is somebody."""
    ours = logging.getLogger(OURS)
    for handler in [handler for handler in ours.handlers if isinstance(handler, Alerts)]:
        ours.removeHandler(handler)
    ours.addHandler(Alerts(told))


def _kind(record: logging.LogRecord) -> object:
    """Alike are those of one template and, where they carry an error, of one type raised at one place."""
    if not (record.exc_info and record.exc_info[0]):
        return record.name, record.msg
    error, _, trace = record.exc_info
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return record.name, record.msg, error, trace and (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
