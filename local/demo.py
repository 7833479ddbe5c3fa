"""`make run`: everything on this machine, with stand-ins for the outside world, until Ctrl-C."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from rich.console import Console
from rich.table import Table

from local import embedded
from local import home as homes
from local.processes import Failed
from local.supervisor import Program, Supervisor
from settings import Settings

if TYPE_CHECKING:
    from services.demonstration import Demonstration

console = Console(highlight=False)


class Given(BaseSettings):
    """What may be set, in the environment or `.env`, for a run that brings the rest itself."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    port: int = Field(8000, ge=1, le=65535)
    comptoir_home: Path = Path("var")
    comptoir_master_keys: SecretStr | None = None
    comptoir_master_keys_file: Path | None = None
    database_url: str | None = None
    redis_url: str | None = None
    stripe_secret_key: SecretStr = SecretStr("")

    @property
    def home(self) -> Path:
        return self.comptoir_home.expanduser().resolve()


def run(given: Given) -> None:
    """Start all, tell where it is, and keep it running until SIGINT or SIGTERM. Raises Failed."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    if given.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_")):
        raise Failed(
            "STRIPE_SECRET_KEY is a live key, and `make run` is the demonstration, where no money moves: unset it."
        )
    try:
        _run(given)
    except KeyboardInterrupt:
        console.print("\n▸ Stopped.")


def _run(given: Given) -> None:
    home = given.home
    with ExitStack() as stack:
        with _step("PostgreSQL and Valkey"):
            servers = stack.enter_context(
                embedded.servers(home, postgres=not given.database_url, valkey=not given.redis_url)
            )
        environment = _environment(given, servers)
        stack.enter_context(homes.shared(home, environment))
        os.environ |= environment
        with _step("Database migrations"):
            migrate(environment["DATABASE_URL"])
        with _step("Demonstration data"):
            demonstration = seed()
        supervisor = stack.enter_context(
            Supervisor(
                _programs(environment),
                environment={**os.environ, **_known_to_the_shop(demonstration)},
                logs=home / "logs",
                keep_open=[servers.lock],
                say=lambda sentence: console.print(f"▸ {time.strftime('%H:%M:%S')} {sentence}", soft_wrap=True),
            )
        )
        with _step("Sandbox, API and worker"):
            supervisor.start()
        _introduce(environment["SANDBOX_URL"], demonstration)
        _tell(environment, demonstration, home)
        try:
            supervisor.watch(servers.revive)
        except KeyboardInterrupt:
            console.print("\n▸ Stopping (Ctrl-C again: at once)")
            raise


def migrate(database_url: str) -> list[str]:
    """Bring the database up to date; gives what was applied. Raises Failed when the database does not let us in."""
    from models import database

    try:
        return asyncio.run(database.migrate(database_url))
    except (OSError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as refusal:
        raise Failed(f"The database of DATABASE_URL does not let us in: {refusal}") from refusal


def seed() -> "Demonstration":
    """The demonstration organization, made once."""
    return asyncio.run(_seed(Settings()))


async def _seed(settings: Settings) -> "Demonstration":
    from services import demonstration, demonstration_sales, generations, outside

    async with outside.connected(settings):
        await generations.must_fit()
        seeded = await demonstration.seed(settings)
        await demonstration_sales.seed()
        return seeded


def _environment(given: Given, servers: embedded.Servers) -> dict[str, str]:
    """The variables of every program of this run: nothing of theirs leaves this machine."""
    if not _is_free(given.port):  # asked now that all of an earlier run is gone
        raise Failed(f"PORT {given.port} is taken by another program: stop it, or choose another (make run PORT=8080).")
    own = homes.own_secrets(given.home)
    if given.comptoir_master_keys:  # a database brought along may hold what other keys sealed
        own["COMPTOIR_MASTER_KEYS"] = given.comptoir_master_keys.get_secret_value()
    elif given.comptoir_master_keys_file:
        own["COMPTOIR_MASTER_KEYS"] = ""
    sandbox_port = _next_free(given.port + 1)
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    smtp_port = _next_free(sandbox_port + 1)
    return own | {
        "ENVIRONMENT": "development",
        "PORT": str(given.port),
        "APP_URL": f"http://127.0.0.1:{given.port}",
        "COMPTOIR_HOME": str(given.home),
        "DATABASE_URL": given.database_url or servers.database_url,
        "REDIS_URL": given.redis_url or servers.redis_url,
        "SANDBOX_URL": sandbox_url,
        "STRIPE_API_BASE": sandbox_url,
        "STRIPE_PAYMENT_METHODS": "card,sepa_debit",
        "GOOGLE_API_BASE": sandbox_url,
        "GOOGLE_OAUTH_CLIENT_ID": "comptoir.apps.googleusercontent.com",
        "GOOGLE_OAUTH_CLIENT_SECRET": "GOCSPX-of-the-stand-in",
        "GOOGLE_SERVICE_ACCOUNT_EMAIL": "comptoir@sandbox.iam.gserviceaccount.com",
        "GOOGLE_SERVICE_ACCOUNT_SUBJECT": "",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_SECURITY": "none",
        "SMTP_USER": "",
        "SMTP_PASSWORD": "",
        "SMTP_FROM": "facturation@comptoir.example",
        "S3_BUCKET": "",
        "WORKER_METRICS_HOST": "127.0.0.1",
        "WORKER_METRICS_PORT": str(_next_free(smtp_port + 1)),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"])),
    }


def _known_to_the_shop(demonstration: "Demonstration") -> dict[str, str]:
    """Its key, and the owner's login, to show what no shop sees."""
    _, email, password = demonstration.logins[0]
    return {"DEMO_STOREFRONT_KEY": demonstration.storefront_key, "DEMO_EMAIL": email, "DEMO_PASSWORD": password}


def _introduce(sandbox_url: str, demonstration: "Demonstration") -> None:
    """Give the partner's stand-in the secret that it checks signatures with."""
    if demonstration.partner_secret is None:
        return
    with httpx.Client(trust_env=False, timeout=10) as http:
        secret = {"secret": demonstration.partner_secret}
        http.post(f"{sandbox_url}/partner/{demonstration.partner}/secret", json=secret).raise_for_status()


def _programs(environment: dict[str, str]) -> list[Program]:
    sandbox_url, app_url = environment["SANDBOX_URL"], environment["APP_URL"]
    sandbox = {
        "--port": sandbox_url.rpartition(":")[2],
        "--smtp-port": environment["SMTP_PORT"],
        "--data": str(Path(environment["COMPTOIR_HOME"]) / "sandbox"),
        "--webhook-url": f"{app_url}/webhooks/stripe",
        "--debits-after": "20",
        "--api-url": app_url,
    }
    options = ["--calendars", *(word for option in sandbox.items() for word in option)]
    return [
        Program("sandbox", [sys.executable, "-m", "sandbox", *options], f"{sandbox_url}/"),
        Program("api", [sys.executable, "cli.py", "serve"], f"{app_url}/healthz"),
        Program("worker", [sys.executable, "cli.py", "worker"]),
    ]


def _tell(environment: dict[str, str], demonstration: "Demonstration", home: Path) -> None:
    """Print every address and login."""
    app_url, sandbox_url = environment["APP_URL"], environment["SANDBOX_URL"]
    rows = [
        ("API and GraphiQL", f"{app_url}/graphql"),
        ("Shop, to buy as a client", f"{sandbox_url}/shop"),
        ("E-mails that were sent", f"{sandbox_url}/mail"),
        ("What the partner was told", f"{sandbox_url}/partner"),
        ("Stripe's stand-in", f"{sandbox_url}/stripe"),
        ("Google's calendars", f"{sandbox_url}/google"),
        ("Discount code", demonstration.code),
        ("Card that pays", "4242 4242 4242 4242"),
        ("Card that is declined", "4000 0000 0000 0002"),
        ("Card that the bank asks about", "4000 0025 0000 3155"),
        *((f"Login, {role.lower()}", f"{email}  {password}") for role, email, password in demonstration.logins),
        ("Storefront's key", demonstration.storefront_key),
        ("Logs", str(home / "logs")),
    ]
    table = Table.grid(padding=(0, 3, 0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(f"\n[bold]{demonstration.organization}[/bold] is open. Ctrl-C stops everything.\n")
    console.print(table)
    console.print()


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Show that something is under way, then how long it took."""
    started = time.monotonic()
    with console.status(f"{what}…"):
        yield
    console.print(f"▸ {what} [dim]{time.monotonic() - started:.1f} s[/dim]")


def _next_free(first: int) -> int:
    for port in range(first, min(first + 100, 65536)):
        if _is_free(port):
            return port
    raise Failed(f"No free port from {first} on: choose another PORT (make run PORT=8080).")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Failed(f"PORT {port} is for root only: choose one above 1023 (make run PORT=8080).") from None
        except OSError:
            return False
    return True
