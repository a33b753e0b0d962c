import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hef_graph.errors import HefReplyError
from hef_graph.reply import (
    Reply,
    json_schema,
    parse_reply,
    partial_emotion,
    partial_response,
    reply_schema,
    validate_reply,
)

LABELS = ("sad", "Lonely", "proud")
OBJECT = '{"emotion": "sad", "response": "That hurts."}'

printable = st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\t")
responses = st.text(printable, min_size=1).filter(lambda text: text.strip() != "")


def written(response: str, *, ascii_only: bool) -> str:
    return json.dumps({"emotion": "sad", "response": response}, ensure_ascii=ascii_only)


def cause_of(text: str) -> str:
    with pytest.raises(HefReplyError) as caught:
        parse_reply(text, LABELS)
    return caught.value.cause


def test_the_schema_takes_the_emotion_first() -> None:
    assert list(reply_schema(LABELS).model_fields) == list(json_schema(LABELS)["properties"]) == ["emotion", "response"]


def test_the_schema_takes_the_given_labels_only() -> None:
    with pytest.raises(ValidationError, match="'sad', 'Lonely' or 'proud'"):
        reply_schema(LABELS).model_validate({"emotion": "angry", "response": "Oh."})


def test_the_strict_schema_asks_for_both_fields_and_no_others() -> None:
    schema = json_schema(LABELS)
    assert schema["required"] == ["emotion", "response"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["emotion"]["enum"] == list(LABELS)


def test_the_strict_schema_holds_nothing_that_strict_providers_refuse() -> None:
    assert not {"minLength", "maxLength", "pattern", "$ref", "anyOf"} & set(json.dumps(json_schema(LABELS)).split('"'))


def test_both_schemas_describe_the_fields_alike() -> None:
    fields = reply_schema(LABELS).model_json_schema()["properties"]
    described = {name: field["description"] for name, field in fields.items()}
    assert described == {name: field["description"] for name, field in json_schema(LABELS)["properties"].items()}


@given(responses, st.booleans(), st.sampled_from(LABELS))
@settings(deadline=None)
def test_a_reply_that_fits_the_schema_is_read_as_written(response: str, ascii_only: bool, label: str) -> None:
    text = json.dumps({"emotion": label, "response": response}, ensure_ascii=ascii_only)
    assert parse_reply(text, LABELS) == Reply(label, response.strip(), None)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{OBJECT}\n```",
        f"```\n{OBJECT}\n```",
        f"```json\n{OBJECT}",
        f"Here you are: {OBJECT}",
        f"{OBJECT} I hope that helps!",
        f"They seem {{sad}}. {OBJECT}",
        f'{{"thought": "hm"}} {OBJECT}',
    ],
)
def test_an_object_among_prose_or_fences_is_found_and_the_repair_named(text: str) -> None:
    assert parse_reply(text, LABELS) == Reply("sad", "That hurts.", "prose")


def test_a_response_that_holds_a_fence_is_read_whole() -> None:
    text = 'Sure: {"emotion": "sad", "response": "Look: ```rain``` again."}'
    assert parse_reply(text, LABELS).response == "Look: ```rain``` again."


@pytest.mark.parametrize("named", ["SAD", "Sad.", " sad ", "'sad'"])
def test_a_label_in_another_dress_is_mended_and_the_repair_named(named: str) -> None:
    assert parse_reply(json.dumps({"emotion": named, "response": "Oh."}), LABELS) == Reply("sad", "Oh.", "label")


def test_a_mended_label_is_written_as_in_the_label_set() -> None:
    assert parse_reply('{"emotion": "lonely", "response": "Oh."}', LABELS).emotion == "Lonely"


def test_further_fields_are_dropped_and_the_repair_named() -> None:
    text = '{"emotion": "sad", "response": "Oh.", "confidence": 0.9}'
    assert parse_reply(text, LABELS) == Reply("sad", "Oh.", "schema")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ('{"emotion": "sad", "response": ""}', "empty"),
        ('{"emotion": "sad", "response": " \\n"}', "empty"),
        ('{"emotion": "sad", "response": " ", "note": 1}', "empty"),
        ('{"emotion": "sad", "response": "That must ha', "truncated"),
        ('```json\n{"emotion": "sad", "response": "That', "truncated"),
        ("I am sorry to hear that.", "prose"),
        ("They feel {sad}.", "prose"),
        ('{"emotion": "sad"', "prose"),
        ('{"emotion": "furious", "response": "Oh."}', "label"),
        ('{"emotion": ["sad"], "response": "Oh."}', "label"),
        ('{"response": "Oh."}', "label"),
        ('{"emotion": "sad"}', "schema"),
        ('{"emotion": "sad", "response": 7}', "schema"),
        ("[1, 2]", "schema"),
        ('"Oh."', "schema"),
        ("null", "schema"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(text: str, cause: str) -> None:
    assert cause_of(text) == cause


@pytest.mark.parametrize(
    "text", ["[" * 9999, '{"a":' * 2000, f'{{"emotion": "sad", "response": "Oh.", "n": {"1" * 5000}}}']
)
def test_json_that_python_cannot_hold_is_no_crash(text: str) -> None:
    assert cause_of(text) == "prose"
    assert partial_response(text) == ""


@given(st.text() | st.text(st.sampled_from('{}[]":,\\ue sadresponmti01`')))
@settings(deadline=None)
def test_any_text_is_a_reply_or_a_reply_error(text: str) -> None:
    try:
        assert parse_reply(text, LABELS).emotion in LABELS
    except HefReplyError as error:
        assert error.cause in {"empty", "truncated", "prose", "label", "schema"}  # noqa: PT017  both ends are fine


def test_the_error_quotes_no_more_than_the_beginning_of_a_wrong_label() -> None:
    with pytest.raises(HefReplyError) as caught:
        parse_reply(json.dumps({"emotion": "x" * 5000, "response": "Oh."}), LABELS)
    assert len(str(caught.value)) < 120


def test_half_an_emoji_is_dropped() -> None:
    text = '{"emotion": "sad", "response": "Oh \\ud83d dear \\ud83d\\ude22"}'
    assert parse_reply(text, LABELS).response == "Oh  dear \U0001f622"


@pytest.mark.parametrize(
    "values",
    [{"emotion": "proud", "response": " Well done! "}, reply_schema(LABELS)(emotion="proud", response="Well done!")],
    ids=["a dict", "a pydantic object"],
)
def test_values_that_are_already_parsed_are_checked_alike(values: Any) -> None:
    assert validate_reply(values, LABELS) == Reply("proud", "Well done!")


def test_an_object_of_another_label_set_is_checked_against_this_one() -> None:
    foreign = reply_schema(("angry",))(emotion="angry", response="Oh.")
    with pytest.raises(HefReplyError, match="'emotion' is not one of the labels"):
        validate_reply(foreign, LABELS)


@given(responses, st.booleans())
@settings(deadline=None)
def test_every_beginning_shows_a_beginning_of_the_response(response: str, ascii_only: bool) -> None:
    text = written(response, ascii_only=ascii_only)
    assert all(response.lstrip().startswith(partial_response(text[:end])) for end in range(len(text)))


@given(responses, st.booleans())
@settings(deadline=None)
def test_what_is_shown_only_grows(response: str, ascii_only: bool) -> None:
    text = written(response, ascii_only=ascii_only)
    shown = [partial_response(text[:end]) for end in range(len(text) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


@given(responses, st.booleans())
@settings(deadline=None)
def test_at_the_end_the_whole_response_is_shown(response: str, ascii_only: bool) -> None:
    assert partial_response(written(response, ascii_only=ascii_only)) == response.lstrip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Just prose.", ""),
        ('{"emotion": "sa', ""),
        ('{"emotion": "sad", "respon', ""),
        ('{"emotion": "sad", "response": "', ""),
        ('{"emotion": "sad", "response": "It', "It"),
        ('{"emotion": "sad", "response": "It is\\', "It is"),
        ('{"emotion": "sad", "response": "It is\\n', "It is\n"),
        ('{"response": "caf\\u00', "caf"),
        ('{"response": "caf\\u00e9', "café"),
        ('{"response": "oh \\ud83d', "oh "),
        ('{"response": "oh \\ud83d\\ude22', "oh \U0001f622"),
        ('{"response": "she said \\"no\\', 'she said "no'),
        ('```json\n{"response": "Hi!"}\n```', "Hi!"),
        ('{"response": 7', ""),
        ('{"response": null}', ""),
        ('{"response": "  \\n', ""),
        ("[1, 2", ""),
    ],
)
def test_a_growing_text_shows_what_it_can(text: str, shown: str) -> None:
    assert partial_response(text) == shown


def test_the_word_response_inside_the_emotion_shows_nothing() -> None:
    assert partial_response('{"emotion": "my \\"response\\": \\"angry') == ""


@pytest.mark.parametrize(
    ("text", "emotion"),
    [
        ("", None),
        ('{"emotion": "sad', None),
        ('{"emotion": "sad"', None),
        ('{"emotion": "sad", "respon', None),
        ('{"emotion": "sad", "response": "', "sad"),
        ('{"emotion": "LONELY", "response": "I', "Lonely"),
        ('{"emotion": "furious", "response": "I', None),
        ('{"response": "I am here."', None),
    ],
)
def test_a_growing_text_names_its_emotion_once_another_field_follows(text: str, emotion: str | None) -> None:
    assert partial_emotion(text, LABELS) == emotion


@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_terminals_obey_and_databases_refuse_is_left_out(ascii_only: bool) -> None:
    text = written("Oh\x00 no.\x1b]0;pwned\x07\r\n\tGo \x9b1mon.", ascii_only=ascii_only)
    assert parse_reply(text, LABELS).response == partial_response(text) == "Oh no.]0;pwned\n\tGo 1mon."
