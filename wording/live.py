"""Keeps the engine of a lexicon folder current: a changed folder is loaded aside, then swapped in.

It must not know who asks for the reload or when; callers poll it.
"""

from pathlib import Path

from wording.engine import Engine
from wording.lexicon import SHIPPED, fingerprint


class LiveEngine:
    """Holds the current engine of a folder (None: the shipped lexicon).

    `current` is read without a lock: one attribute, replaced whole. Callers take it once per
    message, so that a verdict never mixes two versions.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or SHIPPED
        self._seen = fingerprint(self._folder)
        self.current = Engine.load(self._folder)

    @property
    def version(self) -> str:
        """The version of the lexicon that is current."""
        return self.current.lexicon_version

    def reload_if_changed(self) -> bool:
        """Load the folder again if a file changed; tell whether a new engine was swapped in.

        Raises LexiconError for a broken file: the old engine stays, and the same broken content
        is not tried again until a file changes.
        """
        now = fingerprint(self._folder)
        if now == self._seen:
            return False
        self._seen = now
        fresh = Engine.load(self._folder)
        changed = fresh.lexicon_version != self.current.lexicon_version
        self.current = fresh
        return changed
