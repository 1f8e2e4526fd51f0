"""When a shop had nobody: all of its agents offline or suspended (H35).

Live state, read from the topic `staff` whole; must not know what is left out for it.
"""

from bisect import bisect_left, bisect_right
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
    """The changes of a shop's agents, and how many are there from each moment on."""

    agents: dict[PersonId, list[_Change]] = field(default_factory=dict)
    """By agent, in order of versions."""
    moments: list[int] | None = None
    """None: to be laid out anew when somebody asks."""
    present: list[int] = field(default_factory=list)
    """Before the first moment, and from each one on."""

    def came_or_went(self, at_ms: int, step: int) -> None:
        """Count one more, or one fewer, from a moment on. The newest is near the end."""
        if self.moments is None:
            return
        place = bisect_right(self.moments, at_ms)
        self.moments.insert(place, at_ms)
        self.present.insert(place + 1, self.present[place])
        for later in range(place + 1, len(self.present)):
            self.present[later] += step


class Staffing:
    """Answers whether a shop was unstaffed at a moment, once the topic is read past it."""

    def __init__(self) -> None:
        self._shops: dict[ShopId, _Shop] = {}
        self.through_ms = 0
        """The moment through which the topic is read."""

    def note(self, changed: AgentStateChanged) -> None:
        """Take a change in; a version that is known changes nothing.

        An agent's newest change, which nearly all are, costs what lies behind its moment; one that
        comes after a newer has the shop's history laid out anew.
        """
        shop = self._shops.setdefault(changed.shop_id, _Shop())
        known = shop.agents.setdefault(changed.agent_id, [])
        since_ms = round(changed.since.timestamp() * 1000)
        away, before = changed.state in AWAY, changed.previous in AWAY
        place = bisect_left(known, changed.version, key=_version)
        if place < len(known):
            if known[place].version != changed.version:
                known.insert(place, _Change(since_ms, changed.version, away, before))
                shop.moments = None
            return
        stood = known[-1].away if known else before
        if not known and not before:
            shop.moments = None  # who was there before anything is known counts from the start
        known.append(_Change(since_ms, changed.version, away, before))
        if away != stood:
            shop.came_or_went(since_ms, -1 if away else 1)

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
            shop.moments, shop.present = _timeline(shop.agents.values())
        return shop.present[bisect_right(shop.moments, at_ms - 1)] == 0


def _version(change: _Change) -> int:
    return change.version


def _timeline(agents: Iterable[list[_Change]]) -> tuple[list[int], list[int]]:
    """Return the moments of all changes, and how many are there before and from each one on."""
    here, steps = 0, []
    for changes in agents:
        here += not changes[0].away_before
        steps += list(_steps(changes))
    steps.sort()
    moments, present = [], [here]
    for at_ms, step in steps:
        here += step
        moments.append(at_ms)
        present.append(here)
    return moments, present


def _steps(changes: list[_Change]) -> Iterator[tuple[int, int]]:
    """Yield by how much a moment changes who is there, for one agent, in order of versions."""
    away = changes[0].away_before
    for change in changes:
        if change.away != away:
            yield change.since_ms, -1 if change.away else 1
        away = change.away
