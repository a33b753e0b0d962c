from pathlib import Path

import pytest
from transformers import AutoTokenizer

from hef_graph.sem.plugins.huggingface_text import DialogueEncoder, EncodedText
from hef_graph.types import Turn, turns_from_dialogue
from tests.sem.plugins.classifiers import write_bert, write_gpt2, write_roberta


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("tokenizers")
    writers = {"bert": write_bert, "roberta": write_roberta, "gpt2": write_gpt2}
    return {kind: write(base / kind) for kind, write in writers.items()}


def encode(folder: Path, *texts: str, window: int = 40) -> tuple[EncodedText, str]:
    """The encoding, and its tokens for people."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = DialogueEncoder(tokenizer.backend_tokenizer, separator=tokenizer.sep_token_id, max_tokens=window)
    encoded = encoder.encode(turns_from_dialogue(texts))
    return encoded, " ".join(tokenizer.convert_ids_to_tokens(list(encoded.ids)))


def test_turns_are_joined_by_the_separator(folders: dict[str, Path]) -> None:
    _, tokens = encode(folders["bert"], "my dog", "oh no", "died")
    assert tokens == "[CLS] my dog [SEP] oh no [SEP] died [SEP]"


def test_a_tokenizer_has_its_own_separator(folders: dict[str, Path]) -> None:
    assert encode(folders["roberta"], "a", "b", "c")[1] == "<s> a </s> b </s> c </s>"


def test_without_a_separator_turns_are_lines(folders: dict[str, Path]) -> None:
    assert encode(folders["gpt2"], "a", "b", "c")[1] == "a Ċ b Ċ c"


def test_the_oldest_turns_that_do_not_fit_are_dropped(folders: dict[str, Path]) -> None:
    assert encode(folders["bert"], "my dog", "oh no", "died", window=6)[1] == "[CLS] oh no [SEP] died [SEP]"


def test_a_turn_that_does_not_fit_whole_is_dropped(folders: dict[str, Path]) -> None:
    assert encode(folders["bert"], "my dog", "oh no", "died", window=5)[1] == "[CLS] died [SEP]"


def test_a_newest_turn_longer_than_the_window_keeps_its_end(folders: dict[str, Path]) -> None:
    encoded, tokens = encode(folders["bert"], "oh no", "we", "my dog died and then came back", window=6)
    assert tokens == "[CLS] and then came back [SEP]"
    assert [(word.turn, word.start) for word in encoded.words] == [(2, 12), (2, 16), (2, 21), (2, 26)]


def test_a_long_text_is_cut_before_it_is_tokenized(folders: dict[str, Path]) -> None:
    text = "no " * 1000 + "my dog"
    encoded, tokens = encode(folders["bert"], text, window=6)
    assert tokens == "[CLS] no no my dog [SEP]"
    assert [text[word.start : word.end] for word in encoded.words] == ["no", "no", "my", "dog"]


def test_what_users_write_is_no_special_token(folders: dict[str, Path]) -> None:
    assert "[SEP]" not in encode(folders["bert"], "my [SEP] dog")[1].removesuffix("[SEP]")
    assert "</s>" not in encode(folders["roberta"], "my </s> dog")[1].removesuffix("</s>")


@pytest.mark.parametrize("kind", ["bert", "roberta", "gpt2"])
def test_words_hold_all_their_tokens(kind: str, folders: dict[str, Path]) -> None:
    encoded, tokens = encode(folders[kind], "🐕 dogs won")
    pieces = tokens.split()
    found = ["".join(pieces[t] for t in word.tokens).replace("##", "").replace("Ġ", "") for word in encoded.words]
    assert found == ["dogs", "won"]


@pytest.mark.parametrize(("kind", "ids"), [("bert", (2, 3)), ("roberta", (0, 2)), ("gpt2", (0,))])
def test_an_empty_text_still_has_a_token(kind: str, ids: tuple[int, ...], folders: dict[str, Path]) -> None:
    assert encode(folders[kind], "")[0] == EncodedText(ids, ())


def test_roles_do_not_matter(folders: dict[str, Path]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folders["bert"]).backend_tokenizer
    encoder = DialogueEncoder(tokenizer, separator=3, max_tokens=9)
    assert encoder.encode([Turn("listener", "no")]) == encoder.encode([Turn("speaker", "no")])
