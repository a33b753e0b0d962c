"""Tiny random-weight language models of four families, built offline, tokenizers and all, as LangChain's wrappers.

They babble; what their replies are worth is their form alone. How many of 100 fit the reply's schema, by family:

python -m tests.tiny_llms
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    Glm4Config,
    Glm4ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    pipeline,
    set_seed,
)

from hef_graph.chat.local import constrain
from hef_graph.emotions import EMOTIONS
from hef_graph.errors import HefReplyError
from hef_graph.reply import parse_reply

VOCABULARY: Final = 700
UNKNOWN: Final = "<unk>"

SENTENCES: Final = (
    "I am so sorry to hear that; it must have been a long and lonely week for you.",
    "That is wonderful news! You worked hard for it, and your parents must be proud.",
    "What happened after the doctor called? You can take your time, I am listening.",
    '"You never told me," she said, and closed the door. I still think about it.',
    'The answer is one JSON object: {"emotion": "hopeful", "response": "Tell me more."}',
    "Ça me touche beaucoup, j’étais déjà très inquiète hier. Größe zählt nicht, schöne Grüße!",
    "今天我很难过。我的猫走丢了。 Я очень скучаю по бабушке. 😀 😢 🎉 👍🏽",
)
"""What the tokenizers learn their merges from."""

QWEN_WORDS: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen and GLM cut a text before merging."""

LLAMA_TEMPLATE: Final = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] | trim }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
MISTRAL_TEMPLATE: Final = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% else %} {{ m['content'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
"""Refuses a system role and two turns of one side in a row, as Mistral's first templates do."""
QWEN_TEMPLATE: Final = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
GLM_TEMPLATE: Final = (
    "[gMASK]<sop>{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)

PROMPT: Final[tuple[BaseMessage, ...]] = (
    SystemMessage("Settle the emotion, then answer with one JSON object."),
    HumanMessage("My cat ran away on Monday and the flat is so quiet."),
)


@dataclass(frozen=True, slots=True)
class Family:
    """What tells one kind of model from another."""

    model: Callable[[Any], Any]
    config: Callable[..., Any]
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    padding: int = 0
    """Logits beyond the tokenizer's vocabulary."""


def llama_tokenizer(template: str | None = LLAMA_TEMPLATE) -> PreTrainedTokenizerFast:
    """BPE over SentencePiece's `▁`, unknown characters as bytes, a leading space put in front of every text."""
    learner = Tokenizer(models.BPE(unk_token=UNKNOWN))
    learner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer = Tokenizer(_learn_with_bytes(learner))
    tokenizer.normalizer = learner.normalizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _finish_llama(tokenizer, template)


def mistral_tokenizer(template: str | None = MISTRAL_TEMPLATE) -> PreTrainedTokenizerFast:
    """The same with the newer Metaspace step in place of the normalizer."""
    learner = Tokenizer(models.BPE(unk_token=UNKNOWN))
    learner.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    tokenizer = Tokenizer(_learn_with_bytes(learner))
    tokenizer.pre_tokenizer = learner.pre_tokenizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _finish_llama(tokenizer, template)


def qwen_tokenizer(template: str | None = QWEN_TEMPLATE) -> PreTrainedTokenizerFast:
    """Byte-level BPE; its `<think>` is an added token that is not special, as in Qwen3."""
    tokenizer = _byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    return _wrap(tokenizer, template, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})


def glm_tokenizer(template: str | None = GLM_TEMPLATE) -> PreTrainedTokenizerFast:
    """Byte-level BPE whose prompt begins with `[gMASK]<sop>`."""
    roles = ["<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"]
    tokenizer = _byte_level(["<|endoftext|>", "[MASK]", "[gMASK]", "<sop>", *roles])
    return _wrap(tokenizer, template, {"eos_token": "<|user|>", "pad_token": "<|endoftext|>"})


FAMILIES: Final = {
    "llama": Family(LlamaForCausalLM, LlamaConfig, llama_tokenizer),
    "mistral": Family(MistralForCausalLM, MistralConfig, mistral_tokenizer),
    "qwen2": Family(Qwen2ForCausalLM, Qwen2Config, qwen_tokenizer, padding=37),
    "qwen3": Family(Qwen3ForCausalLM, Qwen3Config, qwen_tokenizer, padding=64),
    "glm4": Family(Glm4ForCausalLM, Glm4Config, glm_tokenizer, padding=5),
}


def tiny_pipeline(
    family: str, *, tokenizer: PreTrainedTokenizerFast | None = None, **settings: Any
) -> HuggingFacePipeline:
    """A pipeline over random weights; `settings` are those of `transformers.pipeline`."""
    kind = FAMILIES[family]
    tokenizer = tokenizer or kind.tokenizer()
    set_seed(0)
    model = kind.model(_config(kind, len(tokenizer) + kind.padding, tokenizer)).eval()
    return HuggingFacePipeline(
        pipeline=pipeline("text-generation", model=model, tokenizer=tokenizer, device=-1, **settings)
    )


def tiny_chat(family: str, *, tokenizer: PreTrainedTokenizerFast | None = None, **settings: Any) -> ChatHuggingFace:
    """The same as LangChain's chat model."""
    llm = tiny_pipeline(family, tokenizer=tokenizer, **settings)
    return ChatHuggingFace(llm=llm, tokenizer=llm.pipeline.tokenizer, model_id="tiny")


def tiny_endless() -> ChatHuggingFace:
    """A model that would write for hours: it may neither close its response nor end a sentence in it."""
    tokenizer = qwen_tokenizer()
    marks = [token for token in range(len(tokenizer)) if set(str(tokenizer.decode([token]))) & set('"\\.!?。')]
    return tiny_chat("qwen2", tokenizer=tokenizer, do_sample=True, max_new_tokens=10**6, suppress_tokens=marks)


def babble(family: str, count: int, *, max_new_tokens: int = 48) -> Iterator[str]:
    """So many replies, streamed and whole in turn, each from a seed of its own."""
    model = constrain(tiny_chat(family, do_sample=True, max_new_tokens=max_new_tokens), EMOTIONS)
    for seed in range(count):
        set_seed(seed)
        if seed % 2:
            yield "".join(str(chunk.text) for chunk in model.stream(list(PROMPT)))
        else:
            yield str(model.invoke(list(PROMPT)).text)


def is_valid(text: str) -> bool:
    """Whether a reply fits the schema as written, nothing mended."""
    try:
        return parse_reply(text, EMOTIONS).repair is None
    except HefReplyError:
        return False


def _config(kind: Family, vocabulary: int, tokenizer: PreTrainedTokenizerFast) -> Any:
    return kind.config(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _learn_with_bytes(learner: Tokenizer) -> models.BPE:
    """The merges that `learner` finds, after the special tokens and the 256 bytes, in SentencePiece's order."""
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY - 259, special_tokens=[UNKNOWN], show_progress=False)
    learner.train_from_iterator(SENTENCES, trainer)
    learned = json.loads(learner.to_str())["model"]
    first = [UNKNOWN, "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {token: index for index, token in enumerate([*first, *sorted(set(learned["vocab"]) - set(first))])}
    merges = [tuple(pair) for pair in learned["merges"]]
    return models.BPE(vocabulary, merges, unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True)


def _finish_llama(tokenizer: Tokenizer, template: str | None) -> PreTrainedTokenizerFast:
    tokenizer.add_special_tokens([UNKNOWN, "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": UNKNOWN, "pad_token": UNKNOWN}
    return _wrap(tokenizer, template, special)


def _wrap(tokenizer: Tokenizer, template: str | None, special: dict[str, str]) -> PreTrainedTokenizerFast:
    kind: Any = PreTrainedTokenizerFast
    wrapped: PreTrainedTokenizerFast = kind(tokenizer_object=tokenizer, chat_template=template, **special)
    return wrapped


def _byte_level(special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(QWEN_WORDS), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_special_tokens(special)
    return tokenizer


def main() -> None:
    """Print, by family, how many of 100 replies fit the schema, and the seconds they took on one core."""
    torch.set_num_threads(1)
    for family in FAMILIES:
        start = time.monotonic()
        valid = sum(is_valid(text) for text in babble(family, 100))
        sys.stdout.write(f"{family:<8} {valid} of 100 valid, {time.monotonic() - start:.1f} s\n")


if __name__ == "__main__":
    main()
