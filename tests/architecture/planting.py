"""A copy of our source tree with violations planted in it, and what import-linter says of them.

One run serves all plants: a second graph would cost as long again and show nothing more.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = (
    "contracts",
    "kit",
    "profiles",
    "reception",
    "wording",
    "services",
    "launcher",
    "rehearsal",
    "player",
    "tools",
)
TIMEOUT_S: Final = 120


@dataclass(frozen=True)
class Plant:
    """A line of code appended to a file, the contract that must break and the words that say so."""

    contract: str
    file: str
    code: str
    complaint: str


@dataclass(frozen=True)
class Verdict:
    """What import-linter printed about each broken contract, by the contract's name."""

    broken: Mapping[str, str]
    output: str


def copy_tree(target: Path) -> None:
    """Copy packages and configuration, without data, caches or environments."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__", "data", "dialogues", "lexicons")
        shutil.copytree(CHECKOUT / package, target / package, ignore=ignore)
    shutil.copy(CHECKOUT / "pyproject.toml", target)


def plant(target: Path, plants: tuple[Plant, ...]) -> None:
    """Append each plant's code to its file, which is made, its package too, if it is not there."""
    for one in plants:
        path = target / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("__init__.py").touch()
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{one.code}\n")


def lint(target: Path) -> Verdict:
    """Run import-linter over the tree in `target`."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(target), "COLUMNS": "400"},
    )
    output = done.stdout + done.stderr
    details = output.partition("Broken contracts")[2]
    sections = re.split(r"^(?=\S[^\n]*\n-{3,}$)", details, flags=re.MULTILINE)
    broken = {s.splitlines()[0].strip(): s for s in sections if len(s.splitlines()) > 1}
    return Verdict(broken, output)
