"""A worker's own /metrics and /healthz: off unless a port is set, by the same rule as the API's in production."""

import logging
import socket
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from local.embedded.server import free_port
from settings import Settings
from tests.shop import Shop
from workers import watching

TOKEN = "a token that only Prometheus has"


@pytest.mark.usefixtures("shop")
async def test_where_a_port_is_set_it_tells_what_the_worker_counts(settings: Settings) -> None:
    answers = await asked(settings)

    assert answers["/healthz"].json() == {"status": "ok"}
    assert "comptoir_job_duration_seconds" in answers["/metrics"].text
    assert "comptoir_database_up 1.0" in answers["/metrics"].text


@pytest.mark.parametrize(
    ("token", "sent", "status"), [(None, TOKEN, 404), (TOKEN, "", 401), (TOKEN, TOKEN + "s", 401), (TOKEN, TOKEN, 200)]
)
async def test_in_production_the_counts_are_for_the_bearer_of_the_token(
    shop: Shop, settings: Settings, token: str | None, sent: str, status: int
) -> None:
    production = {"environment": "production", "metrics_token": SecretStr(token) if token else None}

    answers = await asked(settings, sent, **production)

    assert answers["/metrics"].status_code == status
    assert ("comptoir_" in answers["/metrics"].text) == (status == 200)
    assert answers["/healthz"].status_code == 200


async def test_where_none_is_set_nothing_listens(settings: Settings) -> None:
    async with watching.served(settings.model_copy(update={"worker_metrics_port": None})):
        pass


async def test_a_port_that_is_taken_is_an_alert_and_no_reason_not_to_work(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    worked = False
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with watching.served(settings.model_copy(update={"worker_metrics_port": port})):
            worked = True

    assert worked
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"WORKER_METRICS_PORT {port}" in record.getMessage()


async def asked(settings: Settings, token: str = "", **given: Any) -> dict[str, httpx.Response]:
    port = free_port()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        watching.served(settings.model_copy(update={"worker_metrics_port": port, **given})),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as http,
    ):
        return {path: await http.get(path) for path in ("/healthz", "/metrics")}
