"""Who sits at the desk and is none of the simulated."""

import pytest

from player.show import ABSENT_S, Desk

pytestmark = pytest.mark.unit

OURS = {"c3", "c4"}


def test_people_who_take_buyers_are_counted_and_colleagues_are_not() -> None:
    desk = Desk()

    desk.look({"c3": "online", "c4": "online", "one": "online", "two": "break"}, OURS, 10.0)

    assert desk.taking == 1
    assert not desk.is_empty()


def test_who_is_on_a_break_keeps_his_buyers_and_gets_no_new_ones() -> None:
    desk = Desk()

    desk.look({"c3": "online", "one": "break"}, OURS, 10.0)

    assert desk.taking == 0
    assert not desk.is_empty()


def test_a_reload_empties_no_desk_and_going_does() -> None:
    desk = Desk()
    assert desk.is_empty()
    desk.look({"c3": "online", "one": "online"}, OURS, 10.0)

    desk.look({"c3": "online", "one": "offline"}, OURS, 10.0 + ABSENT_S)
    assert not desk.is_empty()
    desk.look({"c3": "online", "one": "offline"}, OURS, 10.1 + ABSENT_S)
    assert desk.is_empty()
