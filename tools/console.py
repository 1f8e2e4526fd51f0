"""Builds the console, and checks what is committed of it: `python -m tools.console build`.

`console/dist` is committed, so a checkout serves it without Node; its `built_from` is the digest of
what it was built from. Knows files and programs; must not know what the console shows.
"""

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance.folders import CHECKOUT
from launcher.sentences import in_a_sentence
from tools import nodejs

CONSOLE: Final = nodejs.CONSOLE
DIST: Final = CONSOLE / "dist"
BUILT_FROM: Final = "built_from"
UNBUILT: Final = ("dist", "node_modules", "tests", "eslint.config.js", "README.md")
"""What no build reads: a change there leaves `dist` as it is."""
STALE: Final = (
    "console/dist was built from other sources than console/ has now: "
    "run `just console` (`python -m tools.console build`) and commit what it writes."
)
CHECKS: Final = {
    "lint": ("eslint/bin/eslint.js", ("src", "tests", "build", "--max-warnings", "0")),
    "types": ("vue-tsc/bin/vue-tsc.js", ("--noEmit",)),
    "unit": ("vitest/vitest.mjs", ("run",)),
}
"""Checks that need Node: the program below node_modules, and what it is told."""


def digest(folder: Path = CONSOLE) -> str:
    """Return the digest of everything that a build reads, lock file included, Node excluded."""
    total = hashlib.sha256()
    for path in _sources(folder):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return total.hexdigest()


def is_current(folder: Path = CONSOLE) -> bool:
    """Tell whether the pages that are committed were built from the sources beside them."""
    built_from = folder / "dist" / BUILT_FROM
    return built_from.is_file() and built_from.read_text(encoding="utf-8").strip() == digest(folder)


def build(into: Path = DIST) -> None:
    """Build the pages into a folder, which is emptied first. Raises LaunchError if that fails."""
    built_from = digest()
    _run(
        "build",
        ("vite/bin/vite.js", ("build", "--outDir", str(into), "--emptyOutDir")),
        {"PEAKDESK_BUILT_FROM": built_from[:12]},
    )
    (into / BUILT_FROM).write_text(f"{built_from}\n", encoding="utf-8")


def check() -> None:
    """Raise LaunchError unless the committed pages were built from these sources. Needs no Node."""
    if not is_current():
        raise LaunchError(STALE)


def test() -> None:
    """Lint, check types, run unit tests, then build anew and compare every byte.

    Raises LaunchError at the first that fails.
    """
    check()
    for name, program in CHECKS.items():
        _run(name, program)
    with tempfile.TemporaryDirectory(dir=CHECKOUT / ".peakdesk", prefix="console-") as folder:
        build(Path(folder))
        committed, built = _contents(DIST), _contents(Path(folder))
    names = committed.keys() | built.keys()
    differing = sorted(name for name in names if committed.get(name) != built.get(name))
    if differing:
        raise LaunchError(f"{STALE} These files differ: {', '.join(differing)}.")


def _sources(folder: Path) -> list[Path]:
    parts = {path: path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file()}
    return sorted(
        path
        for path, names in parts.items()
        if names[0] not in UNBUILT and not any(name.startswith(".") for name in names)
    )


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _run(
    name: str, program: tuple[str, tuple[str, ...]], variables: dict[str, str] | None = None
) -> None:
    succeeded, said = nodejs.run(*program, variables)
    if not succeeded:
        sys.stdout.write(said)
        raise LaunchError(f"The console's {name} failed: what it said stands above.")


def main() -> None:
    """Run what the command line names: `build`, `check`, `test` or `dev`."""
    word = sys.argv[1]
    with in_a_sentence():
        if word == "dev":
            raise SystemExit(nodejs.stay("vite/bin/vite.js", ()))
        {"build": build, "check": check, "test": test}[word]()


if __name__ == "__main__":
    main()
