"""Takes over files that changed under a running process, and says so in one way everywhere.

Knows that something can be loaded anew; must not know what it is.
"""

import asyncio
from typing import Final, Protocol

import structlog

EVERY_S: Final = 5.0
"""Pause between two looks at the files, where they are looked at by the clock."""

log: Final = structlog.get_logger()


class Reloadable(Protocol):
    """What is read from files and swapped whole."""

    @property
    def version(self) -> str:
        """Names the content that holds now."""

    def reload_if_changed(self) -> bool:
        """Load changed files and tell whether that changed anything.

        Files that cannot be used raise once; what held before stays, until a file changes again.
        """


class Reloading:
    """Looks once when it is called; `name` is what the log calls it."""

    def __init__(self, name: str, subject: Reloadable, *, refused: type[Exception]) -> None:
        """`refused` is what files that cannot be used raise; its text says which and why."""
        self._name = name
        self._subject = subject
        self._refused = refused

    async def __call__(self) -> None:
        """Look beside the event loop: loading may take a second."""
        try:
            changed = await asyncio.to_thread(self._subject.reload_if_changed)
        except self._refused as error:
            reason = str(error)
            log.error("reloading.refused", what=self._name, reason=reason)  # noqa: TRY400 - says it all
            return
        if changed:
            log.info("reloading.done", what=self._name, version=self._subject.version)
