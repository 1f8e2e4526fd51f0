"""Who speaks when: with a colleague line by line, with a person as he answers."""

import random

import pytest

from player.scenes import (
    LEAVE_S,
    NOBODY_S,
    PERSON_S,
    TRIES,
    Scene,
    Seat,
)
from rehearsal.dialogues import Dialogue, Side, Turn

pytestmark = pytest.mark.unit

LONG = 300.0
"""Longer than any pause between two turns."""

TURNS = (
    Turn(Side.BUYER, "在吗"),
    Turn(Side.AGENT, "在的亲"),
    Turn(Side.AGENT, "您说"),
    Turn(Side.BUYER, "有货吗"),
    Turn(Side.BUYER, "黑色的"),
    Turn(Side.AGENT, "有的"),
)


class Stage:
    """A scene and a clock that is moved by hand."""

    def __init__(self, seat: Seat) -> None:
        self.now = 0.0
        self.scene = Scene(Dialogue("presale-stock", TURNS), random.Random(7))
        self.scene.begin(self.now)
        self.scene.seated(seat, self.now)

    def later(self, seconds: float = LONG) -> Turn | None:
        """Let time pass; return what is due then."""
        self.now += seconds
        return self.scene.due(self.now)

    def speak(self) -> str:
        """Let whoever is due speak; return what he said."""
        turn = self.later()
        assert turn is not None
        self.scene.speaking()
        assert self.scene.due(self.now) is None, "nobody speaks twice at once"
        self.scene.spoken(self.now)
        return turn.text

    def answer(self) -> None:
        """Let the person at the desk say something."""
        self.scene.answered(self.now)


def test_with_a_colleague_the_dialogue_is_played_line_by_line_and_ends() -> None:
    stage = Stage(Seat.COLLEAGUE)

    assert [stage.speak() for _ in TURNS] == [turn.text for turn in TURNS]

    assert stage.later(LEAVE_S[0] / 2) is None
    assert not stage.scene.over, "the buyer stays for a moment"
    assert stage.later(LEAVE_S[1]) is None
    assert stage.scene.over


def test_nothing_is_due_before_the_pause_is_over() -> None:
    stage = Stage(Seat.COLLEAGUE)
    stage.speak()

    assert stage.later(0.0) is None
    assert stage.later() == TURNS[1]


def test_a_buyer_waits_for_the_person_at_the_desk_and_goes_on_when_he_answers() -> None:
    stage = Stage(Seat.PERSON)
    assert stage.speak() == "在吗"

    assert stage.later(PERSON_S / 2) is None, "nobody speaks for a person"
    assert not stage.scene.over

    stage.answer()
    assert stage.later(0.0) is None, "a buyer reads and types first"
    assert stage.speak() == "有货吗"
    assert stage.speak() == "黑色的"
    assert stage.later() is None
    stage.answer()
    assert stage.later(LEAVE_S[1]) is None
    assert stage.scene.over


def test_a_buyer_reads_on_while_more_is_said_to_him() -> None:
    stage = Stage(Seat.PERSON)
    stage.speak()
    stage.answer()
    stage.now += 3.0
    stage.answer()

    assert stage.later(3.5) is None
    assert stage.later() is not None


def test_an_answer_is_heard_though_it_comes_before_the_turn_is_known_to_be_taken() -> None:
    stage = Stage(Seat.PERSON)
    assert stage.later() == TURNS[0]
    stage.scene.speaking()
    stage.answer()
    stage.scene.spoken(stage.now)

    assert stage.speak() == "有货吗"
    assert stage.speak() == "黑色的"
    assert stage.later() is None, "what was said before a turn does not answer it"


def test_a_buyer_in_the_queue_speaks_first_and_is_answered_by_who_comes() -> None:
    stage = Stage(Seat.NOBODY)
    assert stage.speak() == "在吗"
    assert stage.later() is None

    stage.scene.seated(Seat.COLLEAGUE, stage.now)

    assert stage.speak() == "在的亲"


def test_who_is_handed_to_a_colleague_goes_on_with_his_lines_and_back() -> None:
    stage = Stage(Seat.PERSON)
    stage.speak()
    stage.scene.seated(Seat.COLLEAGUE, stage.now)
    assert stage.speak() == "在的亲"

    stage.scene.seated(Seat.PERSON, stage.now)

    assert stage.later() is None
    stage.answer()
    assert stage.speak() == "有货吗"


@pytest.mark.parametrize(("seat", "patience"), [(Seat.PERSON, PERSON_S), (Seat.NOBODY, NOBODY_S)])
def test_a_buyer_whom_nobody_answers_goes_in_the_end(seat: Seat, patience: float) -> None:
    stage = Stage(seat)
    stage.speak()

    assert stage.later(patience - 1.0) is None
    assert not stage.scene.over
    assert stage.later(2.0) is None
    assert stage.scene.over


def test_a_refused_turn_is_tried_again_a_few_times() -> None:
    stage = Stage(Seat.COLLEAGUE)
    for _ in range(TRIES):
        assert not stage.scene.over
        assert stage.later() == TURNS[0]
        stage.scene.speaking()
        stage.scene.refused(stage.now)

    assert stage.scene.over


def test_a_buyer_who_is_not_in_yet_neither_speaks_nor_goes() -> None:
    scene = Scene(Dialogue("presale-stock", TURNS), random.Random(7))

    assert scene.due(1e9) is None
    assert not scene.over
