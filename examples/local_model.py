"""A local Hugging Face model, held to the reply's schema token by token: pip install 'hef-graph[huggingface]'.

To run offline, the model is built here with random weights. It babbles, and yet every reply names one of the emotions
and has the right form. A model that makes sense is one changed line:

llm = HuggingFacePipeline.from_model_id("Qwen/Qwen3-4B-Instruct-2507", "text-generation", device=0)

python examples/local_model.py
"""

from typing import Any

from langchain_core.messages import HumanMessage
from langchain_huggingface import HuggingFacePipeline
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, pipeline, set_seed

from hef_graph import create_hef_graph

TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}<assistant>"
SAID = ["My neighbour's dog barked all night again.", "She brought me a cake to say sorry.", "It was delicious!"]


def build_tokenizer() -> Any:
    """Byte-level BPE, as most models have, that has read nothing but the three messages."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(SAID, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    wrap: Any = PreTrainedTokenizerFast
    return wrap(tokenizer_object=bpe, chat_template=TEMPLATE)


def build_babbler() -> HuggingFacePipeline:
    """A tiny Llama with random weights."""
    set_seed(0)
    tokenizer = build_tokenizer()
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2)
    model = LlamaForCausalLM(config)
    return HuggingFacePipeline(
        pipeline=pipeline("text-generation", model=model, tokenizer=tokenizer, do_sample=True, max_new_tokens=40)
    )


def main() -> None:
    """Answer three messages, and show what has form and what has no sense."""
    llm = build_babbler()
    graph = create_hef_graph(llm)
    for text in SAID:
        out = graph.invoke({"messages": [HumanMessage(text)]})
        reply = out["structured_response"]
        print(f"you › {text}")
        print(f"      {reply['emotion']}; {len(reply['response'])} characters; degraded: {out['degraded_reason']}")
        print(f"hef › {reply['response'][:60]!r}")


if __name__ == "__main__":
    main()
