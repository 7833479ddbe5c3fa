"""`bin/set-up` and the machine's package manager: what an ordinary user gets where Pango is missing."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from local import pango

PROJECT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="apt-get is Debian's")
PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

# Programs of a machine without Pango. Each notes that it was called.
PYTHON = """case "$*" in *local.pango*) test -e "$3/pango" ;; esac"""
APT_GET = """
conf=$(printf '%s\\n' "$@" | grep 'own.conf$')
folder=$(sed -n 's/^Dir::Cache "\\(.*\\)";$/\\1/p' "$conf")
case "$*" in
*update*) touch "$folder/lists/main" ;;
*install*) test -e "$folder/lists/main" || test -n "${LISTS:-}" && touch "$folder/archives/libpango.deb" ;;
esac
"""
DPKG_DEB = 'mkdir -p "$3/usr/lib/x86_64-linux-gnu"; touch "$3/usr/lib/x86_64-linux-gnu/libpango-1.0.so.0"'


class Machine:
    """A clone whose packages are installed, on a machine where nothing is downloaded."""

    def __init__(self, folder: Path) -> None:
        self.clone, self._bin = folder / "a clone", folder / "bin"
        for made in (self.clone / "bin", self.clone / ".venv" / "bin", self.clone / ".venv" / "installed", self._bin):
            made.mkdir(parents=True)
        (self.clone / "bin" / "set-up").write_bytes((PROJECT / "bin" / "set-up").read_bytes())
        for lock in (self.clone, self.clone / ".venv" / "installed"):
            (lock / "requirements-dev.lock").write_text("starlette==1\n")
        self.program("id", "echo 1000")
        self.program("apt-get", APT_GET)
        self.program("dpkg-deb", DPKG_DEB)
        self.program("python", PYTHON, self.clone / ".venv" / "bin")

    def program(self, name: str, script: str, folder: Path | None = None) -> None:
        path = (folder or self._bin) / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{script}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def calls(self, name: str) -> list[str]:
        """What a program was called with, so far."""
        lines = (self.clone / "calls").read_text().splitlines()
        return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]

    def start(self, **environment: str) -> subprocess.Popen[str]:
        own = {"PATH": f"{self._bin}:{os.environ['PATH']}", "CALLS": str(self.clone / "calls")}
        given = {name: value for name, value in os.environ.items() if name != "COMPTOIR_HOME"} | own | environment
        return subprocess.Popen(
            ["sh", self.clone / "bin" / "set-up"],
            env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def set_up(self, **environment: str) -> str:
        """What it says. It succeeds, with or without Pango."""
        done = self.start(**environment)
        said, _ = done.communicate(timeout=60)
        assert done.returncode == 0, said
        return said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_root_pango_is_unpacked_into_the_home(machine: Machine) -> None:
    said = machine.set_up()

    unpacked = machine.clone / "var" / "pango"
    assert said.splitlines() == [
        "▸ Downloading Pango, which draws invoices, as the machine has none",
        f"▸ Unpacked Pango into {unpacked} (1 MB)",
    ]
    assert (unpacked / "usr/lib/x86_64-linux-gnu/libpango-1.0.so.0").exists()
    assert f"<dir>{unpacked}/usr/share/fonts</dir>" in (unpacked / "fonts.conf").read_text()
    assert sorted(path.name for path in machine.clone.iterdir()) == [
        ".venv", "bin", "calls", "requirements-dev.lock", "var",
    ]  # fmt: skip
    assert [path.name for path in (machine.clone / "var").iterdir()] == ["pango"]


def test_lists_of_packages_are_fetched_where_the_machines_do_not_do(machine: Machine) -> None:
    machine.set_up()
    assert [call.split()[-1] for call in machine.calls("apt-get")] == [
        PACKAGES.split()[-1],
        "update",
        PACKAGES.split()[-1],
    ]


def test_lists_of_packages_that_do_are_used(machine: Machine) -> None:
    machine.set_up(LISTS="good")

    (call,) = machine.calls("apt-get")
    assert call.endswith(f"install --download-only {PACKAGES}")


def test_where_it_is_there_nothing_is_done_or_said(machine: Machine) -> None:
    machine.set_up()
    asked = len(machine.calls("apt-get"))

    assert machine.set_up() == ""
    assert len(machine.calls("apt-get")) == asked


def test_another_home_gets_its_own(machine: Machine, tmp_path: Path) -> None:
    machine.set_up()
    machine.set_up(COMPTOIR_HOME="~/elsewhere", HOME=str(tmp_path))

    assert (tmp_path / "elsewhere" / "pango").is_dir()


def test_what_cannot_be_had_is_told_with_what_to_install_and_not_tried_each_time(machine: Machine) -> None:
    machine.program("apt-get", "echo 'E: no network'; exit 100")

    said = machine.set_up()

    assert f"apt install {PACKAGES}" in said
    assert "all the rest works" in said
    assert ".venv/apt.log" in said
    assert "E: no network" in (machine.clone / ".venv" / "apt.log").read_text()
    asked = len(machine.calls("apt-get"))
    assert f"apt install {PACKAGES}" in machine.set_up()
    assert len(machine.calls("apt-get")) == asked
    (machine.clone / ".venv" / "apt.log").unlink()
    machine.program("apt-get", APT_GET)
    assert "Unpacked Pango" in machine.set_up()


def test_a_package_that_cannot_be_unpacked_leaves_nothing_behind(machine: Machine) -> None:
    machine.program("dpkg-deb", 'mkdir -p "$3/usr"; exit 2')

    assert f"apt install {PACKAGES}" in machine.set_up()
    assert list((machine.clone / "var").iterdir()) == []
    assert not (machine.clone / ".set-up.lock").exists()


def test_two_at_once_unpack_it_once(machine: Machine) -> None:
    both = [machine.start(), machine.start()]

    said = [one.communicate(timeout=60)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert "".join(said).count("Unpacked Pango") == 1
    assert len(machine.calls("dpkg-deb")) == 1


def test_root_installs_it_for_the_machine(machine: Machine) -> None:
    machine.program("id", "echo 0")
    machine.program("apt-get", 'touch "$CALLS.installed"')
    machine.program("python", 'test "$2" != local.pango || test -e "$CALLS.installed"', machine.clone / ".venv" / "bin")

    assert machine.set_up() == f"▸ Installing {PACKAGES}\n"
    assert machine.set_up() == ""
    assert not (machine.clone / "var").exists()


def test_programs_are_told_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pango/usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (tmp_path / "pango/lib/x86_64-linux-gnu").mkdir(parents=True)
    ours = f"{tmp_path}/pango/usr/lib/x86_64-linux-gnu:{tmp_path}/pango/lib/x86_64-linux-gnu"

    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    told = pango.environment(tmp_path)
    assert told == {"LD_LIBRARY_PATH": ours, "FONTCONFIG_FILE": f"{tmp_path}/pango/fonts.conf"}
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/theirs")
    assert pango.environment(tmp_path)["LD_LIBRARY_PATH"] == f"{ours}:/opt/theirs"


def test_where_nothing_was_unpacked_programs_are_told_nothing(tmp_path: Path) -> None:
    assert pango.environment(tmp_path) == {}
