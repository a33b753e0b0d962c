"""Help lines by country, word for word from a file; an application may give a file of its own.

The file's form is that of the shipped `resources.json`: for each country the emergency number and services, each with
what it is for, the pages that it was found on, and the date of the look. No number comes from anywhere else.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from hef_graph.crisis.signals import Category
from hef_graph.errors import HefCheckpointError, HefInputError
from hef_graph.files import MEGABYTE, read_object

SHIPPED: Final = Path(__file__).parent / "resources.json"
MOST: Final = 3
"""So many are shown at once: who is in distress cannot choose from a list."""

EMERGENCY: Final = "emergency"

_PURPOSES: Final[Mapping[Category, tuple[str, ...]]] = {
    "suicidal_active": ("suicide", "any"),
    "suicidal_passive": ("suicide", "any"),
    "self_harm": ("self_harm", "suicide", "any"),
    "abuse": ("abuse", "any"),
    "harm_to_others": ("any",),
    "medical_emergency": (),
    "child_at_risk": ("child", "abuse", "any"),
}
"""What a service must be for, best first; a medical emergency is a matter for the emergency number alone."""

_EMERGENCY_FIRST: Final = frozenset({"suicidal_active", "harm_to_others", "medical_emergency"})


@dataclass(frozen=True, slots=True)
class Resource:
    """One help line, as the file says it."""

    name: str
    purposes: tuple[str, ...] = ()
    """suicide, self_harm, abuse, child, any; or emergency, for a country's emergency number."""
    call: str | None = None
    text: str | None = None
    url: str | None = None
    hours: str | None = None
    note: str | None = None
    checked: str | None = None
    """The day on which the sources were read, as YYYY-MM-DD."""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceDirectory:
    """The help lines of all countries in one file."""

    countries: Mapping[str, tuple[Resource, ...]]
    """Two-letter code → the emergency number, then the services in the file's order."""
    neutral_text: str
    """For a country that is not known."""
    directories: tuple[Resource, ...]
    """Where to look for one's own country."""

    def find(self, locale: str | None, category: Category | None = None) -> tuple[Resource, ...]:
        """At most three for this country and need, best first; the worldwide directories if the country is not known.

        Args:
            locale: a two-letter country code, alone or behind a language, as in "en-US"; in any case.
            category: the need; None gives the country's lines for any need.
        """
        lines = self.countries.get(country_of(locale) or "")
        if lines is None:
            return self.directories[:MOST]
        emergency, *services = lines
        wanted = _PURPOSES[category] if category else ("any",)
        chosen = _best(services, wanted)[: MOST - 1]
        return (emergency, *chosen) if category in _EMERGENCY_FIRST or not chosen else (*chosen, emergency)


def country_of(locale: str | None) -> str | None:
    """The country of a locale: `US` for "us", "en-US" or "en_US.UTF-8"; None where it names none.

    >>> country_of("en_us"), country_of("de"), country_of("english"), country_of(None)
    ('US', 'DE', None, None)
    """
    if not isinstance(locale, str):
        return None
    language, *parts = re.split(r"[-_.@]", locale.strip())
    tags = list(takewhile(lambda part: len(part) != 1, parts)) if parts else [language]
    found = next((tag.upper() for tag in tags if re.fullmatch(r"[A-Za-z]{2}", tag)), None)  # ISO 3166-1 alpha-2
    return "GB" if found == "UK" else found


@lru_cache(maxsize=8)
def load_resources(path: Path = SHIPPED) -> ResourceDirectory:
    """Read a file of help lines; by default the shipped one.

    Raises:
        HefInputError: the file is missing or has another form.
    """
    try:
        values = read_object(path, most=MEGABYTE)
        countries = {code.upper(): _read_country(country) for code, country in values["countries"].items()}
        neutral = values["default"]
        return ResourceDirectory(countries, str(neutral["text"]), tuple(map(_read_resource, neutral["directories"])))
    except (HefCheckpointError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HefInputError(
            f"{path} is no file of help lines ({type(error).__name__}: {error}); "
            "hef_graph/crisis/resources.json shows the form"
        ) from error


def _best(services: Iterable[Resource], wanted: Iterable[str]) -> list[Resource]:
    """The services for what is wanted, in the order of the wants, each once."""
    found: list[Resource] = []
    listed = list(services)
    for purpose in wanted:
        found += [each for each in listed if purpose in each.purposes and each not in found]
    return found


def _read_country(country: Mapping[str, Any]) -> tuple[Resource, ...]:
    emergency = country["emergency"]
    first = _read_resource({**emergency, "name": EMERGENCY, "for": [EMERGENCY], "call": emergency["number"]})
    return (first, *map(_read_resource, country["services"]))


def _read_resource(values: Mapping[str, Any]) -> Resource:
    plain = {
        key: str(values[key]) for key in ("name", "call", "text", "url", "hours", "note", "checked") if key in values
    }
    return Resource(**plain, purposes=tuple(values.get("for", ())), sources=tuple(values.get("sources", ())))
