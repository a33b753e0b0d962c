"""An agent's own message, without sentences that claim to be a person.

Where the reply is ours, `release.py` checks each sentence before it is shown, by stricter rules. An agent streams its
words itself: what it keeps, and what it says in one piece, is checked here. What it did ("I could not find it") and the
numbers that its tools found stay.
"""

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from hef_graph.chat.listener import FIXED_REPLY
from hef_graph.chat.sentences import cut_sentences
from hef_graph.claims import claims_to_be_a_person


def without_claims(message: BaseMessage) -> BaseMessage:
    """The message, if it is a model's, without such sentences; the fixed reply where nothing else was in it."""
    content: Any = message.content
    if not isinstance(message, AIMessage) or not isinstance(content, str | list):
        return message
    honest = _honest(content) if isinstance(content, str) else [_honest_block(block) for block in content]
    if honest == content:
        return message
    changed = message.model_copy(update={"content": honest})
    if changed.text.strip() or message.tool_calls:
        return changed
    return changed.model_copy(update={"content": FIXED_REPLY})


def _honest(text: str) -> str:
    """The text without such sentences.

    >>> _honest("Oh no. As a mother, I know. What happened?")
    'Oh no. What happened?'
    """
    sentences = list(cut_sentences(text, ended=True))
    kept = [sentence for sentence in sentences if not claims_to_be_a_person(sentence)]
    return text if len(kept) == len(sentences) else "".join(kept).rstrip()


def _honest_block(block: Any) -> Any:
    if isinstance(block, str):
        return _honest(block)
    written = isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    return {**block, "text": _honest(block["text"])} if written else block
