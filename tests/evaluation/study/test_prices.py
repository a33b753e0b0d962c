from pathlib import Path

import pytest

from hef_graph.errors import HefInputError
from hef_graph.evaluation.study.prices import FREE, Price, PriceTable, load_prices, show_cost

TABLE = PriceTable((Price("pine-5", 3.0, 15.0), Price("pine-5-5", 4.0, 20.0), Price("oak*", 1.0, 1.0)))


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("pine-5", "pine-5"),
        ("somebody:pine-5", "pine-5"),
        ("owner/Pine-5", "pine-5"),
        ("pine-5-20260401", "pine-5"),
        ("pine-5-2026-04-01", "pine-5"),
        ("pine-5-latest", "pine-5"),
        ("pine-5-5", "pine-5-5"),
        ("oak-13b", "oak*"),
    ],
)
def test_a_model_is_priced_by_its_own_name_whatever_stands_around_it(name: str, pattern: str) -> None:
    price = TABLE.price_of(name)
    assert price is not None
    assert price.pattern == pattern


@pytest.mark.parametrize("name", ["pine-5-mini", "pine", "pine-5-6", "spruce", ""])
def test_another_models_price_is_not_borrowed(name: str) -> None:
    assert TABLE.price_of(name) is None


def test_what_has_no_name_to_bill_is_free() -> None:
    assert TABLE.price_of(None) == FREE
    assert FREE.cost(1_000_000, 1_000_000) == 0


def test_input_and_output_are_paid_per_million() -> None:
    assert Price("pine", 3.0, 15.0).cost(2_000_000, 100_000) == pytest.approx(7.5)


def test_every_shipped_price_says_when_and_where_it_was_read() -> None:
    for price in load_prices().prices:
        assert price.date.startswith("20")
        assert price.source


def test_the_shipped_table_tells_a_small_model_from_a_large_one() -> None:
    small, large = load_prices().price_of("openai:gpt-4.1-mini-2025-04-14"), load_prices().price_of("openai:gpt-4.1")
    assert small is not None
    assert large is not None
    assert small.output < large.output


def test_the_users_own_prices_come_first(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[model]]\npattern = "gpt-4.1"\ninput = 1\noutput = 2.5\ndate = 2026-10-01\n')
    assert load_prices(path).price_of("gpt-4.1") == Price("gpt-4.1", 1, 2.5, "2026-10-01")
    assert load_prices(path).price_of("gpt-4.1-mini") == load_prices().price_of("gpt-4.1-mini")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("input = 1", r"hold no \[\[model\]\] entries"),
        ('[[model]]\npattern = "a"\ninput = 1', "entry 1: pattern, input and output are needed"),
        ('[[model]]\npattern = "a"\ninput = 1\noutput = -1', "entry 1: output is -1; allowed are"),
        ('[[model]]\npattern = "a"\ninput = "1"\noutput = 1', "entry 1: input is '1'; allowed are"),
        ('[[model]]\npatern = "a"', "entry 1: unknown key 'patern'; known are date, input"),
        ("[[model", "are not TOML"),
    ],
)
def test_a_file_of_prices_that_cannot_be_used_says_why(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(HefInputError, match=complaint):
        load_prices(path)


def test_a_missing_file_of_prices_is_said(tmp_path: Path) -> None:
    with pytest.raises(HefInputError, match=r"none\.toml' cannot be read: No such file"):
        load_prices(tmp_path / "none.toml")


def test_nothing_is_shown_as_free_that_has_no_known_price() -> None:
    assert (show_cost(None), show_cost(0.0), show_cost(0.0004)) == ("no price known", "$0.00", "$0.0004")
