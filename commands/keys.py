"""Master keys."""

import asyncio
from typing import Annotated

import typer

from commands.installation import connected, settings_here
from local import home
from settings import Settings

app = typer.Typer()


@app.command("new-key")
def new_key() -> None:
    """Print a fresh entry for COMPTOIR_MASTER_KEYS."""
    typer.echo(home.new_master_key())


@app.command("rotate-keys")
def rotate_keys(
    check: Annotated[bool, typer.Option("--check", help="Only count what each key sealed")] = False,
) -> None:
    """Seal every secret with the first master key, while everything goes on; exit with 1 where one is left."""
    if not asyncio.run(_rotated(settings_here(), check)):
        raise typer.Exit(1)


async def _rotated(settings: Settings, check: bool) -> bool:
    """Rotates, shows how far it is, and says whether the first key sealed everything."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from services import rotation

    console = Console(highlight=False, soft_wrap=True)
    async with connected(settings):
        if not check:
            with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as progress:
                shown = progress.add_task("Secrets", total=sum(each.number for each in await rotation.left()))
                troubles = await rotation.rotate(lambda done: progress.advance(shown, done))
            for trouble in troubles:
                console.print(f"error: {trouble}", markup=False)
        for each in await rotation.counts():
            console.print(f"▸ {each.column}: {each.number} sealed with {each.key_id}", markup=False)
        left = {each.key_id for each in await rotation.left()}
        for key_id in rotation.older():
            console.print(f"▸ {key_id}: {'keep it' if key_id in left else await rotation.removable()}", markup=False)
    return not left
