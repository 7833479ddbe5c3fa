"""The server of `benchmarks/server.py`, which does not tell PostgreSQL who acts: nothing that it changes is logged."""

import runpy
from typing import Any

from models import database


async def _unsigned(connection: Any) -> None:
    pass


if __name__ == "__main__":
    database._signed = _unsigned
    runpy.run_module("benchmarks.server", run_name="__main__")
