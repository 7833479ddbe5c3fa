"""Log lines: one object each, with the ids of what was under way, and no secret."""

import asyncio
import io
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from graphql import GraphQLError

from engine.masking import masked
from telemetry.context import log_context, note
from telemetry.logs import FORMATTERS, Format


@pytest.fixture
def log() -> logging.Logger:
    """A logger of nobody's, which writes to `written` only."""
    logger = logging.Logger("comptoir.test")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    return logger


def written(log: logging.Logger, format: Format, write: Callable[[], object]) -> list[str]:
    """The lines that a block wrote."""
    (handler,) = log.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setFormatter(FORMATTERS[format]())
    write()
    text: str = handler.stream.getvalue()
    assert text.endswith("\n")
    return text[:-1].split("\n")


def test_a_record_is_one_object_on_one_line(log: logging.Logger) -> None:
    before = datetime.now(UTC)
    (line,) = written(log, "json", lambda: log.error("order %s:\n%s", 12, "« payée »"))

    said = json.loads(line)
    assert list(said) == ["time", "level", "logger", "message"]
    assert said["level"] == "ERROR"
    assert said["logger"] == "comptoir.test"
    assert said["message"] == "order 12:\n« payée »"
    at = datetime.fromisoformat(said["time"])
    assert at.utcoffset() == before.utcoffset()
    assert abs((at - before).total_seconds()) < 60


def test_an_exception_is_one_string_with_its_traceback(log: logging.Logger) -> None:
    def fail() -> None:
        try:
            raise RuntimeError("Bearer abcdef.ghi was no good")
        except RuntimeError:
            log.exception("it failed")

    (line,) = written(log, "json", fail)

    exception = json.loads(line)["exception"]
    assert exception.startswith("Traceback (most recent call last):\n")
    assert exception.endswith("RuntimeError: Bearer … was no good")


@pytest.mark.parametrize("format", ["json", "text"])
def test_no_part_of_a_line_holds_a_secret(log: logging.Logger, format: Format) -> None:
    def say() -> None:
        with log_context(event_id="whsec_secret1"):
            try:
                raise RuntimeError("sk_live_secret2")
            except RuntimeError:
                log.exception("with %s", "redis://:secret3@cache", extra={"error_id": "Bearer secret4"})

    text = "\n".join(written(log, format, say))

    assert "secret" not in text
    assert text.count("…") == 5  # the traceback shows the line that raised, too


def test_ids_are_those_of_the_block_and_of_the_record(log: logging.Logger) -> None:
    def say() -> None:
        with log_context(job="inbox.handle", promise=7):
            with log_context(event_id="evt_1"):
                note(order_id="o1")
                log.info("inside", extra={"error_id": "e1"})
            log.info("after")
        log.info("outside")

    inside, after, outside = map(json.loads, written(log, "json", say))

    ids = {"job": "inbox.handle", "promise": "7"}
    assert inside.items() >= (ids | {"event_id": "evt_1", "order_id": "o1", "error_id": "e1"}).items()
    assert after.items() >= ids.items()
    assert not {"event_id", "order_id", "error_id"} & set(after)
    assert not set(ids) & set(outside)


async def test_things_under_way_at_once_do_not_mix_their_ids(log: logging.Logger) -> None:
    async def work(number: int) -> None:
        with log_context(job=str(number)):
            await asyncio.sleep(0)
            log.info("%s", number)

    (handler,) = log.handlers
    handler.setFormatter(FORMATTERS["json"]())
    await asyncio.gather(*(work(number) for number in range(20)))

    assert isinstance(handler, logging.StreamHandler)
    lines = [json.loads(line) for line in handler.stream.getvalue().splitlines()]
    assert len(lines) == 20
    assert all(line["message"] == line["job"] for line in lines)


def test_the_id_that_a_client_is_given_for_a_mistake_of_ours_is_found_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = masked(GraphQLError("no", original_error=RuntimeError("a mistake of ours")))

    (record,) = caplog.records
    assert json.loads(FORMATTERS["json"]().format(record))["error_id"] == shown.extensions["id"]  # type: ignore[index]


def test_people_read_the_ids_behind_the_message(log: logging.Logger) -> None:
    def say() -> None:
        with log_context(job="invoices.render"):
            log.warning("it failed")

    (line,) = written(log, "text", say)

    assert line.endswith("WARNING comptoir.test: it failed [job=invoices.render]")


def test_a_text_that_has_no_utf_8_is_written_all_the_same(log: logging.Logger) -> None:
    (line,) = written(log, "json", lambda: log.info("half \udcff"))

    assert json.loads(line)["message"] == "half \udcff"
