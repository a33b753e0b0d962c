"""`hef chat` and `hef reply`: the graph in the terminal."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableConfig
from rich.console import Console
from rich.text import Text

from hef_graph.cli.display import draw_emotions, make_console, mark_words
from hef_graph.cli.garbage import made_to_stay
from hef_graph.cli.history import delete_conversation, open_history
from hef_graph.cli.terminal import printable_text, read_lines, read_text
from hef_graph.crisis.detector import load_detector
from hef_graph.errors import HefInputError
from hef_graph.graph import HefContext, HefGraph, HefInput, create_hef_graph
from hef_graph.graph.nodes import ANALYZE_EMOTION, CHECK_CRISIS, RESPOND
from hef_graph.sem import load_sem
from hef_graph.types import SmallEmpatheticModel

LISTENER_LABEL: Final = "the embedded listener (small, English only; --model takes any other)"
LEAVE: Final = frozenset({"/quit", "/exit", "/q"})
SHOWN_KEYS: Final = (
    "structured_response",
    "emotion",
    "emotion_candidates",
    "cause_words",
    "emotion_history",
    "degraded_reason",
    "crisis",
    "disclosure",
)


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation in the terminal."""

    graph: HefGraph
    console: Console
    config: RunnableConfig
    context: HefContext

    def take_turn(self, text: str) -> None:
        """Show what is seen in the text, then the reply as it comes."""
        modes: Any = ["updates", "messages"]
        begun = False
        for mode, event in self.graph.stream(_as_input(text), self.config, context=self.context, stream_mode=modes):
            if mode == "updates":
                self._show_update(text, event)
            elif isinstance(event[0], AIMessageChunk) and (words := str(event[0].text)):
                self.console.print("" if begun else Text("hef › ", style="bold green"), end="")
                self.console.print(Text(words), end="")
                begun = True

    def _show_update(self, text: str, update: Any) -> None:
        if (found := update.get(CHECK_CRISIS)) and found["disclosure"]:
            self.console.print(Text(found["disclosure"], style="dim"))
        if found and found["crisis"]:
            self.console.print(Text.assemble(("hef › ", "bold green"), found["structured_response"]["response"]))
            self.console.print()
        if found := update.get(ANALYZE_EMOTION):
            self.console.print(mark_words(text, found["cause_words"], self.console))
            self.console.print(draw_emotions(found["emotion_candidates"]))
        if found := update.get(RESPOND):
            reason = f"; {found['degraded_reason']}" if found["degraded_reason"] else ""
            self.console.print(Text(f"  ({found['emotion']}{reason})", style="dim"))
            self.console.print()


def run_reply(arguments: argparse.Namespace) -> int:
    """Answer one message."""
    text = read_text(arguments.text)
    graph = _build_graph(arguments)
    if arguments.json:
        out = graph.invoke(_as_input(text), context=_context(arguments))
        print(json.dumps({key: out[key] for key in SHOWN_KEYS}, ensure_ascii=False, indent=1))
        return 0
    chat = Chat(graph, make_console(), {}, _context(arguments))
    _say_who_answers(chat.console, arguments)
    chat.console.print(Text.assemble(("you › ", "bold"), text))
    chat.take_turn(text)
    return 0


def run_chat(arguments: argparse.Namespace) -> int:
    """Talk until the user leaves; with standard input not a terminal, one turn a line."""
    if arguments.forget is not None:
        print(delete_conversation(arguments.forget))
        return 0
    console = make_console()
    config: RunnableConfig = {"configurable": {"thread_id": arguments.thread}}
    with open_history() as history:
        chat = Chat(_build_graph(arguments, history), console, config, _context(arguments))
        _say_who_answers(console, arguments)
        _say_where_we_are(chat, arguments.thread)
        return _talk(chat)


def _talk(chat: Chat) -> int:
    taken = 0
    for text in _typed(chat.console) if sys.stdin.isatty() else _piped(chat.console):
        try:
            chat.take_turn(text)
        except KeyboardInterrupt:
            chat.console.print("\n(stopped; say something else, or /quit)")
        taken += 1
    if not taken and not sys.stdin.isatty():
        raise HefInputError("the message is empty; write what you want to say")
    return 0


def _typed(console: Console) -> Iterator[str]:
    """Lines typed at the prompt; Ctrl-C drops a line, Ctrl-D or /quit ends."""
    import readline  # noqa: F401, PLC0415  gives the prompt its editing keys

    while True:
        try:
            text = printable_text(input("you › ")).strip()
        except KeyboardInterrupt:
            console.print("\n(Ctrl-D or /quit leaves; the conversation is kept)")
            continue
        except EOFError:
            console.print()
            return
        if text in LEAVE:
            return
        if text:
            yield text


def _piped(console: Console) -> Iterator[str]:
    """Lines of standard input, shown as if typed."""
    for line in read_lines():
        if text := line.strip():
            console.print(Text.assemble(("you › ", "bold"), text))
            yield text


def _build_graph(arguments: argparse.Namespace, history: Any = None) -> HefGraph:
    with made_to_stay():
        load_detector()  # while the SEM is loaded beside
        sem = _reader(arguments)
        len(sem.labels)  # a SEM that cannot be loaded is an error here; `create_hef_graph` would go on without it
        return create_hef_graph(arguments.model, sem=sem, checkpointer=history)


def _reader(arguments: argparse.Namespace) -> SmallEmpatheticModel:
    """The SEM that was started for this command, else the one that it names."""
    started: SmallEmpatheticModel | None = arguments.reader
    return started or load_sem(arguments.sem)


def _context(arguments: argparse.Namespace) -> HefContext:
    return HefContext(k2=arguments.k2, locale=arguments.locale)


def _as_input(text: str) -> HefInput:
    return {"messages": [HumanMessage(text)]}


def _say_who_answers(console: Console, arguments: argparse.Namespace) -> None:
    answering = arguments.model or LISTENER_LABEL
    console.print(Text(f"reads: {_reader(arguments).name} · answers: {answering}", style="dim"))


def _say_where_we_are(chat: Chat, thread: str) -> None:
    said = len(chat.graph.get_state(chat.config).values.get("messages", []))
    state = f"resumed, {said} messages" if said else "new"
    line = f"conversation {thread!r} ({state}) · /quit or Ctrl-D leaves · hef chat --forget {thread} deletes it"
    chat.console.print(Text(line, style="dim"))
