"""Running totals: scores summed per shop, profile, day and agent, and buyers counted per day.

Pure. Must not know how a score is judged or where totals are stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from contracts.people import PersonId, ShopId
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score

_NOTHING = Score()


class CounterKey(NamedTuple):
    """What one row of totals is about; no agent: nobody owned it."""

    shop_id: ShopId
    profile: ProfileName
    day: date
    agent_id: PersonId | None


@dataclass(slots=True)
class Counters:
    """Totals that only grow; two owners' totals add up to one's."""

    totals: dict[CounterKey, Score] = field(default_factory=dict)

    def add(self, key: CounterKey, score: Score) -> None:
        """Add a score to its row."""
        self.totals[key] = self.totals.get(key, _NOTHING) + score

    def merge(self, others: Mapping[CounterKey, Score]) -> None:
        """Add another owner's totals."""
        for key, score in others.items():
            self.add(key, score)


class BuyerScore(NamedTuple):
    """One round's part in a count of buyers."""

    buyer_id: PersonId
    day: date
    score: Score


class BuyerDays(NamedTuple):
    """Distinct buyers, each counted once a day (M05 by buyer, M06)."""

    asked: int
    unanswered: int
    """At least one round got no answer."""
    late: int
    """At least one round got no answer within the profile's limit."""


def by_buyer(scores: Iterable[BuyerScore]) -> BuyerDays:
    """Count buyers, by day, from the scores of their rounds."""
    totals: dict[tuple[PersonId, date], Score] = {}
    for buyer_id, day, score in scores:
        totals[buyer_id, day] = totals.get((buyer_id, day), _NOTHING) + score
    return BuyerDays(
        asked=len(totals),
        unanswered=sum(total.unanswered > 0 for total in totals.values()),
        late=sum(total.rounds + total.unanswered > 0 and _late(total) for total in totals.values()),
    )


def _late(total: Score) -> bool:
    return total.unanswered > 0 or total.within < total.rounds


def differences(
    stored: Mapping[CounterKey, Score], computed: Mapping[CounterKey, Score]
) -> Iterator[tuple[CounterKey, Score, Score]]:
    """Yield each row on which two sets of totals disagree, as (key, stored, computed)."""
    for key in sorted({*stored, *computed}, key=repr):
        pair = stored.get(key, _NOTHING), computed.get(key, _NOTHING)
        if pair[0] != pair[1]:
            yield key, *pair
