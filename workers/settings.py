"""The arq worker: `comptoir worker`. It exits when Redis goes away; whoever supervises it starts it again."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import uvloop
from arq.typing import WorkerSettingsBase
from arq.worker import Worker, func, get_kwargs

from models import Lane
from providers import registry
from services import generations, outside, scratch
from services.rendering import Renderer
from services.wake import JOB, deserialize, redis_settings, serialize
from settings import Settings
from workers import checking, forgetting, reconciling, watching
from workers.lanes import Lanes

_settings = Settings()


async def wake(ctx: dict[str, Any], lane: str) -> None:
    """A wake-up for a lane."""
    ctx["lanes"].wake(Lane(lane))


async def start(ctx: dict[str, Any]) -> None:
    ctx["opened"] = AsyncExitStack()
    opened = await ctx["opened"].enter_async_context(outside.connected(_settings))
    await generations.must_fit_once_there()
    opened.renderer = Renderer()
    await asyncio.to_thread(scratch.sweep)
    await ctx["opened"].enter_async_context(watching.seen(ctx["redis"]))
    await ctx["opened"].enter_async_context(watching.served(_settings))
    await ctx["opened"].enter_async_context(forgetting.clock())
    await ctx["opened"].enter_async_context(reconciling.clock())
    await ctx["opened"].enter_async_context(checking.clock())
    await asyncio.to_thread(registry.catalogue)  # vendors' libraries: a second, which no promise is to wait for
    ctx["lanes"] = Lanes()
    ctx["lanes"].start()


async def stop(ctx: dict[str, Any]) -> None:
    await ctx["lanes"].stop()
    await ctx["opened"].aclose()


class WorkerSettings(WorkerSettingsBase):
    """What arq reads."""

    functions = [func(wake, name=JOB, keep_result=0, max_tries=1)]
    on_startup = staticmethod(start)
    on_shutdown = staticmethod(stop)
    redis_settings = redis_settings(_settings.redis_url)
    job_serializer = serialize
    job_deserializer = deserialize
    job_timeout = 10
    poll_delay = 0.1
    max_jobs = 50


class _Leaving(Worker):
    """arq's worker, which skips `on_shutdown` where the signal that stops it also cancels a wake-up."""

    async def close(self) -> None:
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=5)
            self.tasks.clear()
        await super().close()


def run() -> None:
    """Work until SIGTERM, or until Redis goes away."""
    uvloop.install()
    uvloop.install()
    given: dict[str, Any] = get_kwargs(WorkerSettings)
    _Leaving(**given).run()
