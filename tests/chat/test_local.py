import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import pytest
import torch
import transformers
from langchain_core.language_models import BaseChatModel, FakeListChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_huggingface import ChatHuggingFace

from hef_graph import create_hef_graph
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.grammar import RESPONSE_TOKENS, response_tokens
from hef_graph.chat.local import as_chat_model, constrain, is_local
from hef_graph.chat.methods import answer_text
from hef_graph.chat.rendering import render_prompt
from hef_graph.errors import HefModelError
from hef_graph.reply import parse_reply
from tests.fakes import StubSem
from tests.runs import MODES, Mode, run_turn
from tests.tiny_llms import FAMILIES, PROMPT, babble, is_valid, tiny_chat, tiny_endless, tiny_pipeline

LABELS: Final = ("sad", "lonely", "hopeful")
THREADS: Final = {"hef-local-model", "hef-model-call"}
GenerationConfig: Any = transformers.GenerationConfig
SYSTEM, USER = (str(message.text) for message in PROMPT)


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Tiny matrices are slowed down by sharing them out."""
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(cores)


@cache
def chat(family: str = "qwen2") -> ChatHuggingFace:
    return tiny_chat(family, do_sample=True, max_new_tokens=24)


def answer(model: BaseChatModel, seed: int = 0, prompt: tuple[BaseMessage, ...] = PROMPT) -> AIMessage:
    transformers.set_seed(seed)
    message = constrain(model, LABELS).invoke(list(prompt))
    assert isinstance(message, AIMessage)
    return message


def texts(model: BaseChatModel, count: int = 3) -> list[str]:
    """Replies from several seeds."""
    return [answer_text(answer(model, seed)) for seed in range(count)]


def fits(text: str) -> bool:
    return parse_reply(text, LABELS).repair is None


STRANGERS: set[threading.Thread] = set()
"""Threads that other tests have left hanging."""


@pytest.fixture(autouse=True)
def _know_strangers() -> None:
    STRANGERS.update(threading.enumerate())


def wait_for_threads(seconds: float = 5.0) -> bool:
    """Whether all generation has stopped in time."""
    end = time.monotonic() + seconds
    while (busy := any(t.name in THREADS for t in set(threading.enumerate()) - STRANGERS)) and time.monotonic() < end:
        time.sleep(0.01)
    return not busy


@pytest.mark.parametrize("family", FAMILIES)
def test_random_weights_of_any_family_write_replies_that_fit_the_schema(family: str) -> None:
    written = list(babble(family, 25, max_new_tokens=16))
    assert [text for text in written if not is_valid(text)] == []
    assert len(set(written)) == 25


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_hundred_of_a_hundred_replies_fit_the_schema(family: str) -> None:
    assert sum(is_valid(text) for text in babble(family, 100)) == 100


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_brings_the_same_text_piece_by_piece(family: str) -> None:
    [whole] = texts(chat(family), 1)
    transformers.set_seed(0)
    chunks = [answer_text(chunk) for chunk in constrain(chat(family), LABELS).stream(list(PROMPT))]
    assert "".join(chunks) == whole
    assert len([chunk for chunk in chunks if chunk]) > 8


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("budget", [1, 2, 3, 5, 20])
def test_any_budget_suffices(family: str, budget: int) -> None:
    assert all(map(fits, texts(tiny_chat(family, do_sample=True, max_new_tokens=budget), 5)))


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({}, RESPONSE_TOKENS),
        ({"max_new_tokens": 7}, 7),
        ({"generation_config": GenerationConfig(max_new_tokens=9)}, 9),
        ({"max_length": 30}, RESPONSE_TOKENS),
    ],
)
def test_the_pipelines_max_new_tokens_bound_the_response(settings: dict[str, Any], tokens: int) -> None:
    assert response_tokens(tiny_pipeline("qwen2", **settings).pipeline) == tokens


@pytest.mark.parametrize(
    "settings",
    [
        {"do_sample": False},
        {"do_sample": True, "temperature": 0.1, "top_k": 3, "top_p": 0.05, "min_p": 0.9, "typical_p": 0.1},
        {"do_sample": True, "repetition_penalty": 5.0, "no_repeat_ngram_size": 1},
        {"do_sample": True, "bad_words_ids": [[token] for token in range(500)]},
        {"do_sample": True, "min_new_tokens": 40, "min_length": 90},
        {"do_sample": True, "num_beams": 3, "num_return_sequences": 2},
        {"do_sample": True, "stop_sequence": ["emotion", "e"]},
        {"do_sample": True, "max_length": 5, "max_time": 1e-9},
        {"do_sample": True, "eos_token_id": list(range(300)), "forced_eos_token_id": 3},
        {"do_sample": True, "return_full_text": True, "remove_invalid_values": True, "renormalize_logits": True},
        {"do_sample": True, "cache_implementation": "static"},
        {"do_sample": True, "use_cache": False},
        {"generation_config": GenerationConfig(do_sample=True, max_new_tokens=12, top_k=5)},
    ],
    ids="-".join,
)
def test_no_setting_of_the_pipeline_breaks_a_reply(settings: dict[str, Any]) -> None:
    given = settings if "generation_config" in settings else {"max_new_tokens": 12, **settings}
    assert all(map(fits, texts(tiny_chat("llama", **given))))


def test_sampling_is_the_pipelines_own() -> None:
    greedy, sampled = tiny_chat("qwen2", do_sample=False, max_new_tokens=12), chat()
    assert len(set(texts(greedy))) == 1
    assert len(set(texts(sampled))) == 3


def test_a_call_leaves_the_pipeline_as_it_was() -> None:
    pipeline = chat().llm.pipeline
    settings = (pipeline.model.generation_config.to_dict, pipeline._generate_kwargs.copy, pipeline._forward_params.copy)
    before = [read() for read in settings]
    answer(chat())
    assert [read() for read in settings] == before


def test_two_calls_at_once_write_what_they_would_write_alone() -> None:
    model = constrain(tiny_chat("qwen2", do_sample=False, max_new_tokens=30), LABELS)
    prompts: list[LanguageModelInput] = [[HumanMessage(f"Number {number} is closed.")] for number in range(4)]
    alone = [answer_text(model.invoke(prompt)) for prompt in prompts]
    assert [answer_text(message) for message in model.batch(prompts, {"max_concurrency": 4})] == alone
    assert len(set(alone)) > 1


def test_tokens_are_counted_streamed_or_not() -> None:
    prompt = len(chat().tokenizer(render_prompt(chat().tokenizer, PROMPT).text)["input_ids"])
    *_, last = constrain(chat(), LABELS).stream(list(PROMPT))
    for message in (answer(chat()), last):
        usage = getattr(message, "usage_metadata", None) or {}
        assert usage["input_tokens"] == prompt
        assert 10 < usage["output_tokens"] < 70


def test_a_closed_stream_stops_generation() -> None:
    stream = constrain(tiny_endless(), LABELS).stream(list(PROMPT))
    next(stream)
    assert not wait_for_threads(0.05)
    stream.close()  # type: ignore[attr-defined]  # a generator
    assert wait_for_threads()


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_generation_that_was_left_alone_stops_at_the_deadline(way: str) -> None:
    deadline = Deadline.after(0.5)
    model = constrain(tiny_endless(), LABELS, deadline=deadline)
    with pytest.raises(TimeoutError):
        list(deadline.iterate(lambda: iter(getattr(model, way)(list(PROMPT)))))
    assert wait_for_threads()


def test_one_pipeline_writes_one_reply_at_a_time() -> None:
    model = tiny_endless()
    pieces: list[BaseMessage] = []
    busy = constrain(model, LABELS).stream(list(PROMPT))
    next(busy)
    with pytest.raises(TimeoutError):
        pieces.extend(constrain(model, LABELS, deadline=Deadline.after(0.5)).stream(list(PROMPT)))
    assert pieces == []
    busy.close()  # type: ignore[attr-defined]  # a generator
    assert wait_for_threads()


@pytest.mark.slow
def test_a_process_ends_in_peace_while_a_model_writes() -> None:
    code = (
        "from tests import tiny_llms as tiny; from hef_graph.chat.local import constrain\n"
        "stream = constrain(tiny.tiny_endless(), ('sad',)).stream(list(tiny.PROMPT)); print(next(stream).text)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout[:1]) == (0, "{")


async def test_async_callers_run_it_under_their_deadline() -> None:
    model, deadline = constrain(chat(), LABELS), Deadline.after(20)
    message = await deadline.acall(lambda: model.invoke(list(PROMPT)))
    chunks = [chunk async for chunk in deadline.aiterate_blocking(lambda: model.stream(list(PROMPT)))]
    assert all(map(fits, [answer_text(message), "".join(answer_text(chunk) for chunk in chunks)]))


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_an_error_of_the_model_reaches_the_caller_at_once(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    model = tiny_chat("qwen2")

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model.llm.pipeline.model, "forward", fail)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="out of memory"):
        list(getattr(constrain(model, LABELS), way)(list(PROMPT)))
    assert time.monotonic() - start < 5


def test_a_prompt_that_fills_the_context_still_gets_a_reply() -> None:
    model = tiny_chat("qwen2", do_sample=True, max_new_tokens=200)
    model.llm.pipeline.model.config.max_position_embeddings = 300
    message = answer(model, prompt=(SystemMessage("Answer."), HumanMessage("No. " * 50)))
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] <= 300
    assert fits(answer_text(message))


def test_a_chat_model_around_a_pipeline_is_local_and_others_are_not() -> None:
    other = tiny_chat("qwen2")
    other.llm.pipeline.task = "image-text-to-text"
    assert [is_local(model) for model in (chat(), other, FakeListChatModel(responses=["hi"]))] == [True, False, False]


def test_a_pipeline_becomes_a_chat_model_with_its_own_tokenizer_and_a_chat_model_stays() -> None:
    model = as_chat_model(llm := tiny_pipeline("qwen2"))
    assert getattr(model, "tokenizer", None) is llm.pipeline.tokenizer
    assert as_chat_model(model) is model
    with pytest.raises(HefModelError, match="the model is a int; allowed are"):
        as_chat_model(3)


def test_a_model_that_is_not_local_cannot_be_constrained() -> None:
    with pytest.raises(HefModelError, match="a FakeListChatModel is no ChatHuggingFace"):
        constrain(FakeListChatModel(responses=["hi"]), LABELS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("as_given", [tiny_chat, tiny_pipeline])
async def test_a_graph_answers_with_a_local_model(as_given: Callable[..., Any], mode: Mode) -> None:
    graph = create_hef_graph(as_given("glm4", do_sample=True, max_new_tokens=24), sem=StubSem())
    run = await run_turn(graph, mode, "My cat ran away on Monday.")
    assert run.out["degraded_reason"] is None
    assert run.out["emotion"] in StubSem().labels
    assert "".join(run.tokens or [run.out["structured_response"]["response"]]) == run.out["messages"][-1].text


def test_importing_it_imports_none_of_the_libraries() -> None:
    names = ("torch", "transformers", "langchain_huggingface", "llguidance")
    code = f"import sys, hef_graph.chat.local; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
