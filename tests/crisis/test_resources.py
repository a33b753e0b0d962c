"""Help lines are shown as the file says them, for every country and need, at most three."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from hef_graph.crisis import CATEGORIES, Resource
from hef_graph.crisis.resources import EMERGENCY, MOST, SHIPPED, country_of, load_resources
from hef_graph.crisis.signals import Category
from hef_graph.errors import HefInputError

FILE: Final[dict[str, Any]] = json.loads(SHIPPED.read_text("utf-8"))
SOURCE: Final = re.compile(r"https?://[^ ]+|[\w-]+/[\w-]+:[^ ]+")
"""A page, or a file of a repository."""

COUNTRIES: Final = sorted(FILE["countries"])
ENTRIES: Final = [
    (f"{code}: {entry.get('name', EMERGENCY)}", entry)
    for code, country in FILE["countries"].items()
    for entry in (country["emergency"], *country["services"])
]

WANTED: Final[dict[Category, tuple[str, ...]]] = {
    "suicidal_active": ("suicide",),
    "suicidal_passive": ("suicide",),
    "self_harm": ("self_harm", "suicide"),
    "abuse": ("abuse",),
    "harm_to_others": (),
    "medical_emergency": (),
    "child_at_risk": ("child", "abuse"),
}
"""What a service must be for; only behind those come services for any need."""

every_country_and_need = pytest.mark.parametrize(
    ("country", "category"), [pytest.param(*pair, id=" ".join(pair)) for pair in product(COUNTRIES, CATEGORIES)]
)


def find(locale: str | None, category: Category | None = None) -> tuple[Resource, ...]:
    return load_resources().find(locale, category)


def as_written(country: str) -> list[dict[str, Any]]:
    """A country's entries, each with the keys of a `Resource`."""
    emergency = FILE["countries"][country]["emergency"]
    first = {**emergency, "name": EMERGENCY, "for": [EMERGENCY], "call": emergency["number"]}
    first.pop("number")
    return [first, *FILE["countries"][country]["services"]]


def as_json(resource: Resource) -> dict[str, Any]:
    """What the file would say of a resource."""
    names = ("name", "call", "text", "url", "hours", "note", "checked")
    told = {name: getattr(resource, name) for name in names if getattr(resource, name) is not None}
    return {**told, "for": list(resource.purposes), "sources": list(resource.sources)}


class TestTheShippedFile:
    def test_knows_thirty_countries(self) -> None:
        assert len(COUNTRIES) == 30

    @pytest.mark.parametrize("entry", [entry for _, entry in ENTRIES], ids=[name for name, _ in ENTRIES])
    def test_gives_a_source_and_a_date_with_every_entry(self, entry: dict[str, Any]) -> None:
        assert entry["sources"]
        assert [each for each in entry["sources"] if not SOURCE.fullmatch(each)] == []
        assert len(entry["checked"].split("-")) == 3

    def test_gives_a_way_to_reach_every_service(self) -> None:
        assert [name for name, entry in ENTRIES if not (entry.get("call") or entry.get("number"))] == []

    @pytest.mark.parametrize("country", COUNTRIES)
    def test_has_an_emergency_number_and_somebody_for_any_need(self, country: str) -> None:
        first, *services = as_written(country)
        assert first["call"].isdigit()
        assert any("any" in service["for"] for service in services)

    def test_names_known_purposes_only(self) -> None:
        purposes = {purpose for country in COUNTRIES for each in as_written(country) for purpose in each["for"]}
        assert purposes == {"suicide", "self_harm", "abuse", "child", "any", EMERGENCY}


class TestACountry:
    @every_country_and_need
    def test_shows_at_most_three_word_for_word(self, country: str, category: Category) -> None:
        found = find(country, category)
        assert 1 <= len(found) <= MOST == 3
        assert len(set(found)) == len(found)
        assert all(as_json(each) in as_written(country) for each in found)

    @every_country_and_need
    def test_shows_who_is_there_for_the_need_before_the_others(self, country: str, category: Category) -> None:
        services = [each for each in find(country, category) if EMERGENCY not in each.purposes]
        ranks = [
            next((rank for rank, purpose in enumerate(WANTED[category]) if purpose in each.purposes), 9)
            for each in services
        ]
        assert ranks == sorted(ranks)
        assert all(rank < 9 or "any" in each.purposes for rank, each in zip(ranks, services, strict=True))

    @every_country_and_need
    def test_leaves_out_nobody_who_is_there_for_the_need_for_somebody_who_is_not(
        self, country: str, category: Category
    ) -> None:
        fitting = [each for each in as_written(country)[1:] if set(each["for"]) & set(WANTED[category])]
        shown = [each for each in find(country, category) if set(each.purposes) & set(WANTED[category])]
        assert len(shown) == min(len(fitting), MOST - 1)

    @every_country_and_need
    def test_shows_its_emergency_number(self, country: str, category: Category) -> None:
        numbers = [each.call for each in find(country, category) if EMERGENCY in each.purposes]
        assert numbers == [FILE["countries"][country]["emergency"]["number"]]

    @pytest.mark.parametrize("category", ["suicidal_active", "harm_to_others", "medical_emergency"])
    @pytest.mark.parametrize("country", COUNTRIES)
    def test_puts_the_emergency_number_first_where_seconds_count(self, country: str, category: Category) -> None:
        assert EMERGENCY in find(country, category)[0].purposes

    @pytest.mark.parametrize("country", COUNTRIES)
    def test_shows_nothing_else_in_a_medical_emergency(self, country: str) -> None:
        assert len(find(country, "medical_emergency")) == 1

    @pytest.mark.parametrize("country", COUNTRIES)
    def test_without_a_need_shows_who_is_there_for_any(self, country: str) -> None:
        first, *_, last = find(country)
        assert "any" in first.purposes
        assert EMERGENCY in last.purposes


class TestALocale:
    @pytest.mark.parametrize("locale", ["US", "us", "Us", "en-US", "en_US", "en-us", "en_US.UTF-8", "es-US", " us "])
    def test_names_its_country(self, locale: str) -> None:
        assert find(locale) == find("US") != load_resources().directories

    @pytest.mark.parametrize("locale", [None, "", " ", "-", "XX", "english", "en-", "zh-Hans", "1", "12", "ß1", "U.S."])
    @pytest.mark.parametrize("category", [None, *CATEGORIES])
    def test_that_is_not_known_gets_the_directories_of_all_countries(
        self, locale: str | None, category: Category | None
    ) -> None:
        found = find(locale, category)
        assert [as_json(each) for each in found] == [{**each, "for": []} for each in FILE["default"]["directories"]]

    @pytest.mark.parametrize("locale", ["en-GB-oxendict", "de-DE-1996", "en-US-u-ca-gregory", "en_US@euro"])
    def test_may_have_extensions(self, locale: str) -> None:
        assert country_of(locale) == locale[3:5]

    def test_of_the_united_kingdom_is_often_written_as_uk(self) -> None:
        assert find("en-UK") == find("GB")

    @pytest.mark.parametrize("locale", [49, ("de", "DE"), b"de"])
    def test_of_another_kind_is_not_known(self, locale: Any) -> None:
        assert find(locale) == load_resources().directories


def test_without_a_country_no_number_is_given() -> None:
    assert not any(each.call or each.text for each in load_resources().directories)
    assert not any(letter.isdigit() for letter in load_resources().neutral_text)
    assert "your local emergency number" in load_resources().neutral_text


class TestAFileOfOnesOwn:
    def test_replaces_the_shipped_one(self, tmp_path: Path) -> None:
        ours = {"name": "Campus line", "for": ["any"], "call": "555", "hours": "9-17", "checked": "2026-01-01"}
        country = {"emergency": {"number": "999"}, "services": [ours]}
        written = {"countries": {"xx": country}, "default": {"text": "Ask us.", "directories": []}}
        (tmp_path / "ours.json").write_text(json.dumps(written), "utf-8")
        directory = load_resources(tmp_path / "ours.json")
        assert [each.call for each in directory.find("XX", "abuse")] == ["555", "999"]
        assert (directory.find("US"), directory.neutral_text) == ((), "Ask us.")

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "{",
            "[]",
            "null",
            "{}",
            '{"countries": []}',
            '{"countries": {}}',
            '{"countries": {"US": {}}, "default": {"text": "", "directories": []}}',
            '{"countries": {"US": {"emergency": {}, "services": []}}, "default": {"text": "", "directories": []}}',
            '{"countries": {"US": null}, "default": {"text": "", "directories": []}}',
            '{"countries": {}, "default": {"text": "", "directories": [{}]}}',
        ],
    )
    def test_of_another_form_is_refused_by_name(self, tmp_path: Path, written: str) -> None:
        (tmp_path / "ours.json").write_text(written, "utf-8")
        with pytest.raises(HefInputError, match=r"ours\.json is no file of help lines .* shows the form"):
            load_resources(tmp_path / "ours.json")

    def test_that_is_missing_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(HefInputError, match=r"gone\.json is no file of help lines"):
            load_resources(tmp_path / "gone.json")

    def test_that_is_far_too_large_is_refused_unread(self, tmp_path: Path) -> None:
        (tmp_path / "ours.json").write_text("{" + " " * 2**20 + "}", "utf-8")
        with pytest.raises(HefInputError, match="allowed are 1048576"):
            load_resources(tmp_path / "ours.json")

    def test_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "ours.json").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(HefInputError):
            load_resources(tmp_path / "ours.json")
