"""Tells a full disk from every other trouble; knows errno and free bytes, nothing of instances."""

import errno
import shutil
from pathlib import Path
from typing import Final

LOW_BYTES: Final = 8 * 1024 * 1024
"""Less is as good as nothing: Kafka and PostgreSQL make files of 10 and 16 MiB in one go."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_WORDS: Final = ("No space left on device", "Disk quota exceeded", "not enough space on the disk")
"""What programs of others print of it."""


def is_full(error: BaseException | None) -> bool:
    """Return whether `error`, or one that it came from, says that a disk or a quota is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def sentence(folder: Path) -> str:
    """Return what to tell a person whose disk is full."""
    return (
        f"The disk that holds {folder} is full ({_free(folder) / 1e6:.0f} MB free): make room, "
        "or name a folder on another disk with --folder, then run the command again."
    )


def in_words(error: Exception, folder: Path) -> str:
    """Return what to tell a person of an error in the instance in `folder`."""
    return sentence(folder) if is_full(error) else str(error) or type(error).__name__


def complaint(folder: Path, words: str = "") -> str | None:
    """Return the sentence if `folder` has no room left, or `words` of a program say so."""
    full = any(said in words for said in _WORDS) or _free(folder) < LOW_BYTES
    return sentence(folder) if full else None


def _free(folder: Path) -> int:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(existing).free
