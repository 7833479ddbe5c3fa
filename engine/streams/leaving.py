"""Hearing that the process is to end while connections are open: uvicorn tells its apps only once they are closed."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told(leave: Callable[[], None]) -> Iterator[None]:
    """While the block runs, `leave` is called in the event loop as soon as the process is told to end; who handled the
    signal before does so still. Does nothing where no signals are handled."""
    handled = {each: signal.getsignal(each) for each in SIGNALS} if _main() else {}
    loop = asyncio.get_running_loop()

    def hear(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(leave)
        before = handled[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    ours = [each for each, before in handled.items() if callable(before)]
    for each in ours:
        signal.signal(each, hear)
    try:
        yield
    finally:
        for each in ours:
            if signal.getsignal(each) is hear:
                signal.signal(each, handled[each])


def _main() -> bool:
    return threading.current_thread() is threading.main_thread()
