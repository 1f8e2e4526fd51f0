"""How long people have for work, and what follows when nobody does it.

Pure; the durations come from the settings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LEVELS: Final = 3
"""Times that an item escalates; then it stays where everybody sees it, and nobody is told again."""


@dataclass(frozen=True, slots=True)
class WorkPlaybook:
    """How long people have. Every method takes the moment it counts from."""

    address_check_within: timedelta

    def check_address_by(self, at: datetime) -> datetime:
        """Return when an address check that opens at that moment is due."""
        return at + self.address_check_within

    def escalate_at(self, at: datetime, *, level: int) -> datetime | None:
        """Return when an item of that level escalates next; None: it stays where it is.

        People have as long again as they had at first, from when they were told: a service that
        was down for hours tells once, not once for each time that it missed.
        """
        return at + self.address_check_within if level < LEVELS else None
