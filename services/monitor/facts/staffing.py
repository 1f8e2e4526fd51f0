"""When a shop had nobody: all of its agents offline or suspended (H35).

Live state, read from the topic `staff` whole; must not know what is left out for it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, PersonId, ShopId

AWAY: Final = frozenset({AgentState.OFFLINE, AgentState.SUSPENDED})


class _Change(NamedTuple):
    """From this moment on an agent was away, or was not."""

    since_ms: int
    version: int
    away: bool
    away_before: bool


@dataclass(slots=True)
class _Shop:
    """The changes of a shop's agents, and the moments at which it became staffed or unstaffed."""

    agents: dict[PersonId, list[_Change]] = field(default_factory=dict)
    moments: list[int] | None = None
    unstaffed: list[bool] = field(default_factory=list)


class Staffing:
    """Answers whether a shop was unstaffed at a moment, once the topic is read past it."""

    def __init__(self) -> None:
        self._shops: dict[ShopId, _Shop] = {}
        self.through_ms = 0
        """The moment through which the topic is read."""

    def note(self, changed: AgentStateChanged) -> None:
        """Take a change in; a version that is known changes nothing."""
        shop = self._shops.setdefault(changed.shop_id, _Shop())
        known = shop.agents.setdefault(changed.agent_id, [])
        if any(change.version == changed.version for change in known):
            return
        since_ms = round(changed.since.timestamp() * 1000)
        away, before = changed.state in AWAY, changed.previous in AWAY
        known.append(_Change(since_ms, changed.version, away, before))
        known.sort(key=lambda change: change.version)
        shop.moments = None

    def unstaffed(self, shop_id: ShopId, at_ms: int) -> bool | None:
        """Return whether all agents of a shop were away; None: the topic is not read so far yet.

        A change at that very moment comes behind it. A shop of which no agent is known is staffed:
        nothing says that nobody was there.
        """
        if at_ms >= self.through_ms:
            return None
        shop = self._shops.get(shop_id)
        if shop is None:
            return False
        if shop.moments is None:
            shop.moments, shop.unstaffed = _timeline(shop.agents.values())
        place = bisect_right(shop.moments, at_ms - 1)
        return shop.unstaffed[place]


def _timeline(agents: Iterable[list[_Change]]) -> tuple[list[int], list[bool]]:
    """Return the moments of all changes, and what held before the first and from each one on."""
    present, steps = 0, []
    for changes in agents:
        present += not changes[0].away_before
        steps += list(_steps(changes))
    steps.sort()
    moments, unstaffed = [], [present == 0]
    for at_ms, step in steps:
        present += step
        moments.append(at_ms)
        unstaffed.append(present == 0)
    return moments, unstaffed


def _steps(changes: list[_Change]) -> Iterator[tuple[int, int]]:
    """Yield by how much a moment changes who is there, for one agent, in order of versions."""
    away = changes[0].away_before
    for change in changes:
        if change.away != away:
            yield change.since_ms, -1 if change.away else 1
        away = change.away
