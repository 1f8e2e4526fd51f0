"""The rules that hold for a shop's chat: profiles, its entry in the directory, its wording."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from contracts.people import SenderKind
from services.monitor.directory.shops import Directory
from services.monitor.facts.staffing import Staffing
from services.monitor.profiles.book import ProfileBook
from services.monitor.profiles.domain import ReadingKey
from wording import Engine


@dataclass(frozen=True, slots=True)
class Rules:
    """What folding needs to know beside the record."""

    book: ProfileBook
    directory: Directory
    wording: Callable[[], Engine]
    """The engine in force, taken once per message (hot reload)."""
    staffing: Staffing = field(default_factory=Staffing)
    """When shops had nobody; what was never told of is not known."""

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
            if reading.effective == {SenderKind.AGENT} and not reading.gap_while_waiting
        )
        return found or (0,)
