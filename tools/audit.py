"""Compare every version that `constraints.txt` pins with the known vulnerabilities.

    python tools/audit.py [--strict] [--constraints constraints.txt] [--accepted audit.toml] [--timeout 60]

Asks PyPI's vulnerability service by pip-audit. Ends with 1 where a finding is neither fixed nor accepted, or where an
entry of `audit.toml` is past its date or no longer needed; with 2 where the audit itself is broken. Without an answer
of the service it says NOT CHECKED, and ends with 0, or with `--strict` with 1.
"""

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from hef_graph.cli.terminal import end_in_one_line
from hef_graph.errors import HefInputError

ROOT: Final = Path(__file__).parents[1]

_PIN: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;#]+)", re.MULTILINE | re.ASCII)
_UNREACHABLE: Final = re.compile(
    r"requests\.exceptions\.|urllib3\.exceptions\.|ConnectionError|ServiceError|blocking this"
)
"""What the last line of pip-audit's errors holds where the service did not answer, or answered nonsense."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One known vulnerability of one pinned version."""

    package: str
    version: str
    names: tuple[str, ...]
    """Its identifier, then what others call it."""
    fixes: tuple[str, ...]
    """Versions without it."""

    def __str__(self) -> str:
        """One line for people."""
        others = f" ({', '.join(self.names[1:])})" if self.names[1:] else ""
        mended = f"fixed in {', '.join(self.fixes)}" if self.fixes else "no fix yet"
        return f"{self.package} {self.version}: {self.names[0]}{others}, {mended}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An entry of `audit.toml`: a finding that one lives with for now."""

    id: str
    package: str
    reason: str
    until: dt.date
    """The last day on which it holds."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding, under any of its names."""
        return canonical(self.package) == finding.package and self.id in finding.names


@dataclass(frozen=True, slots=True)
class Report:
    """What the service said."""

    audited: frozenset[str]
    """Packages that it knows."""
    findings: tuple[Finding, ...] = ()
    reason: str = "no answer"
    """Why it said nothing about the other packages."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say, and whether that is good."""

    lines: tuple[str, ...]
    failed: bool
    complete: bool
    """Whether every package was audited."""


def canonical(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> frozenset[str]:
    """The packages that a constraints file pins.

    Raises:
        HefInputError: no such file, or it pins nothing.
    """
    try:
        names = frozenset(canonical(name) for name, _ in _PIN.findall(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise HefInputError(f"{path} cannot be read: {error}") from error
    return names or _broken(f"{path} pins no version; expected lines of name==version")


def read_accepted(path: Path) -> tuple[Accepted, ...]:
    """The entries of `audit.toml`; none if there is no such file.

    Raises:
        HefInputError: not TOML, or an entry without `id`, `package`, `reason` and the date `until`.
    """
    if not path.exists():
        return ()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("accepted", [])
        return tuple(_entry(**entry) for entry in entries)
    except (OSError, ValueError, TypeError) as error:
        raise HefInputError(f"{path} cannot be used: {error}; its first lines show the form") from error


def _entry(*, id: str, package: str, reason: str, until: dt.date) -> Accepted:  # noqa: A002  the key in the file
    if not all(isinstance(text, str) and text.strip() for text in (id, package, reason)) or type(until) is not dt.date:
        raise ValueError(f"the entry {id!r} needs texts for id, package and reason, and a date for until")
    return Accepted(id, package, reason, until)


def read_report(printed: str) -> Report:
    """What pip-audit printed as JSON.

    Raises:
        HefInputError: that is not its form.
    """
    try:
        audited = {canonical(each["name"]): each for each in json.loads(printed)["dependencies"]}
        skipped = {name: str(each["skip_reason"]) for name, each in audited.items() if "skip_reason" in each}
        findings = tuple(
            _finding(name, audited[name], vuln)
            for name in audited
            if name not in skipped
            for vuln in audited[name]["vulns"]
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return _broken(f"pip-audit printed something else than its report: {error!r}")
    reasons = sorted(reason.partition(":")[0] for reason in skipped.values())
    return Report(frozenset(audited) - frozenset(skipped), findings, *reasons[:1])


def _finding(package: str, dependency: Any, vuln: Any) -> Finding:
    names = (vuln["id"], *vuln["aliases"])
    return Finding(package, str(dependency["version"]), tuple(map(str, names)), tuple(map(str, vuln["fix_versions"])))


def read_failure(errors: str) -> Report:
    """A report of nothing, if pip-audit's errors tell that the service did not answer.

    Raises:
        HefInputError: they tell something else.
    """
    last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "it said nothing")
    if not _UNREACHABLE.search(last):
        return _broken(f"pip-audit failed: {last}")
    return Report(frozenset(), reason=f"the vulnerability service cannot be reached: {last[:200]}")


def judge(pins: Iterable[str], report: Report, accepted: Sequence[Accepted], *, today: dt.date) -> Verdict:
    """What the report means. A stale entry of `audit.toml` is a failure only if anything was audited."""
    missing = sorted(set(pins) - report.audited)
    valid = [entry for entry in accepted if entry.until >= today]
    open_findings = [finding for finding in report.findings if not any(entry.covers(finding) for entry in valid)]
    lived_with = [entry for entry in valid if any(map(entry.covers, report.findings))]
    stale = [
        f"audit.toml: {entry.id} of {entry.package} {why}"
        for entry in accepted
        if (why := _stale(entry, report, missing, today))
    ]
    lines = [
        *map(str, open_findings),
        *(f"accepted until {entry.until}: {entry.id} of {entry.package}: {entry.reason}" for entry in lived_with),
        *stale,
        *_tell_missing(missing, report),
        *_tell_audited(report, len(open_findings)),
    ]
    return Verdict(tuple(lines), bool(open_findings or (stale and report.audited)), not missing)


def _stale(entry: Accepted, report: Report, missing: Sequence[str], today: dt.date) -> str:
    """What is wrong with an entry; "" for nothing."""
    if entry.until < today:
        return f"was accepted until {entry.until}: mend it, or look again and give it a new date"
    if canonical(entry.package) in missing or any(map(entry.covers, report.findings)):
        return ""
    return "is found no longer: take the entry out"


def _tell_missing(missing: Sequence[str], report: Report) -> list[str]:
    """One loud line where packages were not audited."""
    if not missing:
        return []
    some = f"{len(missing)} of {len(missing) + len(report.audited)} packages: {', '.join(missing)}"
    return [f"NOT CHECKED: {some if report.audited else f'all {len(missing)} packages'} ({report.reason})"]


def _tell_audited(report: Report, still_open: int) -> list[str]:
    if not report.audited:
        return []
    known = len(report.findings)
    kinds = f"{known} known {'vulnerability' if known == 1 else 'vulnerabilities'}, {known - still_open} accepted"
    return [f"audited {len(report.audited)} packages, {kinds if known else 'no known vulnerability'}"]


def ask(constraints: Path, *, timeout: float) -> Report:
    """Run pip-audit over a constraints file, without resolving anything."""
    options = [
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
        "--desc",
        "off",
        "--aliases",
        "on",
        "--progress-spinner",
        "off",
    ]
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(constraints), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603  no shell, our own words
    except subprocess.TimeoutExpired:
        return Report(frozenset(), reason=f"no answer within {timeout:g} seconds")
    return read_report(done.stdout) if done.stdout.strip() else read_failure(done.stderr)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="what was not checked is a failure")
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt", metavar="FILE")
    parser.add_argument(
        "--accepted", type=Path, default=ROOT / "audit.toml", metavar="FILE", help="findings to live with"
    )
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for all answers together")
    return parser.parse_args()


def main() -> int:
    """Ask, judge, print."""
    given = read_arguments()
    pins, accepted = read_pins(given.constraints), read_accepted(given.accepted)
    today = dt.datetime.now(tz=dt.UTC).date()
    verdict = judge(pins, ask(given.constraints, timeout=given.timeout), accepted, today=today)
    print("\n".join(verdict.lines))
    return int(verdict.failed or (given.strict and not verdict.complete))


def _broken(message: str) -> NoReturn:
    raise HefInputError(message)


if __name__ == "__main__":
    sys.exit(end_in_one_line("audit", main))
