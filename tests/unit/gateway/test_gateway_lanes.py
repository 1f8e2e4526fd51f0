"""The order of one subscription's sends: what waits, what comes again, and that nothing stays."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import AppError, Unavailable
from services.gateway.frames.client import Send
from services.gateway.frames.refusals import RateLimited
from services.gateway.history import HistoryClient, Stored
from services.gateway.hub import ConversationSubscription, SocketSession
from services.gateway.inbound.lanes import WAITING, Lanes

pytestmark = pytest.mark.unit


def send(number: int, *, again: bool = False) -> Send:
    """Return a send; its id tells its place."""
    return Send(f"aaaaaaaa-{number}", "conv:c", "text", msgspec.Raw(b'{"text":"x"}'), again)


@dataclass(eq=False)
class Stool:
    """Stands for a subscription."""

    socket: str = "socket"
    left: bool = False


class Slow:
    """An archive that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: dict[str, asyncio.Future[Stored | None]] = {}

    async def message(self, message_id: str) -> Stored | None:
        """Wait for the test."""
        self.asked[message_id] = asyncio.get_running_loop().create_future()
        return await self.asked[message_id]


@dataclass
class Office:
    """Takes sends by writing them down; a resend is looked up first."""

    history: Slow = field(default_factory=Slow)
    taken: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    decide: Callable[[Send], bool] = lambda _: True

    def __post_init__(self) -> None:
        self.lanes = Lanes(cast("HistoryClient", self.history), take=self.take, refuse=self.refuse)
        self.numbers: dict[str, int] = {}

    def take(self, subscription: ConversationSubscription, one: Send) -> None:
        """Take a send as `Inbound` does: blocked, looked up, or settled one way or the other."""
        number = self.lanes.number()
        if self.lanes.blocks(subscription, one.id):
            self.retry(subscription, one, number)
        elif one.again:
            self.lanes.look_up(
                subscription,
                one.id,
                found=lambda stored: self.found(subscription, one, (number, stored)),
            )
        else:
            self.write(subscription, one, number)

    def found(
        self, subscription: ConversationSubscription, one: Send, known: tuple[int, Stored | None]
    ) -> None:
        """Take a resend that was looked up, unless it is archived."""
        number, stored = known
        if stored is None:
            self.write(subscription, one, number)
        else:
            self.lanes.settle(subscription, one.id)

    def write(self, subscription: ConversationSubscription, one: Send, number: int) -> None:
        """Write a send down, or answer `retry`."""
        if self.decide(one):
            self.lanes.settle(subscription, one.id)
            self.taken.append(one.id)
        else:
            self.retry(subscription, one, number)

    def retry(self, subscription: ConversationSubscription, one: Send, number: int) -> None:
        """Answer `retry`."""
        self.lanes.retry(subscription, one.id, number)

    def refuse(self, socket: SocketSession, frame_id: str, refusal: AppError) -> None:
        """Note a refusal."""
        self.refused.append((frame_id, refusal.slug))

    def places(self) -> list[int]:
        """Return the places of what was taken."""
        return [int(one.rpartition("-")[2]) for one in self.taken]


def stool() -> Any:
    """Return a subscription as far as lanes know one."""
    return Stool()


async def a_few(turns: int = 30) -> None:
    """Let the loop go round."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_a_free_lane_takes_at_once_and_keeps_nothing() -> None:
    office, subscription = Office(), stool()
    for number in range(3):
        office.lanes.admit(subscription, send(number))
    assert office.places() == [0, 1, 2]
    assert (len(office.lanes), office.lanes.busy) == (0, 0)


async def test_nothing_overtakes_a_send_that_is_looked_up() -> None:
    office, subscription, other = Office(), stool(), stool()
    office.lanes.admit(subscription, send(0, again=True))
    for number in range(1, 4):
        office.lanes.admit(subscription, send(number, again=number == 2))
    office.lanes.admit(other, send(9))
    await a_few()
    assert (office.places(), office.lanes.busy) == ([9], 1)

    office.history.asked.pop("aaaaaaaa-0").set_result(None)
    await a_few()
    assert office.places() == [9, 0, 1]  # the third is looked up itself

    office.history.asked.pop("aaaaaaaa-2").set_exception(Unavailable())
    await a_few()
    assert office.places() == [9, 0, 1, 2, 3]
    assert (len(office.lanes), office.lanes.busy) == (0, 0)


async def test_what_is_archived_is_not_taken_again_and_lets_the_next_go_on() -> None:
    office, subscription = Office(), stool()
    office.lanes.admit(subscription, send(0, again=True))
    office.lanes.admit(subscription, send(1))
    await a_few()
    office.history.asked.pop("aaaaaaaa-0").set_result(Stored("h", (1, 7)))
    await a_few()
    assert (office.places(), office.refused, len(office.lanes)) == ([1], [], 0)


async def test_after_a_retry_later_sends_wait_until_the_oldest_comes_again() -> None:
    office, subscription = Office(decide=lambda one: one.again), stool()
    for number in (0, 1):
        office.lanes.admit(subscription, send(number))
    assert [code for _, code in office.refused] == ["retry", "retry"]
    office.decide = lambda _: True

    office.lanes.admit(subscription, send(1))
    assert office.places() == []
    office.lanes.admit(subscription, send(0))
    office.lanes.admit(subscription, send(1))
    assert office.places() == [0, 1]
    assert len(office.lanes) == 0


async def test_of_refused_sends_the_oldest_alone_is_expected() -> None:
    office, subscription = Office(), stool()
    for number in (0, 1):
        office.lanes.defer(subscription, f"aaaaaaaa-{number}", RateLimited())
    expected = [office.lanes.expects(subscription, f"aaaaaaaa-{number}") for number in (0, 1)]
    assert expected == [True, False]
    assert not office.lanes.expects(stool(), "aaaaaaaa-0")


async def test_an_older_send_that_fails_after_a_younger_was_refused_goes_first() -> None:
    office, subscription = Office(), stool()
    older, younger = office.lanes.number(), office.lanes.number()
    office.lanes.requeue(subscription, "younger", younger)
    office.lanes.requeue(subscription, "older", older)
    assert office.lanes.blocks(subscription, "younger")
    assert not office.lanes.blocks(subscription, "older")


async def test_one_more_than_may_wait_is_deferred_behind_those_that_wait() -> None:
    office, subscription = Office(), stool()
    office.lanes.hold(subscription)
    for number in range(WAITING + 2):
        office.lanes.admit(subscription, send(number))
    assert [one for one, _ in office.refused] == [f"aaaaaaaa-{n}" for n in (WAITING, WAITING + 1)]

    office.lanes.resume(subscription)
    await a_few(WAITING)
    assert office.places() == list(range(WAITING))
    office.lanes.admit(subscription, send(WAITING + 1))
    assert office.places() == list(range(WAITING))
    for number in (WAITING, WAITING + 1):
        office.lanes.admit(subscription, send(number))
    assert office.places() == list(range(WAITING + 2))
    assert len(office.lanes) == 0


async def test_a_send_over_the_rate_blocks_those_behind_it_even_if_nothing_waited() -> None:
    office, subscription = Office(), stool()
    office.lanes.hold(subscription)
    office.lanes.defer(subscription, "aaaaaaaa-0", RateLimited())
    office.lanes.resume(subscription)
    office.lanes.admit(subscription, send(1))  # before the turn comes
    await a_few()
    office.lanes.admit(subscription, send(2))
    assert office.places() == []
    office.lanes.admit(subscription, send(0))
    office.lanes.admit(subscription, send(1))
    assert office.places() == [0, 1]


@pytest.mark.parametrize("resumed", ["before", "after"])
async def test_of_a_subscription_that_is_over_nothing_is_taken_or_kept(resumed: str) -> None:
    office, subscription = Office(), stool()
    office.lanes.hold(subscription)
    for number in range(3):
        office.lanes.admit(subscription, send(number))
    if resumed == "before":
        office.lanes.resume(subscription)
    subscription.left = True
    office.lanes.drop(subscription)
    if resumed == "after":
        office.lanes.resume(subscription)
    await a_few()
    office.lanes.requeue(subscription, "late", 1)  # a send that was on its way when it ended

    assert office.taken == []
    assert [code for _, code in office.refused] == ["not_subscribed"] * 3
    assert (len(office.lanes), office.lanes.busy) == (0, 0)


async def test_who_leaves_while_a_send_is_to_come_again_leaves_nothing() -> None:
    office, subscription = Office(decide=lambda _: False), stool()
    office.lanes.admit(subscription, send(0))
    assert len(office.lanes) == 1
    subscription.left = True
    office.lanes.drop(subscription)
    assert len(office.lanes) == 0


@given(st.integers(2, 12), st.randoms(use_true_random=False))
def test_whatever_fails_and_is_looked_up_a_sender_who_resends_in_order_keeps_his_order(
    count: int, chance: random.Random
) -> None:
    asyncio.run(_kept_in_order(count, chance))


async def _kept_in_order(count: int, chance: random.Random) -> None:
    """Send all, resend what was answered `retry` in order, answer look-ups at random."""
    office, subscription = Office(decide=lambda _: chance.random() < 0.6), stool()
    missing = list(range(count))
    for round_ in range(200):
        office.refused.clear()
        for number in missing:
            office.lanes.admit(
                subscription, send(number, again=round_ > 0 and chance.random() < 0.7)
            )
            if chance.random() < 0.5:
                await a_few(chance.randrange(3))
                _answer(office, chance)
        while office.lanes.busy:
            await a_few(2)
            _answer(office, chance)
        missing = sorted(int(one.rpartition("-")[2]) for one, _ in office.refused)
        if not missing:
            break

    assert office.places() == list(range(count))
    assert len(office.lanes) == 0


def _answer(office: Office, chance: random.Random) -> None:
    """Answer what is looked up, or say that nobody can."""
    for asked in list(office.history.asked):
        answer = office.history.asked.pop(asked)
        if chance.random() < 0.3:
            answer.set_exception(Unavailable())
        else:
            answer.set_result(None)
