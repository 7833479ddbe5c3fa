"""Programs that are kept running, and gone when their keeper is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local import processes, supervisor
from local.processes import Failed
from local.supervisor import Program, Supervisor

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc; only Linux tells of a parent's end")
FOREVER = "import time; print('working', flush=True); time.sleep(60)"


def test_a_program_that_ends_is_started_again(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    program = python(f"open({str(runs)!r}, 'a').write('x'); import time; time.sleep(1)")
    told: list[str] = []

    with keeping(program, tmp_path, told) as kept:
        kept.start()
        with pytest.raises(KeyboardInterrupt):
            kept.watch(interrupt_once(lambda: runs.exists() and len(runs.read_text()) == 2))

    assert told[0] == f"program ended with status 0. It starts again in 0.5 s; see {tmp_path / 'program.log'}."


def test_a_program_that_fails_at_the_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = python("raise SystemExit('no such thing')", health="http://127.0.0.1:1/")

    with (
        keeping(program, tmp_path, []) as kept,
        pytest.raises(Failed, match=r"ended with status 1(.|\n)*no such thing"),
    ):
        kept.start()


@linux
def test_nothing_is_left_after_the_block_and_what_a_program_started_is_gone_too(tmp_path: Path) -> None:
    grandchild = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {FOREVER!r}]).pid, flush=True)"
    program = python(f"{grandchild}\n{FOREVER}")

    with keeping(program, tmp_path, []) as kept:
        kept.start()
        pid = int(eventually(lambda: processes.tail(tmp_path / "program.log").partition("\n")[0]))

    eventually(lambda: not alive(pid))


@linux
def test_a_program_ends_when_its_keeper_is_killed(tmp_path: Path) -> None:
    keeper = (
        "import sys, time, os, signal, pathlib; from local import processes;"
        f"child = processes.spawn([sys.executable, '-c', {FOREVER!r}], log=pathlib.Path(sys.argv[1]),"
        "environment=os.environ, directory=pathlib.Path('/'));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", keeper, str(tmp_path / "log")], cwd=supervisor.PROJECT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert alive(child)
        process.kill()

    eventually(lambda: not alive(child))


def test_a_lock_lasts_as_long_as_a_child_that_inherited_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with processes.locked(lock, patience=0) as descriptor:
        child = processes.spawn(
            [sys.executable, "-c", FOREVER],
            log=tmp_path / "log",
            environment=os.environ,
            directory=tmp_path,
            keep_open=[descriptor],
        )
    try:
        with pytest.raises(processes.Taken, match=str(os.getpid())), processes.locked(lock, patience=0):
            pass
    finally:
        processes.stop(child, signal.SIGTERM, patience=5)
    with processes.locked(lock, patience=0):
        assert processes.is_locked(lock)
    assert not processes.is_locked(lock)


def python(source: str, health: str | None = None) -> Program:
    return Program("program", [sys.executable, "-c", source], health)


def keeping(program: Program, logs: Path, told: list[str]) -> Supervisor:
    return Supervisor([program], environment=os.environ, logs=logs, say=told.append)


def interrupt_once(done: Callable[[], bool]) -> Callable[[], list[str]]:
    """What `watch` tends beside the programs; here it ends the watch."""

    def tend() -> list[str]:
        if done():
            raise KeyboardInterrupt
        return []

    return tend


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has reaped yet does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(look: Callable[[], str | bool]) -> str | bool:
    """What `look` gives once it gives something; at most 10 s."""
    for _ in range(200):
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in 10 s")
