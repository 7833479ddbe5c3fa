"""The API and a worker as processes of their own, to be killed; their Valkey, to be lost; the outside world is here."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisIsAway

from local import embedded, processes
from local.embedded.server import free_port
from local.supervisor import LEAVE_WITHIN
from sandbox import Sandbox
from settings import Settings
from tests.shop import WEBHOOK_SECRET

PROJECT = Path(__file__).parent.parent.parent
PROMISED = 30.0  # seconds: within these, everything is done after any loss


class Installation:
    """One API, at most one worker. Both are told of a Valkey of ours alone."""

    def __init__(
        self,
        sandbox: Sandbox,
        mail: "SlowMail",
        environment: Mapping[str, str],
        servers: embedded.Servers,
        logs: Path,
    ) -> None:
        self.sandbox, self.mail, self.url = sandbox, mail, environment["APP_URL"]
        self._environment, self._servers, self._logs = dict(environment), servers, logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    async def start(self, name: str) -> None:
        """`serve`, until it answers, or `worker`, not yet at work."""
        self._running[name] = processes.spawn(
            [sys.executable, "cli.py", name],
            log=self._logs / f"{name}.log",
            environment=self._environment,
            directory=PROJECT,
        )
        if name == "serve":
            async with httpx.AsyncClient(trust_env=False) as http:
                await wait_for(partial(self._answers, http), "the API to answer")

    def kill(self, name: str) -> None:
        """kill -9, and see it gone."""
        self._running[name].kill()
        self._running[name].wait()
        processes.has_ended(self._running.pop(name))

    async def leave(self, name: str) -> int:
        """SIGTERM; its exit status, once it left within the time that supervisors give."""
        self._running[name].send_signal(signal.SIGTERM)
        return await self.ends(name, LEAVE_WITHIN)

    async def ends(self, name: str, within: float = PROMISED) -> int:
        """The exit status of a program that ends by itself."""
        process = self._running.pop(name)
        try:
            await wait_for(lambda: process.poll() is not None, f"{name} to end", within)
        finally:
            processes.stop(process, signal.SIGKILL, patience=5)
        return process.returncode

    @asynccontextmanager
    async def supervised(self, name: str) -> AsyncIterator[None]:
        """While the block runs, the program is started again whenever it ended."""

        async def supervise() -> None:
            while True:
                if name not in self._running or processes.has_ended(self._running[name]):
                    await self.start(name)
                await asyncio.sleep(0.5)

        supervising = asyncio.create_task(supervise())
        try:
            yield
        finally:
            supervising.cancel()
            with suppress(asyncio.CancelledError):
                await supervising

    def stop(self) -> None:
        for process in self._running.values():
            processes.stop(process, patience=LEAVE_WITHIN)

    def tail(self, name: str) -> str:
        """The end of a program's log, to say why a test failed."""
        return processes.tail(self._logs / f"{name}.log", 40)

    async def empty_valkey(self) -> None:
        async with Redis.from_url(self._servers.redis_url) as redis:
            await redis.flushall()

    async def stop_valkey(self) -> None:
        async with Redis.from_url(self._servers.redis_url) as redis:
            with suppress(RedisIsAway):
                await redis.shutdown(nosave=True, now=True)
            await wait_for(partial(_is_away, redis), "Valkey to leave")

    def revive_valkey(self) -> None:
        """Start it again, empty, at the same address."""
        assert self._servers.revive() == ["Valkey"]

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def installed(settings: Settings, folder: Path, **given: str) -> AsyncIterator[Installation]:
    """An installation over the test database, with its API running and its own sandbox; `given` are variables."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    sandboxed = Sandbox(webhook_url=f"{url}/webhooks/stripe", webhook_secret=WEBHOOK_SECRET, first_retry=0.1)
    logs = folder / "logs"
    logs.mkdir()
    async with sandboxed as sandbox, (mail := SlowMail(sandbox)).serve() as smtp_port:
        with embedded.servers(folder / "valkey", postgres=False, durable=False) as servers:
            environment = (
                os.environ
                | given
                | {
                    "APP_URL": url,
                    "PORT": str(port),
                    "COMPTOIR_HOME": str(folder / "home"),
                    "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
                    "DATABASE_URL": settings.database_url,
                    "RATE_FACTOR": "1000",  # a crowd, from one address
                    "REDIS_URL": servers.redis_url,
                    "SANDBOX_URL": sandbox.url,
                    "SMTP_FROM": str(settings.smtp_from),
                    "SMTP_HOST": "127.0.0.1",
                    "SMTP_PORT": str(smtp_port),
                    "SMTP_SECURITY": "none",
                    "STRIPE_API_BASE": sandbox.url,
                    "STRIPE_SECRET_KEY": "sk_test_comptoir",
                    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
                }
            )
            installation = Installation(sandbox, mail, environment, servers, logs)
            try:
                await installation.start("serve")
                yield installation
            finally:
                installation.stop()


SLOW = "slow."


class SlowMail:
    """The sandbox's mail server behind one that never answers the first letter to an address that begins with SLOW."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.silent_about: set[str] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Gives the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="sandbox"), "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        (address,) = envelope.rcpt_tos
        if address.startswith(SLOW) and address not in self.silent_about:
            self.silent_about.add(address)
            await asyncio.Event().wait()  # until the other side is gone
        return await self._sandbox.mail.handle_DATA(server, session, envelope)


async def wait_for(true: Callable[[], Any], what: str, within: float = PROMISED) -> None:
    """Wait until it is so. Raises AssertionError in the end."""
    try:
        async with asyncio.timeout(within):
            while not (await found if asyncio.iscoroutine(found := true()) else found):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {within:g} s for {what}") from None


async def _is_away(redis: Redis) -> bool:
    try:
        await redis.ping()
    except RedisIsAway:
        return True
    return False
