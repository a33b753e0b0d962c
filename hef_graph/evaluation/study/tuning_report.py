"""What a tuning tells people and programs: its tables, its plain values, and the comments of its profile."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from hef_graph.evaluation.study.prices import show_cost
from hef_graph.evaluation.study.selection import Finalist, Standing
from hef_graph.evaluation.study.studies import settings_of
from hef_graph.evaluation.study.tuning import Round, Tuning
from hef_graph.messages import clean_text

_FIGURES: Final = ("Accuracy", "Off", "Gain, points (95 %)")


def tabulate_tuning(tuning: Tuning) -> list[Table]:
    """For the terminal: the rounds of the search, and the confirmation."""
    tables = [_rounds_table(tuning.rounds)]
    return [*tables, _finalists_table(tuning)] if tuning.finalists else tables


def tuning_json(tuning: Tuning) -> dict[str, Any]:
    """Plain values."""
    request = tuning.request
    return {
        "model": request.model,
        "sem": tuning.sem,
        "data": request.data,
        "seed": request.seed,
        "cases": {"search": len(tuning.parts.search), "confirmation": len(tuning.parts.confirmation)},
        "grid": asdict(request.grid),
        "rounds": [_round_json(each) for each in tuning.rounds],
        "finalists": [_finalist_json(each) for each in tuning.finalists],
        "profile": {"name": settings_of(tuning.profile), **asdict(tuning.profile)},
        "reason": tuning.reason,
        "calls": tuning.calls,
        "cost": tuning.cost,
        "out_of_money": tuning.out_of_money,
    }


def profile_notes(tuning: Tuning, *, date: str) -> list[str]:
    """What should stand above the profile in its file: whose it is, and what it rests on."""
    request, parts = tuning.request, tuning.parts
    return [
        f"What {request.model} is shown of {tuning.sem}; tuned on {date}.",
        f"{request.data}, n={len(parts.all)}, seed {request.seed}: search {len(parts.search)}, confirmation the rest.",
        tuning.reason,
        *(_tell(finalist) for finalist in tuning.finalists),
    ]


def tell_end(tuning: Tuning) -> str:
    """The decision and what it cost."""
    return f"{tuning.reason}\n{tuning.calls:,} new calls, {show_cost(tuning.cost)}"


def _rounds_table(rounds: Sequence[Round]) -> Table:
    table = _table(
        "Search: each profile against off on the same cases", ("Round", "Cases", "Profile", *_FIGURES, "Goes on")
    )
    for number, each in enumerate(rounds, start=1):
        for standing in sorted(each.standings, key=lambda standing: -standing.gain.estimate.value):
            on = "yes" if standing.profile in each.kept else ""
            cells = (str(number), str(standing.cases), settings_of(standing.profile), *_figures(standing), on)
            table.add_row(*map(Text, cells), style="" if on else "dim")
        table.add_section()
    return table


def _finalists_table(tuning: Tuning) -> Table:
    title = f"Confirmation of {clean_text(tuning.request.model)}: cases that the search did not see"
    table = _table(title, ("Profile", "Cases", *_FIGURES, "p (Holm)", "Result"))
    for finalist in tuning.finalists:
        standing = finalist.standing
        end = (f"{finalist.adjusted_p:.4f}", finalist.verdict)
        table.add_row(settings_of(standing.profile), str(standing.cases), *_figures(standing), *end)
    return table


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=Text(title), title_justify="left")
    for head in heads:
        table.add_column(Text(head))
    return table


def _figures(standing: Standing) -> tuple[str, ...]:
    return (f"{standing.accuracy:.1f}", f"{standing.off_accuracy:.1f}", standing.gain.estimate.show())


def _tell(finalist: Finalist) -> str:
    standing = finalist.standing
    return (
        f"{settings_of(standing.profile)}: accuracy {standing.accuracy:.1f} %, off {standing.off_accuracy:.1f} %, "
        f"difference {standing.gain.estimate.show()} points, p {finalist.adjusted_p:.4f} (Holm), {standing.cases} "
        f"cases: {finalist.verdict}"
    )


def _round_json(each: Round) -> dict[str, Any]:
    kept = [settings_of(profile) for profile in each.kept]
    return {"cases": each.cases, "standings": [_standing_json(one) for one in each.standings], "kept": kept}


def _standing_json(standing: Standing) -> dict[str, Any]:
    return {"name": settings_of(standing.profile), **asdict(standing)}


def _finalist_json(finalist: Finalist) -> dict[str, Any]:
    return {**_standing_json(finalist.standing), "adjusted_p": finalist.adjusted_p, "verdict": finalist.verdict}
