"""Figure 3 as a picture: emotion accuracy against the number of prioritised emotions (k2)."""

import base64
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.paper import FIGURE_3_TITLE
from hef_graph.evaluation.study.tables import Curve, FigureData

INCHES: Final = (8.6, 6.4)
DOTS_PER_INCH: Final = 150
COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's: told apart by colour-blind people too."""
SHIFT: Final = 0.12
"""Between the curves, in units of k2: so that their intervals stand side by side."""
MARKERS: Final = ("s", "^", "D", "v", "P")
"""Of the quoted points: shapes tell the models apart in grey print."""


def draw_figure_3(data: FigureData) -> bytes:
    """A PNG: ours as lines with 95 % intervals, the paper's points as grey markers.

    Raises:
        HefInputError: matplotlib is not installed.
    """
    figure = _new_figure()
    axes = figure.add_subplot()
    for index, (curve, color) in enumerate(zip(data.curves, cycle(COLORS), strict=False)):
        _draw_curve(axes, curve, color, shift=SHIFT * (index - len(data.curves) / 2))
    _draw_quoted(axes, data)
    _label(axes, data)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return picture.getvalue()


def write_picture(picture: bytes, path: Path) -> None:
    """Save it, in a folder that is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)


def as_data_uri(picture: bytes) -> str:
    """For a page that is one file."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def _new_figure() -> Any:
    """A figure of its own with the Agg backend: no window, no global state."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  an extra
        from matplotlib.figure import Figure  # noqa: PLC0415  as above
    except ImportError as error:
        raise HefInputError("drawing a figure needs matplotlib: pip install 'hef-graph[eval]'") from error
    figure = Figure(figsize=INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw_curve(axes: Any, curve: Curve, color: str, *, shift: float) -> None:
    places = [point.k2 + shift for point in curve.points]
    values = [point.accuracy.value for point in curve.points]
    below = [point.accuracy.value - point.accuracy.low for point in curve.points]
    above = [point.accuracy.high - point.accuracy.value for point in curve.points]
    style = {"linestyle": "--" if curve.ceiling else "-", "marker": "o", "markersize": 4, "capsize": 3}
    axes.errorbar(places, values, yerr=[below, above], color=color, label=_plain(curve.name), **style)


def _draw_quoted(axes: Any, data: FigureData) -> None:
    models = dict.fromkeys(point.model for point in data.quoted)
    for model, marker in zip(models, cycle(MARKERS), strict=False):
        points = [point for point in data.quoted if point.model == model]
        places, values = [point.k2 for point in points], [point.accuracy for point in points]
        label = f"{model} (quoted, test)"
        axes.plot(places, values, marker, color="0.4", markerfacecolor="white", label=label)


def _label(axes: Any, data: FigureData) -> None:
    places = sorted({0, *(point.k2 for curve in data.curves for point in curve.points), *_quoted_places(data)})
    axes.set_xticks(places)
    axes.set_xlabel("prioritised emotions, k2 (0: the LLM alone)")
    axes.set_ylabel("emotion accuracy, %")
    axes.set_ylim(0, 103)
    axes.set_title(f"{FIGURE_3_TITLE}\n{_plain(data.origin)}; bars: 95 % intervals", fontsize=11)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    drawn, names = axes.get_legend_handles_labels()
    ours_first = sorted(zip(drawn, names, strict=True), key=lambda entry: "quoted" in entry[1])
    axes.figure.legend(*zip(*ours_first, strict=True), loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)


def _quoted_places(data: FigureData) -> set[int]:
    return {point.k2 for point in data.quoted}


def _plain(text: str) -> str:
    """Names are data: a dollar sign would start a formula."""
    return text.replace("$", r"\$")
