"""Running totals: scores summed per shop, profile, day and agent, and where two sets disagree.

Pure. Must not know how a score is judged or where totals are stored.
"""

from collections.abc import Iterator, Mapping
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


def differences(
    stored: Mapping[CounterKey, Score], computed: Mapping[CounterKey, Score]
) -> Iterator[tuple[CounterKey, Score, Score]]:
    """Yield each row on which two sets of totals disagree, as (key, stored, computed)."""
    for key in sorted({*stored, *computed}, key=repr):
        pair = stored.get(key, _NOTHING), computed.get(key, _NOTHING)
        if pair[0] != pair[1]:
            yield key, *pair
