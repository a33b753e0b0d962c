"""What tokens cost: a small dated table that the user may add to."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from hef_graph.errors import HefInputError

SHIPPED: Final = Path(__file__).with_name("prices.toml")
MILLION: Final = 1_000_000
NO_PRICE: Final = "no price known"

_VERSION: Final = r"(-(\d{4}[\d-]*|latest))?"
"""What may follow a model's name: a date of at least a year, so that version 5-5 is not taken for version 5."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of the models that a pattern names."""

    pattern: str
    input: float
    output: float
    date: str = ""
    """When the price was read."""
    source: str = ""
    """The page that says so."""

    def __post_init__(self) -> None:
        for name, value in (("input", self.input), ("output", self.output)):
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < MILLION:
                raise HefInputError(f"{name} is {value!r}; allowed are US dollars per million tokens, from 0 on")

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / MILLION

    def names(self, model_name: str) -> bool:
        """Whether the pattern, perhaps with a date behind it, is that name; `provider:` before it does not matter."""
        wanted = re.escape(self.pattern.casefold()).replace(r"\*", ".*") + _VERSION
        name = model_name.casefold()
        spellings = (name, name.partition(":")[2], name.rpartition("/")[2])
        return any(re.fullmatch(wanted, spelling) for spelling in spellings if spelling)


FREE: Final = Price("*", 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices; of those that name a model the first counts."""

    prices: tuple[Price, ...]

    def price_of(self, model_name: str | None) -> Price | None:
        """The model's price; None if it is not known; nothing is paid for what has no name to bill."""
        if model_name is None:
            return FREE
        return next((price for price in self.prices if price.names(model_name)), None)


def load_prices(own: Path | None = None) -> PriceTable:
    """The shipped table, with the entries of the user's own file before it.

    Raises:
        HefInputError: a file that cannot be read, or an entry that is no price.
    """
    return PriceTable((*(_read(own) if own else ()), *_read(SHIPPED)))


def show_cost(dollars: float | None) -> str:
    """For people.

    >>> show_cost(0.01234), show_cost(12.5), show_cost(None)
    ('$0.0123', '$12.50', 'no price known')
    """
    if dollars is None:
        return NO_PRICE
    return f"${dollars:.2f}" if dollars >= 1 or not dollars else f"${dollars:.4f}"


def _read(path: Path) -> Sequence[Price]:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise HefInputError(f"the prices {str(path)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise HefInputError(f"the prices {str(path)!r} are not TOML: {error}") from error
    entries = values.get("model")
    if not isinstance(entries, list) or not entries:
        raise HefInputError(f"the prices {str(path)!r} hold no [[model]] entries with pattern, input and output")
    return [_price(path, number, entry) for number, entry in enumerate(entries, start=1)]


def _price(path: Path, number: int, entry: dict[str, Any]) -> Price:
    known = {field.name for field in fields(Price)}
    if unknown := sorted(set(entry) - known):
        raise HefInputError(f"{path}, entry {number}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    try:
        return Price(**{**entry, "date": str(entry.get("date", ""))})
    except TypeError as error:
        raise HefInputError(f"{path}, entry {number}: pattern, input and output are needed") from error
    except HefInputError as error:
        raise HefInputError(f"{path}, entry {number}: {error}") from error
