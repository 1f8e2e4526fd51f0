"""How a command is typed for an instance, for sentences that say what to do next."""

import shlex
from pathlib import Path
from typing import Final

from launcher.instance import account, folders

USUAL: Final = "default"
"""The instance that a command means when it names none."""


def typed(words: str, folder: Path) -> str:
    """Return the whole command for the instance in `folder`, with the options that choose it."""
    chosen = [] if folder.name == USUAL else ["--instance", folder.name]
    if folder.parent != folders.place(None, account.unprivileged()):
        chosen += ["--folder", str(folder.parent)]
    return " ".join(["./peakdesk", words, *map(shlex.quote, chosen)])
