"""Keeps a handful of programs running: starts them in order, starts again what ends, stops them in reverse."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from local import processes
from local.processes import Failed

PROJECT = Path(__file__).parent.parent
ANSWER_WITHIN = 60.0  # seconds, for all programs to answer at first
LEAVE_WITHIN = 10.0  # seconds, for each to finish what it does when asked to stop
PAUSES = (0.5, 5.0)  # seconds before a program is started again: the first, and the longest after repeated ends
HEALTHY_AFTER = 30.0  # seconds of life after which the next pause is the shortest again


@dataclass
class Program:
    """What to run, and the address that answers 200 once it works (None: running is enough)."""

    name: str
    command: Sequence[str]
    health: str | None = None


class Supervisor:
    """Use as a context manager, from the main thread. `say` is told, in a sentence, of each end and start.

    Logs go to `logs/{name}.log`. Each program inherits the descriptors `keep_open` (see `processes.locked`).
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        environment: Mapping[str, str],
        logs: Path,
        keep_open: Sequence[int] = (),
        say: Callable[[str], None],
    ) -> None:
        self._kept = [_Kept(program, environment, logs / f"{program.name}.log", keep_open) for program in programs]
        self._say = say

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            for kept in reversed(self._kept):
                kept.stop(LEAVE_WITHIN)
        finally:  # a second Ctrl-C comes here
            for kept in self._kept:
                kept.stop(0)

    def start(self) -> None:
        """Start all, and return once they answer. Raises Failed when one ends or is silent for 60 s."""
        for kept in self._kept:
            kept.start()
        deadline = time.monotonic() + ANSWER_WITHIN
        with httpx.Client(trust_env=False, timeout=2) as http:
            waited_for = list(self._kept)
            while waited_for:
                for kept in self._kept:
                    if kept.has_ended or time.monotonic() > deadline:
                        raise Failed(f"{kept.describe()} The end of {kept.log}:\n{processes.tail(kept.log)}")
                waited_for = [kept for kept in waited_for if not kept.answers(http)]
                time.sleep(0.05)

    def watch(self, tend: Callable[[], list[str]]) -> None:
        """Start again whatever ends, for ever. `tend` does the same for what else is kept, and gives names.

        When `tend` fails, it is told, and asked again 5 s later.
        """
        tend_at = 0.0
        while True:
            time.sleep(0.2)
            for kept in self._kept:
                if told := kept.keep():
                    self._say(told)
            if time.monotonic() < tend_at:
                continue
            try:
                for name in tend():
                    self._say(f"{name} had ended: started again.")
            except Failed as failure:
                tend_at = time.monotonic() + PAUSES[1]
                self._say(str(failure))


class _Kept:
    """A program and its life so far."""

    def __init__(self, program: Program, environment: Mapping[str, str], log: Path, keep_open: Sequence[int]) -> None:
        self.program, self.environment, self.log, self.keep_open = program, environment, log, keep_open
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.pause = 0.0
        self.start_at: float | None = None  # set while it waits to be started again

    def start(self) -> None:
        self.started_at, self.start_at = time.monotonic(), None
        self.process = processes.spawn(
            self.program.command,
            log=self.log,
            environment=self.environment,
            directory=PROJECT,
            keep_open=self.keep_open,
        )

    def stop(self, patience: float) -> None:
        if self.process is not None:
            processes.stop(self.process, patience=patience)

    @property
    def has_ended(self) -> bool:
        return self.process is not None and processes.has_ended(self.process)

    def answers(self, http: httpx.Client) -> bool:
        if self.program.health is None:
            return True
        try:
            return http.get(self.program.health).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def keep(self) -> str | None:
        """Start it again, after a pause, when it has ended; gives what there is to tell."""
        if not self.has_ended:
            return None
        now = time.monotonic()
        if self.start_at is None:
            last = 0.0 if now - self.started_at > HEALTHY_AFTER else self.pause
            self.pause = min(max(last * 2, PAUSES[0]), PAUSES[1])
            self.start_at = now + self.pause
            return f"{self.describe()} It starts again in {self.pause:.1f} s; see {self.log}."
        if now >= self.start_at:
            self.start()
        return None

    def describe(self) -> str:
        if self.process is None or self.process.returncode is None:
            return f"{self.program.name} does not answer."
        code = self.process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
        return f"{self.program.name} {how}."
