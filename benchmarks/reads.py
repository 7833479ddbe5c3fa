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
import sys
from pathlib import Path

import uvloop

from benchmarks import data, load
from benchmarks.bench import Bench
from benchmarks.claims import CLAIMS
from benchmarks.figures import Figure, as_json, as_table
from benchmarks.installation import Installation
from local import embedded, processes


def main() -> int:
    options = _options()
    try:
        figures = _measure(options)
    except (processes.Failed, load.Failed, TimeoutError) as failure:
        print(f"error: {failure or 'no answer in time'}", file=sys.stderr)
        return 2
    print(as_json(figures) if options.json else as_table(figures))
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
        installed = Installation(options.home, database_url, servers.redis_url)
        for name in options.claims:
            print(f"▸ {name}", file=sys.stderr)
            with installed.served("benchmarks.server") as port:  # a fresh process each time: no claim helps another
                bench = Bench(port, options.rounds, options.seconds, options.connections)
                figures += uvloop.run(CLAIMS[name](bench))
    return figures


if __name__ == "__main__":
    sys.exit(main())
