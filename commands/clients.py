"""Clients from a spreadsheet."""

import asyncio
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import connected, settings_here
from local.processes import Failed
from settings import Settings

if TYPE_CHECKING:
    from models import ClientImport

app = typer.Typer()


class Existing(Enum):
    """What an import does to clients who are there already."""

    SKIP = "skip"
    FILL = "fill"
    OVERWRITE = "overwrite"


@app.command("import-clients")
def import_clients(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file with headings")],
    slug: Annotated[str, typer.Option("--organization", help="Whose clients, by slug")] = "demo",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look at the lines")] = False,
    existing: Annotated[
        Existing, typer.Option("--existing", help="Clients of known e-mail addresses stay, are filled up, or changed")
    ] = Existing.SKIP,
    leave_out: Annotated[bool, typer.Option("--leave-out-broken", help="Import all lines but those")] = False,
) -> None:
    """Have a worker import clients, and follow it; exit with 1 where lines are wrong. The import goes on without us."""
    if not asyncio.run(_clients_imported(settings_here(), path, slug, dry_run, existing, leave_out)):
        raise typer.Exit(1)


async def _clients_imported(
    settings: Settings, path: Path, slug: str, dry_run: bool, existing: Existing, leave_out: bool
) -> bool:
    """Shows how far it is, then what is wrong with lines, and says whether nothing is."""
    from rich.console import Console
    from rich.progress import Progress

    from models import ClientImport, ClientImportLine, Language, OnBrokenLine, OnExistingClient, Organization
    from services import client_imports, import_reports

    console = Console(highlight=False, soft_wrap=True)
    async with connected(settings):
        organization = await Organization.get_or_none(slug=slug)
        if organization is None:
            raise Failed(f"There is no organization {slug}: name one with --organization.")
        made = await client_imports.bring(
            organization.id, path, dry_run=dry_run, on_existing=OnExistingClient[existing.name],
            on_broken=OnBrokenLine.LEAVE_OUT if leave_out else OnBrokenLine.REFUSE,
        )  # fmt: skip
        with Progress(console=console) as progress:
            shown = progress.add_task("Clients", total=100)
            while not made.is_finished:
                await asyncio.sleep(0.3)
                made = await ClientImport.get(id=made.id)
                progress.update(shown, completed=made.percent, description=made.status.value.capitalize())
        async for line in ClientImportLine.filter(client_import_id=made.id).order_by("line", "id"):
            where = f"line {line.line}" + (f", {line.heading}" if line.heading else "")
            said = import_reports.said(line.problem, line.first_line, Language.EN)
            console.print(f"✗ {where}: {said}" + (f" ({line.value})" if line.value else ""), markup=False)
    console.print(_summed_up(made), markup=False)
    return not made.broken and made.status.value in ("CHECKED", "IMPORTED")


def _summed_up(made: "ClientImport") -> str:
    counts = f"{made.created} created, {made.updated} updated, {made.unchanged} unchanged, {made.broken} lines wrong"
    tags = f"\n▸ New tags: {', '.join(made.new_tags)}" if made.new_tags else ""
    nothing = "" if made.status.value == "IMPORTED" else ", nothing was written"
    return f"▸ {made.status.value.capitalize()}{nothing}: {counts}{tags}"
