"""The timetable offers exactly the asked-for load, whatever the platform does."""

import itertools
import random

import pytest

from rehearsal.dialogues import Dialogue, Side, Turn, load, with_rude_turns
from rehearsal.schedule import ENTRIES_PER_S, Curve, entries, slots, timetable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("curve", list(Curve))
def test_the_offered_load_is_the_rate_times_the_seconds(curve: Curve) -> None:
    times = list(slots(50, 30, curve))

    assert len(times) == 1_500
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < 30


def test_the_peak_is_several_times_the_evening_before_it() -> None:
    times = list(slots(100, 10, Curve.PEAK))

    evening = sum(1 for at in times if at < 1)
    midnight = sum(1 for at in times if 4 <= at < 5)
    assert midnight >= 5 * evening


def test_every_slot_is_given_to_exactly_one_turn_in_dialogue_order() -> None:
    times = list(slots(20, 20, Curve.FLAT))

    plays = timetable(load().dialogues, times, random.Random(1))

    due = sorted(d.at for play in plays for d in play.due)
    assert due == times
    for play in plays:
        said = [d.turn for d in play.due]
        assert said == list(play.dialogue.turns[: len(said)])


def test_a_dialogue_never_starts_with_the_agent() -> None:
    talk = Dialogue("t", (Turn(Side.AGENT, "您好"), Turn(Side.BUYER, "在吗")))

    plays = timetable([talk], [0.0, 1.0], random.Random(1))

    assert [play.due[0].turn.side for play in plays] == [Side.BUYER, Side.BUYER]


def test_rude_turns_are_planted_only_after_both_sides_could_speak() -> None:
    calm = [d for d in load().dialogues if not any(t.planted for t in d.turns)]

    rude = with_rude_turns(calm, random.Random(3))

    planted = [d for d in rude if any(t.planted for t in d.turns)]
    assert planted
    for dialogue in planted:
        assert {t.side for t in dialogue.turns if t.planted} == set(Side)
        assert not any(t.planted for t in dialogue.turns[:2])


def test_buyers_enter_before_they_speak_and_never_as_a_storm() -> None:
    plays = timetable(load().dialogues, list(slots(40, 30, Curve.FLAT)), random.Random(1))

    at = entries(plays, lead=2.0)

    assert all(enters <= play.starts_at - 2.0 for enters, play in zip(at, plays, strict=True))
    assert all(b - a >= 1 / ENTRIES_PER_S - 1e-9 for a, b in itertools.pairwise(at))
