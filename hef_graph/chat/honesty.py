"""An agent's own message, without sentences that claim to be a person.

Where the reply is ours, `release.py` checks each sentence before it is shown, by stricter rules. An agent streams its
words itself: what it keeps, and what it says in one piece, is checked here. What it did ("I could not find it") and the
numbers that its tools found stay.
"""

from langchain_core.messages import AIMessage, BaseMessage

from hef_graph.chat.listener import FIXED_REPLY
from hef_graph.chat.sentences import cut_sentences
from hef_graph.claims import claims_to_be_a_person
from hef_graph.messages import map_texts


def without_claims(message: BaseMessage) -> BaseMessage:
    """The message, if it is a model's, without such sentences; the fixed reply where nothing else was in it."""
    if not isinstance(message, AIMessage) or (honest := map_texts(message.content, _honest)) == message.content:
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
