"""Which waiting thresholds fall due for whom."""

import pytest

from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.profiles import book as profiles
from services.monitor.response.rounds import Conversation, Machine
from services.monitor.waiting.waits import SETTLE_MS, Waits
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
    return Machine(rules.book.readings)


def asked(machine: Machine, at_ms: int = NOON_MS) -> Conversation:
    state = machine.begin(
        ConversationId("c"), shop_id=ShopId("s"), buyer_id=PersonId("b"), offset=1
    )
    say(machine, state, at_ms, SenderKind.BUYER)
    return state


def say(machine: Machine, state: Conversation, at_ms: int, kind: SenderKind) -> None:
    machine.message(state, at_ms=at_ms, offset=at_ms, sender_id=PersonId(kind), kind=kind, seat=1)


def fired(waits: Waits, state: Conversation, through_ms: int) -> set[tuple[str, int]]:
    found = waits.due({state.name: state}, through_ms=through_ms + SETTLE_MS, now_ms=through_ms)
    return {(firing.profile, firing.threshold_s) for firing in found}


def test_a_wait_passes_each_threshold_of_the_shop_s_profiles_once(
    rules: Rules, machine: Machine
) -> None:
    state, waits = asked(machine), Waits(rules, 0)
    waits.watch([state], NOON_MS)
    waits.watch([state], NOON_MS)

    assert fired(waits, state, NOON_MS + 19_999) == set()
    three = {"taobao_2022", "jd_2021", "qiyu"}
    assert fired(waits, state, NOON_MS + 20_000) == {(name, 20) for name in three}
    assert fired(waits, state, NOON_MS + 20_500) == set()
    assert fired(waits, state, NOON_MS + 30_000) == {(name, 30) for name in three}


def test_nothing_fires_after_the_answer(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine), Waits(rules, 0)
    waits.watch([state], NOON_MS)

    say(machine, state, NOON_MS + 19_000, SenderKind.AGENT)

    assert fired(waits, state, NOON_MS + 25_000) == set()


def test_a_new_wait_after_an_answer_is_watched_by_itself(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine), Waits(rules, 0)
    waits.watch([state], NOON_MS)
    say(machine, state, NOON_MS + 5_000, SenderKind.AGENT)
    say(machine, state, NOON_MS + 15_000, SenderKind.BUYER)
    waits.watch([state], NOON_MS + 15_000)

    assert fired(waits, state, NOON_MS + 25_000) == set()
    assert len(fired(waits, state, NOON_MS + 35_000)) == 3


def test_a_transfer_breaks_no_wait(rules: Rules, machine: Machine) -> None:
    state, waits = asked(machine), Waits(rules, 0)
    state.owner = PersonId("anne")
    waits.watch([state], NOON_MS)
    machine.seated(state, at_ms=NOON_MS + 10_000, offset=2, version=2, agent_id=PersonId("ben"))
    waits.watch([state], NOON_MS + 10_000)

    assert len(fired(waits, state, NOON_MS + 20_000)) == 3
    assert fired(waits, state, NOON_MS + 29_999) == set()


def test_thresholds_missed_while_no_monitor_ran_fire_at_the_start(
    rules: Rules, machine: Machine
) -> None:
    state, waits = asked(machine), Waits(rules, 0)

    waits.watch([state], NOON_MS + 40_000)
    late = fired(waits, state, NOON_MS + 40_000) | fired(waits, state, NOON_MS + 40_250)

    assert {threshold for _, threshold in late} == {20, 30}
