"""How long people have for each step of a case.

Pure; the durations come from the settings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.aftersales import CaseState


@dataclass(frozen=True, slots=True)
class CasePlaybook:
    """How long people have. Every method takes the moment it counts from."""

    review_within: timedelta
    refund_within: timedelta
    warn_before: timedelta

    def due(self, state: CaseState, at: datetime) -> datetime:
        """Return when a case that entered `state`, an open one, must leave it."""
        within = {CaseState.REQUESTED: self.review_within, CaseState.REVIEWED: self.refund_within}
        return at + within[state]

    def warn_at(self, entered_at: datetime, due_at: datetime) -> datetime:
        """Return when to warn: `warn_before` the due time, never in the first half of the time."""
        return max(due_at - self.warn_before, entered_at + (due_at - entered_at) / 2)
