import hashlib
import importlib
import inspect
import math
from pathlib import Path

import pytest
import tiktoken
import tiktoken.registry
from hypothesis import given
from hypothesis import strategies as st

from hef_graph.evaluation.study import tokens
from hef_graph.evaluation.study.tokens import TokenCount, count_tokens, uses_o200k

TABLE = b"a made-up table"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tiktoken keeps its tables; empty."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    return tmp_path


@pytest.fixture
def table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole table, whose encoding knows no more than single bytes and the pair "ab"."""
    monkeypatch.setattr(tokens, "_TABLE_SHA256", hashlib.sha256(TABLE).hexdigest())
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256}
    encoding = tiktoken.Encoding(
        "o200k_base", pat_str=r"\S+|\s", mergeable_ranks=ranks, special_tokens={"<|end|>": 257}
    )
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {"o200k_base": encoding})
    path = folder / hashlib.sha1(tokens._TABLE.encode()).hexdigest()  # noqa: S324  tiktoken's name for a file
    path.write_bytes(TABLE)
    return path


def test_without_its_table_a_model_is_counted_by_length_and_nothing_is_fetched(folder: Path) -> None:
    assert count_tokens("Oh no, really?", "gpt-4o") == TokenCount(4, "characters / 4")
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("table")
def test_with_its_table_a_model_is_counted_by_its_tokens() -> None:
    assert count_tokens("abab c", "openai:gpt-4.1-mini") == TokenCount(4, "o200k")


@pytest.mark.usefixtures("table")
def test_what_looks_like_a_special_token_is_text() -> None:
    assert count_tokens("<|end|>", "gpt-4o") == TokenCount(7, "o200k")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("model_name", ["gpt-4-0314", "anthropic:claude", "mistralai/Mistral-7B", "", None])
def test_a_model_of_another_tokenizer_is_counted_by_length(model_name: str | None) -> None:
    assert count_tokens("abababab", model_name) == TokenCount(2, "characters / 4")


def test_a_damaged_table_is_left_alone(table: Path) -> None:
    table.write_bytes(TABLE[:5])
    assert count_tokens("abababab", "gpt-4o").how == "characters / 4"
    assert table.read_bytes() == TABLE[:5]


@pytest.mark.usefixtures("table")
def test_where_tiktoken_keeps_no_tables_a_text_is_counted_by_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert count_tokens("abababab", "gpt-4o").how == "characters / 4"


@pytest.mark.parametrize("constant", [tokens._TABLE, tokens._TABLE_SHA256])
def test_the_table_is_the_one_that_the_installed_tiktoken_reads(constant: str) -> None:
    source = inspect.getsource(importlib.import_module("tiktoken_ext.openai_public").o200k_base)
    assert f'"{constant}"' in source


@pytest.mark.parametrize("model_name", ["gpt-5-mini", "azure_openai:gpt-4o", "openai/gpt-oss-20b", "openai:o3"])
def test_a_provider_or_owner_may_stand_before_a_name(model_name: str) -> None:
    assert uses_o200k(model_name)


@given(st.text())
def test_four_characters_are_a_token_and_a_part_counts_whole(text: str) -> None:
    assert count_tokens(text, None).count == math.ceil(len(text) / 4)


def test_a_count_is_told_with_its_source() -> None:
    assert TokenCount(1234, "o200k").show() == "1,234 tokens (o200k)"
