"""Alerts are counted, and told to Sentry without secrets, people or requests; nobody can flood it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from telemetry import alerts
from telemetry.alerts import KINDS_MOST, MOST, Alerts
from telemetry.context import log_context
from telemetry.sentry import Sentry

DSN = "https://0123456789abcdef@sentry.comptoir.test/1"


class Wire(Transport):
    """What would have gone to Sentry."""

    def __init__(self) -> None:
        super().__init__({"dsn": DSN})
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events.append(envelope.get_event())


@dataclass
class Clock:
    now: float = 5.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Alarm:
    """A logger whose alerts are told over `wire`."""

    wire: Wire = field(default_factory=Wire)
    clock: Clock = field(default_factory=Clock)
    log: logging.Logger = field(default_factory=lambda: logging.Logger("comptoir.test"))

    def counted(self) -> float:
        return REGISTRY.get_sample_value("comptoir_alerts_total", {"logger": "comptoir.test"}) or 0


@pytest.fixture
def alarm() -> Alarm:
    alarm = Alarm()
    sentry = Sentry(DSN, environment="production", transport=alarm.wire)
    alarm.log.addHandler(Alerts(sentry, clock=alarm.clock))
    return alarm


def test_an_alert_says_what_happened_where_and_about_what(alarm: Alarm) -> None:
    before = alarm.counted()
    with log_context(job="inbox.handle", event_id="evt_1"):
        try:
            raise RuntimeError("no such thing")
        except RuntimeError:
            alarm.log.exception("event %s failed", "evt_1")

    (event,) = alarm.wire.events
    assert event["logentry"] == {"message": "event %s failed", "formatted": "event evt_1 failed", "params": []}
    assert event["exception"]["values"][0]["value"] == "no such thing"
    assert event["tags"] == {"job": "inbox.handle", "event_id": "evt_1"}
    assert (event["level"], event["logger"]) == ("error", "comptoir.test")
    assert event["environment"] == "production"
    assert event["release"].startswith("comptoir@")
    assert alarm.counted() == before + 1


def test_what_is_no_alert_is_not_told(alarm: Alarm) -> None:
    before = alarm.counted()

    alarm.log.warning("to be tried again")

    assert alarm.wire.events == []
    assert alarm.counted() == before


def test_nothing_of_ours_or_of_anybody_goes_along(alarm: Alarm) -> None:
    password, row = "sesame-open-up", "DETAIL:  Key (email)=(x) already exists."
    try:
        raise RuntimeError(f"550 <marie.martin@example.com> +33687654321 Bearer abc.def\n{row}")
    except RuntimeError:
        with log_context(event_id="whsec_abcdef"):
            alarm.log.exception("%s could not be told with %s", "marie.martin@example.com", "sk_live_abcdef")

    (event,) = alarm.wire.events
    assert password  # a local variable of the frame that is reported
    said = str(event)
    for private in ("marie", "33687654321", "abc.def", "abcdef", "already exists", "'vars'"):
        assert private not in said.replace(str(event["exception"]["values"][0]["stacktrace"]), ""), private
    assert all("vars" not in frame for frame in event["exception"]["values"][0]["stacktrace"]["frames"])
    assert not {"request", "user", "breadcrumbs", "modules"} & set(event)


def test_no_other_part_of_the_process_is_listened_to(alarm: Alarm) -> None:
    logging.getLogger("comptoir.elsewhere").error("not ours")

    assert alarm.wire.events == []


def test_alike_alerts_are_told_once_a_minute_and_all_are_counted(alarm: Alarm) -> None:
    before = alarm.counted()

    for number in range(1000):
        alarm.log.error("a webhook with a bad signature was refused: %s", number)
    alarm.clock.now += 61
    alarm.log.error("a webhook with a bad signature was refused: %s", "again")

    assert [event["logentry"]["formatted"].rpartition(" ")[2] for event in alarm.wire.events] == ["0", "again"]
    assert alarm.wire.events[1]["extra"] == {"alike since the last": 999}
    assert alarm.counted() == before + 1001


def test_errors_of_one_template_are_alike_only_where_they_come_from_one_place(alarm: Alarm) -> None:
    def fail(kind: type[Exception]) -> None:
        raise kind("no")

    for kind in (ValueError, ValueError, KeyError):
        try:
            fail(kind)
        except (ValueError, KeyError):
            alarm.log.exception("a request failed")

    assert [event["exception"]["values"][0]["type"] for event in alarm.wire.events] == ["ValueError", "KeyError"]


def test_many_kinds_at_once_are_told_up_to_a_bound_and_remembered_up_to_another(alarm: Alarm) -> None:
    for number in range(2 * KINDS_MOST):
        alarm.log.error(f"kind {number}")  # a template that never repeats

    assert len(alarm.wire.events) == MOST
    (handler,) = alarm.log.handlers
    assert isinstance(handler, Alerts)
    assert len(handler._kinds) == KINDS_MOST
    alarm.clock.now += 61
    alarm.log.error("another")
    assert len(alarm.wire.events) == MOST + 1


@pytest.fixture
def ours() -> Iterator[logging.Logger]:
    """The parent of all our loggers, as it was afterwards."""
    logger = logging.getLogger("comptoir")
    before = logger.handlers[:]
    yield logger
    logger.handlers[:] = before


def test_a_process_tells_of_all_our_loggers_once(ours: logging.Logger) -> None:
    wire = Wire()
    sentry = Sentry(DSN, environment="production", transport=wire)

    alerts.set_up(sentry)
    alerts.set_up(sentry)
    logging.getLogger("comptoir.outbox").error("given up")
    logging.getLogger("uvicorn.error").error("not ours")

    assert [event["logger"] for event in wire.events] == ["comptoir.outbox"]
