"""What is written before it is stored: for nobody else to read, and deleted whatever becomes of who wrote it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services import scratch

PROJECT = Path(__file__).parent.parent
HOLDS = """
from services import scratch
with scratch.folder() as folder:
    (folder / "archive.zip").write_bytes(b"PK")
    print(folder, flush=True)
    input()
"""


SWEEPS = "from services import scratch; print(scratch.sweep())"


def test_a_folder_is_private_and_deleted_at_the_end_of_its_block() -> None:
    with pytest.raises(ZeroDivisionError), scratch.folder() as folder:
        (folder / "archive.zip").write_bytes(b"PK")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        raise ZeroDivisionError

    assert not folder.exists()


def test_the_folder_of_a_process_is_swept_once_it_was_killed_and_not_before(tmp_path: Path) -> None:
    (tmp_path / "comptoir-other").mkdir()
    with begun(HOLDS, tmp_path) as holder:
        folder = Path(said(holder))
        with begun(SWEEPS, tmp_path) as sweeper:
            assert said(sweeper) == "0"
        assert (folder / "archive.zip").exists()
        holder.kill()
    assert (folder / "archive.zip").exists()

    with begun(SWEEPS, tmp_path) as sweeper:
        assert said(sweeper) == "1"
    assert [each.name for each in tmp_path.iterdir()] == ["comptoir-other"]


def begun(program: str, place: Path) -> subprocess.Popen[str]:
    """A process of ours, which writes in a place what it does not store yet."""
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()
