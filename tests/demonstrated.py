"""The demonstration that `make run` starts, for the time of some tests, and what a person does on its pages."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from local import processes
from local.embedded.server import free_port
from tests.browser import Browser, Page
from tests.faults.installation import wait_for

PROJECT = Path(__file__).parent.parent
STARTED_WITHIN, STOPPED_WITHIN = 180.0, 60.0  # seconds: generous, a loaded machine is slow
PASSWORD = "comptoir-demo"
TOLD = ("402 (Payment Required)", "410 (Gone)")  # a card declined, a page that was taken back


@dataclass(frozen=True)
class Demonstration:
    """Where it answers."""

    api: str
    sandbox: str


@pytest.fixture(scope="module")
async def demo(
    tmp_path_factory: pytest.TempPathFactory, worker_number: int, redis_url: str
) -> AsyncIterator[Demonstration]:
    """What `make run` starts, on a database of its own; Ctrl-C ends it all."""
    home = tmp_path_factory.mktemp("demonstration")
    environment = {
        **os.environ,
        "PORT": str(free_port()),
        "COMPTOIR_HOME": str(home),
        "DATABASE_URL": await _empty_database(f"comptoir_demonstration_{worker_number}"),
        "REDIS_URL": redis_url,
    }
    command = [sys.executable, "cli.py", "run"]
    run = processes.spawn(command, log=home / "run.log", environment=environment, directory=PROJECT)
    try:
        await wait_for(lambda: _is_open(run, home / "run.log"), "the demonstration to open", STARTED_WITHIN)
        addresses = json.loads((home / "environment.json").read_text())
        yield Demonstration(addresses["APP_URL"], addresses["SANDBOX_URL"])
        run.send_signal(signal.SIGINT)
        await wait_for(lambda: run.poll() is not None, "Ctrl-C to stop everything", STOPPED_WITHIN)
        assert run.returncode == 0, processes.tail(home / "run.log")
        async with httpx.AsyncClient(trust_env=False) as http:
            for address in (addresses["APP_URL"], addresses["SANDBOX_URL"]):
                with pytest.raises(httpx.ConnectError):
                    await http.get(address)
    finally:
        processes.stop(run, patience=STOPPED_WITHIN)


@asynccontextmanager
async def visit(demo: Demonstration, place: str) -> AsyncIterator[Page]:
    """A page of the sandbox's, or an address. Afterwards: a clean console, and no request left this machine."""
    async with Browser() as browser:
        page = await browser.open(place if place.startswith("http") else f"{demo.sandbox}{place}")
        try:
            yield page
        except BaseException:
            await page.screenshot("failed")
            raise
        refusals = [line for line in page.console if not any(told in line for told in TOLD)]
        assert refusals == []
        # Chromium shows PDFs by an extension of its own.
        near = (demo.api, demo.sandbox, "chrome-extension://")
        assert [request for request in page.requests if not request.startswith(near)] == []


async def choose(page: Page, product: str, *, email: str, code: str = "") -> None:
    await page.click(".product", product)
    await page.reads("Commander «")
    await page.fill("[name=email]", email)
    await page.fill("[name=code]", code)


async def pay(page: Page, number: str) -> None:
    """With a test card or IBAN, the rest filled in."""
    await page.click(f"button[name=fill][value='{number}']")
    field = "iban" if number.startswith("FR") else "card"
    await page.until(
        f"document.querySelector('[name={field}]').value.replaceAll(' ', '') == '{number.replace(' ', '')}'"
    )
    await page.click("button.main", "Payer")


def _is_open(run: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert run.poll() is None, processes.tail(log, 40)
    return re.search("Storefront's key", log.read_text()) is not None


async def _empty_database(name: str) -> str:
    server = os.environ["TEST_DATABASE_URL"]
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return f"{server.rpartition('/')[0]}/{name}"
