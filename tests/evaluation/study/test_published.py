from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.answers import Answer
from hef_graph.evaluation.study.cases import Case
from hef_graph.evaluation.study.published import SCORED, Decoding, PublishedAnswers, PublishedFile, read_published
from hef_graph.evaluation.study.scores import score
from tests.evaluation.study.asked import CASES, many_cases
from tests.fakes import LABELS

BARN = "['somebody stole my bicycle from the barn .']"
QUIZ = "['we won the pub quiz !']"
LATER = "['we won the pub quiz !', 'well done .', 'it was a party until two .']"
RULE = "-" * 70

MOEL_RELEASED = f"""Emotion: angry
Context: {BARN}
trs: that is great !
trs+multitask: oh .
MOE: i hate thieves .
MOE+oracle: how rude .
ref: how mean !

Emotion: joyful
Context: {QUIZ}
trs: oh no .
MOE: congratulations !
ref: well done , all of you .
MOE+oracle: yes !
"""

MOEL_TEST = f"""testing generation:
emotion:angry
Context:{BARN}
Beam: how rude .
Greedy:i hate thieves .
Ref:how mean !
{RULE}
{RULE}
emotion:joyful
Context:{QUIZ}
Beam: yes !
Greedy:congratulations !
Ref:well done , all of you .
{RULE}
{RULE}
EVAL\tLoss\tPPL\tAccuracy\tBleu_g\tBleu_b
"""

MIME = f"""### COMMENT: If using vader, score > 0 will be treated as positive emotion ###
EVAL\tLoss\tPPL\tAccuracy\tBleu_g\tBleu_b\tBleu_t
test\t3.6000\t36.6000\t0.3000\t2.00\t3.00\t1.00
emotion:angry\tvader-score: -0.5\tpredicted_emotion: sad
Context:{BARN}
Topk:who was it ?
Beam: how rude .
Greedy:i hate thieves .
Ref:how mean !
{RULE}
emotion:joyful\tvader-score: 0.7\tpredicted_emotion: joyful
Context:{QUIZ}
Topk:what quiz ?
Beam: yes !
Greedy:congratulations !
Ref:well done , all of you .
{RULE}
"""

EMPDG = f"""emotion:angry \nContext:{BARN} \nEmotion_context:['stole', 'barn'] \nPred:i hate thieves .  \n\
Ref:how mean ! \nemotion:joyful \nContext:{QUIZ} \nEmotion_context:['won'] \nFeedback:['yes', '!'] \n\
Pred:congratulations !  \nRef:well done , all of you . \n"""

KEMP = f"""Emotion:angry \nContext:{BARN} \nConcept:[defaultdict(<class 'list'>, {{'barn': ['farm']}})] \n\
Pred:i hate thieves .  \nRef:how mean ! \nEmotion:joyful \nContext:{QUIZ} \nConcept:[] \n\
Pred:congratulations !  \nRef:well done , all of you . \n"""

CEM = f"""EVAL\tLoss\tPPL\tAccuracy
3.5000\t33.1000\t1.9000\t0.4100
Emotion: angry
Pred Emotions: sad, angry, afraid
x_intent:['to steal', 'none']
x_react:['sad']
Context:{BARN}
Beam:how rude .
Greedy:i hate thieves .
Ref:how mean !
{RULE}
Emotion: joyful
Pred Emotions: joyful, grateful, sad
x_intent:['to win']
Context:{QUIZ}
Beam:yes !
Greedy:congratulations !
Ref:well done , all of you .
{RULE}
"""

CASE = "".join(line for line in CEM.splitlines(keepends=True) if not line.startswith("Pred Emotions"))
ESCM = "".join(line for line in CEM.splitlines(keepends=True) if not line.startswith("Beam"))
PLAIN = f"Context: {BARN}\nResponse: I hate thieves.\n{RULE}\nContext: {QUIZ}\nResponse: Congratulations!\n"

FILES = [
    ("moel", MOEL_RELEASED),
    ("moel", MOEL_TEST),
    ("mime", MIME),
    ("empdg", EMPDG),
    ("kemp", KEMP),
    ("cem", CEM),
    ("case", CASE),
    ("escm", ESCM),
    ("escm_tt", ESCM),
    ("plain", PLAIN),
]
"""Each system's form, with the same two cases."""


def read(folder: Path, system: str, text: str, cases: tuple[Case, ...] = CASES, **more: Decoding) -> PublishedAnswers:
    (folder / "out.txt").write_text(text)
    return read_published(PublishedFile(system, folder / "out.txt", **more), cases, labels=LABELS)


def plain(*blocks: str) -> str:
    return "".join(f"{block}\n{RULE}\n" for block in blocks)


@pytest.mark.parametrize(("system", "text"), FILES)
def test_of_each_system_the_scored_response_is_read(system: str, text: str, tmp_path: Path) -> None:
    found = read(tmp_path, system, text)
    responses = {answer.case_id: answer.response.lower().replace(" ", "") for answer in found.answers}
    assert responses == {"barn#1": "ihatethieves.", "quiz#1": "congratulations!"}
    assert (found.match, found.unmatched, found.missing) == ("context", 0, ("quiz#3", "attic#1"))


def test_every_known_system_has_a_made_up_file() -> None:
    assert {system for system, _ in FILES} == set(SCORED)


@pytest.mark.parametrize(("system", "text"), [file for file in FILES if file[0] in {"moel", "empdg", "kemp", "case"}])
def test_the_gold_label_is_never_taken_for_a_prediction(system: str, text: str, tmp_path: Path) -> None:
    found = read(tmp_path, system, text)
    assert all(answer == Answer(answer.case_id, None, response=answer.response) for answer in found.answers)
    assert "no emotion is named" in found.show()


def test_mimes_one_emotion_is_its_answer(tmp_path: Path) -> None:
    first, second = read(tmp_path, "mime", MIME).answers
    assert (first.emotion, first.written_emotion, first.ranked, second.emotion) == ("sad", "sad", (), "joyful")


@pytest.mark.parametrize("system", ["cem", "escm"])
def test_of_three_emotions_the_first_counts_and_all_are_ranked(system: str, tmp_path: Path) -> None:
    [answer, _] = read(tmp_path, system, dict(FILES)[system]).answers
    assert (answer.emotion, answer.written_emotion) == ("sad", "sad")
    assert answer.ranked == ("sad", "angry", "afraid")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("sad and angry", Answer("barn#1", None, "sad and angry", "ok")),
        ("sad, sad", Answer("barn#1", "sad", "sad", "ok")),
        ("Sad, gleeful", Answer("barn#1", "sad", "Sad", "ok", ("sad", "gleeful"))),
        ("gleeful, sad", Answer("barn#1", None, "gleeful", "ok", ("gleeful", "sad"))),
        ("['sad', 'angry']", Answer("barn#1", "sad", "sad", "ok", ("sad", "angry"))),
        ("sad=0.2, angry=0.7", Answer("barn#1", "angry", "angry", "ok", ("angry", "sad"), 0.7)),
        ("", Answer("barn#1", None, "", "ok")),
    ],
)
def test_a_line_that_names_several_emotions_is_survived(written: str, expected: Answer, tmp_path: Path) -> None:
    text = f"Pred Emotions: {written}\nContext: {BARN}\nGreedy:ok"
    assert read(tmp_path, "plain", text).answers == [expected]


@pytest.mark.parametrize(("decoding", "response"), [("greedy", "i hate thieves ."), ("beam", "how rude .")])
def test_another_way_of_decoding_can_be_asked_for(decoding: Decoding, response: str, tmp_path: Path) -> None:
    assert read(tmp_path, "cem", CEM, decoding=decoding).answers[0].response == response
    assert read(tmp_path, "mime", MIME, decoding="topk").answers[0].response == "who was it ?"


def test_an_empty_response_stays_empty(tmp_path: Path) -> None:
    text = plain(f"Context:{BARN}\nGreedy:\nBeam: []", f"Context:{QUIZ}\nGreedy:yes\nBeam: no")
    assert [answer.response for answer in read(tmp_path, "empdg", text).answers] == ["", "yes"]
    assert [answer.response for answer in read(tmp_path, "empdg", text, decoding="beam").answers] == ["", "no"]


def test_a_response_that_looks_like_a_field_is_kept_whole(tmp_path: Path) -> None:
    text = plain(f"Context:{BARN}\nGreedy:Ref: well , Context: is all .\nRef:how mean !")
    assert read(tmp_path, "cem", text).answers[0].response == "Ref: well , Context: is all ."


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_bytes(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    (tmp_path / "same.txt").write_text(PLAIN)
    first, second = (read_published(PublishedFile("plain", tmp_path / f), CASES) for f in ("out.txt", "same.txt"))
    assert first == second


def test_printed_answers_without_a_case_are_counted(tmp_path: Path) -> None:
    text = plain(f"Context:{QUIZ}\nGreedy:yes", "Context:['my other kite flew .']\nGreedy:no")
    found = read(tmp_path, "cem", text)
    assert (len(found.answers), found.unmatched, len(found.missing)) == (1, 1, 3)
    assert found.show() == (
        "1 of 4 cases answered, matched by context; 1 printed answers without a case; no emotion is named"
    )


def test_answers_come_in_the_order_of_the_cases(tmp_path: Path) -> None:
    text = plain(f"Context:{LATER}\nGreedy:third", f"Context:{QUIZ}\nGreedy:second", f"Context:{BARN}\nGreedy:first")
    assert [answer.response for answer in read(tmp_path, "cem", text).answers] == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("blocks", "responses", "unmatched"), [(1, ["0", "0", "0"], 0), (2, ["0", "1", "1"], 0), (4, ["0", "1", "2"], 1)]
)
def test_cases_of_one_context_share_its_blocks(
    blocks: int, responses: list[str], unmatched: int, tmp_path: Path
) -> None:
    cases = tuple(replace(CASES[0], case_id=f"barn{n}#1") for n in range(3))
    found = read(tmp_path, "cem", plain(*(f"Context:{BARN}\nGreedy:{n}" for n in range(blocks))), cases)
    assert [answer.response for answer in found.answers] == responses
    assert found.unmatched == unmatched


def test_without_contexts_the_order_counts(tmp_path: Path) -> None:
    found = read(tmp_path, "plain", plain(*(f"Response: {n}\nRef: {case.reference}" for n, case in enumerate(CASES))))
    assert (found.match, [answer.response for answer in found.answers]) == ("order", ["0", "1", "2", "3"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no case; expected blocks of lines with Context: and Greedy:$"),
        ("Loss: 3.5\n", "holds no case"),
        (plain("Greedy:oh"), "prints no Context:, and holds 1 answers for 4 cases"),
        (plain(*["Greedy:oh\nRef:of another"] * 4), "prints no Context:, and 4 of 4 Ref: are not the case's own"),
        (plain("Context:['a kite']\nGreedy:oh"), "none of the 1 contexts in .*out.txt is that of a case"),
        (plain(f"\nContext:{BARN}\nRef:x"), r"out.txt, line 2 \(case 1\) has no Greedy:, where cem has its response"),
        (plain("Context:my kite\nGreedy:oh"), r"line 1 \(case 1\) has no Context: that is a list of texts"),
        (plain(f"Context:{BARN}\nGreedy:oh", "Greedy:oh"), r"line 4 \(case 2\): a Context: in some cases only"),
        (plain(f"Pred Emotions:sad=x\nContext:{BARN}\nGreedy:oh"), r"line 1 \(case 1\): an entry is not name=number"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=problem) as caught:
        read(tmp_path, "cem", text)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"cannot read .*none\.txt"):
        read_published(PublishedFile("mime", tmp_path / "none.txt"), CASES)


def test_a_system_stands_before_its_file() -> None:
    assert PublishedFile.parse("mime:some/output.txt") == PublishedFile("mime", Path("some/output.txt"))
    assert PublishedFile.parse("mime/beam:output.txt") == PublishedFile("mime", Path("output.txt"), "beam")
    assert PublishedFile.parse("answers.jsonl") is PublishedFile.parse("C:answers.jsonl") is None


def test_an_unknown_way_of_decoding_is_named() -> None:
    with pytest.raises(HefInputError, match="decoding is 'sampled'; allowed are greedy, beam, topk"):
        PublishedFile.parse("mime/sampled:x.txt")


def test_an_unknown_system_is_named_with_the_known_ones() -> None:
    with pytest.raises(HefInputError, match="system is 'gpt'; allowed are moel, mime, empdg, kemp, cem"):
        PublishedFile("gpt", Path("x.txt"))


def test_responses_are_scored_as_everybodys_are(tmp_path: Path) -> None:
    scores = score(CASES, read(tmp_path, "mime", MIME).answers, LABELS, seed=0)
    assert (scores.missing, scores.response_coverage.value, scores.accuracy.value) == (2, 50.0, 25.0)
    assert scores.distinct_1 == pytest.approx(100.0)  # i hate thieves . congratulations !


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(range(6)),
    kept=st.integers(1, 6),
    responses=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30), min_size=6, max_size=6),
)
def test_every_printed_response_reaches_its_case_in_any_order(
    order: list[int], kept: int, responses: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cases, path = many_cases(6), tmp_path_factory.mktemp("published") / "out.txt"
    printed = [f"Emotion: sad\nContext:{[cases[n].turns[0].lower()]}\nGreedy:{responses[n]}" for n in order[:kept]]
    path.write_text(plain(*printed), "utf-8")
    found = read_published(PublishedFile("cem", path), cases)
    expected = {cases[n].case_id: " ".join(responses[n].split()) for n in order[:kept]}
    assert {answer.case_id: answer.response for answer in found.answers} == {
        case_id: "" if text == "[]" else text for case_id, text in expected.items()
    }
    assert (found.unmatched, len(found.missing)) == (0, 6 - kept)
