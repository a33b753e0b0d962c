import asyncio
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.messages import BaseMessage
from pydantic import Field
from rich.console import Console
from typing_extensions import override

from hef_graph.errors import HefInputError, HefModelError
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.prices import Price, PriceTable
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.selection import OFF, Grid
from hef_graph.evaluation.study.tuning import TuneRequest, Tuning, tune
from hef_graph.evaluation.study.tuning_report import profile_notes, tabulate_tuning, tell_end, tuning_json
from hef_graph.profiles import load_profile, write_profile
from tests.fakes import LABELS, ScriptedModel, SpeakingStubSem, StubSem, reply_json

COUNT: Final = 36
SAID: Final = {"joyful": "At last we won, for the {} time.", "sad": "My brother lost ring {}."}
CASES: Final = [
    Case(f"talk-{n}#1", f"talk-{n}", (text.format(n),), emotion, "I see.")
    for n in range(COUNT)
    for emotion, text in [list(SAID.items())[n % 2]]
]
WRONG_KEYWORDS: Final = {"won": "angry", "lost": "lonely"}
SMALL: Final = Grid(k1=(0, 1), k2=(0, 1), wordings=("list",))
PRICES: Final = PriceTable((Price("*Listener", 100.0, 100.0),))


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda file: None)


class Listener(ScriptedModel):
    """Names what `knows` says, unless it sees candidates: then the first of them."""

    answers: Any = Field(default_factory=list)
    credulous: bool = True
    errors: bool = False

    @override
    def _next(self, messages: Sequence[BaseMessage]) -> str:
        self.prompts.append(list(messages))
        if self.errors:
            raise ConnectionError
        text = str(messages[-1].text)
        shown = re.search(r"first: (\w+)", text)
        return reply_json(shown.group(1) if shown and self.credulous else self.knows(text), "Oh.")

    def knows(self, text: str) -> str:
        return "joyful" if "won" in text else "sad"


class HalfDeafListener(Listener):
    """Alone it is right in about half of the cases."""

    @override
    def knows(self, text: str) -> str:
        return "joyful"


class MostlyRightListener(Listener):
    """Alone it is wrong in one of twelve cases."""

    @override
    def knows(self, text: str) -> str:
        return "joyful" if re.search(r"\b\d?[15]\b", text) and "lost" in text else super().knows(text)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Tuning:
    """A tuning of a model that evidence helps."""
    return run(HalfDeafListener(), tmp_path_factory.mktemp("whole"))


def request(folder: Path, **run: Any) -> TuneRequest:
    options = replace(RunOptions(folder / "answers", progress=False, prices=PRICES), **run)
    return TuneRequest("made:listener", "made-up", options, count=COUNT, grid=SMALL)


def run(model: Listener, folder: Path, *, sem: StubSem | None = None, **options: Any) -> Tuning:
    return asyncio.run(tune(model, sem or SpeakingStubSem(), CASES, request(folder, **options)))


def kept(folder: Path) -> Counter[tuple[str, str]]:
    """How often each system's answer to each case is on the disk."""
    lines = (
        (path.stem, line) for path in (folder / "answers").glob("*.jsonl") for line in path.read_text().splitlines()
    )
    return Counter((key, json.loads(line)["case_id"]) for key, line in lines)


def test_a_model_that_evidence_helps_is_shown_it(whole: Tuning) -> None:
    assert whole.profile.two_stage
    assert whole.winner is not None
    assert (whole.winner.verdict, whole.winner.standing.accuracy) == ("better", 100)
    assert "points better than off on cases that the search did not see" in whole.reason


def test_a_model_that_evidence_misleads_is_shown_nothing(tmp_path: Path) -> None:
    tuning = run(Listener(), tmp_path, sem=SpeakingStubSem(LABELS, WRONG_KEYWORDS))
    assert (tuning.profile, tuning.winner) == (OFF, None)
    worst = min(tuning.rounds[0].standings, key=lambda standing: standing.accuracy)
    assert (worst.accuracy, worst.off_accuracy, worst.profile.two_stage) == (0, 100, True)


def test_a_model_that_evidence_does_not_change_is_shown_nothing_and_no_confirmation_is_paid(tmp_path: Path) -> None:
    tuning = run(HalfDeafListener(credulous=False), tmp_path)
    assert (tuning.profile, tuning.finalists) == (OFF, ())
    asked = {case_id for _, case_id in kept(tmp_path)}
    assert asked == {case.case_id for case in tuning.parts.search}
    assert tuning.reason.startswith("off: no profile was ahead")


def test_evidence_that_helps_too_seldom_to_tell_is_not_shown(tmp_path: Path) -> None:
    tuning = run(MostlyRightListener(), tmp_path)
    assert {finalist.verdict for finalist in tuning.finalists} == {"not significant"}
    assert (tuning.profile, tuning.winner) == (OFF, None)
    assert tuning.reason.startswith("off: no finalist is better beyond noise")


def test_off_and_profiles_are_measured_on_the_same_cases(whole: Tuning) -> None:
    found = [standing for each in whole.rounds for standing in each.standings]
    found += [finalist.standing for finalist in whole.finalists]
    for standing in found:
        assert standing.gain.estimate.value == pytest.approx(standing.accuracy - standing.off_accuracy)
    assert {f.standing.cases for f in whole.finalists} == {len(whole.parts.confirmation)}


def test_the_sem_reads_each_dialogue_once_for_all_profiles(tmp_path: Path) -> None:
    sem = SpeakingStubSem()
    run(HalfDeafListener(), tmp_path, sem=sem)
    texts = Counter(dialogue[-1].text for dialogue in sem.dialogues_read)
    assert set(texts.values()) == {1}


def test_a_second_run_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    first, again = run(HalfDeafListener(), tmp_path), HalfDeafListener()
    second = run(again, tmp_path)
    assert (again.calls, second.calls, first.calls) == (0, 0, sum(kept(tmp_path).values()))
    assert second.rounds == first.rounds
    assert second.finalists == first.finalists


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_without_money_off_stays_and_with_more_the_run_goes_on_asking_nothing_twice(
    share: float, whole: Tuning, tmp_path: Path
) -> None:
    assert whole.cost is not None
    models = HalfDeafListener(), HalfDeafListener()
    short = run(models[0], tmp_path, max_cost=share * whole.cost, concurrency=1)
    assert (short.profile, short.out_of_money) == (OFF, True)
    assert short.cost is not None
    assert short.cost <= share * whole.cost
    assert "The cost limit of $" in short.reason
    rest = run(models[1], tmp_path)
    assert (rest.rounds, rest.finalists) == (whole.rounds, whole.finalists)
    assert models[0].calls + models[1].calls == whole.calls == sum(kept(tmp_path).values())
    assert set(kept(tmp_path).values()) == {1}


async def cancel_after(model: Listener, calls: int, folder: Path) -> None:
    running = asyncio.create_task(tune(model, StubSem(), CASES, request(folder, concurrency=1)))
    while model.calls < calls:  # noqa: ASYNC110  the model runs in a thread
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_run_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    first, second = HalfDeafListener(delay=0.002), HalfDeafListener()
    asyncio.run(cancel_after(first, 40, tmp_path))
    before = sum(kept(tmp_path).values())
    assert before >= 39
    tuning = run(second, tmp_path, sem=StubSem())
    assert second.calls == tuning.calls == sum(kept(tmp_path).values()) - before
    assert set(kept(tmp_path).values()) == {1}


def test_a_finalist_that_the_money_was_enough_for_may_still_win(whole: Tuning, tmp_path: Path) -> None:
    assert whole.cost is not None
    tuning = run(HalfDeafListener(), tmp_path, max_cost=0.97 * whole.cost, concurrency=1)
    assert tuning.out_of_money
    assert tuning.winner is not None
    assert tuning.profile.two_stage


def test_a_provider_that_answers_nothing_decides_nothing(tmp_path: Path) -> None:
    with pytest.raises(HefModelError, match=r"made:listener answers nothing \(connection\)"):
        run(HalfDeafListener(errors=True), tmp_path, concurrency=16)


def test_a_limit_needs_a_price_before_anything_is_asked(tmp_path: Path) -> None:
    model = HalfDeafListener()
    with pytest.raises(HefInputError, match="no price known for 'HalfDeafListener'"):
        run(model, tmp_path, max_cost=1.0, prices=PriceTable(()))
    assert model.calls == 0


def test_cost_and_progress_are_told_while_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(HalfDeafListener(), tmp_path, progress=True, max_cost=0.05)
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(r"up to \d+ calls, about \$\d.*; the limit of \$0\.0500 may end it early", told.err)
    assert "round 1 of 1: 3 profiles and off, 12 cases" in told.err


def test_tables_and_values_tell_each_round_and_the_decision(whole: Tuning) -> None:
    tuning, console = whole, Console(width=150)
    with console.capture() as printed:
        console.print(*tabulate_tuning(tuning), tell_end(tuning), sep="\n")
    for words in ("each profile against off", "Confirmation of made:listener", "better", tuning.reason[:30]):
        assert words in printed.get()
    values = json.loads(json.dumps(tuning_json(tuning)))
    assert [len(each["standings"]) for each in values["rounds"]] == [len(each.standings) for each in tuning.rounds]
    assert values["profile"]["two_stage"] is True
    assert values["finalists"][0]["verdict"] == tuning.finalists[0].verdict


def test_the_profile_says_what_it_rests_on(whole: Tuning, tmp_path: Path) -> None:
    tuning, path = whole, tmp_path / "mine.toml"
    write_profile(tuning.profile, path, notes=profile_notes(tuning, date="2031-05-04"))
    text = path.read_text()
    assert load_profile(path) == tuning.profile
    for words in ("made:listener", "stub", "2031-05-04", "n=36, seed 0", "accuracy 100.0 %", "better"):
        assert words in text
