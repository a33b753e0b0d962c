"""Data for a SEM's two heads: words that people marked, words of other dialogues, texts with emotion or without."""

import csv
import random
from collections.abc import Sequence
from pathlib import Path

from hef_graph.causes import is_content_word
from hef_graph.corpus import Context
from hef_graph.errors import HefInputError
from hef_graph.evaluation.cause_report import weigh_by_sem
from hef_graph.evaluation.reccon import CauseCase, folds
from hef_graph.sem.heads import HeadConfig, PresenceTask, WordTask, attach_heads, fit_cause_head, prepare_words
from hef_graph.sem.inference import TransformerSem
from hef_graph.sem.modeling import EmpatheticModel
from hef_graph.sem.tokenization import DialogueTokenizer, find_words
from hef_graph.types import turns_from_dialogue


def marked_tasks(cases: Sequence[CauseCase]) -> list[WordTask]:
    """The content words of each case's newest turn, marked or not."""
    return [
        WordTask(case.turns, tuple((len(case.turns) - 1, *span) for span in case.words), case.marked) for case in cases
    ]


def unmarked_tasks(contexts: Sequence[Context], count: int, *, seed: int = 0) -> list[WordTask]:
    """The speaker's content words of `count` contexts drawn at random (all, if there are no more)."""
    drawn = random.Random(seed).sample(contexts, min(count, len(contexts)))  # noqa: S311  drawing, not cryptography
    tasks = [WordTask(context.turns, _content_words(context.turns)) for context in drawn]
    return [task for task in tasks if task.words]


def presence_tasks(texts: Sequence[tuple[str, bool]]) -> list[PresenceTask]:
    """Texts of one turn, each with or without emotion."""
    return [PresenceTask((text,), emotional) for text, emotional in texts if text.strip()]


def read_comments(path: Path, neutral: int) -> list[tuple[str, bool]]:
    """GoEmotions (Demszky et al. 2020): texts, and whether people found an emotion in them.

    Args:
        path: lines of text, comma-separated label numbers and comment id, separated by tabs.
        neutral: the number of the label "neutral"; a comment with that label and another one is left out.

    Raises:
        HefInputError: the file is missing or of another form.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (row[0], {int(label) for label in row[1].split(",")})
                for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            ]
    except (OSError, ValueError, IndexError, csv.Error) as error:
        raise HefInputError(f"{path} is no file of comments: {error}; expected text, labels, id with tabs") from error
    return [(text, neutral not in labels) for text, labels in rows if len(labels) == 1 or neutral not in labels]


def weigh_out_of_fold(
    model: EmpatheticModel,
    tokenizer: DialogueTokenizer,
    cases: Sequence[CauseCase],
    others: Sequence[WordTask],
    config: HeadConfig,
) -> list[list[float]]:
    """Word weights of each case by a head that saw no dialogue of its fold (five folds), in the order given."""
    weights: dict[int, list[float]] = {}
    parts = folds(cases)
    prepared = [prepare_words(model, tokenizer, marked_tasks(part)) for part in parts]
    always = prepare_words(model, tokenizer, others)
    for number, part in enumerate(parts):
        seen = [task for other, tasks in enumerate(prepared) if other != number for task in tasks]
        head = fit_cause_head(model, [*seen, *always], config)
        sem = TransformerSem(
            "fold", attach_heads(model, head), tokenizer, next(model.parameters()).device, words="head"
        )
        weights |= dict(zip(map(id, part), weigh_by_sem(sem, part), strict=True))
    return [weights[id(case)] for case in cases]


def _content_words(texts: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    turns = turns_from_dialogue(texts)
    return tuple(
        (number, start, end)
        for number, turn in enumerate(turns)
        if turn.role == "speaker"
        for start, end in find_words(turn.text)
        if is_content_word(turn.text[start:end])
    )
