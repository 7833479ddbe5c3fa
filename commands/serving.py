"""Processes that go on, and the database they need."""

import asyncio
import os
from typing import Annotated

import typer

import telemetry
from commands.installation import keys_fit, settings_here
from local import demo, pango

app = typer.Typer()


@app.command()
def run() -> None:
    """The demonstration: servers, API, worker and stand-ins, until Ctrl-C. PORT and COMPTOIR_HOME may be set."""
    demo.run(demo.Given())


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=1, help="Processes")] = 1,
) -> None:
    """The API, on PORT."""
    import uvicorn

    from engine.streams.websocket import SERVED

    settings = settings_here()
    telemetry.start(settings)
    asyncio.run(keys_fit(settings))
    uvicorn.run(
        "main:app",
        host=host,
        port=settings.port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        log_config=None,  # ours
        proxy_headers=False,  # the app's own, by FORWARDED_ALLOW_IPS
        access_log=settings.environment == "development",
        **SERVED,
        timeout_graceful_shutdown=8,  # less than the 10 s that supervisors give
    )


@app.command()
def worker() -> None:
    """The work that is promised: e-mails, invoices, deliveries. It ends when Redis goes away: supervise it."""
    settings = settings_here()
    os.environ |= pango.environment(settings.comptoir_home)  # for the processes that render
    telemetry.start(settings)
    asyncio.run(keys_fit(settings))
    from workers.settings import run  # reads the settings

    run()


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    applied = demo.migrate(settings_here().database_url)
    for name in applied:
        typer.echo(f"▸ {name}")
    typer.echo(f"▸ {len(applied)} applied" if applied else "▸ Nothing to apply")


@app.command()
def seed() -> None:
    """The demonstration organization, made once."""
    settings_here()
    for role, email, password in demo.seed().logins:
        typer.echo(f"{role}  {email}  {password}")
