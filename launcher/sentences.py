"""What goes wrong in a command is told in one sentence, without a stack. Knows kinds of trouble."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from launcher.errors import LaunchError
from launcher.instance import space
from launcher.instance.folders import CHECKOUT
from launcher.instance.typed import typed
from launcher.screen import Screen


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Do the block; end the process with 1 and a sentence where it fails."""
    try:
        yield
    except LaunchError as error:
        _give_up(error.sentence, error)
    except subprocess.TimeoutExpired as error:
        program = Path(str(error.cmd[0])).name
        _give_up(
            f"{program} did not end within {error.timeout:.0f} s: run the command again.", error
        )
    except OSError as error:
        if space.is_full(error):
            _give_up(space.sentence(Path(error.filename or CHECKOUT)), error)
        _give_up(f"{error}: give yourself the right, then run it again.", error)


@contextmanager
def completable(folder: Path) -> Iterator[None]:
    """Tell whoever interrupts the block what goes on in an instance, and how to complete it."""
    try:
        yield
    except KeyboardInterrupt:
        raise LaunchError(
            f"Interrupted: what has started by now goes on. Complete it with "
            f"`{typed('up', folder)}`, or stop it with `{typed('down', folder)}`."
        ) from None


def _give_up(sentence: str, error: Exception) -> NoReturn:
    screen = Screen(Console(stderr=True))
    screen.say(f"peakdesk: {sentence}", plain=True)
    raise SystemExit(1) from error
