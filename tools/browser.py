"""The browser in which journeys are played: the system's Chromium, installed where we may.

Knows programs and system packages; must not know what is played.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance.folders import CHECKOUT
from launcher.screen import Screen

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
INSTALL: Final = "apt-get install -y --no-install-recommends chromium fonts-noto-cjk"
"""Without a version: Debian keeps the newest build alone, and an older one would have holes that
are known. Without the fonts every Chinese word on a picture is a row of boxes."""
INSTALL_TIMEOUT_S: Final = 900
JOURNEYS: Final = CHECKOUT / "tests" / "browser"
MISSING: Final = (
    "There is no Chromium for the journeys in a browser. Install it, on Debian with "
    f"`{INSTALL}`, or leave them out: `./peakdesk test --no-browser`."
)


def find() -> Path | None:
    """Return the browser on PATH, or None."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return None if found is None else Path(found)


def required() -> Path:
    """Return the browser on PATH. Raises LaunchError that says how to get one."""
    found = find()
    if found is None:
        raise LaunchError(MISSING)
    return found


def ensure(screen: Screen, install: Callable[[], bool] | None = None) -> None:
    """Have a browser, installing the system's packages if this is root on a Debian.

    `install` does that and tells whether it worked. Raises LaunchError that says what to run.
    """
    if find() is not None:
        return
    with screen.step("Browser") as step:
        screen.say("  fetching Chromium and Chinese fonts, about 150 MB (once)")
        installed = (install or _install)()
        step.outcome = "installed by apt-get" if installed else "is missing"
        step.failed = not installed
    required()


def arguments() -> list[str]:
    """Return what a browser is told: root has no sandbox, and a container little shared memory."""
    return ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def count() -> int:
    """Return how many journeys there are; reads their files and runs nothing."""
    found = (file.read_text(encoding="utf-8") for file in JOURNEYS.glob("test_*.py"))
    return sum(len(re.findall(r"^(?:async )?def test_", text, re.MULTILINE)) for text in found)


def _install() -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return all(
        subprocess.run(
            line.split(),
            env=variables,
            check=False,
            timeout=INSTALL_TIMEOUT_S,
            capture_output=True,
        ).returncode
        == 0
        for line in ("apt-get update", INSTALL)
    )
