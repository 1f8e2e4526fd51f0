"""Messages on their way into the log: each send that waits for one is answered once (H3, H18)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, cast

import msgspec
import pytest

from contracts.gateway import WordingHit
from contracts.people import PersonId, Role, ShopId
from kit.bus.ports import BusAway, Message, Position, TooLarge
from kit.clock import ManualClock
from kit.errors import AppError
from kit.metrics import Metrics
from services.gateway.frames import records, server
from services.gateway.frames.client import Body, Send
from services.gateway.history import HistoryClient, Ring
from services.gateway.hub import (
    Conversation,
    ConversationSubscription,
    Person,
    QueueLimits,
    SocketSession,
    StreamKind,
)
from services.gateway.inbound.batcher import Batcher
from services.gateway.inbound.in_flight import MessagesInFlight
from services.gateway.inbound.lanes import Lanes
from services.gateway.inbound.parsing import ParsedSend
from services.gateway.limits import Rate
from tests.unit.gateway.port import Screen

pytestmark = pytest.mark.unit

ID: Final = "aaaaaaaa-1"
OUTCOME_S: Final = 2.0
PLACE: Final = Position(partition=0, offset=7)
MESSAGE: Final = Message("chat", b"c", b"{}")
OK: Final[dict[str, list[str]]] = {ID: ["ok"]}
RETRY: Final[dict[str, list[str]]] = {ID: ["retry"]}

Outcome = Callable[["asyncio.Future[Position]"], None]


class Broker:
    """Stands for the batcher: keeps whom to tell, and tells him when the test says so."""

    def __init__(self) -> None:
        self.full = False
        self.outcomes: list[Outcome] = []

    def add(self, message: Message, outcome: Outcome) -> bool:
        """Take a message, as long as there is room."""
        if not self.full:
            self.outcomes.append(outcome)
        return not self.full

    def answer(self, answer: Position | Exception = PLACE) -> None:
        """Say what became of the oldest message."""
        future: asyncio.Future[Position] = asyncio.get_running_loop().create_future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        self.outcomes.pop(0)(future)


class Office:
    """A buyer's socket, and the messages that he has under way."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.broker = Broker()
        self.screen = Screen()
        buyer = Person(PersonId("b"), Role.BUYER, ShopId("s"), "", 0, 10**12)
        socket = SocketSession(
            self.screen,
            buyer,
            socket_id="1",
            bucket=Rate(1, 1).bucket(self.clock),
            limits=QueueLimits(),
            drained=lambda _: None,
            now=0,
        )
        kind = cast("StreamKind", None)
        self.subscription = ConversationSubscription(socket, Conversation(b"c"), kind)
        history = cast("HistoryClient", None)
        self.lanes = Lanes(history, take=lambda _, __: None, refuse=self.refuse)
        self.messages = MessagesInFlight(
            cast("Batcher", self.broker),
            self.lanes,
            Ring(),
            clock=self.clock,
            metrics=Metrics(),
            outcome_s=OUTCOME_S,
        )

    def refuse(self, socket: SocketSession, frame_id: str, refusal: AppError) -> None:
        """Answer as `Inbound` does."""
        socket.answer(server.err(frame_id, refusal))

    def parsed(self, client_id: str = ID) -> ParsedSend:
        """Return a send, all of which say the same."""
        d = b'{"text":"x"}'
        frame = Send(client_id, "conv:c", "text", msgspec.Raw(d))
        number, body_hash = self.lanes.number(), records.body_hash("text", d)
        return ParsedSend(frame, Body(d, "x"), "message", body_hash, number)

    def hand_over(self, *warnings: WordingHit, message_id: str = "message") -> None:
        """Let the buyer's message go."""
        parsed = self.parsed()._replace(message_id=message_id)
        self.messages.hand_over(self.subscription, parsed, message=MESSAGE, warnings=warnings)

    def join(self, client_id: str) -> None:
        """Let the same message come again."""
        pending = self.messages.pending("message")
        assert pending is not None
        self.messages.join(self.subscription, self.parsed(client_id), pending)

    @property
    def answers(self) -> dict[str, list[str]]:
        """What the buyer was told."""
        return self.screen.answers()


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """An office in which overdue outcomes are looked for."""
    opened = Office()
    looking = asyncio.create_task(opened.messages.run())
    yield opened
    opened.messages.stop()
    await opened.clock.walk(1)
    await looking


async def test_a_message_is_known_from_its_hand_over_until_it_is_read_back(office: Office) -> None:
    office.hand_over()
    assert (office.messages.waiting, office.answers) == (1, {})
    office.broker.answer()
    assert (office.messages.waiting, office.messages.pending("message")) == (0, None)
    acked = office.messages.acked("message")
    assert acked is not None
    assert acked.place.offset == 7
    assert office.answers == OK
    (told,) = office.screen.frames
    assert told["d"]["position"] == [0, 7]


async def test_a_send_that_comes_again_is_answered_with_the_first(office: Office) -> None:
    office.hand_over()
    office.join("bbbbbbbb-1")
    office.broker.answer()
    assert office.answers == {ID: ["ok"], "bbbbbbbb-1": ["ok"]}


async def test_an_overdue_outcome_is_answered_retry_and_what_comes_late_only_remembered(
    office: Office,
) -> None:
    office.hand_over()
    await office.clock.walk(OUTCOME_S + 1)
    assert office.answers == RETRY
    assert office.lanes.blocks(office.subscription, "bbbbbbbb-1")
    office.broker.answer()
    assert office.answers == RETRY
    assert office.messages.acked("message") is not None


async def test_a_send_that_joins_late_has_its_whole_time(office: Office) -> None:
    office.hand_over()
    await office.clock.walk(OUTCOME_S - 0.5)
    office.join("bbbbbbbb-1")
    await office.clock.walk(1)
    assert office.answers == {}
    await office.clock.walk(OUTCOME_S)
    assert office.answers == {ID: ["retry"], "bbbbbbbb-1": ["retry"]}


async def test_what_is_given_up_is_answered_once(office: Office) -> None:
    office.hand_over()
    office.messages.give_up()
    office.messages.give_up()
    assert (office.messages.waiting, office.answers) == (0, RETRY)


@pytest.mark.parametrize(
    ("reason", "code", "blocks"), [(BusAway(), "retry", True), (TooLarge(), "bad_frame", False)]
)
async def test_a_refused_message_has_to_come_again_unless_it_never_can(
    office: Office, reason: Exception, code: str, *, blocks: bool
) -> None:
    office.hand_over()
    office.broker.answer(reason)
    assert office.answers == {ID: [code]}
    assert office.lanes.blocks(office.subscription, "bbbbbbbb-1") is blocks
    assert office.messages.acked("message") is None


async def test_what_finds_no_room_is_answered_retry_and_forgotten(office: Office) -> None:
    office.broker.full = True
    office.hand_over()
    assert (office.messages.pending("message"), office.answers) == (None, RETRY)


async def test_the_oldest_message_is_the_one_that_waits_longest_for_the_broker_itself(
    office: Office,
) -> None:
    office.subscription.conversation.partition = 3
    assert office.messages.oldest(3) is None
    begun = office.clock.monotonic()
    office.hand_over()
    await office.clock.walk(0.5)
    office.hand_over(message_id="younger")
    office.join("bbbbbbbb-1")  # a resend makes it no younger
    await office.clock.walk(OUTCOME_S)  # nor does it help that its sender was answered
    assert (office.messages.oldest(3), office.messages.oldest(4)) == (begun, None)

    office.broker.answer()
    assert office.messages.oldest(3) == begun + 0.5
    office.broker.answer(BusAway())
    assert office.messages.oldest(3) is None


async def test_answers_that_come_in_another_order_leave_the_oldest_until_it_is_answered(
    office: Office,
) -> None:
    begun = office.clock.monotonic()
    office.hand_over()
    await office.clock.walk(0.5)
    office.hand_over(message_id="younger")
    office.broker.outcomes.reverse()
    office.broker.answer()
    assert office.messages.oldest(0) == begun
    office.broker.answer()
    assert office.messages.oldest(0) is None


async def test_an_agent_learns_what_the_gate_warns_of(office: Office) -> None:
    hit = WordingHit(
        category="abuse",
        severity="mild",
        term_id="t1",
        start=0,
        end=1,
        surface="x",
        normalised="x",
        why="a word",
        action="warn",
    )
    office.hand_over(hit)
    office.broker.answer()
    (told,) = office.screen.frames
    assert told["d"]["warnings"] == [hit.model_dump(mode="json")]
    assert (told["d"]["message_id"], told["d"]["position"]) == ("message", [0, 7])
