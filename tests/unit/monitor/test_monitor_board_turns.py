"""Whose board is published next."""

from collections.abc import Iterable, Mapping
from datetime import date

import pytest

from contracts.people import ShopId
from services.monitor.boards.domain import MISSED_MS, REFRESH_MS, Pace, Turns

pytestmark = pytest.mark.unit

INTERVAL_MS = 500
ELEVENTH, TWELFTH = date(2026, 11, 11), date(2026, 11, 12)
BUSY, QUIET, FAR = ShopId("busy"), ShopId("quiet"), ShopId("far away")


class Monitor:
    """A monitor that publishes whatever is due, and where the shops' days are."""

    def __init__(self) -> None:
        self.pace, self.now_ms, self.day = Pace(INTERVAL_MS), 1_000_000, ELEVENTH
        self.holds = True

    def due(self, revisions: Mapping[ShopId, int], *, after_ms: int = INTERVAL_MS) -> Turns:
        """Return what is due after a while."""
        self.now_ms += after_ms
        return self.pace.due(
            revisions, lambda _: self.day, is_ours=lambda _: self.holds, now_ms=self.now_ms
        )

    def publish(
        self, revisions: Mapping[ShopId, int], only: Iterable[ShopId], *, is_moving: bool = False
    ) -> None:
        """Publish boards."""
        again_ms = self.now_ms + REFRESH_MS if is_moving else None
        for shop in only:
            self.pace.published(
                shop, revisions[shop], self.day, at_ms=self.now_ms, again_ms=again_ms
            )

    def settled(self, revisions: Mapping[ShopId, int]) -> None:
        """Have published all boards."""
        self.due(revisions)
        self.publish(revisions, revisions)
        assert self.due(revisions) == Turns((), ())


def test_a_board_turns_with_the_shops_day_though_nothing_happened() -> None:
    monitor = Monitor()
    monitor.settled({QUIET: 7})

    monitor.day = TWELFTH
    turned = monitor.due({QUIET: 7})
    monitor.publish({QUIET: 7}, turned.renewed)

    assert turned == Turns((), (QUIET,))
    assert monitor.due({QUIET: 7}) == Turns((), ())


def test_at_midnight_a_shop_where_something_happens_stands_before_all_that_only_turn() -> None:
    monitor = Monitor()
    monitor.settled({QUIET: 7, FAR: 3, BUSY: 20})

    monitor.day = TWELFTH

    assert monitor.due({QUIET: 7, FAR: 3, BUSY: 21}) == Turns((BUSY,), (QUIET, FAR))


def test_a_day_that_is_summed_no_more_is_no_change_and_hides_none() -> None:
    monitor = Monitor()
    monitor.settled({QUIET: 700, BUSY: 900})

    at_utc_midnight = monitor.due({QUIET: 200, BUSY: 300})
    one_word_later = monitor.due({QUIET: 200, BUSY: 301})

    assert at_utc_midnight == Turns((), (QUIET, BUSY))
    assert one_word_later == Turns((BUSY,), (QUIET,))


def test_a_monitor_that_starts_shows_first_where_something_happens_since() -> None:
    monitor = Monitor()

    first = monitor.due({QUIET: 7, BUSY: 20})
    second = monitor.due({QUIET: 7, BUSY: 21, FAR: 1})

    assert first == Turns((), (QUIET, BUSY))
    assert second == Turns((BUSY, FAR), (QUIET,))


def test_a_monitor_that_takes_over_shows_what_the_other_may_have_missed() -> None:
    monitor = Monitor()
    monitor.holds = False
    monitor.due({QUIET: 7, BUSY: 20, FAR: 3})
    assert monitor.due({QUIET: 7, BUSY: 90, FAR: 3}, after_ms=MISSED_MS) == Turns((), ())
    assert monitor.due({QUIET: 7, BUSY: 90, FAR: 4}, after_ms=MISSED_MS) == Turns((), ())

    monitor.holds = True

    # The other may have died over what is new; what it had ten seconds for comes in turn.
    assert monitor.due({QUIET: 7, BUSY: 90, FAR: 4}) == Turns((FAR,), (QUIET, BUSY))
    monitor.publish({QUIET: 7, BUSY: 90, FAR: 4}, [QUIET, BUSY, FAR])
    assert monitor.due({QUIET: 7, BUSY: 91, FAR: 4}) == Turns((BUSY,), ())


def test_a_monitor_that_lost_a_shop_and_has_it_again_publishes_its_board_anew() -> None:
    monitor = Monitor()
    monitor.settled({QUIET: 7})
    monitor.holds = False
    assert monitor.due({QUIET: 7}) == Turns((), ())

    monitor.holds = True

    assert monitor.due({QUIET: 7}) == Turns((), (QUIET,))


def test_a_board_that_changes_all_the_time_comes_once_per_interval() -> None:
    monitor = Monitor()
    monitor.settled({BUSY: 20})
    monitor.due({BUSY: 21})
    monitor.publish({BUSY: 21}, [BUSY])
    monitor.day = TWELFTH

    assert monitor.due({BUSY: 22}, after_ms=INTERVAL_MS - 1) == Turns((), ())
    assert monitor.due({BUSY: 22}, after_ms=1) == Turns((BUSY,), ())


def test_a_board_that_shows_somebody_waiting_is_refreshed() -> None:
    monitor = Monitor()
    monitor.due({BUSY: 20})
    monitor.publish({BUSY: 20}, [BUSY], is_moving=True)

    assert monitor.due({BUSY: 20}, after_ms=REFRESH_MS - 1) == Turns((), ())
    assert monitor.due({BUSY: 20}, after_ms=1) == Turns((BUSY,), ())
