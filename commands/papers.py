"""Documents, invoices and what accountants need."""

import asyncio
import os
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from commands.installation import connected, settings_here
from local import pango
from local.processes import Failed
from settings import Settings

app = typer.Typer()
files = typer.Typer(no_args_is_help=True, help="Documents.")
app.add_typer(files, name="files")
exports = typer.Typer(no_args_is_help=True, help="What accountants need.")
app.add_typer(exports, name="export")
invoices = typer.Typer(no_args_is_help=True, help="Invoices.")
app.add_typer(invoices, name="invoices")


class Store(Enum):
    """Where documents may lie."""

    S3 = "s3"
    DISK = "disk"


@files.command("copy")
def files_copy(to: Annotated[Store, typer.Option(help="Where to; the other store is where from")]) -> None:
    """Copy all documents to S3_BUCKET, or from there to COMPTOIR_HOME. What is there already is not sent again."""
    failed = asyncio.run(_files_copied(settings_here(), to))
    if failed:
        raise typer.Exit(1)


async def _files_copied(settings: Settings, to: Store) -> int:
    """Copies, shows how far it is, and gives the number of documents that failed."""
    from collections import Counter

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from services import outside, transfer

    console = Console(highlight=False, soft_wrap=True)
    counts: Counter[transfer.Outcome] = Counter()
    async with outside.connected(settings), outside.in_bucket(settings) as bucket:
        disk = outside.on_disk(settings)
        source, target = (disk, bucket) if to is Store.S3 else (bucket, disk)
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as progress:
            shown = progress.add_task("Documents", total=await transfer.count())
            async for copied in transfer.copy(source, target):
                counts[copied.outcome] += 1
                progress.advance(shown)
                if copied.why:
                    console.print(f"error: {copied.number}: {copied.why}", markup=False)
    console.print("▸ " + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in transfer.Outcome))
    return counts[transfer.Outcome.FAILED]


@invoices.command("rebuild")
def invoices_rebuild() -> None:
    """Make the PDFs again that are lost or were never made. What was sent is never replaced by anything else."""
    settings = settings_here()
    os.environ |= pango.environment(settings.comptoir_home)  # for the processes that render
    if not asyncio.run(_rebuilt(settings)):
        raise typer.Exit(1)


async def _rebuilt(settings: Settings) -> bool:
    """Rebuilds, shows how far it is, and says whether each invoice has the PDF that was sent."""
    from collections import Counter

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from services import rebuilding
    from services.rendering import Renderer

    console = Console(highlight=False, soft_wrap=True)
    counts: Counter[rebuilding.Outcome] = Counter()
    async with connected(settings), Renderer() as renderer:
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as progress:
            shown = progress.add_task("Invoices", total=await rebuilding.count())
            async for rebuilt in rebuilding.rebuild(renderer):
                counts[rebuilt.outcome] += 1
                progress.advance(shown)
                if rebuilt.why:
                    console.print(f"{rebuilt.number}: {rebuilt.outcome.value}: {rebuilt.why}", markup=False)
    console.print("▸ " + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in rebuilding.Outcome))
    return not counts[rebuilding.Outcome.FAILED] + counts[rebuilding.Outcome.BESIDE]


@exports.command("fec")
def export_fec(
    starts_on: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day")],
    ends_on: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day")],
    slug: Annotated[str, typer.Option("--organization", help="Whose books, by slug")] = "demo",
) -> None:
    """Write the accounting entries of a period (FEC) into this folder."""
    path = asyncio.run(_exported(settings_here(), slug, starts_on.date(), ends_on.date()))
    typer.echo(f"▸ {path}")


async def _exported(settings: Settings, slug: str, starts_on: date, ends_on: date) -> Path:
    """Shows how far it is."""
    from rich.progress import MofNCompleteColumn, Progress

    from models import ExportKind, Organization
    from services import books, exports, fec, stripe_accounts

    exports.must_be_a_period(starts_on, ends_on)
    async with connected(settings):
        organization = await Organization.get_or_none(slug=slug)
        if organization is None:
            raise Failed(f"There is no organization {slug}: name one with --organization.")
        live = (await stripe_accounts.of(organization.id)).live
        period = books.Period.of(organization, starts_on, ends_on, live=live)
        path = Path(fec.filename(organization.siren, ends_on, live=live))
        total = sum([await books.count(period, source) for source in books.SOURCES])
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as progress:
            shown = progress.add_task("Entries", total=total)

            async def told(done: int) -> None:
                progress.update(shown, completed=done)

            await exports.write(path, ExportKind.FEC, organization, period, told)
            progress.update(shown, completed=total)
    return path
