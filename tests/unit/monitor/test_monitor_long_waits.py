"""Which waits conversation is told of before they are too long (N15, N16)."""

from datetime import UTC, datetime

import pytest

from contracts.conversation import Handoff, ShopListed, Timing
from contracts.people import PersonId, SenderKind, ShopId
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.fold.states import Conversation
from services.monitor.handoffs.domain import LongWait
from services.monitor.handoffs.waits import OpenWaits, event_of
from services.monitor.profiles import book as profiles
from services.monitor.response.rounds import Machine
from services.monitor.waiting.waits import SETTLE_MS
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
    found = Rules(profiles.load(), Directory(), no_engine)
    offers(found, 25)
    return found


@pytest.fixture
def machine(rules: Rules) -> Machine:
    return told_machine(rules.book.readings)


def offers(rules: Rules, offer_s: int | None, *, version: int = 1, profile: str = "qiyu") -> None:
    timing = Timing(handoff=Handoff(offer_s=offer_s))
    entry = ShopListed(
        id="1",
        time=NOON,
        shop_id=SHOP,
        name="小店",
        version=version,
        profiles=(profile,),
        timing=timing,
    )
    rules.directory.list_shop(entry)


def known(chat: Told) -> Conversation:
    return Conversation(chat.standing, [chat.talk])


def asked(machine: Machine, *, assigned: bool = True) -> Told:
    chat = Told(machine, name="c", shop=SHOP, offset=0)
    if assigned:
        chat.assigned(NOON_MS - 1000, PersonId("anne"))
    return says(chat, NOON_MS, SenderKind.BUYER)


def says(chat: Told, at_ms: int, kind: SenderKind) -> Told:
    who = chat.buyer_id if kind is SenderKind.BUYER else PersonId("anne")
    seat = chat.standing.seat if kind is SenderKind.AGENT else None
    return chat.says(kind, at_ms, who, seat=seat)


def watching(rules: Rules, *chats: Told) -> OpenWaits:
    waits = OpenWaits(rules, 0, place=0)
    waits.watch(map(known, chats))
    return waits


def due(waits: OpenWaits, chat: Told, through_s: float) -> list[LongWait]:
    states, through_ms = {chat.standing.name: known(chat)}, NOON_MS + int(through_s * 1000)
    return waits.due(states, through_ms=through_ms + SETTLE_MS, now_ms=through_ms, limit=9)


def told(waits: OpenWaits, chat: Told, through_s: float) -> list[LongWait]:
    found = due(waits, chat, through_s)
    waits.told()
    return found


def test_n16_an_agent_s_buyer_is_told_of_once_as_long_as_his_shop_says(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)

    assert told(waits, chat, 24.9) == []
    (found,) = told(waits, chat, 25)
    waits.watch([known(chat)])

    assert told(waits, chat, 60) == []
    assert (found.agent_id, found.seat_version) == ("anne", chat.standing.seat)
    assert (found.waiting_ms, found.due_ms, found.late_ms) == (NOON_MS, NOON_MS + 25_000, 0)
    event = event_of(found, now=NOON)
    assert (event.waiting_since, event.key) == (NOON, SHOP)


def test_n16_the_breach_is_the_deepest_level_of_the_shop_s_first_profile_with_levels(
    rules: Rules, machine: Machine
) -> None:
    offers(rules, 25, version=2, profile="jd_2021")
    first = asked(machine)
    (found,) = told(watching(rules, first), first, 25)
    replied = says(asked(machine), NOON_MS + 1000, SenderKind.AGENT)
    later = says(replied, NOON_MS + 2000, SenderKind.BUYER)
    (other,) = told(watching(rules, later), later, 30)

    assert (found.breach_ms - found.waiting_ms, other.breach_ms - other.waiting_ms) == (
        30_000,
        180_000,
    )


def test_n16_what_was_answered_or_is_nobody_s_is_not_told(rules: Rules, machine: Machine) -> None:
    answered = asked(machine)
    waits = watching(rules, answered)
    says(answered, NOON_MS + 24_000, SenderKind.AGENT)
    queued = asked(machine, assigned=False)

    assert told(waits, answered, 30) == []
    assert told(watching(rules, queued), queued, 30) == []


def test_n16_a_wait_that_is_too_long_already_is_not_told(rules: Rules, machine: Machine) -> None:
    chat = asked(machine)

    assert told(watching(rules, chat), chat, 180) == []


def test_n16_a_shop_that_hands_nobody_on_is_told_of_nobody(rules: Rules, machine: Machine) -> None:
    offers(rules, None, version=2)
    chat = asked(machine)

    waits = watching(rules, chat)

    assert told(waits, chat, 60) == []
    assert not waits.threatens


def test_n16_what_could_not_be_stored_is_due_again_and_the_next_wait_is_another(
    rules: Rules, machine: Machine
) -> None:
    chat = asked(machine)
    waits = watching(rules, chat)

    (first,) = due(waits, chat, 26)
    (again,) = told(waits, chat, 27)
    says(chat, NOON_MS + 28_000, SenderKind.AGENT)
    says(chat, NOON_MS + 40_000, SenderKind.BUYER)
    waits.watch([known(chat)])
    (next_one,) = told(waits, chat, 66)

    assert first.event_id == again.event_id != next_one.event_id
    assert next_one.waiting_ms == NOON_MS + 40_000
