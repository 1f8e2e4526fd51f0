"""Which waiting thresholds fall due, and that one waiting buyer is told of once."""

from datetime import UTC, datetime

import pytest

from contracts.conversation import ShopListed
from contracts.people import PersonId, SenderKind, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.states import Conversation
from services.monitor.profiles import book as profiles
from services.monitor.response.rounds import Machine
from services.monitor.waiting.domain import Firing
from services.monitor.waiting.waits import LATE_LIMIT_MS, SETTLE_MS, Waits, alert_of
from tests.unit.monitor.told import Told
from tests.unit.monitor.told import machine as told_machine
from wording import Engine

pytestmark = pytest.mark.unit

NOON_MS = 1_794_369_600_000
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)
SHOP = ShopId("s")


def no_engine() -> Engine:
    raise AssertionError("waiting asks for no wording")


@pytest.fixture
def rules() -> Rules:
    return Rules(profiles.load(), Directory(), no_engine)


@pytest.fixture
def machine(rules: Rules) -> Machine:
    return told_machine(rules.book.readings)


def measured_by(rules: Rules, *names: str) -> None:
    rules.directory.list_shop(
        ShopListed(id="1", time=NOON, shop_id=SHOP, name="小店", version=1, profiles=names)
    )


def asked(machine: Machine, at_ms: int = NOON_MS, *, name: str = "c", offset: int = 0) -> Told:
    chat = Told(machine, name=name, shop=SHOP, offset=offset)
    return say(chat, at_ms, SenderKind.BUYER)


def say(chat: Told, at_ms: int, kind: SenderKind) -> Told:
    who = chat.buyer_id if kind is SenderKind.BUYER else PersonId(kind)
    return chat.says(kind, at_ms, who, seat=1 if kind is SenderKind.AGENT else None)


def known(chat: Told) -> Conversation:
    return Conversation(chat.standing, [chat.talk])


def watching(rules: Rules, *chats: Told) -> Waits:
    waits = Waits(rules, 0, place=0)
    waits.watch(map(known, chats))
    return waits


def offered(waits: Waits, chat: Told, through_ms: int) -> list[Firing]:
    states = {chat.standing.name: known(chat)}
    return waits.due(states, through_ms=through_ms + SETTLE_MS, now_ms=through_ms, limit=9)


def fired(waits: Waits, chat: Told, through_ms: int) -> list[int]:
    found = offered(waits, chat, through_ms)
    waits.told()
    return [firing.threshold_s for firing in found]


def test_a_wait_passes_each_threshold_of_the_shop_s_profiles_once(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)
    waits.watch([known(chat)])

    assert fired(waits, chat, NOON_MS + 19_999) == []
    assert fired(waits, chat, NOON_MS + 20_000) == [20]
    assert fired(waits, chat, NOON_MS + 20_500) == []
    assert fired(waits, chat, NOON_MS + 30_000) == [30]
    assert fired(waits, chat, NOON_MS + 3_000_000) == [100, 180]
    waits.watch([known(chat)])
    assert fired(waits, chat, NOON_MS + 3_600_000) == []


def test_one_waiting_buyer_is_one_alert_for_all_profiles_the_strictest_first(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)

    (firing,) = offered(watching(rules, chat), chat, NOON_MS + 20_000)
    alert = alert_of(firing, known(chat), now=NOON)

    assert alert.profiles == ("jd_2021", "qiyu", "taobao_2022")
    assert alert.profile == "jd_2021"
    assert alert.opened_at == NOON


def test_a_threshold_that_one_profile_alone_has_names_that_one(
    rules: Rules, machine: Machine
) -> None:
    measured_by(rules, "pdd", "qiyu")
    chat = asked(machine)

    found = offered(watching(rules, chat), chat, NOON_MS + 300_000)

    assert {f.threshold_s: f.profiles for f in found}[180] == ("qiyu", "pdd")
    assert {f.threshold_s: f.profiles for f in found}[300] == ("pdd",)


def test_after_a_bot_s_reply_nothing_is_told_for_those_that_count_it(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)
    say(chat, NOON_MS + 5_000, SenderKind.ASSIST_BOT)

    (firing,) = offered(waits, chat, NOON_MS + 20_000)

    assert firing.profiles == ("jd_2021", "qiyu")


def test_a_buyer_who_asks_again_after_a_bot_is_still_told_of_once_a_threshold(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)
    say(chat, NOON_MS + 5_000, SenderKind.ASSIST_BOT)
    say(chat, NOON_MS + 15_000, SenderKind.BUYER)
    waits.watch([known(chat)])

    (first,) = offered(waits, chat, NOON_MS + 20_000)
    waits.told()
    (next_one,) = offered(waits, chat, NOON_MS + 30_000)
    waits.told()
    (later,) = offered(waits, chat, NOON_MS + 35_000)

    # The same wait of the same buyer: what is stored about it says that it was told.
    assert (first.waiting_offset, first.threshold_s) == (1, 20)
    assert (next_one.waiting_offset, next_one.threshold_s) == (1, 30)
    assert (later.waiting_offset, later.threshold_s) == (1, 20)
    assert later.profiles == ("taobao_2022",)
    assert alert_of(later, known(chat), now=NOON).id == alert_of(first, known(chat), now=NOON).id


def test_where_only_profiles_count_that_take_a_bot_s_reply_the_wait_behind_it_is_told(
    rules: Rules, machine: Machine
) -> None:
    measured_by(rules, "taobao_2022")
    chat = asked(machine)
    waits = watching(rules, chat)
    say(chat, NOON_MS + 5_000, SenderKind.ASSIST_BOT)
    say(chat, NOON_MS + 15_000, SenderKind.BUYER)
    waits.watch([known(chat)])

    assert fired(waits, chat, NOON_MS + 34_999) == []
    assert fired(waits, chat, NOON_MS + 35_000) == [20]


def test_nothing_fires_after_the_answer(rules: Rules, machine: Machine) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)

    say(chat, NOON_MS + 19_000, SenderKind.AGENT)

    assert fired(waits, chat, NOON_MS + 25_000) == []


def test_a_new_wait_after_an_answer_is_watched_by_itself(rules: Rules, machine: Machine) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)
    say(chat, NOON_MS + 5_000, SenderKind.AGENT)
    say(chat, NOON_MS + 15_000, SenderKind.BUYER)
    waits.watch([known(chat)])

    assert fired(waits, chat, NOON_MS + 25_000) == []
    assert fired(waits, chat, NOON_MS + 35_000) == [20]


def test_a_transfer_breaks_no_wait(rules: Rules, machine: Machine) -> None:
    chat = asked(machine).assigned(NOON_MS + 1_000, PersonId("anne"))
    waits = watching(rules, chat)
    chat.transferred(NOON_MS + 10_000, PersonId("ben"))
    waits.watch([known(chat)])

    assert fired(waits, chat, NOON_MS + 20_000) == [20]
    assert fired(waits, chat, NOON_MS + 29_999) == []


def test_thresholds_missed_while_no_monitor_ran_fire_at_the_start(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)

    assert fired(watching(rules, chat), chat, NOON_MS + 40_000) == [20, 30]


def test_a_threshold_missed_by_more_than_an_hour_raises_no_alarm_but_later_ones_do(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)

    assert fired(watching(rules, chat), chat, NOON_MS + 100_000 + LATE_LIMIT_MS) == [100, 180]


def test_what_could_not_be_stored_falls_due_again_until_it_is_told(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)

    first = offered(waits, chat, NOON_MS + 20_000)
    second = offered(waits, chat, NOON_MS + 30_100)
    waits.told()

    assert [f.threshold_s for f in first] == [20]
    assert [f.threshold_s for f in second] == [20, 30]
    assert fired(waits, chat, NOON_MS + 40_000) == []


def test_what_could_not_be_stored_is_dropped_when_the_answer_came_meanwhile(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)
    offered(waits, chat, NOON_MS + 20_000)

    say(chat, NOON_MS + 20_100, SenderKind.AGENT)

    assert offered(waits, chat, NOON_MS + 20_200) == []


def test_what_one_transaction_cannot_hold_waits_for_the_next(
    rules: Rules, machine: Machine
) -> None:
    chats = [asked(machine, NOON_MS + n, name=f"c{n}", offset=n) for n in range(5)]
    states = {chat.standing.name: known(chat) for chat in chats}
    waits = watching(rules, *chats)

    told = []
    while found := waits.due(states, through_ms=NOON_MS + 25_000, now_ms=NOON_MS, limit=2):
        told.append([firing.conversation_id for firing in found])
        waits.told()

    assert told == [["c0", "c1"], ["c2", "c3"], ["c4"]]
