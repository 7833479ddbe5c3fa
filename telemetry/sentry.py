"""Sentry, told of alerts and nothing else: no integration listens in, no request, person or variable goes along.

https://docs.sentry.io/platforms/python/configuration/options/
"""

import atexit
import logging
import re
import tomllib
from pathlib import Path
from typing import Any

import sentry_sdk
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from telemetry.logs import ids_of
from telemetry.redaction import HIDDEN, redacted

LEAVE_WITHIN = 2.0  # seconds at the end of the process, for what is still to be sent
PROJECT = Path(__file__).parent.parent / "pyproject.toml"

# What only alerts to a third party must not hold: it names a person, or quotes a row.
_PEOPLE = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d]{2,63}\b|\+\d{8,15}\b")
_QUOTED_ROW = re.compile(r"^DETAIL:.*$", re.M)  # PostgreSQL's


class Sentry:
    """One project at Sentry. `transport` stands in for the network."""

    def __init__(self, dsn: str, *, environment: str, transport: Transport | None = None) -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            release=f"comptoir@{_version()}",
            transport=transport,
            before_send=scrubbed,
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            enable_backpressure_handling=False,
            shutdown_timeout=LEAVE_WITHIN,
        )
        atexit.register(self.close)

    def send(self, record: logging.LogRecord, alike: int) -> None:
        """Hand a record to the thread that sends."""
        event: Event = {}
        hint: Hint = {}
        if record.exc_info and record.exc_info[0]:
            event, hint = event_from_exception(record.exc_info, client_options=self._client.options)
        event["level"] = "fatal" if record.levelno >= logging.CRITICAL else "error"
        event["logger"] = record.name
        event["logentry"] = {"message": str(record.msg), "formatted": record.getMessage(), "params": []}
        event["tags"] = ids_of(record)
        event["extra"] = {"alike since the last": alike}
        self._client.capture_event(event, hint)

    def close(self) -> None:
        self._client.close()


def scrubbed(event: Event, hint: Hint) -> Event:
    """The event without whatever is not ours to give away."""
    kept: Any = _scrubbed(event)
    for part in ("request", "user", "breadcrumbs", "modules"):
        kept.pop(part, None)
    return kept  # type: ignore[no-any-return]


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return _PEOPLE.sub(HIDDEN, _QUOTED_ROW.sub(f"DETAIL: {HIDDEN}", redacted(value)))
    if isinstance(value, dict):
        return {key: _scrubbed(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part) for part in value]
    return value


def _version() -> str:
    return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
