"""What was measured, as ratios round by round, and how it is told."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

import orjson

OURS = "ours"


@dataclass(frozen=True)
class Turn:
    """One way for one round."""

    throughput: float  # answers a second
    cpu: float  # µs of the process's CPU for each answer


Turns = dict[str, list[Turn]]


@dataclass(frozen=True)
class Figure:
    """What was measured of a claim, and what it has to reach."""

    case: str
    against: str
    value: float
    target: float | None  # None: told, and judged by whoever reads it
    at_least: bool = True  # else at most
    unit: str = "×"
    spread: tuple[float, float] | None = None  # lowest and highest round
    by_cpu: float | None = None  # the value, had CPU of the process been all that counts
    ways: dict[str, Turn] = field(default_factory=dict)  # medians

    @property
    def met(self) -> bool:
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def turns_of(told: dict[str, list[dict[str, float]]]) -> Turns:
    """Turns that another process took and told as JSON."""
    return {way: [Turn(**turn) for turn in turns] for way, turns in told.items()}


def faster(case: str, turns: Turns, than: str, *, target: float | None = None) -> Figure:
    """How many times the throughput of another way ours has."""
    ours, other = turns[OURS], turns[than]
    ratios = [mine.throughput / its.throughput for mine, its in zip(ours, other, strict=True)]
    by_cpu = median(its.cpu / mine.cpu for mine, its in zip(ours, other, strict=True))
    spread = min(ratios), max(ratios)
    ways = _medians({OURS: ours, than: other})
    return Figure(case, than, median(ratios), target, spread=spread, by_cpu=by_cpu, ways=ways)


def alike(case: str, turns: Turns, *, target: float) -> Figure:
    """How many times longer the second takes than the first, or the first than the second."""
    (first, some), (second, others) = turns.items()
    ratios = [one.throughput / other.throughput for one, other in zip(some, others, strict=True)]
    by_cpu = median(other.cpu / one.cpu for one, other in zip(some, others, strict=True))
    middle, spread = median(ratios), (min(ratios), max(ratios))
    return Figure(
        case, f"{second} : {first}", max(middle, 1 / middle), target, at_least=False, spread=spread,
        by_cpu=max(by_cpu, 1 / by_cpu), ways=_medians(turns),
    )  # fmt: skip


def as_json(figures: Sequence[Figure]) -> str:
    told = [{"met": figure.met, **asdict(figure)} for figure in figures]
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode()


def as_table(figures: Sequence[Figure]) -> str:
    head = ("claim", "against", "target", "figure", "rounds", "by CPU", "", "a second, ms of CPU each")
    columns = [column for column in zip(head, *map(_row, figures), strict=True) if any(column[1:])]
    padded = [[cell.ljust(max(map(len, column))) for cell in column] for column in columns]
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def _row(figure: Figure) -> tuple[str, ...]:
    judged = figure.target is not None
    return (
        figure.case,
        figure.against,
        f"{'≥' if figure.at_least else '≤'} {figure.target:g}{figure.unit}" if judged else "",
        f"{figure.value:.3g}{figure.unit}",
        f"{figure.spread[0]:.3g} to {figure.spread[1]:.3g}" if figure.spread else "",
        f"{figure.by_cpu:.3g}{figure.unit}" if figure.by_cpu else "",
        ("met" if figure.met else "MISSED") if judged else "",
        "; ".join(f"{way} {_count(turn.throughput)}, {turn.cpu / 1000:.3g}" for way, turn in figure.ways.items()),
    )


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _medians(turns: Turns) -> dict[str, Turn]:
    return {
        way: Turn(median(turn.throughput for turn in taken), median(turn.cpu for turn in taken))
        for way, taken in turns.items()
    }
