"""The unprivileged account that runs PostgreSQL, which refuses to run as root.

Knows accounts and folder permissions; must not know what runs under them.
"""

import os
import pwd
import subprocess
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
        """Return whether this account can enter `folder` or, where it is absent, its parents."""
        while not folder.exists():
            folder = folder.parent
        check = subprocess.run(
            ["test", "-x", folder],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
            timeout=10,
        )
        return check.returncode == 0


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
