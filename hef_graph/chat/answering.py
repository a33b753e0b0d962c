"""Which chat model answers a turn, and with which prompt: shared by the graph and the chat model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult

from hef_graph.chat.crisis import FixedAnswer
from hef_graph.chat.deadline import Deadline
from hef_graph.chat.listener import EmbeddedListener
from hef_graph.chat.methods import Method
from hef_graph.chat.reply_model import ReplyModel
from hef_graph.chat.tracing import foresee_run, is_heard, name_run
from hef_graph.instruction import Instruction
from hef_graph.turn import Evidence, compose_prompt, turns_as_messages
from hef_graph.types import Turn

Answering: TypeAlias = EmbeddedListener | ReplyModel | FixedAnswer

LISTENER_TIME: Final = 2.0
LISTENER_SHARE: Final = 0.1
"""So many seconds, or this share of the turn's time if that is less, are kept for the rung below the model."""


@dataclass(frozen=True, slots=True)
class Question:
    """One turn that is read and waits for its answer."""

    turns: Sequence[Turn]
    evidence: Evidence
    instruction: Instruction
    labels: tuple[str, ...]
    """All emotions that may be named."""
    since_crisis: int | None = None
    """Turns since the last crisis signal of the conversation; None if there was none."""


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How to ask."""

    deadline: Deadline
    """The whole turn's."""
    method: Method | None = None
    """How the model is asked for the reply's schema; None chooses by the model's class."""
    strict: bool = False
    """Raise a failing model's `HefReplyError` instead of taking the rung below."""
    on_emotion: Callable[[str], None] | None = None
    """Told the emotion that a streamed answer settles on, before its first word."""


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """A model that answers with the response alone, and what to send it."""

    model: Answering
    prompt: list[BaseMessage]

    def invoke(self) -> AIMessage:
        """The answer; the inner model's run is a child of this one's in traces."""
        if not is_heard():
            return _message(self.model._generate(self.prompt))  # noqa: SLF001  a run that nobody hears of needs no opening
        named = name_run(None)
        return self._running(foresee_run(CallbackManagerForLLMRun, named)).invoke(self.prompt, named)

    async def ainvoke(self) -> AIMessage:
        """`invoke`, awaited."""
        if not is_heard():
            return _message(await self.model._agenerate(self.prompt))  # noqa: SLF001  as above
        named = name_run(None)
        return await self._running(foresee_run(AsyncCallbackManagerForLLMRun, named)).ainvoke(self.prompt, named)

    def _running(self, run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun) -> Answering:
        """LangChain does not tell a model of its run where an `invoke` streams."""
        return self.model.model_copy(update={"run": run}) if isinstance(self.model, ReplyModel) else self.model


def _message(result: ChatResult) -> AIMessage:
    message = result.generations[0].message
    assert isinstance(message, AIMessage), "our models answer with nothing else"  # noqa: S101
    return message


def prepare_answer(
    model: BaseChatModel, listener: EmbeddedListener, question: Question, options: AnswerOptions
) -> PreparedAnswer:
    """Wrap `model` for one turn; the embedded listener, chosen or as the rung below, gets the turn's evidence."""
    told = {"evidence": question.evidence, "since_crisis": question.since_crisis, "deadline": options.deadline}
    informed = listener.model_copy(update=told)
    if isinstance(model, EmbeddedListener):
        return PreparedAnswer(informed, turns_as_messages(question.turns))
    wrapped = ReplyModel(
        inner=model,
        labels=question.labels,
        listener=informed,
        turns=question.turns,
        likeliest=informed.guess_emotion(question.turns),
        method=options.method,
        deadline=options.deadline,
        reserve=min(LISTENER_TIME, LISTENER_SHARE * options.deadline.remaining),
        degraded=question.evidence.failure,
        strict=options.strict,
        on_emotion=options.on_emotion,
    )
    return PreparedAnswer(wrapped, compose_prompt(question.turns, question.instruction))
