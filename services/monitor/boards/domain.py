"""How much of a board is pushed, and whose next: a message has a limit, and so has a moment.

Knows what a supervisor has to see first; must not know how a board comes about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from contracts.monitor import AgentTile, BoardPublished
from contracts.people import AgentState, ShopId

BOARD_BYTES: Final = 48 * 1024
"""Of a whole board at most: a frame of 64 KiB takes it. What does not fit is on tiles alone."""

CUT_PAUSE_MS: Final = 2_000
"""Between two whole boards of a shop that do not fit: who looks closely reads totals and tiles."""

TILE_BYTES: Final = 560
"""Of an agent with the longest name, without figures."""

FIGURES_BYTES: Final = 320
"""Of one profile's figures, with sums as large as a year makes them."""

REFRESH_MS: Final = 5_000
"""A board that shows somebody waiting, or a delay, is published anew so often without a change."""

WITHHELD_MS: Final = 1_000
"""So long after a look at which something had to wait for its pause the board is due anyhow."""

RENEWED_AT_ONCE: Final = 25
"""Boards of quiet shops at one look. A board takes 10 ms, and at midnight, when a sale begins, a
busy shop's waits for no more than these; ten thousand quiet ones have turned in three minutes."""

MISSED_MS: Final = 10_000
"""What changed so shortly before a share was taken over, its holder may have died over: it comes
first. The lock of one that is killed is free at once, and others look for it every second."""

MARK_MS: Final = 2_000
"""How often boards are said to be current. Who heard it last eight seconds ago says that they are
not: a look that takes long, and a fold that is asked anew, are no fault yet."""

TRY_MS: Final = 1_000
"""How often the shares of a monitor that is gone are looked for."""

DayOf = Callable[[ShopId], date]
"""A shop's local day at the moment of the look."""

IsOurs = Callable[[ShopId], bool]
"""Whether a shop's board is published by this monitor."""


def pushed(board: BoardPublished, limit: int = BOARD_BYTES) -> BoardPublished:
    """Return a board as it is pushed: with all agents, or those who need to be looked at first.

    First are buyers who wait beyond the limit, then who waits longest, then who has most to do.
    """
    room = limit // (TILE_BYTES + FIGURES_BYTES * len(board.figures))
    if len(board.agents) <= room:
        return board
    first = {tile.agent_id for tile in sorted(board.agents, key=_urgency)[:room]}
    shown = tuple(tile for tile in board.agents if tile.agent_id in first)
    return board.model_copy(
        update={"agents": shown, "agents_left_out": len(board.agents) - len(shown)}
    )


def _urgency(tile: AgentTile) -> tuple[int, int, bool, int, str]:
    is_offline = tile.state is AgentState.OFFLINE
    waiting = -tile.breaching, -tile.longest_wait_ms
    return *waiting, is_offline, -tile.open_conversations, tile.agent_id


@dataclass(frozen=True, slots=True)
class Shown:
    """The board of a shop that was published last. `day` None: not by this monitor, or none."""

    revision: int
    at_ms: int = 0
    day: date | None = None
    again_ms: int | None = None
    """When it is due without a change."""
    changed_ms: int | None = None
    """When it was seen to change while another monitor had to publish it."""

    def is_changed(self, revision: int, now_ms: int) -> bool:
        """Tell whether it shows too little: something happened, or time passes for who waits."""
        if self.changed_ms is not None and now_ms - self.changed_ms < MISSED_MS:
            return True
        is_old = self.again_ms is not None and now_ms >= self.again_ms
        return revision > self.revision or is_old


@dataclass(frozen=True, slots=True)
class Turns:
    """Shops whose board is due."""

    changed: tuple[ShopId, ...]
    """Who looks at these is told something new."""
    renewed: tuple[ShopId, ...]
    """Nothing happened in these but a midnight. They may be all shops: a few at each look."""


class Pace:
    """What was published of every shop, and so what is due."""

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._shown: dict[ShopId, Shown] = {}

    def due(
        self, revisions: Mapping[ShopId, int], day_of: DayOf, *, is_ours: IsOurs, now_ms: int
    ) -> Turns:
        """Return whose board is due, given each shop's revision as of now."""
        first = not self._shown
        changed: list[ShopId] = []
        renewed: list[ShopId] = []
        for shop_id, revision in revisions.items():
            # At the first look every shop is new, and none has changed as far as is known here.
            shown = self._shown.get(shop_id) or Shown(revision if first else revision - 1)
            if not is_ours(shop_id):
                self._shown[shop_id] = _of_another(shown, revision, now_ms)
                continue
            if revision < shown.revision:
                # A day left those that are summed, which is no change of today's board; if there
                # was one as well, it comes with the few. The next one is seen again.
                shown = replace(shown, revision=revision, day=None)
            self._shown[shop_id] = shown
            if now_ms - shown.at_ms < self._interval_ms:
                continue
            if shown.is_changed(revision, now_ms):
                changed.append(shop_id)
            elif shown.day != day_of(shop_id):
                renewed.append(shop_id)
        return Turns(tuple(changed), tuple(renewed))

    def published(
        self, shop_id: ShopId, revision: int, day: date, *, at_ms: int, again_ms: int | None
    ) -> None:
        """A shop's board of that day was published."""
        self._shown[shop_id] = Shown(revision, at_ms, day, again_ms)


def _of_another(shown: Shown, revision: int, now_ms: int) -> Shown:
    """Return what is known of a board that another monitor publishes.

    Should this one have to, what it missed comes at once if it is new, else in turn.
    """
    if revision > shown.revision:
        return Shown(revision, changed_ms=now_ms)
    if revision == shown.revision and shown.day is None:
        return shown
    return Shown(revision)
