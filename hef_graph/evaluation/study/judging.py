"""The judge at work in a study: what it will cost, how far it is, and what it has cost."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from tqdm import tqdm

from hef_graph.chat.models import build_model
from hef_graph.errors import HefError, HefInputError
from hef_graph.evaluation.study.command import StudyRequest
from hef_graph.evaluation.study.judge import JudgeReport, judge_duels, questions_of
from hef_graph.evaluation.study.models import model_identity, priced_name, stable_hash
from hef_graph.evaluation.study.opinions import Duel, Judge, Opinion, open_questions
from hef_graph.evaluation.study.prices import NO_PRICE, Price, show_cost
from hef_graph.evaluation.study.runner import RunOptions
from hef_graph.evaluation.study.spending import Budget
from hef_graph.evaluation.study.studies import Pair
from hef_graph.evaluation.study.tokens import count_tokens
from hef_graph.evaluation.study.workshop import BuildModel

OPINION_TOKENS: Final = 30
"""Assumed of an opinion: three aspects and their verdicts, as JSON."""


@dataclass
class Judging:
    """What came of it."""

    verdicts: dict[Pair, JudgeReport] = field(default_factory=dict)
    stopped: str = ""
    """Why it ended early; empty if it did not."""


class _CostReachedError(HefError):
    """The judge has spent what was left."""


def make_judge(request: StudyRequest, build: BuildModel = build_model) -> Judge | None:
    """The judge, its opinions kept beside the answers; None if none was named.

    Raises:
        HefInputError: there is a cost limit, and no price for the judge's model.
        HefModelError: its model cannot be set up.
    """
    if request.judge is None:
        return None
    model, options = build(request.judge), request.run
    if options.max_cost is not None and options.prices.price_of(priced_name(model)) is None:
        raise HefInputError(f"{NO_PRICE} for the judge {request.judge!r}, so that a cost limit cannot be kept")
    kept = options.cache_dir / f"judge-{stable_hash(model_identity(model))}.jsonl"
    return Judge(model, request.judge, concurrency=options.concurrency, kept=kept)


async def judge_pairs(
    judge: Judge, duels: Mapping[Pair, Sequence[Duel]], run: RunOptions, *, budget: Budget, seed: int
) -> Judging:
    """Compare each pair's responses, within the budget; opinions of earlier runs are not asked for again."""
    price, done = run.prices.price_of(priced_name(judge.model)), Judging()
    pending = sum(len(open_questions(judge, questions_of(each))) for each in duels.values())
    if run.progress:
        tqdm.write(estimate_judging(judge, list(duels.values()), price), file=sys.stderr)
    with tqdm(total=pending, desc=f"judge {judge.name}", unit="opinion", disable=not (run.progress and pending)) as bar:
        telling = replace(judge, on_opinion=lambda opinion: _charge(opinion, price, budget, bar))
        try:
            for pair, each in duels.items():
                done.verdicts[pair] = await judge_duels(telling, each, seed=seed)
        except _CostReachedError as error:
            done.stopped = f"the judge {judge.name} was stopped: {error}; run again to go on"
    return done


def estimate_judging(judge: Judge, duels: Sequence[Sequence[Duel]], price: Price | None) -> str:
    """What the judge will be asked and what that may cost, in one line."""
    name = priced_name(judge.model)
    asked = [messages for each in duels for messages in open_questions(judge, questions_of(each))]
    total = sum(len(questions_of(each)) for each in duels)
    head = f"judge {judge.name}: {len(asked):,} of {total:,} questions to ask"
    if not asked:
        return head
    counts = [count_tokens("\n".join(str(message.text) for message in messages), name) for messages in asked]
    written, read = OPINION_TOKENS * len(asked), sum(count.count for count in counts)
    tokens = (
        f"about {read:,} input tokens ({counts[0].how}), {written:,} output tokens ({OPINION_TOKENS} each, assumed)"
    )
    return f"{head}, {tokens}: {show_cost(price.cost(read, written) if price else None)}"


def _charge(opinion: Opinion, price: Price | None, budget: Budget, bar: "tqdm[NoReturn]") -> None:
    """Add an opinion to the bill, and show it.

    Raises:
        _CostReachedError: the limit is reached.
    """
    budget.settle("judge", 0.0, price.cost(opinion.input_tokens, opinion.output_tokens) if price else 0.0)
    bar.update()
    bar.set_postfix_str(show_cost(budget.spent if price else None))
    if budget.limit is not None and budget.spent > budget.limit:
        raise _CostReachedError(f"the cost limit of {show_cost(budget.limit)} is reached")
