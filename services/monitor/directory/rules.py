"""The rules that hold for a shop's chat: profiles, its entry in the directory, its wording."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from kit.settings import SettingsRefused
from profiles import ProfileRefused
from services.monitor.directory.shops import Directory
from services.monitor.facts.staffing import Staffing
from services.monitor.profiles import book as books
from services.monitor.profiles.book import ProfileBook
from services.monitor.profiles.domain import ReadingKey, waits_for_people
from services.monitor.settings import Settings
from wording import Engine, LiveEngine


@dataclass(frozen=True, slots=True)
class Rules:
    """What folding needs to know beside the record."""

    book: ProfileBook
    directory: Directory
    wording: Callable[[], Engine]
    """The engine in force, taken once per message (hot reload)."""
    staffing: Staffing = field(default_factory=Staffing)
    """When shops had nobody; what was never told of is not known."""

    @classmethod
    def from_settings(cls, settings: Settings, lexicon: LiveEngine) -> Self:
        """Return the rules of a house that lists nobody yet. Raises `SettingsRefused`."""
        try:
            folder = Path(settings.profiles_folder) if settings.profiles_folder else None
            book = books.load(folder)
        except ProfileRefused as refused:
            raise SettingsRefused(f"PEAKDESK_PROFILES_FOLDER: {refused}") from None
        return cls(book, Directory(), lambda: lexicon.current)

    def under(self, readings: Sequence[ReadingKey], digests: Mapping[str, str]) -> Self:
        """Return these rules as far as they were in force under an earlier book (H32)."""
        return replace(self, book=self.book.under(readings, digests))

    @property
    def waits_for(self) -> Sequence[int]:
        """Return the tracks of the board's waiting: only people answer, no silence ends it.

        They agree on who waits; the first that a conversation knows tells. A profile that is new
        in the book may put one in front that a running session knows nothing of (H32).
        """
        found = tuple(
            index
            for index, reading in enumerate(self.book.readings)
            if waits_for_people(reading.key)
        )
        return found or (0,)
