"""Where an instance lives: below the checkout, or where PostgreSQL's account can reach it.

Knows paths and permissions; must not know what is kept there.
"""

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError
from launcher.instance import files
from launcher.instance.account import Account

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SYSTEM_STATE: Final = Path("/var/lib/peakdesk")
PASSABLE: Final = 0o711
"""Others may walk through to PostgreSQL's own folder, and list nothing on the way."""


def place(chosen: Path | None, account: Account | None, *, checkout: Path = CHECKOUT) -> Path:
    """Return where all instances of a checkout are kept; makes nothing.

    It is `chosen`, or `.peakdesk` in the checkout. A root user's checkout often lies in a folder
    that only root may enter; then, unless `chosen`, a folder of the system's is taken.
    Raises LaunchError if `chosen` is out of reach for `account`.
    """
    folder = chosen.absolute() if chosen else checkout / ".peakdesk"
    if account is None or account.can_enter(folder.parent):
        return folder
    if chosen:
        raise LaunchError(
            f"PostgreSQL will run as {account.name}, who cannot enter {folder.parent}: name a "
            "folder within that account's reach with --folder, for instance below /var/lib."
        )
    mark = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]
    return SYSTEM_STATE / f"{checkout.name}-{mark}"


def home(chosen: Path | None, account: Account | None, *, checkout: Path = CHECKOUT) -> Path:
    """Return that folder, made and passable. Raises as `place` does."""
    folder = place(chosen, account, checkout=checkout)
    if not folder.exists():
        make_own(folder, account)
    elif account is not None and not account.can_enter(folder):
        # A folder of yours keeps its other bits: it may hold more than PeakDesk.
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | PASSABLE & ~files.FOLDER)
    return folder


def make_own(folder: Path, account: Account | None) -> None:
    """Make a folder that is ours alone, also of one that is there; `account` may walk through."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files.FOLDER if account is None else PASSABLE
    if stat.S_IMODE(folder.stat().st_mode) != wanted:
        folder.chmod(wanted)


def jar_cache(home_folder: Path, version: str) -> Path:
    """Return the folder of the verified jars, shared by all instances of a checkout."""
    return home_folder / "downloads" / f"kafka-{version}"


def draft_of(folder: Path) -> Path:
    """Return where to make `folder` before it is renamed, cleared of what was left half made.

    A name of this launcher's own: the program of one that was killed may still be writing.
    """
    for old in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(old, ignore_errors=True)
    return folder.with_name(f"{folder.name}.new-{os.getpid()}")


def open_to_others(tree: Path) -> None:
    """Let everybody read a copy of programs: its source may be closed by a careful umask."""
    for place in (tree, *tree.rglob("*")):
        if not place.is_symlink():
            mode = stat.S_IMODE(place.stat().st_mode)
            runs = mode & stat.S_IXUSR
            place.chmod(mode | 0o044 | (0o011 if runs else 0))
