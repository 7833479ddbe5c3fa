"""Each promise of docs/reliability.md is kept by a test that is there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def test_every_promise_names_tests_that_are_there() -> None:
    rows = [line for line in (PROJECT / "docs/reliability.md").read_text().splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| failure", "| ---"))]

    assert len(promises) >= 14
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promise)
        assert named, promise
        for file, name in named:
            assert f"def {name}(" in (PROJECT / file).read_text(), f"{file}::{name}"
