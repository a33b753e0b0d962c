import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hef_graph.errors import HefInputError
from tools import audit
from tools.audit import Accepted, Report, Verdict, judge, read_accepted, read_failure, read_pins, read_report

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 6, 1)

CLEAN: dict[str, Any] = {"name": "langchain_core", "version": "1.7.2", "vulns": []}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI and could not be audited: ours (1.0)"}
UNFIXED: dict[str, Any] = {
    "name": "torch",
    "version": "2.13.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": [], "aliases": ["CVE-2026-1"], "description": "Bad."}],
}
FIXED: dict[str, Any] = {
    "name": "urllib3",
    "version": "2.8.0",
    "vulns": [{"id": "GHSA-1", "fix_versions": ["2.8.1", "3.0"], "aliases": [], "description": "Worse."}],
}

ACCEPTED = Accepted("CVE-2026-1", "Torch", "we never load pickles", TODAY)

CONNECTION = """WARNING:pip_audit._cli:--no-deps is supported, but users are encouraged to fully hash them
Traceback (most recent call last):
  File "pip_audit/_service/pypi.py", line 63, in query
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded
"""
BLOCKED = "ERROR:pip_audit._cli:Tip: your network may be blocking this service. Try another service with `-s SERVICE`"
HICCUP = "Traceback (most recent call last):\npip_audit._service.interface.ServiceError"
LOOSE = "ERROR:pip_audit._cli:requirement torch is not pinned to an exact version: torch>=2"


def printed(*dependencies: dict[str, Any]) -> str:
    """What `pip-audit --format json` prints."""
    return json.dumps({"dependencies": dependencies, "fixes": []})


def judged(
    *dependencies: dict[str, Any], accepted: tuple[Accepted, ...] = (), missing: tuple[str, ...] = ()
) -> Verdict:
    pins = [audit.canonical(each["name"]) for each in dependencies]
    return judge([*pins, *missing], read_report(printed(*dependencies)), accepted, today=TODAY)


def test_nothing_known_passes() -> None:
    assert judged(CLEAN) == Verdict(("audited 1 packages, no known vulnerability",), failed=False, complete=True)


def test_a_finding_fails_and_is_listed_with_its_other_names_and_its_fixes() -> None:
    verdict = judged(CLEAN, UNFIXED, FIXED)
    assert verdict.failed
    assert verdict.lines == (
        "torch 2.13.0: PYSEC-2026-1 (CVE-2026-1), no fix yet",
        "urllib3 2.8.0: GHSA-1, fixed in 2.8.1, 3.0",
        "audited 3 packages, 2 known vulnerabilities, 0 accepted",
    )


def test_an_accepted_finding_passes_and_is_listed_with_its_reason() -> None:
    verdict = judged(UNFIXED, accepted=(ACCEPTED,))
    assert not verdict.failed
    assert verdict.lines == (
        "accepted until 2026-06-01: CVE-2026-1 of Torch: we never load pickles",
        "audited 1 packages, 1 known vulnerability, 1 accepted",
    )


def test_an_entry_accepts_no_other_finding() -> None:
    verdict = judged(UNFIXED, FIXED, accepted=(ACCEPTED,))
    assert verdict.failed
    assert verdict.lines[0].startswith("urllib3")


def test_an_entry_holds_for_its_own_package_only() -> None:
    assert judged(UNFIXED, accepted=(Accepted("CVE-2026-1", "urllib3", "reason", TODAY),)).failed


def test_an_expired_entry_accepts_nothing_more() -> None:
    expired = Accepted("CVE-2026-1", "torch", "reason", TODAY - dt.timedelta(days=1))
    verdict = judged(UNFIXED, accepted=(expired,))
    assert verdict.failed
    assert verdict.lines[:2] == (
        "torch 2.13.0: PYSEC-2026-1 (CVE-2026-1), no fix yet",
        "audit.toml: CVE-2026-1 of torch was accepted until 2026-05-31: mend it, or look again and give it a new date",
    )


@pytest.mark.parametrize("dependency", [CLEAN, {**UNFIXED, "vulns": []}])
def test_an_entry_that_is_not_needed_fails(dependency: dict[str, Any]) -> None:
    verdict = judged(dependency, accepted=(ACCEPTED,))
    assert verdict.failed
    assert verdict.lines[0] == "audit.toml: CVE-2026-1 of Torch is found no longer: take the entry out"


def test_an_entry_of_a_package_that_was_not_audited_is_left_alone() -> None:
    verdict = judged(CLEAN, accepted=(ACCEPTED,), missing=("torch",))
    assert not verdict.failed
    assert "audit.toml" not in "".join(verdict.lines)


def test_packages_without_an_answer_are_named() -> None:
    verdict = judged(CLEAN, UNKNOWN, missing=("torch",))
    assert not verdict.failed
    assert not verdict.complete
    assert verdict.lines == (
        "NOT CHECKED: 2 of 3 packages: ours, torch (Dependency not found on PyPI and could not be audited)",
        "audited 1 packages, no known vulnerability",
    )


@pytest.mark.parametrize("report", [printed(), printed(UNKNOWN)])
def test_a_report_about_nothing_is_no_success(report: str) -> None:
    verdict = judge(["ours"], read_report(report), (), today=TODAY)
    assert [line.partition(":")[0] for line in verdict.lines] == ["NOT CHECKED"]
    assert (verdict.failed, verdict.complete) == (False, False)


def test_an_expired_entry_is_told_but_fails_nothing_where_nothing_was_audited() -> None:
    expired = Accepted("CVE-2026-1", "torch", "reason", TODAY - dt.timedelta(days=1))
    verdict = judge(["torch"], Report(frozenset()), (expired,), today=TODAY)
    assert not verdict.failed
    assert "was accepted until 2026-05-31" in verdict.lines[0]


@pytest.mark.parametrize("errors", [CONNECTION, BLOCKED, HICCUP])
def test_a_service_that_does_not_answer_is_no_report(errors: str) -> None:
    report = read_failure(errors)
    assert not report.audited
    assert report.reason.startswith("the vulnerability service cannot be reached: ")


@pytest.mark.parametrize("errors", [LOOSE, "", "No module named pip_audit"])
def test_any_other_failure_is_an_error(errors: str) -> None:
    with pytest.raises(HefInputError, match="pip-audit failed: "):
        read_failure(errors)


@pytest.mark.parametrize("garbage", ["<html>", "[]", "{}", '{"dependencies": [{"name": "a"}]}', '{"dependencies": 5}'])
def test_garbage_is_an_error(garbage: str) -> None:
    with pytest.raises(HefInputError, match="printed something else than its report"):
        read_report(garbage)


def test_pins_are_the_exact_versions_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("# torch==1\nboolean.py==5.0\nPy_YAML==6.0.3 # why\ntorch==2 ; python_version > '3'\n")
    assert read_pins(path) == {"boolean-py", "py-yaml", "torch"}


@pytest.mark.parametrize("content", [None, "", "torch>=2\n"])
def test_a_file_without_pins_is_an_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HefInputError, match="constraints"):
        read_pins(path)


def test_every_line_of_our_constraints_is_a_pin() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert len(read_pins(ROOT / "constraints.txt")) == sum(not line.startswith("#") for line in lines)


def test_our_file_of_accepted_findings_can_be_read() -> None:
    assert all(entry.reason for entry in read_accepted(ROOT / "audit.toml"))


def test_the_form_that_the_file_shows_is_a_good_one(tmp_path: Path) -> None:
    shown = [
        line.removeprefix("#   ") for line in (ROOT / "audit.toml").read_text("utf-8").splitlines() if "#   " in line
    ]
    (tmp_path / "audit.toml").write_text("\n".join(shown))
    [entry] = read_accepted(tmp_path / "audit.toml")
    assert (entry.id, entry.until) == ("GHSA-xxxx-xxxx-xxxx", dt.date(2030, 12, 31))


def test_no_file_accepts_nothing(tmp_path: Path) -> None:
    assert read_accepted(tmp_path / "audit.toml") == ()


@pytest.mark.parametrize(
    "entry",
    [
        "id = 'A'",
        "id = 'A'\npackage = 'b'\nreason = 'c'",
        "id = 'A'\npackage = 'b'\nreason = ' '\nuntil = 2030-01-01",
        "id = 'A'\npackage = 'b'\nreason = 'c'\nuntil = '2030-01-01'",
        "id = 'A'\npackage = 'b'\nreason = 'c'\nuntil = 2030-01-01\nsince = 2029-01-01",
        "id =",
    ],
)
def test_an_entry_without_all_its_parts_is_an_error(entry: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    path.write_text(f"[[accepted]]\n{entry}\n")
    with pytest.raises(HefInputError, match=r"audit\.toml cannot be used"):
        read_accepted(path)


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> int:
    (tmp_path / "pins.txt").write_text("langchain-core==1.7.2\n")
    monkeypatch.setattr(sys, "argv", ["audit", "--constraints", str(tmp_path / "pins.txt"), *arguments])
    return audit.main()


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        ({"stdout": printed(CLEAN)}, (0, 0)),
        ({"stdout": printed({**CLEAN, "vulns": UNFIXED["vulns"]})}, (1, 1)),
        ({"stdout": printed(UNKNOWN)}, (0, 1)),
        ({"stderr": CONNECTION}, (0, 1)),
    ],
)
def test_the_exit_code_tells_findings_and_if_asked_what_was_not_checked(
    answer: dict[str, str], codes: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done = subprocess.CompletedProcess([], 1, **{"stdout": "", "stderr": "", **answer})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert (run(monkeypatch, tmp_path), run(monkeypatch, tmp_path, "--strict")) == codes


def test_no_answer_in_time_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stall(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("pip-audit", timeout)

    monkeypatch.setattr(subprocess, "run", stall)
    assert run(monkeypatch, tmp_path) == 0
    assert capsys.readouterr().out == "NOT CHECKED: all 1 packages (no answer within 60 seconds)\n"


@pytest.mark.slow
def test_the_real_pip_audit_takes_our_pins_and_without_a_network_nothing_is_checked(tmp_path: Path) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "PIP_CACHE_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": ""}
    command = [sys.executable, str(ROOT / "tools" / "audit.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=nowhere, cwd=ROOT, check=False)
    assert done.stdout.startswith("NOT CHECKED: all ")
    assert "the vulnerability service cannot be reached" in done.stdout
    assert done.returncode == 0
