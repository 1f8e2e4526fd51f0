"""Whose words they are, and what a log comes to when it is repeated, reordered or late."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.people import SenderKind
from tests.faults.figures.counting import Talk, table
from tests.faults.figures.log import Closed, Entry, Owned, Spoke, Voice, entry, facts
from tests.faults.figures.stories import cases, in_order
from tests.unit.figures.scripts import DAY, RULES, STAFFED, Script, at, figures, served

pytestmark = pytest.mark.unit

START = at("10:00")
SUMS = ("rounds", "round_ms", "unanswered", "within", "slow", "sessions", "first_responses")


def voices(script: Script) -> list[Voice]:
    return [fact.voice for fact in facts(script.entries) if isinstance(fact, Spoke)]


def owners(script: Script) -> list[str | None]:
    return [fact.agent for fact in facts(script.entries) if isinstance(fact, Owned)]


def test_words_from_a_lost_seat_are_a_colleagues() -> None:
    script = served(START, "A").owned(START + 1, "B").agent(START + 2, "A", seat=1)

    assert voices(script) == [Voice.COLLEAGUE]


def test_words_without_a_seat_are_a_colleagues() -> None:
    assert voices(served(START, "A").colleague(START + 1)) == [Voice.COLLEAGUE]


def test_words_that_are_faster_than_the_news_of_the_seat_are_the_owners() -> None:
    script = Script().queued(START).agent(START + 1, "A", seat=2).owned(START + 2, "A")

    assert voices(script) == [Voice.OWNER]
    assert owners(script) == [None, "A"]


@pytest.mark.parametrize("sweep", [None, "idle", "abandoned"])
def test_a_goodbye_is_no_contact(sweep: str | None) -> None:
    script = served(START, "A").closed(START + 1, sweep).agent(START + 2, "A", seat=1)

    assert voices(script) == []
    assert [fact for fact in facts(script.entries) if isinstance(fact, Closed)] == [
        Closed(START + 1, sweep, None)
    ]


def test_an_old_version_changes_nothing() -> None:
    script = served(START, "A").owned(START + 1, "B")
    script.entries.append(script.entries[0])

    assert owners(script) == ["A", "B"]


def test_automatic_words_are_no_contact() -> None:
    script = served(START)
    for kind in (SenderKind.AUTO, SenderKind.SYSTEM):
        script.machine(START + 1, kind)

    assert voices(script) == []


def drawn(seed: int) -> list[list[Entry]]:
    told = cases(seed, 1, first_day=DAY)
    return [[entry(event) for event in talk.log] for case in told for talk in case.talks]


@given(st.integers(0, 10_000), st.data())
def test_repeats_change_no_figure(seed: int, data: st.DataObject) -> None:
    once = drawn(seed)
    again = [list(log) for log in once]
    for log in again:
        for place in data.draw(st.lists(st.integers(0, len(log) - 1), max_size=4)):
            log.insert(data.draw(st.integers(place + 1, len(log))), log[place])

    for profile in RULES:
        assert figures(profile, *map(told, again)) == figures(profile, *map(told, once))


@given(st.integers(0, 10_000))
def test_a_story_is_the_seeds_alone(seed: int) -> None:
    assert in_order(cases(seed, 2, first_day=DAY)) == in_order(cases(seed, 2, first_day=DAY))


@given(st.integers(0, 10_000))
def test_a_shop_has_what_its_agents_have_and_what_was_nobodys(seed: int) -> None:
    talks = [
        Talk("buyer", tuple(facts(log)), at("12:00", DAY + timedelta(days=30)))
        for log in drawn(seed)
    ]

    for rule in RULES.values():
        found = table([rule], talks, STAFFED)
        for name in SUMS:
            whole = sum(getattr(one, name) for key, one in found.items() if key.agent is None)
            parts = sum(getattr(one, name) for key, one in found.items() if key.agent is not None)
            assert parts <= whole
        for one in found.values():
            assert one.first_within <= one.first_responses <= one.sessions
            averaged = 0 if rule.unanswered == "exclude" else one.unanswered
            assert one.within + averaged <= one.rounds


def told(log: list[Entry]) -> Script:
    script = Script()
    script.entries = log
    return script
