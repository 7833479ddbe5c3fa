"""Real processes with LOG_FORMAT=json: each line that they log is an object, and a sale can be followed."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.embedded.server import free_port
from settings import Settings
from tests.faults.installation import PROJECT, installed, wait_for
from tests.shop import Shop

GIVEN = "seen-at-the-front-end-1"


@pytest.fixture
async def logs(shop: Shop, settings: Settings, tmp_path: Path) -> dict[str, list[dict[str, Any]]]:
    """What the API and a worker logged of one sale, whose invoice was fetched."""
    port = free_port()
    given = {"LOG_FORMAT": "json", "WORKER_METRICS_PORT": str(port)}
    async with installed(settings, tmp_path, **given) as installation:
        await installation.start("worker")
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            buyer = Shop(http, installation.sandbox, shop.organization, shop.email, shop.token)
            http.base_url = httpx.URL(installation.url)
            order = await buyer.order()
            await installation.sandbox.stripe.pay(await buyer.checkout(order))

            async def invoiced() -> Any:
                seen = await buyer.see(order)
                return seen["invoices"] and seen["invoices"][0]["emailedAt"]

            await wait_for(invoiced, "the invoice to be sent")
            (invoice,) = (await buyer.see(order))["invoices"]
            fetched = await http.get(invoice["pdfUrl"], headers={"X-Request-Id": GIVEN})
            assert fetched.status_code == 200
            assert (await http.get("/readyz")).json()["warnings"] == []
            counts = await http.get(f"http://127.0.0.1:{port}/metrics")
            assert 'comptoir_render_duration_seconds_count{outcome="rendered"} 1.0' in counts.text
        assert await installation.leave("worker") == 0
    lines = {name: (tmp_path / "logs" / f"{name}.log").read_text().splitlines() for name in ("serve", "worker")}
    return {name: [json.loads(line) for line in several] for name, several in lines.items()}


async def test_a_sale_can_be_followed_through_lines_that_are_objects(logs: dict[str, list[dict[str, Any]]]) -> None:
    for lines in logs.values():
        assert len(lines) > 3
        assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    (fetched,) = [line for line in logs["serve"] if line.get("request_id") == GIVEN]
    assert fetched["logger"] == "uvicorn.access"
    assert '"GET /files/eyJ…/FQCA-' in fetched["message"]
    about = {line["job"]: line for line in logs["worker"] if "job" in line and "order_id" in line}
    assert set(about) == {"inbox.handle", "telling.welcome", "invoices.render", "invoices.send"}
    assert about["inbox.handle"]["event_id"].startswith("evt_")
    assert len({line["order_id"] for line in about.values()}) == 1
    assert len({line["promise"] for line in about.values()}) == 4


async def test_a_process_that_ends_by_an_error_says_so_like_anything_else(settings: Settings) -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "cli.py", "worker", cwd=PROJECT, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {
            "LOG_FORMAT": "json",
            "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": "redis://127.0.0.1:9/0",
        },
    )  # fmt: skip
    _, said = await asyncio.wait_for(worker.communicate(), 60)

    assert worker.returncode == 1
    last = [json.loads(line) for line in said.splitlines()][-1]
    assert (last["level"], last["logger"], last["message"]) == ("CRITICAL", "comptoir.process", "the process ends")
    assert "ConnectionError" in last["exception"]
