"""The published schema, and how queries are answered."""

import asyncio
import difflib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.installation import settings_here

SCHEMA, PUBLISHED = (Path(__file__).parents[1] / name for name in ("schema.graphql", "schema.published.graphql"))

app = typer.Typer()


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

    found = asyncio.run(explain(settings_here().database_url, document.read(), variables, name, email))
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
