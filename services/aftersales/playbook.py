"""The playbook: which work follows from what happened, and how long each step may take.

Pure; the durations come from the settings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.aftersales import CaseState


@dataclass(frozen=True, slots=True)
class Playbook:
    """How long people have. Every method takes the moment it counts from."""

    address_check_within: timedelta
    address_check_again_after: timedelta
    review_within: timedelta
    refund_within: timedelta
    warn_before: timedelta

    def check_address_by(self, at: datetime, *, attempt: int) -> datetime:
        """Return when an address check is due: at first soon, a repeat when buyers are back."""
        first = attempt == 1
        return at + (self.address_check_within if first else self.address_check_again_after)

    def due(self, state: CaseState, at: datetime) -> datetime:
        """Return when a case that entered `state`, an open one, must leave it."""
        terms = {CaseState.REQUESTED: self.review_within, CaseState.REVIEWED: self.refund_within}
        return at + terms[state]

    def warn_at(self, entered_at: datetime, due_at: datetime) -> datetime:
        """Return when to warn: `warn_before` the due time, never in the first half of the time."""
        return max(due_at - self.warn_before, entered_at + (due_at - entered_at) / 2)
