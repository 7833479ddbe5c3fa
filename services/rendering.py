"""Invoices and quotes rendered in processes of their own: WeasyPrint is pure CPU and would stop the event loop.

Each process is spawned, warmed, and does one page at a time. One that is stuck or dies takes nothing with it but the
page it was on: it is killed, and the next page gets a fresh one.
"""

import asyncio
import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import date
from decimal import Decimal
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

from errors import Limited, NotConfigured, Unavailable
from models.content import (
    Branding,
    InvoiceContent,
    Line,
    Party,
    PreviewContent,
    QuoteContent,
    VatBreakdown,
    VatCategory,
)
from services import metrics, pictures

DEBIAN_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
TIMEOUT = 60.0  # seconds, the start of a process included
PAGES_PER_PROCESS = 1_000  # then a fresh one, whatever its memory

Content = InvoiceContent | QuoteContent
PREVIEWS_MOST = 10  # that wait at once
Render = Callable[[Content], bytes]
Given = TypeVar("Given")
Made = TypeVar("Made")


def render_document(content: Content) -> bytes:
    """The PDF, made in this process. Raises NotConfigured where the system libraries are missing."""
    try:
        from services import paper  # loads Pango: never in the process that serves
    except OSError as error:
        raise NotConfigured(f"Invoices need Pango. On Debian: apt-get install {DEBIAN_PACKAGES}") from error
    if isinstance(content, QuoteContent):
        return paper.quote(content)
    return paper.preview(content) if isinstance(content, PreviewContent) else paper.invoice(content)


class Renderer:
    """`size` processes that render. Those who ask while all are busy wait their turn, in order."""

    def __init__(self, *, size: int = 2, timeout: float = TIMEOUT, render: Render = render_document) -> None:
        self._render, self._timeout, self._previews = render, timeout, 0
        self._processes = [_Process(render) for _ in range(size)]
        self._idle: asyncio.LifoQueue[_Process] = asyncio.LifoQueue(size)  # the warm one first
        for process in self._processes:
            self._idle.put_nowait(process)

    async def invoice(self, content: InvoiceContent) -> bytes:
        """The PDF of an invoice, about a tenth of a second a page.

        Raises Nonconforming where its XML breaks a rule, Unavailable when a process was stuck for `timeout` seconds or
        died, NotConfigured without Pango.
        """
        return await self._document(content)

    async def quote(self, content: QuoteContent) -> bytes:
        """The PDF of a quote; like an invoice's."""
        return await self._document(content)

    async def preview(self, content: PreviewContent) -> bytes:
        """The PDF of what is not issued; like an invoice's, without XML. Raises Limited where too many wait."""
        if self._previews >= PREVIEWS_MOST:
            raise Limited("Many previews are being drawn. Try again in a moment.", retry_after=5)
        self._previews += 1
        try:
            return await self._document(content)
        finally:
            self._previews -= 1

    async def pictures(self, pdf: bytes) -> list[bytes]:
        """The first pages of a PDF of ours as PNGs. Raises Unavailable as `invoice` does."""
        return await self._do(pictures.of_pages, pdf, "A picture")

    def close(self) -> None:
        """End the processes; what they were rendering is lost."""
        for process in self._processes:
            process.kill()

    async def _document(self, content: Content) -> bytes:
        started, outcome = time.perf_counter(), "failed"
        try:
            pdf = await self._do(self._render, content, f"Document {content.number}")
            outcome = "rendered"
            return pdf
        finally:
            metrics.RENDERS.labels(outcome).observe(time.perf_counter() - started)

    async def _do(self, work: Callable[[Given], Made], given: Given, what: str) -> Made:
        process = await self._idle.get()
        try:
            return await process.do(work, given, what, self._timeout)
        finally:
            self._idle.put_nowait(process)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Process:
    """One process, started when first needed and again after it was killed or has done its share."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self._pool: ProcessPoolExecutor | None = None
        self._pages = 0

    async def do(self, work: Callable[[Given], Made], given: Given, what: str, timeout: float) -> Made:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._submit(work, given)), timeout)
        except TimeoutError:
            self.kill()
            raise Unavailable(f"{what} was not rendered within {timeout:g} s") from None
        except BrokenProcessPool:
            self.kill()
            raise Unavailable(f"The process that was rendering {what[0].lower()}{what[1:]} died") from None
        except asyncio.CancelledError:
            self.kill()  # it may still be at work: the next one to ask must not wait for it
            raise

    def _submit(self, work: Callable[[Given], Made], given: Given) -> Future[Made]:
        if self._pages >= PAGES_PER_PROCESS:
            self.kill()
        self._pages += 1
        try:
            return self._started().submit(work, given)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.kill()
            return self._started().submit(work, given)

    def _started(self) -> ProcessPoolExecutor:
        # Python 3.11's own `max_tasks_per_child` can deadlock (cpython 115634): processes are renewed here instead.
        if self._pool is None:
            arguments = (self._render, os.getpid())
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=_prepare, initargs=arguments)
        return self._pool

    def kill(self) -> None:
        if self._pool is None:
            return
        # No public way to kill before Python 3.14. `_processes` is None once the pool has noticed that they are dead.
        for process in list((self._pool._processes or {}).values()):
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._pages = None, 0


def _prepare(render: Render, parent: int) -> None:
    """In the child: live and die with the parent, and be warm before the first page."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group: the parent lets a page finish, then kills
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)  # it died before we asked
    with suppress(NotConfigured):  # the first page says it again, to someone who can answer
        for _ in range(3):
            render(_BLANK)
    gc.collect()
    gc.freeze()


_BLANK = InvoiceContent(
    number="0",
    issued_on=date(2025, 1, 1),
    operation_on=date(2025, 1, 1),
    due_on=date(2025, 1, 1),
    currency="EUR",
    live=False,
    seller=Party(name="0", siren="000000000", email="0@0.test"),
    buyer=Party(name="0", email="0@0.test"),
    lines=(
        Line(
            description="0",
            quantity=1,
            unit_net=Decimal("0.00"),
            vat_category=VatCategory.STANDARD,
            vat_rate=2000,
            net_cents=0,
            vat_cents=0,
            gross_cents=0,
        ),
    ),
    vat=(VatBreakdown(category=VatCategory.STANDARD, rate=2000, net_cents=0, vat_cents=0),),
    net_cents=0,
    vat_cents=0,
    gross_cents=0,
    brand=Branding(name="0", color="#000000", contact_email="0"),
)
