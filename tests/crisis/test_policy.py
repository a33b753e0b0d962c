"""`CrisisPolicy`: each of its parts can be replaced, and the others stay."""

import json
import threading
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from typing_extensions import override

from hef_graph.crisis import CATEGORIES, DEFAULT_POLICY, CrisisEvent, CrisisPolicy, CrisisSignal, Resource
from hef_graph.crisis.signals import Category
from hef_graph.errors import HefInputError

SAID: Final = [HumanMessage("I want to kill myself.")]
SIGNAL: Final = CrisisSignal("abuse", evidence="He hits me.")
EVENT: Final = CrisisEvent("abuse", "current", "self", "GB")


class TestDetecting:
    def test_finds_a_signal_in_the_newest_message(self) -> None:
        found = CrisisPolicy().detect([HumanMessage("Hello."), AIMessage("Hi!"), *SAID])
        assert found is not None
        assert found.evidence == SAID[0].text

    def test_finds_none_in_what_was_said_before(self) -> None:
        assert CrisisPolicy().detect([*SAID, AIMessage("I hear you."), HumanMessage("Thank you.")]) is None

    @pytest.mark.parametrize("messages", [[], [HumanMessage(" ")], [HumanMessage("Hi."), AIMessage("Hello.")]])
    def test_needs_words_of_the_user(self, messages: list[BaseMessage]) -> None:
        with pytest.raises(HefInputError):
            CrisisPolicy().detect(messages)

    def test_can_be_replaced(self) -> None:
        class Ours(CrisisPolicy):
            @override
            def detect(self, messages: Sequence[BaseMessage]) -> CrisisSignal | None:
                return CrisisSignal("self_harm") if "umbrella" in messages[-1].text else super().detect(messages)

        assert Ours().detect([HumanMessage("My umbrella.")]) == CrisisSignal("self_harm")
        assert Ours().detect(SAID) == DEFAULT_POLICY.detect(SAID)
        assert "999" in Ours().respond(SIGNAL, "GB")


class TestHelpLines:
    class Ours(CrisisPolicy):
        @override
        def resources(self, locale: str | None, category: Category | None = None) -> tuple[Resource, ...]:
            return (Resource("Campus counselling", call="555-0100"), *super().resources(locale, category)[:2])

    def test_are_of_the_shipped_file(self) -> None:
        assert CrisisPolicy().resources("GB", "abuse") == DEFAULT_POLICY.directory.find("GB", "abuse")

    def test_can_be_replaced_and_are_then_what_is_said(self) -> None:
        said = self.Ours().respond(SIGNAL, "GB")
        assert "- Campus counselling: call 555-0100\n" in said
        assert "Refuge" in said

    def test_can_come_from_a_file_of_ones_own(self, tmp_path: Path) -> None:
        country = {"emergency": {"number": "555"}, "services": []}
        written = {"countries": {"GB": country}, "default": {"text": "Ask us.", "directories": []}}
        (tmp_path / "ours.json").write_text(json.dumps(written), "utf-8")
        policy = CrisisPolicy(resources_file=tmp_path / "ours.json")
        assert "call 555" in policy.respond(SIGNAL, "GB")
        assert "Ask us." in policy.respond(SIGNAL, "US")

    def test_of_a_file_that_is_missing_are_refused_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(HefInputError):
            CrisisPolicy(resources_file=tmp_path / "gone.json")


class TestResponding:
    @pytest.mark.parametrize("category", CATEGORIES)
    def test_shows_the_countrys_lines(self, category: Category) -> None:
        assert "999" in CrisisPolicy().respond(CrisisSignal(category), "en-GB")

    def test_without_a_country_names_no_number(self) -> None:
        said = CrisisPolicy().respond(SIGNAL)
        assert "your local emergency number" in said
        assert not any(letter.isdigit() for letter in said)

    @pytest.mark.parametrize(
        ("evidence", "said"),
        [("Mein Mann schlägt mich", "Danke"), ("Mi marido me pega", "Gracias"), ("我老公打我", "谢谢"), ("", "Thank")],
    )
    def test_speaks_the_users_language(self, evidence: str, said: str) -> None:
        assert CrisisPolicy().respond(CrisisSignal("abuse", evidence=evidence), "GB").startswith(said)

    def test_repeats_nothing_that_the_user_said(self) -> None:
        said = CrisisPolicy().respond(CrisisSignal("abuse", evidence="the zebra hits me, call 12345"), "GB")
        assert "zebra" not in said
        assert "12345" not in said

    def test_can_be_replaced(self) -> None:
        class Ours(CrisisPolicy):
            @override
            def respond(self, signal: CrisisSignal, locale: str | None = None) -> str:
                return f"We are here. {self.resources(locale, signal.category)[0].name}"

        assert Ours().respond(SIGNAL, "GB").startswith("We are here. National Domestic Abuse Helpline")
        assert Ours().detect(SAID) is not None


class TestEvents:
    def test_are_counted_by_kind(self) -> None:
        policy = CrisisPolicy()
        for event in (EVENT, EVENT, CrisisEvent("abuse", "past", "self", "GB")):
            policy.on_event(event)
        assert policy.counts == {EVENT: 2, CrisisEvent("abuse", "past", "self", "GB"): 1}

    def test_are_told_to_who_asked(self) -> None:
        told: list[CrisisEvent] = []
        policy = CrisisPolicy(on_event=told.append)
        policy.on_event(EVENT)
        assert (told, policy.counts) == ([EVENT], {EVENT: 1})

    def test_can_be_heard_by_replacing_the_method(self) -> None:
        told: list[CrisisEvent] = []

        class Ours(CrisisPolicy):
            @override
            def on_event(self, event: CrisisEvent) -> None:
                super().on_event(event)
                told.append(event)

        policy = Ours()
        policy.on_event(EVENT)
        assert (told, policy.counts) == ([EVENT], {EVENT: 1})

    def test_have_no_place_for_words_or_names(self) -> None:
        assert [field.name for field in fields(CrisisEvent)] == ["category", "time", "who", "locale"]

    def test_of_many_threads_are_all_counted(self) -> None:
        policy = CrisisPolicy()

        def tell() -> None:
            for _ in range(500):
                policy.on_event(EVENT)

        workers = [threading.Thread(target=tell) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert policy.counts == {EVENT: 4000}

    def test_counts_are_a_copy(self) -> None:
        policy = CrisisPolicy()
        policy.counts[EVENT] = 9
        assert policy.counts == {}


def test_nobody_is_called_unless_asked_for() -> None:
    assert (DEFAULT_POLICY.hand_over, CrisisPolicy(hand_over=True).hand_over) == (False, True)
