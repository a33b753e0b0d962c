"""How fast the small empathetic model (SEM) reads, beside the classifier that most people would take instead.

The classifier is a RoBERTa-base of random weights in `transformers.pipeline("text-classification")`: only its size
matters for seconds. Its tokenizer is learned from the dialogues at hand, since nothing is downloaded.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from hef_graph.evaluation.benchmark.report import Bar, Row
from hef_graph.evaluation.benchmark.timing import Spread, ratio, scaled, seconds, side_by_side
from hef_graph.sem import TransformerSem, load_sem

PART: Final = "SEM"
DIALOGUE: Final = (
    "I lost my job at the plant today and I do not know how to tell my wife about it because we just bought a house "
    "and the baby is due in May, so I am really scared of what comes next"
)
"""42 words, 43 pieces for the classifier."""
LABELS: Final = 32
ROBERTA_BASE: Final = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
RATE: Final = "dialogues/s"
PIECES: Final = 2000
"""Of the tokenizer that is learned on the spot."""

Pipeline: TypeAlias = Callable[..., Any]


def measure_latency(rounds: int) -> list[Row]:
    """One dialogue on one thread, cause words included."""
    import torch  # noqa: PLC0415  slow to import

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measure_latency(rounds)
    finally:
        torch.set_num_threads(threads)


def _measure_latency(rounds: int) -> list[Row]:
    sem, exact = load_sem(), load_sem(precision="fp32")
    large, small = roberta_base([DIALOGUE]), same_size_as(sem, [DIALOGUE])
    taken = side_by_side(
        {
            "pipeline": lambda: large(DIALOGUE),
            "small": lambda: small(DIALOGUE),
            "exact": lambda: exact.analyze([[DIALOGUE]]),
            "sem": lambda: sem.analyze([[DIALOGUE]]),
        },
        rounds=rounds,
    )
    return [
        Row(PART, "RoBERTa-base pipeline, one dialogue", scaled(taken["pipeline"], 1000), "ms", note="1 thread"),
        Row(PART, "a pipeline of the SEM's size", scaled(taken["small"], 1000), "ms", note="1 thread, emotions only"),
        Row(PART, "SEM in fp32, words included", scaled(taken["exact"], 1000), "ms", note="1 thread"),
        Row(PART, f"SEM in {sem.precision}, words included", scaled(taken["sem"], 1000), "ms", note="1 thread"),
        Row(PART, "RoBERTa-base pipeline / SEM", ratio(taken["pipeline"], taken["sem"]), "times", Bar("≥", 10)),
        Row(PART, "a pipeline of the SEM's size / SEM", ratio(taken["small"], taken["sem"]), "times"),
    ]


def measure_free_latency(rounds: int) -> list[Row]:
    """One dialogue on all cores; ten times as many rounds, since a second of a busy host says little."""
    sem = load_sem()
    taken = side_by_side({"sem": lambda: sem.analyze([[DIALOGUE]])}, rounds=10 * rounds)
    return [Row(PART, "SEM, words included, all cores", scaled(taken["sem"], 1000), "ms", Bar("≤", 10))]


def measure_throughput(contexts: Sequence[Sequence[str]], sample: int, rounds: int) -> list[Row]:
    """Dialogues a second: all contexts by the SEM, every n-th also by the pipeline, in one run."""
    sem = load_sem()
    some = contexts[:: max(1, len(contexts) // sample)]
    texts = [" ".join(each) for each in some]
    pipeline = roberta_base(texts)
    taken = side_by_side(
        {
            "pipeline": lambda: pipeline(texts, batch_size=32, truncation=True),
            "sem": lambda: sem.analyze([list(each) for each in some]),
        },
        rounds=rounds,
        warm=0,
    )
    whole = seconds(lambda: sem.analyze([list(each) for each in contexts]))
    note = f"{len(some)} of {len(contexts)} contexts"
    return [
        Row(PART, "RoBERTa-base pipeline, batches of 32", _rate(len(some), taken["pipeline"]), RATE, note=note),
        Row(PART, "SEM, the same contexts", _rate(len(some), taken["sem"]), RATE, note=note),
        Row(PART, "SEM / pipeline", ratio(taken["pipeline"], taken["sem"]), "times", Bar("≥", 4), note),
        Row(PART, f"SEM, {len(contexts)} contexts", _rate(len(contexts), [whole]), RATE),
    ]


def _rate(count: int, taken: Sequence[float]) -> Spread:
    return Spread.of([count / each for each in taken])


def roberta_base(texts: Sequence[str]) -> Pipeline:
    """A text-classification pipeline of RoBERTa-base's size, with random weights."""
    transformers = _transformers()
    config = transformers.RobertaConfig(**ROBERTA_BASE, num_labels=LABELS)
    return _pipeline(transformers.RobertaForSequenceClassification(config), texts)


def same_size_as(sem: TransformerSem, texts: Sequence[str]) -> Pipeline:
    """A pipeline around a BERT classifier of the SEM encoder's shape, with random weights."""
    transformers, shape = _transformers(), sem.config
    config = transformers.BertConfig(
        vocab_size=max(shape.vocab_size, PIECES),
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.encoder_layers,
        num_attention_heads=shape.attention_heads,
        intermediate_size=shape.feed_forward_size,
        num_labels=LABELS,
    )
    return _pipeline(transformers.BertForSequenceClassification(config), texts)


def _pipeline(model: Any, texts: Sequence[str]) -> Pipeline:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415  only here

    transformers = _transformers()
    marks = {"unk_token": "<unk>", "pad_token": "<pad>"}
    tokenizer = Tokenizer(models.BPE(unk_token=marks["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, special_tokens=[*marks.values()], show_progress=False)
    tokenizer.train_from_iterator([*texts, *texts], trainer)  # said twice, so that a pair of letters counts at all
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **marks)
    classify: Pipeline = transformers.pipeline(
        "text-classification", model=model.eval(), tokenizer=fast, device="cpu", top_k=None
    )
    return classify


def _transformers() -> Any:
    """The large library, whose own types are too narrow for what its configs take."""
    import transformers  # noqa: PLC0415  slow to import

    return transformers
