"""How fast what surrounds a sale is, as ratios to the least that could be done: `make bench`.

webhook     the whole route of Stripe's events, against a route that reads the body, and one that stores it too
event       Stripe's events handled to the end, against the SQL that this takes, written by hand
invoice     a page rendered, against WeasyPrint used as its manual begins
signing-in  `me` while fifty people sign in, against `me` alone: how much longer the slowest of a hundred answers takes
delivery    partners told, each try recorded, against posts one after the other of which nothing is kept
mutation    a change that the audit log names, against the same without
client-search  clients found among 200,000, against the bare SQL
board       the board of 5,000 opportunities, against the bare SQL
availability  when anybody of ten can be booked in a month of 5,000 bookings, against the SQL that this takes

PostgreSQL and Valkey are started, and each claim has a database made anew. Nothing is timed before all ways were seen
to do the same.
Ways take turns, round after round, and a figure is the median of the ratios within each round: what else the machine
does weighs on both sides of it. `by CPU` is the same ratio of the CPU that our process takes for each, which a busy
machine disturbs less. benchmarks/README.md has figures; `python -m benchmarks.reads` measures reads, and takes longer.

Exit code: 0, or 2 if something could not be measured.
"""

import argparse
import os
import sys
from pathlib import Path

import uvloop

from benchmarks import (
    availability,
    boards,
    client_search,
    data,
    deliveries,
    events,
    invoices,
    load,
    mutations,
    signing_in,
    webhooks,
)
from benchmarks.figures import Figure, as_json, as_table
from benchmarks.installation import Installation
from local import embedded, processes

CLAIMS = {
    "webhook": webhooks.measure,
    "event": events.measure,
    "invoice": invoices.measure,
    "delivery": deliveries.measure,
    "mutation": mutations.measure,
    "availability": availability.measure,
    "client-search": client_search.measure,
    "board": boards.measure,
    "signing-in": signing_in.measure,
}
QUICK = {"rounds": 1, "seconds": 0.1}


def main() -> int:
    options = _options()
    try:
        figures = _measure(options)
    except (processes.Failed, load.Failed, TimeoutError) as failure:
        print(f"error: {failure or 'no answer in time'}", file=sys.stderr)
        return 2
    print(as_json(figures) if options.json else as_table(figures))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("COMPTOIR_HOME", "var")) / "benchmarks"
    parser.add_argument("claims", nargs="*", metavar="claim", help=f"which of {', '.join(CLAIMS)}; all unless told")
    parser.add_argument("--home", type=Path, default=home, help=f"where the database lies; {home} unless told")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each way; 7 unless told")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a turn is; 1 unless told")
    parser.add_argument("--quick", action="store_true", help="one short turn: to see that all runs, not how fast")
    parser.add_argument("--json", action="store_true", help="figures as JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.claims) - set(CLAIMS):
        parser.error(f"no such claim: {', '.join(sorted(unknown))}")
    if options.quick:
        vars(options).update(QUICK)
    return options


def _measure(options: argparse.Namespace) -> list[Figure]:
    """All figures, one claim after the other."""
    figures: list[Figure] = []
    with embedded.servers(options.home, durable=True) as servers:
        for name in options.claims or CLAIMS:
            print(f"▸ {name}", file=sys.stderr)
            database_url = uvloop.run(data.fresh(servers.database_url))  # no claim finds what another left to be done
            installed = Installation(options.home, database_url, servers.redis_url)
            figures += CLAIMS[name](installed, options.rounds, options.seconds)
    return figures


if __name__ == "__main__":
    sys.exit(main())
