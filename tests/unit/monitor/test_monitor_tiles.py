"""Which agents' tiles are told, and when."""

import pytest

from contracts.people import AgentState, PersonId, ShopId
from services.monitor.boards.tiles import (
    AGAIN_AT_ONCE,
    AGAIN_MS,
    LONG_PAUSE_MS,
    MANY,
    PAUSE_MS,
    Tile,
    Tiles,
)
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Score

pytestmark = pytest.mark.unit

SHOP, OTHER = ShopId("shop"), ShopId("other")
TAOBAO = ProfileName("taobao_2022")


def tile(number: int, *, has: int = 0, rounds: int = 0) -> Tile:
    """Return an agent's tile."""
    return Tile(
        agent_id=PersonId(f"a{number}"),
        name=f"客服{number}号",
        state=AgentState.ONLINE,
        since_ms=0,
        open=has,
        waiting=0,
        waiting_ms=None,
        breaching=0,
        figures=((TAOBAO, Score(rounds=rounds), 30),),
    )


class Shop:
    """A shop's board and what was told of it."""

    def __init__(self, number: int = 2) -> None:
        self.tiles, self.now_ms = Tiles(), 1_000_000
        self.now = {n: tile(n) for n in range(number)}
        self.is_withheld = False

    def look(self, *, after_ms: int = 0) -> list[Tile]:
        """Look at the board after a while, and tell what is due."""
        self.now_ms += after_ms
        due, self.is_withheld = self.tiles.due(SHOP, self.now.values(), self.now_ms)
        self.tiles.told(SHOP, due, self.now_ms)
        return due

    def again(self, *, after_ms: int = 0) -> list[Tile]:
        """Tell again what is due for it after a while."""
        self.now_ms += after_ms
        found: list[Tile] = []
        for shop, due in self.tiles.again(self.now_ms):
            self.tiles.told(shop, due, self.now_ms)
            found += due
        return found


def test_at_first_everybody_is_told_and_then_who_changed_alone() -> None:
    shop = Shop(3)
    assert shop.look() == [*shop.now.values()]

    shop.now[1] = tile(1, has=4)

    assert shop.look(after_ms=PAUSE_MS) == [tile(1, has=4)]
    assert shop.look(after_ms=PAUSE_MS) == []


@pytest.mark.parametrize(("agents", "pause_ms"), [(MANY, PAUSE_MS), (MANY + 1, LONG_PAUSE_MS)])
def test_nobody_is_told_twice_within_his_pause_and_what_he_is_then_comes(
    agents: int, pause_ms: int
) -> None:
    shop = Shop(agents)
    shop.look()
    shop.now[0] = tile(0, has=1)
    assert (shop.look(after_ms=pause_ms - 1), shop.is_withheld) == ([], True)

    shop.now[0] = tile(0, has=2)

    assert (shop.look(after_ms=1), shop.is_withheld) == ([tile(0, has=2)], False)


def test_who_has_no_tile_any_more_is_told_as_removed_once_and_may_come_back() -> None:
    shop = Shop(2)
    shop.look()
    gone = shop.now.pop(1)

    assert shop.look(after_ms=PAUSE_MS) == [gone._replace(removed=True)]
    assert shop.look(after_ms=PAUSE_MS) == []
    shop.now[1] = gone
    assert shop.look(after_ms=PAUSE_MS) == [gone]


def test_what_could_not_be_told_is_due_at_the_next_look() -> None:
    shop = Shop(1)
    first, _ = shop.tiles.due(SHOP, shop.now.values(), shop.now_ms)

    assert first == shop.look(after_ms=500) == [tile(0)]


def test_a_tile_is_told_again_a_minute_later_if_anything_happened_since_and_then_rests() -> None:
    shop = Shop(2)
    shop.look()
    shop.now[0] = tile(0, has=1)
    shop.look(after_ms=PAUSE_MS)

    assert shop.again(after_ms=AGAIN_MS - PAUSE_MS - 1) == []
    assert shop.again(after_ms=1) == [tile(1)]
    assert shop.again(after_ms=PAUSE_MS) == [tile(0, has=1)]
    assert shop.again(after_ms=10 * AGAIN_MS) == []


def test_not_all_are_told_again_at_once() -> None:
    shop = Shop(3 * AGAIN_AT_ONCE)
    shop.look()
    shop.look(after_ms=AGAIN_MS)
    told = [len(shop.again()) for _ in range(4)]

    assert told == [AGAIN_AT_ONCE, AGAIN_AT_ONCE, AGAIN_AT_ONCE, 0]


def test_of_a_shop_that_another_looked_after_meanwhile_all_is_told_anew() -> None:
    shop = Shop(2)
    shop.look()

    shop.tiles.leave(lambda shop_id: shop_id == OTHER)
    assert shop.look(after_ms=PAUSE_MS) == []
    shop.tiles.leave(lambda shop_id: shop_id == SHOP)
    assert shop.look(after_ms=PAUSE_MS) == [*shop.now.values()]
