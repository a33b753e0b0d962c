import base64
import sys

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.bootstrap import Estimate
from hef_graph.evaluation.study.figure import as_data_uri, draw_figure_3
from hef_graph.evaluation.study.paper import FIGURE_3
from hef_graph.evaluation.study.tables import Curve, FigureData, Point

POINTS = (Point(0, Estimate(40.0, 35.0, 45.0)), Point(10, Estimate(48.0, 43.0, 53.0)))
DATA = FigureData((Curve("a:model", POINTS),), FIGURE_3, "ours (made-up, n=8, seed 0)", ())
PNG = b"\x89PNG\r\n\x1a\n"


def test_the_figure_is_a_png_and_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    first = draw_figure_3(DATA)
    assert first.startswith(PNG)
    assert draw_figure_3(DATA) == first


def test_the_curves_change_the_picture() -> None:
    pytest.importorskip("matplotlib")
    quoted_alone = FigureData((), FIGURE_3, DATA.origin, ())
    assert draw_figure_3(quoted_alone) != draw_figure_3(DATA)


def test_a_name_is_never_taken_for_a_formula() -> None:
    pytest.importorskip("matplotlib")
    named = FigureData((Curve(r"a$\frac$ b$", POINTS),), FIGURE_3, "ours ($x$)", ())
    assert draw_figure_3(named).startswith(PNG)


def test_a_missing_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(HefInputError, match=r"pip install 'hef-graph\[eval\]'"):
        draw_figure_3(DATA)


def test_a_picture_inside_a_page_is_the_picture() -> None:
    uri = as_data_uri(PNG)
    assert base64.b64decode(uri.removeprefix("data:image/png;base64,")) == PNG
