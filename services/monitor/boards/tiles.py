"""Which agents' tiles are told: those that changed, and none of them too often (F14).

Knows what was told last; must not know how a tile comes about, or who hears it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contracts.people import AgentState, PersonId, ShopId, SkillGroupId
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score

PAUSE_MS: Final = 1_000
"""Between two tiles of one agent."""

LONG_PAUSE_MS: Final = 2_000
"""The same in a shop of more than `MANY` agents, where each supervisor is sent so many more."""

MANY: Final = 100

AGAIN_MS: Final = 60_000
"""A tile is told again so long after it was told last, if anything happened in its shop since. A
gateway that asked for tiles between two looks may have seen what was over at the next one, and
would show it until the agent's next change."""

AGAIN_AT_ONCE: Final = 20
"""Tiles of a shop that are told again at one look: they come in turn, and not all in one second."""


class Tile(NamedTuple):
    """An agent on the board, as far as he is told apart from his earlier tiles."""

    agent_id: PersonId
    name: str
    state: AgentState
    since_ms: int | None
    open: int
    waiting: int
    waiting_ms: int | None
    """Since when the buyer waits who waits longest."""
    breaching: int
    figures: tuple[tuple[ProfileName, Score, int], ...]
    """By profile, with the seconds within which a first response is in time."""
    flags: int = 0
    held: int = 0
    capacity: int | None = None
    groups: tuple[SkillGroupId, ...] | None = None
    removed: bool = False


@dataclass(slots=True)
class _Told:
    tile: Tile
    at_ms: int


@dataclass(slots=True)
class _Shop:
    told: dict[PersonId, _Told] = field(default_factory=dict)
    looked_ms: int = 0
    """When something was seen to have happened last."""


class Tiles:
    """What was told of every shop that is looked after here."""

    def __init__(self) -> None:
        self._shops: dict[ShopId, _Shop] = {}
        self._restless: set[ShopId] = set()
        """Where something happened after some tile was told last."""

    def due(self, shop_id: ShopId, tiles: Iterable[Tile], now_ms: int) -> tuple[list[Tile], bool]:
        """Return what has to be told now, and whether anything must wait for its pause."""
        now = {tile.agent_id: tile for tile in tiles}
        shop = self._shops.setdefault(shop_id, _Shop())
        shop.looked_ms = now_ms
        self._restless.add(shop_id)
        pause_ms = PAUSE_MS if len(now) <= MANY else LONG_PAUSE_MS
        gone = [told.tile._replace(removed=True) for told in shop.told.values()
                if told.tile.agent_id not in now]  # fmt: skip
        found: list[Tile] = []
        is_withheld = False
        for tile in (*now.values(), *gone):
            told = shop.told.get(tile.agent_id)
            if told is not None and told.tile == tile:
                continue
            if told is not None and now_ms - told.at_ms < pause_ms:
                is_withheld = True
                continue
            found.append(tile)
        return found, is_withheld

    def again(self, now_ms: int) -> Iterator[tuple[ShopId, list[Tile]]]:
        """Yield, by shop, tiles that are told again though nothing of them changed."""
        for shop_id in list(self._restless):
            shop = self._shops[shop_id]
            waiting = [told for told in shop.told.values() if told.at_ms <= shop.looked_ms]
            old = [told for told in waiting if now_ms - told.at_ms >= AGAIN_MS]
            if not waiting:
                self._restless.discard(shop_id)
            elif old:
                old.sort(key=lambda told: told.at_ms)
                yield shop_id, [told.tile for told in old[:AGAIN_AT_ONCE]]

    def told(self, shop_id: ShopId, tiles: Iterable[Tile], now_ms: int) -> None:
        """These are in the log."""
        known = self._shops.setdefault(shop_id, _Shop()).told
        for tile in tiles:
            if tile.removed:
                known.pop(tile.agent_id, None)
            else:
                known[tile.agent_id] = _Told(tile, now_ms)

    def leave(self, is_left: Callable[[ShopId], bool]) -> None:
        """Others look after these from now on; should one come back, all of it is told anew."""
        for shop_id in [shop_id for shop_id in self._shops if is_left(shop_id)]:
            del self._shops[shop_id]
            self._restless.discard(shop_id)
