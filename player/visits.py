"""A simulated buyer in the shop: he comes in, hears, speaks when the scene says so, and goes."""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from httpx2 import TransportError

from contracts.people import SenderKind
from player.people import Somebody
from player.programme import NEWCOMERS_TOPIC
from player.scenes import Scene, Seat
from player.shop import DemoShop
from rehearsal.api import Api, ApiRefused
from rehearsal.dialogues import Side, Turn
from rehearsal.endings import ForGood, StreamRefused
from rehearsal.streams import Frame

TROUBLE: Final = (ApiRefused, ForGood, StreamRefused, TransportError, OSError, TimeoutError)
"""What may befall somebody while parts of the platform are away."""

ANSWER_S: Final = 120.0
"""Longest wait until it is known what became of a turn; the client asks again by itself."""

RATES: Final = 0.5
"""The share of buyers who rate."""
SCORES: Final = (5, 5, 5, 4, 4, 3)

INBOX: Final = "inbox"
BLOCKED: Final = "blocked"
"""The wording gate stopped it: what some turns are there to show."""

SEATS_LIMIT: Final = 500
"""Conversations of which it is remembered who serves them; a show has a dozen at once."""


class Company:
    """The simulated colleagues, by their ids, and who serves which conversation.

    Inboxes and conversations tell of assignments, in no common order: the newest counts.
    """

    def __init__(self) -> None:
        self.colleagues: dict[str, Somebody] = {}
        self._seats: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def serves(self, conversation: str, version: int, agent_id: str) -> None:
        """Take an assignment to an agent, empty where it went to nobody."""
        if version < self._seats.get(conversation, (0, ""))[0]:
            return
        self._seats[conversation] = (version, agent_id)
        self._seats.move_to_end(conversation)
        if len(self._seats) > SEATS_LIMIT:
            self._seats.popitem(last=False)

    def colleague_of(self, conversation: str) -> Somebody | None:
        """Return the colleague who serves it, None if it is none of them."""
        return self.colleagues.get(self._agent_of(conversation))

    def seat_of(self, conversation: str) -> Seat:
        """Return who serves it."""
        agent = self._agent_of(conversation)
        if not agent:
            return Seat.NOBODY
        return Seat.COLLEAGUE if agent in self.colleagues else Seat.PERSON

    def hear(self, somebody: Somebody, frame: Frame) -> None:
        """Take a frame of somebody's inbox or conversation."""
        d: Any = frame.d if isinstance(frame.d, dict) else {}
        match frame.type:
            case None if frame.s == INBOX:
                for one in d.get("conversations", ()):
                    self.serves(one["id"], one["assignment_version"], somebody.id)
            case "conversation.assigned.v1":
                self.serves(d["conversation_id"], d["version"], d["agent_id"])
            case "conversation.queued.v1":
                self.serves(d["conversation_id"], d["version"], "")

    def _agent_of(self, conversation: str) -> str:
        return self._seats.get(conversation, (0, ""))[1]


class Visit:
    """One buyer, from his coming to his going."""

    def __init__(self, number: int, topic: str, scene: Scene, *, company: Company) -> None:
        self.number, self.topic, self.scene = number, topic, scene
        self._company = company
        self._buyer: Somebody | None = None
        self._conversation = ""
        self._has_come = False
        self._closed = False

    async def enter(self, shop: DemoShop) -> None:
        """Come in, and follow one's own conversation; what goes wrong ends the scene."""
        try:
            self._buyer = buyer = await shop.buyer(self.number, self._hear)
            opened = await buyer.call("POST", "/v1/conversations", {"topic": self.topic})
            self._conversation = conversation = str(opened["id"])
            await buyer.sit_down(f"conv:{conversation}")
            version, agent = opened["assignment_version"], opened["agent_id"] or ""
            self._company.serves(conversation, version, agent)
            self.scene.begin(time.monotonic())
        except TROUBLE:
            self.scene.over = True
        finally:
            self._has_come = True

    @property
    def is_over(self) -> bool:
        """Whether he may be let go; who is still coming in would open what nobody closes."""
        return self.scene.over and self._has_come

    @property
    def is_for_people(self) -> bool:
        """Whether the buyer came for somebody at the desk, and is with no colleague."""
        return self.topic == NEWCOMERS_TOPIC and self.scene.seat is not Seat.COLLEAGUE

    def look(self, now: float) -> Turn | None:
        """Note who serves the buyer by now; return the turn that is to be spoken."""
        if self._conversation:
            self.scene.seated(self._company.seat_of(self._conversation), now)
        return self.scene.due(now)

    async def speak(self, turn: Turn) -> None:
        """Say a turn as whoever it falls to."""
        speaker = self._buyer
        if turn.side is Side.AGENT:
            speaker = self._company.colleague_of(self._conversation)
        taken = False
        if speaker is not None:
            with suppress(*TROUBLE):
                async with asyncio.timeout(ANSWER_S):
                    answer = await speaker.say(self._conversation, turn)
                taken = answer.code in {None, BLOCKED}
        now = time.monotonic()
        if taken:
            self.scene.spoken(now)
        else:
            self.scene.refused(now)

    async def leave(self, api: Api, rng: random.Random) -> None:
        """Close the conversation unless somebody did, rate it sometimes, and go."""
        buyer = self._buyer
        if buyer is None:
            return
        try:
            if self._conversation:
                with suppress(*TROUBLE):
                    await self._close(buyer, rng)
            with suppress(*TROUBLE):
                await api.end(buyer.session)
        finally:
            await buyer.leave()

    async def _close(self, buyer: Somebody, rng: random.Random) -> None:
        colleague = self._company.colleague_of(self._conversation)
        path = f"/v1/conversations/{self._conversation}"
        if colleague is not None:
            colleague.turn_away(self._conversation)
        if not self._closed:
            await (colleague or buyer).call("POST", f"{path}/close", {"reason": "settled"})
        if rng.random() < RATES:
            await buyer.call("POST", f"{path}/rating", {"score": rng.choice(SCORES)})

    def _hear(self, buyer: Somebody, frame: Frame) -> None:
        self._company.hear(buyer, frame)
        if not self._has_come:
            return  # what was said before he came
        d: Any = frame.d if isinstance(frame.d, dict) else {}
        if frame.type == "conversation.closed.v1":
            self._closed = self.scene.over = True
        elif frame.type == "chat.message.v1" and self._is_a_persons(d):
            self.scene.answered(time.monotonic())

    def _is_a_persons(self, message: Mapping[str, Any]) -> bool:
        ours = self._company.colleagues
        return message["sender_kind"] == SenderKind.AGENT and message["sender_id"] not in ours
