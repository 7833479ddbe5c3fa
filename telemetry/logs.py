"""Log records as lines: text for people, JSON for machines. No line holds a secret."""

import json
import logging
from datetime import UTC, datetime
from typing import Literal

import orjson

from telemetry.context import FIELDS, current
from telemetry.redaction import redacted

Format = Literal["text", "json"]


def set_up(format: Format) -> None:
    """All records from INFO on go to stderr, those of libraries, warnings and uvicorn's access log too."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[format]())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)


class Text(logging.Formatter):
    """`2025-01-31 12:00:00,000 ERROR comptoir.outbox: invoices.send … is given up: … [job=invoices.send]`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        ids = " ".join(f"{name}={value}" for name, value in ids_of(record).items())
        return f"{super().formatMessage(record)} [{ids}]" if ids else super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class Json(logging.Formatter):
    """One object a line: time (ISO 8601, UTC), level, logger, message, the ids that are known, exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            **{name: redacted(value) for name, value in ids_of(record).items()},
        }
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        try:
            return orjson.dumps(line).decode()
        except TypeError:  # half of a surrogate pair, which has no UTF-8, but an escape
            return json.dumps(line)


FORMATTERS: dict[Format, type[Text | Json]] = {"text": Text, "json": Json}


def ids_of(record: logging.LogRecord) -> dict[str, str]:
    """What a record is about: its context's ids, and those that it was given itself, as `extra`."""
    context, own = current(), record.__dict__
    known = ((name, own.get(name) or context.get(name)) for name in FIELDS)
    return {name: str(value) for name, value in known if value is not None}
