"""How a module of this checkout is run by our own Python; knows argv only."""

import sys


def run_module(module: str, *arguments: str) -> list[str]:
    """Return the argv that runs `module` of this checkout, wherever the terminal stands.

    `python -m` takes the current folder first, which may be another checkout with a launcher and
    services of its own; -P leaves it out.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
