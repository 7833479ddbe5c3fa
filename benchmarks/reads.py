"""How fast reads are, as ratios: to routes written by hand, to ordinary Strawberry, of a list's end to its beginning.

`python -m benchmarks.reads` starts PostgreSQL over some 200,000 orders and an organization with a million (made at the
first run, in a minute or two), then for each claim a server process that answers in every way, and sends it requests
from this one. Nothing is timed before all ways have given the same answer. Ways take turns, round after round, and a
figure is the median of the ratios within each round: what else the machine does weighs on both sides of it. `by CPU`
is the same ratio of the server's CPU for each answer, which a busy machine disturbs less.

Exit code: 0 if all that was measured is as good as the targets, 1 if not, 2 if it could not be measured.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import orjson
import uvloop

from benchmarks import data, load
from benchmarks.bench import Bench, Figure
from benchmarks.claims import CLAIMS
from local import embedded, processes
from local.embedded.server import free_port
from local.home import new_master_key

ROOT = Path(__file__).parent.parent
STARTING_MOST = 30.0  # seconds


def main() -> int:
    options = _options()
    try:
        figures = _measure(options)
    except (processes.Failed, load.Failed, TimeoutError) as failure:
        print(f"error: {failure or 'no answer in time'}", file=sys.stderr)
        return 2
    print(_json(figures) if options.json else _table(figures))
    return 0 if all(figure.met for figure in figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reads", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("COMPTOIR_HOME", "var")) / "benchmarks"
    parser.add_argument("claims", nargs="*", metavar="claim", help=f"which of {', '.join(CLAIMS)}; all unless told")
    parser.add_argument("--home", type=Path, default=home, help=f"where the database lies; {home} unless told")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each way; 7 unless told")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long a turn is; 1.5 unless told")
    parser.add_argument("--connections", type=int, default=8, help="requests in flight; 8 keep the server busy")
    parser.add_argument("--no-million", dest="million", action="store_false", help="leave out the largest organization")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.claims) - set(CLAIMS):
        parser.error(f"no such claim: {', '.join(sorted(unknown))}")
    options.claims = [name for name in options.claims or CLAIMS if options.million or name != "sizes"]
    return options


def _measure(options: argparse.Namespace) -> list[Figure]:
    """All figures, one claim after the other."""
    figures: list[Figure] = []
    with embedded.servers(options.home, durable=False) as servers:
        database_url = uvloop.run(data.database(servers.database_url, million=options.million))
        environment = _environment(options.home, database_url, servers.redis_url)
        for name in options.claims:
            print(f"▸ {name}", file=sys.stderr)
            with _server(options.home, environment) as port:  # a fresh process each time: no claim helps another
                bench = Bench(port, options.rounds, options.seconds, options.connections)
                figures += uvloop.run(CLAIMS[name](bench))
    return figures


@contextmanager
def _server(home: Path, environment: dict[str, str]) -> Iterator[int]:
    """The server process, for the time of the block; gives its port."""
    port, log = free_port(), home / "logs" / "server.log"
    process = processes.spawn(
        [sys.executable, "-m", "benchmarks.server"],
        log=log,
        environment=environment | {"PORT": str(port)},
        directory=ROOT,
    )
    try:
        if not _answers(port, process):
            raise processes.Failed(f"the server did not start. The end of {log}:\n{processes.tail(log)}")
        yield port
    finally:
        processes.stop(process, patience=10)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + STARTING_MOST
    while not processes.has_ended(process) and time.monotonic() < deadline:
        try:
            uvloop.run(load.answer(port, load.request("GET", "/process")))
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _environment(home: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """The settings of an installation in production, and nothing of ours beside."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "ENVIRONMENT": "production",
        "APP_URL": "https://comptoir.test",
        "COMPTOIR_HOME": str(home),
        "COMPTOIR_MASTER_KEYS": new_master_key(),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }


def _json(figures: Sequence[Figure]) -> str:
    told = [{"met": figure.met, **asdict(figure)} for figure in figures]
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def _table(figures: Sequence[Figure]) -> str:
    head = ("claim", "against", "target", "figure", "rounds", "by CPU", "", "answers/s, µs of CPU each")
    rows = [head]
    for figure in figures:
        rows.append(
            (
                figure.case,
                figure.against,
                f"{'≥' if figure.at_least else '≤'} {figure.target:g}{figure.unit}",
                f"{figure.value:.2f}{figure.unit}",
                f"{figure.spread[0]:.2f} to {figure.spread[1]:.2f}" if figure.spread else "",
                f"{figure.by_cpu:.2f}{figure.unit}" if figure.by_cpu else "",
                "met" if figure.met else "MISSED",
                "; ".join(f"{way} {turn.throughput:,.0f}, {turn.cpu:,.0f}" for way, turn in figure.ways.items()),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


if __name__ == "__main__":
    sys.exit(main())
