"""Files of the launcher: written whole or not at all, and for their owner's eyes alone."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from launcher.errors import LaunchError

FOLDER: Final = 0o700
FILE: Final = 0o600
UMASK: Final = 0o077
"""For processes, whose files of later days are nobody else's business either."""


def make_folder(folder: Path) -> None:
    """Make a folder that is its owner's alone; one that is there becomes so, with its files."""
    folder.mkdir(exist_ok=True, mode=FOLDER)
    if folder.stat().st_mode & ~FOLDER & 0o777:
        # The folder first: from here on nobody else reaches what is in it.
        folder.chmod(FOLDER)
        for place in folder.rglob("*"):
            # What runs meanwhile may remove its files.
            with contextlib.suppress(FileNotFoundError):
                if not place.is_symlink():
                    place.chmod(FOLDER if place.is_dir() else FILE)


def write(path: Path, text: str) -> None:
    """Replace `path` in one step and on the disk: the old file is there, or the whole new one.

    A full disk raises OSError and leaves the old one.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        # A failed write names no file, and whoever reads of it wants to know which disk is meant.
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON object as `write` does."""
    write(path, json.dumps(document, indent=1) + "\n")


def read_document(
    path: Path, *, cure: str = "remove it and run the command again"
) -> dict[str, Any] | None:
    """Return the JSON object in `path`, None if there is no such file.

    Raises Damaged, with the `cure` of this file, if it holds anything else.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:  # no JSON, no UTF-8
        raise Damaged(path, cure) from error
    if not isinstance(document, dict):
        raise Damaged(path, cure)
    return document


class Damaged(LaunchError):
    """A file of ours is empty or holds something else: a disk was full, or a power cut came."""

    def __init__(self, path: Path, cure: str) -> None:
        super().__init__(f"{path} is empty or damaged: {cure}.")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
