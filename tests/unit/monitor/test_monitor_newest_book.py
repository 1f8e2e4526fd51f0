"""When an earlier book may follow the newest: what one monitor saw itself, look by look (H32)."""

from datetime import UTC, datetime, timedelta

import pytest

from services.monitor.fold.spans import GONE_S, Sight

pytestmark = pytest.mark.unit

SIGN = "later", datetime(2026, 11, 11, tzinfo=UTC)
LOOK_S = 2


def test_a_book_is_gone_that_gave_no_sign_in_every_look_for_long_enough() -> None:
    sight = Sight()

    seen = {at: sight.is_gone(SIGN, at_s=at) for at in range(0, 2 * GONE_S, LOOK_S)}

    assert seen == {at: at >= GONE_S for at in seen}


def test_a_new_sign_begins_it_anew() -> None:
    sight = Sight()
    for at in range(0, GONE_S, LOOK_S):
        sight.is_gone(SIGN, at_s=at)
    sign = SIGN[0], SIGN[1] + timedelta(seconds=1)

    assert [sight.is_gone(sign, at_s=GONE_S + more) for more in (1, 3, 5)] == [False] * 3


def test_a_look_that_failed_begins_it_anew() -> None:
    sight = Sight()
    for at in range(0, GONE_S, LOOK_S):
        sight.is_gone(SIGN, at_s=at)
    sight.lost()

    assert not sight.is_gone(SIGN, at_s=GONE_S + 1)


def test_who_did_not_look_for_a_while_has_seen_nothing_meanwhile() -> None:
    sight = Sight()
    sight.is_gone(SIGN, at_s=0)

    assert not sight.is_gone(SIGN, at_s=2 * GONE_S)
