"""Which waiting thresholds fall due for whom."""

import pytest

from contracts.people import PersonId, SenderKind
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.states import Conversation
from services.monitor.profiles import book as profiles
from services.monitor.response.rounds import Machine
from services.monitor.waiting.waits import SETTLE_MS, Waits
from tests.unit.monitor.told import Told
from tests.unit.monitor.told import machine as told_machine
from wording import Engine

pytestmark = pytest.mark.unit

NOON_MS = 1_794_369_600_000


def no_engine() -> Engine:
    raise AssertionError("waiting asks for no wording")


@pytest.fixture
def rules() -> Rules:
    return Rules(profiles.load(), Directory(), no_engine)


@pytest.fixture
def machine(rules: Rules) -> Machine:
    return told_machine(rules.book.readings)


def asked(machine: Machine) -> Told:
    return Told(machine, buyer_id=PersonId("buyer")).says(
        SenderKind.BUYER, NOON_MS, PersonId("buyer")
    )


def say(chat: Told, at_ms: int, kind: SenderKind) -> None:
    chat.says(kind, at_ms, PersonId(kind), seat=1 if kind is SenderKind.AGENT else None)


def known(chat: Told) -> Conversation:
    return Conversation(chat.standing, [chat.talk])


def fired(waits: Waits, chat: Told, through_ms: int) -> set[tuple[str, int]]:
    states = {chat.standing.name: known(chat)}
    found = waits.due(states, through_ms=through_ms + SETTLE_MS, now_ms=through_ms)
    return {(firing.profile, firing.threshold_s) for firing in found}


def test_a_wait_passes_each_threshold_of_the_shop_s_profiles_once(
    rules: Rules, machine: Machine
) -> None:
    state, waits = asked(machine), Waits(rules, 0, place=0)
    waits.watch([known(state)], NOON_MS)
    waits.watch([known(state)], NOON_MS)

    assert fired(waits, state, NOON_MS + 19_999) == set()
    three = {"taobao_2022", "jd_2021", "qiyu"}
    assert fired(waits, state, NOON_MS + 20_000) == {(name, 20) for name in three}
    assert fired(waits, state, NOON_MS + 20_500) == set()
    assert fired(waits, state, NOON_MS + 30_000) == {(name, 30) for name in three}


def test_nothing_fires_after_the_answer(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine), Waits(rules, 0, place=0)
    waits.watch([known(state)], NOON_MS)

    say(state, NOON_MS + 19_000, SenderKind.AGENT)

    assert fired(waits, state, NOON_MS + 25_000) == set()


def test_a_new_wait_after_an_answer_is_watched_by_itself(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine), Waits(rules, 0, place=0)
    waits.watch([known(state)], NOON_MS)
    say(state, NOON_MS + 5_000, SenderKind.AGENT)
    say(state, NOON_MS + 15_000, SenderKind.BUYER)
    waits.watch([known(state)], NOON_MS + 15_000)

    assert fired(waits, state, NOON_MS + 25_000) == set()
    assert len(fired(waits, state, NOON_MS + 35_000)) == 3


def test_a_transfer_breaks_no_wait(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine).assigned(NOON_MS, PersonId("anne")), Waits(rules, 0, place=0)
    waits.watch([known(state)], NOON_MS)
    state.transferred(NOON_MS + 10_000, PersonId("ben"))
    waits.watch([known(state)], NOON_MS + 10_000)

    assert len(fired(waits, state, NOON_MS + 20_000)) == 3
    assert fired(waits, state, NOON_MS + 29_999) == set()


def test_thresholds_missed_while_no_monitor_ran_fire_at_the_start(
    rules: Rules, machine: Machine
) -> None:
    state, waits = asked(machine), Waits(rules, 0, place=0)

    waits.watch([known(state)], NOON_MS + 40_000)
    late = fired(waits, state, NOON_MS + 40_000) | fired(waits, state, NOON_MS + 40_250)

    assert {threshold for _, threshold in late} == {20, 30}
