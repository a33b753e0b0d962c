"""What was measured: rows, as a table, as JSON and as a picture of how near each is to what was asked."""

import io
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from rich.table import Table

from hef_graph.evaluation.benchmark.timing import Spread

Sense: TypeAlias = Literal["≤", "≥"]
_HOLDS: Final[Mapping[Sense, Callable[[float, float], bool]]] = {"≤": operator.le, "≥": operator.ge}


@dataclass(frozen=True, slots=True)
class Bar:
    """What was asked of a figure."""

    sense: Sense
    limit: float

    def holds(self, value: float) -> bool:
        """Whether the value reaches it."""
        return _HOLDS[self.sense](value, self.limit)

    def __str__(self) -> str:
        return f"{self.sense} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    part: str
    what: str
    value: Spread
    unit: str
    bar: Bar | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; None without one."""
        return self.bar.holds(self.value.median) if self.bar else None

    @property
    def share(self) -> float | None:
        """How much of what was asked is reached, at best more than 1; None without a bar."""
        if self.bar is None or not self.value.median:
            return None
        return self.value.median / self.bar.limit if self.bar.sense == "≥" else self.bar.limit / self.value.median

    def to_json(self) -> dict[str, Any]:
        """With the verdict."""
        return {**asdict(self), "bar": str(self.bar) if self.bar else None, "reached": self.reached}


def exactly(value: float) -> Spread:
    """A figure that does not vary."""
    return Spread(value, value, value)


def tabulate_rows(rows: Sequence[Row]) -> Table:
    """One row a figure: median, quartiles, unit, what was asked."""
    table = Table("part", "figure", "median", "quartiles", "unit", "asked", "reached", "note", title="Benchmark")
    words = {None: "", True: "yes", False: "NO"}
    for row in rows:
        value = row.value
        between = f"{value.low:.3g} to {value.high:.3g}" if value.low != value.high else ""
        asked = str(row.bar) if row.bar else ""
        table.add_row(row.part, row.what, f"{value.median:.4g}", between, row.unit, asked, words[row.reached], row.note)
    return table


def draw_rows(rows: Sequence[Row]) -> bytes:
    """A PNG: for each figure with a bar, how many times the bar it reaches (1 is the bar itself)."""
    import matplotlib as mpl  # noqa: PLC0415  slow to import, and only pictures need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415  as above

    shown = [(f"{row.what} ({row.bar} {row.unit})", row.share) for row in reversed(rows) if row.share]
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.38 * len(shown)), layout="constrained")
    colours = ["#2a7f62" if share >= 1 else "#b5403a" for _, share in shown]
    axes.barh([name for name, _ in shown], [share for _, share in shown], color=colours)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("times what was asked (right of the line: reached)")
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=120)
    plt.close(figure)
    return written.getvalue()
