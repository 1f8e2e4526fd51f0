"""The unprivileged account that runs PostgreSQL, which refuses to run as root.

Knows accounts and folder permissions; must not know what runs under them.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launcher.errors import LaunchError

CANDIDATES: Final = ("peakdesk", "nobody")
"""An account made for us where an administrator made one, else the one that every system has."""


@dataclass(frozen=True)
class Account:
    """A system account by name and ids."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """Return whether this account may walk to `folder` or, where it is absent, its parents.

        Reads permission bits; access lists beyond them are not looked at.
        """
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        whole_way = (existing, *existing.resolve().parents)
        return all(self._may_pass(place.stat()) for place in whole_way)

    def _may_pass(self, facts: os.stat_result) -> bool:
        if facts.st_uid == self.uid:
            needed = stat.S_IXUSR
        elif facts.st_gid == self.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        return bool(facts.st_mode & needed)


def unprivileged() -> Account | None:
    """Return the account to step down to, or None when we are not root and need none."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LaunchError(
        "PostgreSQL refuses to run as root and there is no unprivileged account to use: "
        f"make one with `useradd --system {CANDIDATES[0]}`, or run this command as a normal user."
    )
