"""What operators see of a process: its logs, its alerts, its counts. Knows the settings, and nothing else of ours."""

import logging
import re
import sys
from types import TracebackType

from pydantic import SecretStr

from settings import Settings
from telemetry import alerts, logs
from telemetry.redaction import hide
from telemetry.sentry import Sentry

log = logging.getLogger("comptoir.process")


def start(settings: Settings) -> None:
    """Logs and alerts of this process, as the settings say. Again replaces what was."""
    hide(_secrets(settings))
    logs.set_up(settings.logs_as)
    dsn = settings.sentry_dsn
    alerts.set_up(Sentry(dsn.get_secret_value(), environment=settings.environment) if dsn else None)
    sys.excepthook = _ended


def _secrets(settings: Settings) -> list[str]:
    values = (value for _, value in settings)
    each = (one for value in values for one in (value if isinstance(value, tuple) else (value,)))
    keys = re.split(r"[,:\s]+", settings.comptoir_master_keys.get_secret_value())  # each by itself, without its id
    return [secret.get_secret_value() for secret in each if isinstance(secret, SecretStr)] + keys


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught ends the process: a record like any other, and an alert."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("the process ends", exc_info=(kind, error, trace))
