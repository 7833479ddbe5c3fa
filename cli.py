"""`bin/comptoir <command>`. Commands other than `run` and `serve` join a `make run` that is going on in the home."""

import sys

import typer
from pydantic import ValidationError

from commands import care, clients, graphql, keys, papers, serving
from errors import DomainError, ProviderError
from local.processes import Failed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Comptoir.")
for commands in (serving, graphql, care, keys, papers, clients):
    app.add_typer(commands.app)


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
