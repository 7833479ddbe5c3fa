"""What is measured, in processes of its own: an installation in production, on servers that were started for it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks import load
from local import processes
from local.embedded.server import free_port
from local.home import new_master_key

ROOT = Path(__file__).parent.parent
STARTING_MOST = 30.0  # seconds
RUNNING_MOST = 600.0  # seconds


@dataclass(frozen=True)
class Installation:
    """Where the servers are, and the settings of the processes over them."""

    home: Path
    database_url: str
    redis_url: str

    @contextmanager
    def served(self, module: str, **more: str) -> Iterator[int]:
        """A process that serves, for the time of the block; gives its port. `more` are settings."""
        port, log = free_port(), self._log(module)
        process = processes.spawn(
            [sys.executable, "-m", module],
            log=log,
            environment=self._environment(PORT=str(port), **more),
            directory=ROOT,
        )
        try:
            if not _answers(port, process):
                raise processes.Failed(f"{module} did not start. The end of {log}:\n{processes.tail(log)}")
            yield port
        finally:
            processes.stop(process, patience=10)

    def run(self, module: str, *arguments: object, **more: str) -> Any:
        """What a process that runs to its end prints, as JSON. `more` are settings."""
        log = self._log(module)
        with log.open("ab") as errors:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", module, *map(str, arguments)],
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=self._environment(**more),
                    cwd=ROOT,
                    timeout=RUNNING_MOST,
                )
            except subprocess.SubprocessError as failure:
                raise processes.Failed(f"{failure}. The end of {log}:\n{processes.tail(log)}") from None
        return orjson.loads(done.stdout)

    def _environment(self, **more: str) -> dict[str, str]:
        """The settings of an installation in production, and nothing of ours beside."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "ENVIRONMENT": "production",
            "APP_URL": "https://comptoir.test",
            "COMPTOIR_HOME": str(self.home),
            "COMPTOIR_MASTER_KEYS": new_master_key(),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "RATE_FACTOR": "1000000",  # counted as ever, and never too much
            **more,
        }

    def _log(self, module: str) -> Path:
        return self.home / "logs" / f"{module.rpartition('.')[2]}.log"


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + STARTING_MOST
    while not processes.has_ended(process) and time.monotonic() < deadline:
        try:
            uvloop.run(load.answer(port, load.request("GET", "/process")))
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
