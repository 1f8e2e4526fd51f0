"""Who comes in when: around always, to the people at the desk only while they take buyers."""

import random
from collections import Counter

import pytest

from player.programme import (
    AROUND,
    NEWCOMERS_TOPIC,
    OF_ALL,
    OF_ONE_PERSON,
    STAFFED,
    TOPICS,
    Doorman,
    Programme,
    shares,
)
from rehearsal import dialogues
from rehearsal.dialogues import Side

pytestmark = pytest.mark.unit


def evening(doorman: Doorman, *, people: int, seconds: int = 600) -> Counter[str]:
    """Let so many seconds pass in which everybody who comes in stays; return who is here."""
    here: Counter[str] = Counter()
    for now in range(seconds):
        topic = doorman.wish(float(now), here=here, people=people)
        if topic is not None:
            here[topic] += 1
    return here


@pytest.mark.parametrize(
    ("people", "waiting"), [(0, 0), (1, OF_ONE_PERSON), (2, OF_ALL), (9, OF_ALL)]
)
def test_buyers_come_to_the_people_who_are_there_and_not_too_many(
    people: int, waiting: int
) -> None:
    here = evening(Doorman(random.Random(3)), people=people)

    assert here[NEWCOMERS_TOPIC] == waiting
    assert sum(here[topic] for topic in STAFFED) == AROUND
    assert min(here[topic] for topic in STAFFED) >= AROUND // len(STAFFED)


def test_the_first_buyer_comes_at_once_to_whoever_begins_to_take_buyers() -> None:
    doorman = Doorman(random.Random(3))
    evening(doorman, people=0, seconds=100)

    assert doorman.wish(100.0, here={}, people=1) == NEWCOMERS_TOPIC
    assert doorman.wish(100.0, here={NEWCOMERS_TOPIC: 1}, people=1) != NEWCOMERS_TOPIC


def test_the_shop_is_alive_within_seconds() -> None:
    assert evening(Doorman(random.Random(3)), people=0, seconds=10).total() >= 3


def test_every_shipped_dialogue_has_a_topic_and_begins_with_the_buyer() -> None:
    for one in dialogues.load().dialogues:
        assert one.name.split("-")[0] in TOPICS
        assert one.turns[0].side is Side.BUYER


def test_each_dialogue_of_a_topic_is_played_before_one_comes_again() -> None:
    shipped = dialogues.load().dialogues
    programme = Programme(shipped, random.Random(3))
    for topic in {NEWCOMERS_TOPIC, *STAFFED}:
        own = {one.name for one in shipped if TOPICS[one.name.split("-")[0]] == topic}

        assert {programme.next(topic).name for _ in own} == own


def test_to_people_at_the_desk_nobody_rude_comes() -> None:
    shipped = dialogues.load().dialogues

    rude = [one for one in shipped if any(turn.planted for turn in one.turns)]

    assert NEWCOMERS_TOPIC not in {TOPICS[one.name.split("-")[0]] for one in rude}


def test_colleagues_share_the_other_groups() -> None:
    assert Counter(shares(["a", "b", "c", "d", "e", "f"]).values()) == dict.fromkeys(STAFFED, 2)
