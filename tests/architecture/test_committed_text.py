"""What the repository must not carry: paths of one machine, package hosts, unfinished business."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHECKOUT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file is clean itself.
MACHINE_PATHS = re.compile(
    r"(?<![\w./])/(?:wo" r"rk|ro" r"ot|ho" r"me/[a-z]+)/|(?<![\w./])/tm" r"p/[a-z]+/"
)
PACKAGE_HOSTS = re.compile(
    r"pypi\.o" r"rg|pythonhosted\.o" r"rg|repo1?\.maven|maven\.apache\.o" r"rg|registry\.npm" r"js"
)
UNFINISHED = re.compile(r"\bTO" r"DO\b|\bFIX" r"ME\b|# noqa$|# type: ignore$")

PLAN_NUMBERS = re.compile(r"\((?:[a-z]+ )?[A-Z]\d{1,2}(?:[,;] [^)]*)?\)")
"""In brackets: a case of the plan that the house was built from, which no reader of a page has."""
SHOWN = ("README.md", "contracts/", "deploy/", "docs/", "kit/settings.py")
MADE_INTO_PAGES = ("/settings.py", "/routes.py", "/schemas.py")

# uv writes where each package came from; the lock is its file, not ours.
GENERATED = {"uv.lock"}


def committed() -> list[Path]:
    """Return every text file that git would commit: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    paths = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.name not in GENERATED]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a path of one machine", MACHINE_PATHS),
        ("a package host", PACKAGE_HOSTS),
        ("unfinished or silenced without a reason", UNFINISHED),
    ],
    ids=["machine paths", "package hosts", "unfinished"],
)
def test_no_committed_file_names(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()[:80]}"
        for path in committed()
        for number, line in enumerate(_lines(path), 1)
        if pattern.search(line)
    ]
    assert not found, f"{what}:\n" + "\n".join(found)


def is_shown(name: str) -> bool:
    """Tell whether operators and writers of clients read it, or a page that is made of it."""
    return name.startswith(SHOWN) or name.endswith(MADE_INTO_PAGES)


def test_nothing_that_is_shown_names_a_number_of_the_plan() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:80]}"
        for path in committed()
        if is_shown(name := path.relative_to(CHECKOUT).as_posix())
        for number, line in enumerate(_lines(path), 1)
        if PLAN_NUMBERS.search(line)
    ]
    assert not found, "say in words what it means:\n" + "\n".join(found)


@pytest.mark.parametrize("line", ["a seat (H8).", "the buyer (capability C3)", "x (H8, ADR 16)."])
def test_a_number_of_the_plan_is_found(line: str) -> None:
    assert PLAN_NUMBERS.search(line)


@pytest.mark.parametrize("line", ["f(H8Ring)", "SHA256 (RFC 9562)", "P2H (`PT2H`)", "(H)", "H8"])
def test_what_is_no_number_of_the_plan_is_left_alone(line: str) -> None:
    assert not PLAN_NUMBERS.search(line)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
