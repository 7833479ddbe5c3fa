"""`bin/comptoir <command>`. Commands other than `run` and `serve` join a `make run` that is going on in the home."""

import asyncio
import difflib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import ValidationError

import telemetry
from errors import DomainError, ProviderError
from local import demo, home, pango
from local.processes import Failed
from settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from models import ClientImport
    from services.doctor import Verdict
    from services.stripe_accounts import Place

SCHEMA, PUBLISHED = (Path(__file__).parent / name for name in ("schema.graphql", "schema.published.graphql"))

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Comptoir.")
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


class Existing(Enum):
    """What an import does to clients who are there already."""

    SKIP = "skip"
    FILL = "fill"
    OVERWRITE = "overwrite"


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

    settings = _settings()
    telemetry.start(settings)
    asyncio.run(_keys_fit(settings))
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
    settings = _settings()
    os.environ |= pango.environment(settings.comptoir_home)  # for the processes that render
    telemetry.start(settings)
    asyncio.run(_keys_fit(settings))
    from workers.settings import run  # reads the settings

    run()


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    applied = demo.migrate(_settings().database_url)
    for name in applied:
        typer.echo(f"▸ {name}")
    typer.echo(f"▸ {len(applied)} applied" if applied else "▸ Nothing to apply")


@app.command()
def seed() -> None:
    """The demonstration organization, made once."""
    _settings()
    for role, email, password in demo.seed().logins:
        typer.echo(f"{role}  {email}  {password}")


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Only compare with schema.graphql")] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Write what front ends may rely on from now on")] = False,
) -> None:
    """Write the GraphQL schema to schema.graphql."""
    from resolvers.schema import sdl

    committed, current = SCHEMA.read_text() if SCHEMA.exists() else "", sdl()
    if publish:
        _publish(current)
    elif not check:
        SCHEMA.write_text(current)
    elif current != committed:
        typer.echo("schema.graphql is not the schema of the code: run `bin/comptoir schema` and commit it.")
        lines = committed.splitlines(keepends=True), current.splitlines(keepends=True)
        typer.echo("".join(difflib.unified_diff(*lines, fromfile="schema.graphql", tofile="the code")))
        raise typer.Exit(1)


def _publish(current: str) -> None:
    from engine.evolution import broken

    lost = broken(PUBLISHED.read_text(), current, datetime.now(UTC).date()) if PUBLISHED.exists() else []
    if lost:
        typer.echo("Front ends rely on this. Deprecate it first, with what replaces it and until when:")
        typer.echo("\n".join(lost))
        raise typer.Exit(1)
    PUBLISHED.write_text(current)


@app.command()
def plan(
    document: Annotated[
        typer.FileText, typer.Argument(help="A file that holds a GraphQL query; - for what is piped in")
    ],
    email: Annotated[str, typer.Option("--as", help="Who asks")] = "owner@demo.test",
    variables: Annotated[str, typer.Option(help="Variables, as JSON")] = "{}",
    name: Annotated[str | None, typer.Option(help="The operation, where the file holds several")] = None,
) -> None:
    """Show how a query is answered: its SQL and Python, and the rows that PostgreSQL expected and met."""
    from rich.console import Console
    from rich.syntax import Syntax

    from resolvers.explaining import explain

    found = asyncio.run(explain(_settings().database_url, document.read(), variables, name, email))
    console = Console()
    if found.why_not is not None:
        console.print(f"No plan: {found.why_not}. The ordinary executor answers.", highlight=False, markup=False)
        raise typer.Exit(1)
    for number, (sql, steps) in enumerate(found.statements, 1):
        console.print(f"[bold]Statement {number}[/bold]")
        console.print(Syntax(sql, "sql", background_color="default", word_wrap=True))
        console.print("\n".join(steps) + "\n", style="dim", highlight=False, markup=False)
    for source in found.python:
        console.print("[bold]Rows to answer[/bold]")
        console.print(Syntax(source, "python", background_color="default", word_wrap=True))


@app.command()
def settings(
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where production lacks something")] = False,
) -> None:
    """Every setting: what it means, whether it is set, and to what."""
    from services import configuration

    _join()
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
    import asyncio
    import json
    from dataclasses import asdict

    verdicts = asyncio.run(_examined(_settings()))
    if as_json:
        typer.echo(json.dumps([{"good": verdict.good, **asdict(verdict)} for verdict in verdicts], indent=2))
    else:
        typer.echo("\n".join(map(_told, verdicts)))
    if not all(verdict.good for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def retry(promise: Annotated[UUID, typer.Argument(help="Its id, as `comptoir doctor` shows it")]) -> None:
    """Take up again a promise that was given up, with what waited for it."""
    import asyncio

    asyncio.run(_retry(_settings(), promise))
    typer.echo("▸ A worker takes it up now")


@app.command()
def reconcile(
    days: Annotated[
        int | None, typer.Option(min=1, max=30, help="How far back; else from where the last run had come to")
    ] = None,
    account: Annotated[str | None, typer.Option(help="acct_… or platform; else each that has a key")] = None,
) -> None:
    """Ask Stripe for what never came, and about what is stuck; exit with 1 where something stays unexplained."""
    if not asyncio.run(_reconciled(_settings(), days, account)):
        raise typer.Exit(1)


async def _reconciled(settings: Settings, days: int | None, account: str | None) -> bool:
    """Reconciles one account or all, and says whether nothing stays different. One that cannot be asked is told, and
    holds up no other."""
    from rich.console import Console

    from errors import DomainError, ProviderError
    from services import reconciliation
    from workers import lanes  # noqa: F401 - declares what events promise

    console, good = Console(highlight=False, soft_wrap=True), True
    async with _connected(settings):
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
    from datetime import timedelta

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


@app.command("new-key")
def new_key() -> None:
    """Print a fresh entry for COMPTOIR_MASTER_KEYS."""
    typer.echo(home.new_master_key())


@app.command("rotate-keys")
def rotate_keys(
    check: Annotated[bool, typer.Option("--check", help="Only count what each key sealed")] = False,
) -> None:
    """Seal every secret with the first master key, while everything goes on; exit with 1 where one is left."""
    if not asyncio.run(_rotated(_settings(), check)):
        raise typer.Exit(1)


async def _rotated(settings: Settings, check: bool) -> bool:
    """Rotates, shows how far it is, and says whether the first key sealed everything."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from services import rotation

    console = Console(highlight=False, soft_wrap=True)
    async with _connected(settings):
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


@files.command("copy")
def files_copy(to: Annotated[Store, typer.Option(help="Where to; the other store is where from")]) -> None:
    """Copy all documents to S3_BUCKET, or from there to COMPTOIR_HOME. What is there already is not sent again."""
    failed = asyncio.run(_files_copied(_settings(), to))
    if failed:
        raise typer.Exit(1)


@invoices.command("rebuild")
def invoices_rebuild() -> None:
    """Make the PDFs again that are lost or were never made. What was sent is never replaced by anything else."""
    settings = _settings()
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
    async with _connected(settings), Renderer() as renderer:
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as progress:
            shown = progress.add_task("Invoices", total=await rebuilding.count())
            async for rebuilt in rebuilding.rebuild(renderer):
                counts[rebuilt.outcome] += 1
                progress.advance(shown)
                if rebuilt.why:
                    console.print(f"{rebuilt.number}: {rebuilt.outcome.value}: {rebuilt.why}", markup=False)
    console.print("▸ " + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in rebuilding.Outcome))
    return not counts[rebuilding.Outcome.FAILED] + counts[rebuilding.Outcome.BESIDE]


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
    if not asyncio.run(_clients_imported(_settings(), path, slug, dry_run, existing, leave_out)):
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
    async with _connected(settings):
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
    console.print(_summed_up(made))
    return not made.broken and made.status.value in ("CHECKED", "IMPORTED")


def _summed_up(made: "ClientImport") -> str:
    counts = f"{made.created} created, {made.updated} updated, {made.unchanged} unchanged, {made.broken} lines wrong"
    return f"▸ {made.status.value.capitalize()}: {counts}"


@exports.command("fec")
def export_fec(
    starts_on: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day")],
    ends_on: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day")],
    slug: Annotated[str, typer.Option("--organization", help="Whose books, by slug")] = "demo",
) -> None:
    """Write the accounting entries of a period (FEC) into this folder."""
    path = asyncio.run(_exported(_settings(), slug, starts_on.date(), ends_on.date()))
    typer.echo(f"▸ {path}")


async def _exported(settings: Settings, slug: str, starts_on: date, ends_on: date) -> Path:
    """Shows how far it is."""
    from rich.progress import MofNCompleteColumn, Progress

    from models import ExportKind, Organization
    from services import books, exports, fec, stripe_accounts

    exports.must_be_a_period(starts_on, ends_on)
    async with _connected(settings):
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


def _settings() -> Settings:
    """The settings of the environment, completed by those of a `make run` that is going on."""
    _join()
    return Settings()


def _join() -> None:
    for name, value in home.environment(demo.Given().home).items():
        os.environ.setdefault(name, value)


async def _examined(settings: Settings) -> "list[Verdict]":
    from services import doctor

    async with _connected(settings.model_copy(update={"read_timeout_seconds": doctor.SECONDS_MOST})):
        return [await doctor.examine(invariant) for invariant in doctor.INVARIANTS]


def _told(verdict: "Verdict") -> str:
    if verdict.good:
        return f"✓ {verdict.holds}"
    lines = [f"✗ {verdict.holds}: {verdict.error or f'{verdict.broken} found'}"]
    lines += [f"    {example}" for example in verdict.examples]
    if verdict.broken and verdict.broken > len(verdict.examples):
        lines.append(f"    … and {verdict.broken - len(verdict.examples)} more")
    return "\n".join([*lines, f"  → {verdict.do}"])


async def _retry(settings: Settings, promise: UUID) -> None:
    from services import outbox

    async with _connected(settings):
        await outbox.retry(promise)


async def _keys_fit(settings: Settings) -> None:
    """Refuse to start, in a sentence and not with a traceback, where the master keys are not those of the database."""
    from services import generations, outside

    async with outside.connected(settings):
        await generations.must_fit_once_there()


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[None]:
    """As any process of the installation is. Raises Failed when the database does not let us in, NotConfigured where
    the master keys are not those of the database."""
    import asyncpg

    from models.database import fetch
    from services import generations, outside

    async with outside.connected(settings):
        try:
            await fetch("SELECT 1")
        except (OSError, asyncpg.PostgresError) as refusal:
            raise Failed(f"The database of DATABASE_URL does not let us in: {refusal}") from refusal
        await generations.must_fit_once_there()
        yield


def main() -> None:
    """Run a command; what a person can act on is told in a sentence, anything else is a bug and shows its traceback."""
    try:
        app(prog_name="comptoir")
    except (Failed, DomainError, ProviderError) as failure:
        sys.exit(f"error: {failure}")
    except ValidationError as problems:
        for problem in problems.errors():
            name = ".".join(map(str, problem["loc"])).upper() or "settings"
            missing = problem["type"] == "missing"
            hint = "not set, and no `make run` is going on here" if missing else problem["msg"]
            print(f"error: {name}: {hint}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
