"""The people of a rehearsal: buyers and agents behind their own sockets, and what they saw.

Players speak when they are told to; they must not know the timetable or the verdict.
"""

import asyncio
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from typing_extensions import override

from kit.clock import SystemClock
from kit.ids import Uuid7Ids
from rehearsal.api import Api, ApiRefused, Session
from rehearsal.client import BACKOFF_S, GIVEN_UP, Client
from rehearsal.dialogues import Turn
from rehearsal.endings import Broken, StreamRefused
from rehearsal.ledger import Ledger, Outcome, Screen, Sent, Serial, Shown
from rehearsal.streams import Answer, Frame

MARK: Final = re.compile(r"〔(\d{1,9})〕$")
"""How a played message carries its serial, at the end of its text: seven digits or more, so that
none is taken for a hotline's number."""

SEAT_WAIT_S: Final = 90.0
"""Wait for the platform to give a conversation to an agent before its replies are given up. Longer
than a broker or a database needs to come back on a busy machine: half a minute was measured."""

LOOK_AGAIN_S: Final = 0.1
"""Pause before it is looked who holds a conversation that its agent has lost."""

_REFUSALS: Final = frozenset(
    {
        "blocked",
        "confirm",
        "conflict",
        "no_seat",
        "forbidden",
        "bad_frame",
        "not_subscribed",
        "conversation_closed",
    }
)
"""Codes after which a message is surely not in the log; any other end leaves it unknown."""


class Sabotage(StrEnum):
    """Ways in which a screen can lie on purpose, to see the checks fail."""

    DROP = "drop"
    REPEAT = "repeat"
    SWAP = "swap"


SABOTAGE_EVERY: Final = 10
"""One shown message in so many is tampered with under `Sabotage`."""


def serial_of(text: str) -> Serial | None:
    """Return the serial that a played message carries."""
    found = MARK.search(text)
    return None if found is None else Serial(int(found[1]))


class NobodyCame(Broken):
    """No agent was given a conversation in all the time that a fault may take."""

    def __init__(self, conversation: str) -> None:
        super().__init__(f"nobody was given {conversation} within {SEAT_WAIT_S:g} s")


class Seats:
    """Which agent holds which conversation, as the agents' own inboxes say."""

    def __init__(self) -> None:
        self._agents: dict[str, tuple[int, Agent]] = {}
        self._taken: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def take(self, conversation: str, agent: "Agent", version: int) -> None:
        """An agent follows the conversation and may answer in it; the newest assignment stands.

        Two inboxes are not in step: who lost a seat may hear of having got it after the one who
        holds it now (H12).
        """
        if version >= self._agents.get(conversation, (0, agent))[0]:
            self._agents[conversation] = (version, agent)
        self._taken[conversation].set()

    async def agent_of(self, conversation: str) -> "Agent":
        """Wait until somebody holds the conversation. Raises `NobodyCame`."""
        try:
            async with asyncio.timeout(SEAT_WAIT_S):
                await self._taken[conversation].wait()
        except TimeoutError:
            raise NobodyCame(conversation) from None
        return self._agents[conversation][1]

    async def close(self, conversation: str, api: Api) -> "Agent":
        """Let whoever holds the conversation close it: a fault may have moved it on meanwhile.

        Raises `ApiRefused`, also if the seat that is known here is lost and nobody else gets it.
        """
        path, until = f"/v1/conversations/{conversation}/close", time.monotonic() + SEAT_WAIT_S
        while True:
            agent = await self.agent_of(conversation)
            try:
                await api.call("POST", path, token=agent.session.token, body={"reason": "settled"})
            except ApiRefused as refusal:
                if refusal.slug != "not_owner" or time.monotonic() > until:
                    raise
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                return agent


@dataclass(frozen=True, slots=True)
class Backstage:
    """What all people of a run share. `fail` is told what ends the run, from where it happened."""

    api: Api
    ledger: Ledger
    rng: random.Random
    fail: Callable[[str, Exception], None]
    backoff_s: tuple[float, float] = BACKOFF_S
    sabotage: Sabotage | None = None


class Player:
    """One person with a socket, a ledger page per conversation, and no mind of their own."""

    def __init__(self, backstage: Backstage, session: Session, name: str) -> None:
        self._backstage, self._ledger = backstage, backstage.ledger
        self.session, self.name = session, name
        self._shown_count = 0
        self._ids = Uuid7Ids(SystemClock())
        self.client = Client(
            backstage.api.socket_url,
            session.token,
            rng=backstage.rng,
            on_event=self._on_event,
            on_repeat=self._on_repeat,
            on_state=self._on_state,
            on_end=lambda end: backstage.fail(name, end),
            backoff_s=backstage.backoff_s,
        )

    async def renew(self) -> None:
        """Trade the session's token for a fresh one, well before it ends."""
        self.session = await self._backstage.api.renew(self.session)
        self.client.renew(self.session.token)

    async def follow(self, conversation: str) -> None:
        """Open the conversation on this person's screen."""
        self._ledger.screen(self.session.person_id, conversation)
        await self.client.subscribe(f"conv:{conversation}")

    async def say(self, conversation: str, turn: Turn, serial: Serial, *, due: float) -> None:
        """Send a turn and write the final answer down. `due` is when it should have been sent."""
        text = f"{turn.text}〔{serial:07d}〕"
        self._ledger.invoke(
            Sent(serial, conversation, self.session.person_id, due, planted=turn.planted, text=text)
        )
        answer = await self.client.send(
            f"conv:{conversation}", "text", {"text": text}, client_id=self._ids.new()
        )
        self._ledger.answer(
            serial,
            _outcome(answer),
            at=time.monotonic(),
            code=answer.code,
            message_id=answer.message_id,
        )

    def _on_event(self, _: Client, frame: Frame) -> None:
        if frame.type is None or not frame.type.startswith("chat.message"):
            return
        conversation = (frame.s or "").removeprefix("conv:")
        serial = serial_of(str(frame.d.get("d", {}).get("text", "")))
        if serial is not None and frame.position is not None and frame.id is not None:
            screen = self._ledger.screen(self.session.person_id, conversation)
            self._show(screen, Shown(serial, frame.position, frame.id))

    def _show(self, screen: Screen, shown: Shown) -> None:
        self._shown_count += 1
        lie = self._backstage.sabotage if self._shown_count % SABOTAGE_EVERY == 0 else None
        if lie is Sabotage.DROP:
            return
        self._ledger.show(screen, shown, at=time.monotonic())
        if lie is Sabotage.REPEAT:
            self._ledger.show(screen, shown, at=time.monotonic())
        if lie is Sabotage.SWAP:
            screen.shown[-2:] = reversed(screen.shown[-2:])

    def _on_repeat(self, _: Client, frame: Frame) -> None:
        conversation = (frame.s or "").removeprefix("conv:")
        self._ledger.screen(self.session.person_id, conversation).repeat_frames += 1

    def _on_state(self, _: Client, frame: Frame) -> None:
        """A buyer has no stream but conversations."""


class Agent(Player):
    """An agent: follows whatever the platform puts into the inbox."""

    def __init__(self, backstage: Backstage, session: Session, name: str, *, seats: Seats) -> None:
        super().__init__(backstage, session, name)
        self._seats = seats
        self._left: set[str] = set()
        self._following: set[asyncio.Task[None]] = set()

    async def sit_down(self) -> None:
        """Connect and watch the inbox."""
        await self.client.open()
        await self.client.subscribe("inbox")

    @override
    def _on_event(self, client: Client, frame: Frame) -> None:
        if frame.s != "inbox":
            super()._on_event(client, frame)
        elif frame.type == "conversation.assigned.v1" and self._is_mine(frame.d):
            self._follow_soon(frame.d["conversation_id"], frame.version or 0)

    @override
    def _on_state(self, _: Client, frame: Frame) -> None:
        if frame.s == "inbox" and isinstance(frame.d, dict):
            for conversation in frame.d.get("conversations", ()):
                self._follow_soon(conversation["id"], conversation["assignment_version"])

    def _is_mine(self, d: dict[str, Any]) -> bool:
        return bool(d["agent_id"] == self.session.person_id)

    def leave(self, conversation: str) -> None:
        """Take a closed conversation off the screen, for good.

        A snapshot of the inbox that was made just before the close still lists it; following it
        anew would put everything on the same screen a second time.
        """
        self._left.add(conversation)
        self.client.unsubscribe(f"conv:{conversation}")

    def _follow_soon(self, conversation: str, version: int) -> None:
        if conversation in self._left:
            return
        task = asyncio.create_task(self._take_seat(conversation, version))
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _take_seat(self, conversation: str, version: int) -> None:
        try:
            await self.follow(conversation)
        except StreamRefused as refusal:
            if refusal.code not in GIVEN_UP:
                self._backstage.fail(self.name, refusal)
        else:
            self._seats.take(conversation, self, version)


class Supervisor:
    """Watches a shop's board; hands every picture of it to `on_board`."""

    def __init__(
        self,
        backstage: Backstage,
        session: Session,
        shop_id: str,
        *,
        on_board: Callable[[dict[str, Any]], None],
    ) -> None:
        self._stream, self._on_board = f"monitor:{shop_id}", on_board
        self.client = Client(
            backstage.api.socket_url,
            session.token,
            rng=backstage.rng,
            on_state=self._on_state,
            on_end=lambda end: backstage.fail("the supervisor", end),
            backoff_s=backstage.backoff_s,
        )

    async def sit_down(self) -> None:
        """Connect and watch the board."""
        await self.client.open()
        await self.client.subscribe(self._stream)

    def _on_state(self, _: Client, frame: Frame) -> None:
        if frame.s == self._stream and isinstance(frame.d, dict):
            self._on_board(frame.d)


def _outcome(answer: Answer) -> Outcome:
    if answer.code is None:
        return Outcome.OK
    return Outcome.FAIL if answer.code in _REFUSALS else Outcome.INFO
