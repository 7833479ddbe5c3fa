"""What an operator looks at and mends."""

import asyncio
import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from commands.installation import connected, join, settings_here
from errors import DomainError, ProviderError
from local.processes import Failed
from settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from services.doctor import Verdict
    from services.stripe_accounts import Place

app = typer.Typer()


@app.command()
def settings(
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where production lacks something")] = False,
) -> None:
    """Every setting: what it means, whether it is set, and to what."""
    from services import configuration

    join()
    heading = None
    for setting in configuration.told():
        if setting.heading != heading:
            heading = setting.heading
            typer.secho(f"\n{heading}", bold=True)
        unset = f"not set ({setting.default})" if setting.default else "not set"
        typer.echo(f"  {setting.name:<23} {unset if setting.value is None else setting.value}")
        typer.secho(f"  {'':<23} {setting.meaning}", dim=True)
    if check and (lacking := configuration.lacking()):
        for sentence in lacking:
            typer.echo(f"error: {sentence}", err=True)
        raise typer.Exit(1)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts as a JSON array")] = False,
) -> None:
    """Look whether all that must hold of the database does; exit with 1 where something does not. Changes nothing."""
    verdicts = asyncio.run(_examined(settings_here()))
    if as_json:
        typer.echo(json.dumps([{"good": verdict.good, **asdict(verdict)} for verdict in verdicts], indent=2))
    else:
        typer.echo("\n".join(map(_told, verdicts)))
    if not all(verdict.good for verdict in verdicts):
        raise typer.Exit(1)


async def _examined(settings: Settings) -> "list[Verdict]":
    from services import doctor

    async with connected(settings.model_copy(update={"read_timeout_seconds": doctor.SECONDS_MOST})):
        return [await doctor.examine(invariant) for invariant in doctor.INVARIANTS]


def _told(verdict: "Verdict") -> str:
    if verdict.good:
        return f"✓ {verdict.holds}"
    lines = [f"✗ {verdict.holds}: {verdict.error or f'{verdict.broken} found'}"]
    lines += [f"    {example}" for example in verdict.examples]
    if verdict.broken and verdict.broken > len(verdict.examples):
        lines.append(f"    … and {verdict.broken - len(verdict.examples)} more")
    return "\n".join([*lines, f"  → {verdict.do}"])


@app.command()
def retry(promise: Annotated[UUID, typer.Argument(help="Its id, as `comptoir doctor` shows it")]) -> None:
    """Take up again a promise that was given up, with what waited for it."""
    asyncio.run(_retry(settings_here(), promise))
    typer.echo("▸ A worker takes it up now")


async def _retry(settings: Settings, promise: UUID) -> None:
    from services import outbox

    async with connected(settings):
        await outbox.retry(promise)


@app.command()
def reconcile(
    days: Annotated[
        int | None, typer.Option(min=1, max=30, help="How far back; else from where the last run had come to")
    ] = None,
    account: Annotated[str | None, typer.Option(help="acct_… or platform; else each that has a key")] = None,
) -> None:
    """Ask Stripe for what never came, and about what is stuck; exit with 1 where something stays unexplained."""
    if not asyncio.run(_reconciled(settings_here(), days, account)):
        raise typer.Exit(1)


async def _reconciled(settings: Settings, days: int | None, account: str | None) -> bool:
    """Reconciles one account or all, and says whether nothing stays different. One that cannot be asked is told, and
    holds up no other."""
    from rich.console import Console

    from services import reconciliation
    from workers import lanes  # noqa: F401 - declares what events promise

    console, good = Console(highlight=False, soft_wrap=True), True
    async with connected(settings):
        places = [place for place in await reconciliation.places() if account in (None, place.account)]
        if not places:
            raise Failed("No Stripe account has a key here: STRIPE_SECRET_KEY is not set, and none is connected.")
        for place in places:
            if len(places) > 1:
                console.print(f"▸ Account {place.account}, {'live' if place.live else 'test'} mode")
            try:
                good &= await _reconciled_at(place, days, console)
            except (ProviderError, DomainError) as error:
                if len(places) == 1:
                    raise
                console.print(f"✗ {error}", markup=False)
                good = False
    return good


async def _reconciled_at(place: "Place", days: int | None, console: "Console") -> bool:
    """Shows how far it is."""

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from services import reconciliation

    bars: dict[str, TaskID] = {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:

        def tell(step: str, done: int, total: int | None) -> None:
            if step not in bars:
                bars[step] = progress.add_task(step, total=total)
            progress.update(bars[step], completed=done, total=total)

        back = timedelta(days=days) if days else None
        result = await reconciliation.reconcile(place, back=back, told=tell)
    if result is None:
        console.print("▸ Another process reconciles at this moment")
        return True
    missed, mended, drifts = len(result.missed), len(result.mended), len(result.drifts)
    console.print(f"▸ Since {result.since:%Y-%m-%d %H:%M} UTC: {result.events} events, {missed} had never come")
    console.print(f"▸ {mended} orders mended, {drifts} differences unexplained")
    for found in result.drifts.values():
        console.print(f"✗ {found.kind.value} {found.reference}, order {found.order_id}: {found.message}", markup=False)
    return not drifts
