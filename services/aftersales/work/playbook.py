"""Which work follows from what happened, and how long people have for it.

Pure; the durations come from the settings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class WorkPlaybook:
    """How long people have. Every method takes the moment it counts from."""

    address_check_within: timedelta
    address_check_again_after: timedelta

    def check_address_by(self, at: datetime, *, attempt: int) -> datetime:
        """Return when an address check is due: at first soon, a repeat when buyers are back."""
        first = attempt == 1
        return at + (self.address_check_within if first else self.address_check_again_after)
