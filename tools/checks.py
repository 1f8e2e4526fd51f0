"""Every check in one run: lint, format, types, layers, tests; a line per step.

`./peakdesk check` and `./peakdesk test` become this. Knows tools and exit codes; must not know what
they check.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from launcher import infrastructure, platform
from launcher.errors import LaunchError
from launcher.infrastructure import Wanted
from launcher.instance import instance
from launcher.instance.folders import CHECKOUT
from launcher.instance.processes import Processes
from launcher.kafka import java
from launcher.screen import Screen
from launcher.sentences import in_a_sentence
from tools import browser, nodejs

STEP_TIMEOUT_S: Final = 900
TESTS_TIMEOUT_S: Final = 3600
TEST_INSTANCE: Final = "test"
TEST_PLATFORMS: Final = ("platform", "browser", "faults", "releases", "cluster", "load")
"""Instances that journeys, fault runs and benches bring up; stopped after the run that did."""
WORKERS: Final = 6
"""Measured on two cores, which many tests leave idle while they wait for time to pass: four took
539 s and left half a core idle in their second half, six took 488 s."""

BRIEF: Final = "-XX:TieredStopAtLevel=1"
"""Java's options for a whole run: its brokers live for minutes, and the second compiler costs more
than it earns in them. Benches are runs of their own, with both."""


NO_BROWSER: Final = "--no-browser"
LONGER: Final = "--browser"
EXPRESSIONS: Final = {
    (): "not load and not heavy",
    (NO_BROWSER,): "not load and not heavy and not browser",
    (LONGER,): "not load and (not heavy or browser)",
}
"""What the whole run plays, by the word that it was given."""

BY_CHANCE: Final = "--hypothesis-profile=chance"
"""The longer run draws other examples of each property every time; the default one never does."""


@dataclass(frozen=True)
class Step:
    """A check: its name on the screen, and the argv of a tool of our environment."""

    name: str
    argv: Sequence[str]


CHECKS: Final = (
    Step("lint", ("ruff", "check", "--output-format", "concise")),
    Step("format", ("ruff", "format", "--check", "--output-format", "concise")),
    Step("types", ("mypy",)),
    Step("layers", ("lint-imports", "--no-cache")),
    Step("console", ("python", "-m", "tools.console", "check")),
)
WHOLE: Final = (
    *CHECKS[:-1],
    Step("console", ("python", "-m", "tools.console", "test")),
    Step("collection", ("pytest", "--collect-only", "-qqq")),
)
"""Before all tests: the console's own too, and its pages built anew and compared. Needs Node.

And that every test can be collected, for then each module is compiled once: in a fresh checkout
all workers would do it side by side, which is half of what they do before their first test.
"""


def check(screen: Screen, steps: Sequence[Step] = CHECKS) -> None:
    """Run every check but the tests, side by side. Raises LaunchError naming those that failed.

    Two take nearly all of the time, and each of them leaves a core idle.
    """
    with ThreadPoolExecutor(len(steps)) as pool:
        running = [(step, pool.submit(_run, step)) for step in steps]
        failed = [step.name for step, run in running if not _passes(step, run, screen)]
    if failed:
        raise LaunchError(f"Failed: {', '.join(failed)}. What each tool said stands above.")


def run_tests(arguments: Sequence[str], screen: Screen) -> int:
    """Run pytest, its output going straight to the terminal; return its exit code.

    What this run started, tests included, is stopped afterwards. Raises LaunchError if there is no
    browser for its journeys.
    """
    if is_whole(arguments):
        os.environ.setdefault(java.OPTIONS, BRIEF)
        if NO_BROWSER not in arguments:
            browser.ensure(screen)
    wanted = Wanted(TEST_INSTANCE, durable=False)
    place = infrastructure.folder_of(wanted)
    with instance.locked(place):
        known = infrastructure.open_instance(wanted, place)
        ran_before = infrastructure.runs(known)
        infrastructure.start(known, screen)
    idle = [name for name in TEST_PLATFORMS if not _is_alive(name)]
    try:
        argv = [_tool("pytest"), *_pytest_arguments(arguments)]
        code = subprocess.run(argv, cwd=CHECKOUT, check=False, timeout=TESTS_TIMEOUT_S).returncode
        if NO_BROWSER in arguments:
            screen.say(f"  {browser.count()} journeys in a browser were not run.")
        return code
    finally:
        for name in filter(_is_alive, idle):
            _stop(name, screen)
        if not ran_before:
            with instance.locked(place):
                infrastructure.stop(known, screen)


def is_whole(arguments: Sequence[str]) -> bool:
    """Tell whether everything is to be checked, and not what pytest alone is told."""
    return tuple(arguments) in EXPRESSIONS


def _is_alive(name: str) -> bool:
    """Tell whether any process of the instance lives."""
    known = instance.load(infrastructure.folder_of(Wanted(name)))
    processes = None if known is None else Processes(known)
    return processes is not None and any(map(processes.find, processes.names()))


def _stop(name: str, screen: Screen) -> None:
    place = infrastructure.folder_of(Wanted(name))
    with instance.locked(place):
        known = instance.load(place)
        if known is not None:
            platform.down(known, screen)


def _pytest_arguments(arguments: Sequence[str]) -> list[str]:
    whole = EXPRESSIONS.get(tuple(arguments))
    chosen = list(arguments) if whole is None else ["-m", whole]
    if LONGER in arguments:
        chosen.append(BY_CHANCE)
    if not any(word.startswith(("-n", "--pdb", "-s")) for word in chosen):
        chosen += ["-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
    return chosen


@dataclass(frozen=True)
class _Run:
    """What came of a step."""

    code: int
    output: str
    took_s: float


def _run(step: Step) -> _Run:
    begun = time.monotonic()
    done = subprocess.run(
        [_tool(step.argv[0]), *step.argv[1:]],
        cwd=CHECKOUT,
        check=False,
        timeout=STEP_TIMEOUT_S,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return _Run(done.returncode, done.stdout, time.monotonic() - begun)


def _passes(step: Step, running: "Future[_Run]", screen: Screen) -> bool:
    with screen.step(step.name) as line:
        done = running.result()
        line.outcome = "clean" if done.code == 0 else "failed"
        line.failed = done.code != 0
        line.took_s = done.took_s
    if done.code != 0:
        screen.say(done.output, plain=True)
    return done.code == 0


def _tool(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise LaunchError(f"{name} is not installed: run `./peakdesk test`, which installs it.")
    return str(path)


def main() -> None:
    """Run what the command line names: `check`, or `test` with what pytest is told."""
    word, *arguments = sys.argv[1:]
    screen = Screen(Console())
    with in_a_sentence():
        if word == "check":
            check(screen)
        elif is_whole(arguments):
            nodejs.ensure(screen)
            check(screen, WHOLE)
        if word == "test":
            raise SystemExit(run_tests(arguments, screen))


if __name__ == "__main__":
    main()
