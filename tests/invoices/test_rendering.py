"""The processes that make invoices."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from errors import NotConfigured, Unavailable
from services.rendering import Renderer
from tests.invoices.samples import invoice, work, work_without_pango


async def test_a_machine_without_pango_is_told_what_to_install() -> None:
    async with Renderer(size=1, render=work_without_pango) as renderer:
        with pytest.raises(
            NotConfigured, match=r"apt-get install libpango-1\.0-0 libpangoft2-1\.0-0 libharfbuzz-subset0"
        ):
            await renderer.invoice(invoice())


async def test_a_process_that_is_stuck_is_killed() -> None:
    async with Renderer(size=1, timeout=0.5, render=work) as renderer:
        with pytest.raises(Unavailable, match=r"not rendered within 0\.5 s"):
            await renderer.invoice(invoice(number="stuck"))


async def test_a_process_that_dies_takes_one_page_with_it() -> None:
    async with Renderer(size=1, render=work) as renderer:
        first = await renderer.invoice(invoice())
        with pytest.raises(Unavailable, match="died"):
            await renderer.invoice(invoice(number="die"))

        assert await renderer.invoice(invoice()) != first


async def test_a_process_killed_while_idle_is_replaced_unseen() -> None:
    async with Renderer(size=1, render=work) as renderer:
        first = int(await renderer.invoice(invoice()))
        os.kill(first, signal.SIGKILL)
        await ended(first)

        with_luck = await asyncio.gather(renderer.invoice(invoice()), return_exceptions=True)

        assert isinstance(with_luck[0], bytes | Unavailable)  # Unavailable only where the death was not yet noticed
        assert int(await renderer.invoice(invoice())) != first


async def test_a_page_given_up_frees_its_process_for_the_next(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    async with Renderer(size=1, render=work) as renderer:
        page = asyncio.create_task(renderer.invoice(invoice(number="stuck", notes=(str(mark),))))
        await until(lambda: mark.exists() and mark.read_text() != "")
        page.cancel()
        with pytest.raises(asyncio.CancelledError):
            await page

        assert await renderer.invoice(invoice()) != mark.read_bytes()
    await ended(int(mark.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word on a parent's death is Linux's")
async def test_processes_die_with_their_parent(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script = (
        "import asyncio, sys\n"
        "from services.rendering import Renderer\n"
        "from tests.invoices.samples import invoice, work\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(Renderer(size=1, render=work).invoice(invoice(number='stuck', notes=(sys.argv[1],))))\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(mark), cwd=Path(__file__).parents[2], stderr=asyncio.subprocess.DEVNULL
    )
    await until(lambda: mark.exists() and mark.read_text() != "")

    parent.kill()
    await parent.wait()

    await ended(int(mark.read_text()))


async def ended(pid: int) -> None:
    """Wait until a process is no more, or is only waiting to be buried."""

    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    await until(gone)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does; a minute at most."""
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come within a minute")
