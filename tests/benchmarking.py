"""The benchmarks run, and tell a ratio for each claim. How fast anything is, no test judges."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import embedded

PROJECT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    embedded.remove(tmp_path)


def test_each_claim_is_measured_and_told(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--json", "--home", str(home)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )

    if "Invoices need Pango" in done.stderr:
        pytest.skip("invoices need Pango")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [(figure["case"], figure["against"]) for figure in figures] == [
        ("webhook", "an empty route"),
        ("webhook", "one row inserted"),
        ("event", "bare SQL"),
        ("invoice, lines: 1", "naive"),
        ("its XML, lines: 1", "the rest"),
        ("invoice, lines: 7", "naive"),
        ("its XML, lines: 7", "the rest"),
        ("invoice, lines: 40", "naive"),
        ("its XML, lines: 40", "the rest"),
        ("delivery", "one by one"),
        ("delivery, 1 ms", "one by one"),
        ("delivery, 50 ms", "one by one"),
        ("a mutation", "not logged"),
        ("availability", "CPU"),
        ("availability", "bare SQL"),
        ("client-search", "bare SQL"),
        ("board", "bare SQL"),
        ("p99 of me", "alone"),
        ("p99 of me", "people signing in"),
        ("sign-ins", "a second"),
    ]
    for figure in figures:
        assert figure["value"] > 0 or figure["against"] == "people signing in"
        assert figure["case"] in ("p99 of me", "sign-ins") or figure["by_cpu"] > 0


def test_what_subscriptions_cost_is_measured_and_told(home: Path) -> None:
    command = "benchmarks.subscriptions --subscriptions 20 --people 2 --rounds 2 --home"
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), str(home)], cwd=PROJECT, capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["subscriptions"], seen["people"]) == (20, 2)
    assert min(seen["fan_out"], seen["cpu"], seen["memory_open"]) > 0
