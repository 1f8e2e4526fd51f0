"""The rules that hold for a shop's chat: profiles, its entry in the directory, its wording."""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.people import SenderKind
from services.monitor.directory.shops import Directory
from services.monitor.profiles.book import ProfileBook
from wording import Engine


@dataclass(frozen=True, slots=True)
class Rules:
    """What folding needs to know beside the record."""

    book: ProfileBook
    directory: Directory
    wording: Callable[[], Engine]
    """The engine in force, taken once per message (hot reload)."""

    @property
    def waits_for(self) -> int:
        """Return the track of the board's waiting: only people answer, silence ends nothing."""
        for index, reading in enumerate(self.book.readings):
            if reading.effective == {SenderKind.AGENT} and reading.silence_ms is None:
                return index
        return 0
