"""What PostgreSQL and Valkey have in common: started, answering, asked to leave."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.processes import Failed

PATIENCE = 30.0  # seconds: for a server to answer or to leave, and for those of a killed run to be gone


@dataclass
class Server:
    """One server: how to start it, how to know that it answers, how to ask it to leave."""

    name: str
    address: str
    command: list[str]
    directory: Path
    log: Path
    lock: int
    farewell: signal.Signals
    answers: Callable[[str], bool]
    account: processes.Account | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = processes.spawn(
            self.command,
            log=self.log,
            environment=environment(),
            directory=self.directory,
            farewell=self.farewell,
            keep_open=[self.lock],
            account=self.account,
        )
        deadline = time.monotonic() + PATIENCE
        while not self.answers(self.address):
            if self.has_ended or time.monotonic() > deadline:
                self.stop()
                raise Failed(f"{self.name} did not start. The end of {self.log}:\n{processes.tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            processes.stop(self.process, self.farewell, patience=PATIENCE)

    @property
    def has_ended(self) -> bool:
        return self.process is not None and processes.has_ended(self.process)


def environment() -> dict[str, str]:
    """Little, so that no PG* variable of the user's changes what the servers do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def free_port() -> int:
    """One that nobody listens at, below those that systems give to outgoing connections: until it is bound, no other
    program is given it in passing."""
    for _ in range(100):
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free between 10000 and 32000")


def write_private(path: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with open(descriptor, "w") as file:
        file.write(text)
    os.replace(draft, path)
