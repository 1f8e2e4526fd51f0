"""The gateway alone: real sockets, a bus of choice, and a stand-in for the conversation service."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from contracts.base import Event
from contracts.conversation import ConversationAssigned, ConversationTransferred, PersonListed
from contracts.people import ConversationId, PersonId, Role, ShopId, SkillGroupId
from contracts.topics import TOPICS
from kit.bus.memory import MemoryBus
from kit.bus.ports import Bus, Message, Producer, message_of
from kit.clock import Clock, SystemClock
from kit.errors import NotFound, Unavailable
from kit.ids import Uuid7Ids
from kit.process import running
from kit.web.auth import KeyPair, TokenIssuer, generate_keypair
from services.gateway.app import Gateway
from services.gateway.history import Attached, Mark, Stored
from services.gateway.history.client import Archived, Asker
from services.gateway.settings import Settings
from tests.integration.gateway.phone import Phone
from tests.waiting import eventually
from wording import LiveEngine

GENERATION = 1
HIDDEN = frozenset({"items", "continue_in", "read", "row"})
SHOP = ShopId("shop-a")


@dataclass
class Conversation:
    """What the stand-in knows of a conversation."""

    id: str
    buyer_id: str
    agent_id: str | None
    shop_id: str = SHOP
    version: int = 2
    assignment_version: int = 2
    items: list[dict[str, Any]] = field(default_factory=list)
    continue_in: str | None = None
    read: dict[str, Any] | None = None
    row: dict[str, Any] | None = None
    """What the archive says of it to its owner's gateway, where that differs from nothing."""


class PaperHistory:
    """Stands for the conversation service: one book, answered as `contracts` and H11 say."""

    def __init__(self, producer: Producer) -> None:
        self.book: dict[str, Conversation] = {}
        self.messages: dict[str, Stored] = {}
        self.marks: dict[int, int] = {}
        self.boards: dict[str, bytes] = {}
        self.tiled: dict[str, bytes] = {}
        self.away = False
        self.tells_rows = True
        self.asked: list[str] = []
        self._producer = producer

    async def attach(
        self, conversation: str, principal: Asker, *, limit: int, after: tuple[int, int] | None
    ) -> Attached:
        """Seat members and their shop's staff; anybody else learns nothing."""
        self._check()
        known = self.book.get(conversation)
        if known is None or principal.shop_id != known.shop_id:
            raise NotFound
        if principal.role == Role.BUYER and principal.subject != known.buyer_id:
            raise NotFound
        partition = await self._producer.partition_for("chat", conversation.encode())
        items = [i for i in known.items if after is None or tuple(i["position"]) > after]
        facts = {k: v for k, v in vars(known).items() if k not in HIDDEN}
        return Attached(
            msgspec.Raw(msgspec.json.encode(facts)),
            Mark(partition, self.marks.get(partition, 0), GENERATION),
            [] if len(items) > limit else [msgspec.Raw(msgspec.json.encode(i)) for i in items],
            resync=after is not None and len(items) > limit,
            continue_in=known.continue_in,
            read=msgspec.Raw(b"" if known.read is None else msgspec.json.encode(known.read)),
        )

    async def inbox(self, principal: Asker) -> bytes:
        """Return what the person holds."""
        self._check()
        mine = [c for c in self.book.values() if principal.subject in {c.buyer_id, c.agent_id}]
        shown = [{"id": c.id, "version": c.version} for c in mine]
        inbox: dict[str, Any] = {"conversations": shown, "work": []}
        if principal.role != Role.BUYER and self.tells_rows:
            inbox["rows"] = [await self._row(one) for one in mine]
        return msgspec.json.encode(inbox)

    async def heads(self, conversations: Sequence[str]) -> list[Archived]:
        """Return where conversations stand for who owns them."""
        self._check()
        found = [self.book[one] for one in conversations if one in self.book]
        rows = [await self._row(one) for one in found if one.agent_id is not None]
        return msgspec.convert(rows, list[Archived])

    async def _row(self, talk: Conversation) -> dict[str, Any]:
        partition = await self._producer.partition_for("chat", talk.id.encode())
        return {
            "id": talk.id,
            "owner": talk.agent_id,
            "version": talk.version,
            "head": None,
            "waiting_since": None,
            "position": None,
            "first": True,
            "seat": talk.assignment_version,
            "read_up_to": None,
            "unseen": [],
            "partition": partition,
            "mark": (GENERATION, self.marks.get(partition, 0)),
        } | (talk.row or {})

    async def message(self, message_id: str) -> Stored | None:
        """Return an archived message."""
        self.asked.append(message_id)
        self._check()
        return self.messages.get(message_id)

    async def board(self, shop: str) -> bytes:
        """Return a board."""
        self._check()
        return self.boards.get(shop, b"null")

    async def tiles(self, shop: str) -> bytes | None:
        """Return totals and tiles."""
        self._check()
        return self.tiled.get(shop)

    def _check(self) -> None:
        if self.away:
            raise Unavailable


@dataclass
class Desk:
    """A running gateway and everything to act on it with."""

    url: str
    admin: str
    service: Gateway
    history: PaperHistory
    issuer: TokenIssuer
    bus: Bus
    producer: Producer
    phones: list[Phone] = field(default_factory=list)

    # ---- people

    def token(
        self,
        subject: str,
        role: Role = Role.AGENT,
        *,
        shop: str = SHOP,
        ttl_s: int = 900,
        sid: str = "",
    ) -> str:
        """Return a token as the conversation service would issue it."""
        return self.issuer.issue(
            subject=subject, role=role, shop_id=shop, name="", ttl_s=ttl_s, sid=sid
        )

    async def dial(self, **how: Any) -> Phone:
        """Open a socket that has not said hello."""
        phone = await Phone.dial(self.url, **how)
        self.phones.append(phone)
        return phone

    async def phone(
        self, subject: str, role: Role = Role.AGENT, *, shop: str = SHOP, **hello: Any
    ) -> Phone:
        """Open a socket of a person and say hello."""
        phone = await self.dial()
        phone.say(t="hello", v=1, token=self.token(subject, role, shop=shop), **hello)
        await phone.of("ready")
        return phone

    async def pair(self, talk: Conversation) -> tuple[Phone, Phone]:
        """Return the buyer's and the agent's phones, both subscribed."""
        buyer = await self.phone(talk.buyer_id, Role.BUYER)
        agent = await self.phone(talk.agent_id or "nobody")
        for phone in (buyer, agent):
            await self.join(phone, talk)
        return buyer, agent

    async def join(self, phone: Phone, talk: Conversation, **more: Any) -> None:
        """Subscribe to a conversation."""
        frame_id = f"j{len(phone.frames)}"
        phone.say(t="sub", id=frame_id, s=f"conv:{talk.id}", **more)
        assert await phone.code(frame_id) is None

    # ---- facts

    def talk(self, *, agent: str | None = "", **more: Any) -> Conversation:
        """Write a conversation into the book; an agent of its own unless told otherwise."""
        made = str(uuid.uuid4())
        owner = f"agent-{made[:8]}" if agent == "" else agent
        found = Conversation(made, f"buyer-{made[:8]}", owner, **more)
        self.history.book[made] = found
        return found

    async def publish(self, *events: Event) -> None:
        """Put events into their topics, as their producers would."""
        for event in events:
            await self.producer.send(message_of(event))

    def base(self, talk: Conversation, version: int) -> dict[str, Any]:
        """Return the common fields of a lifecycle event."""
        clock = self.service.clock
        return {
            "id": Uuid7Ids(clock).new(),
            "time": clock.now(),
            "shop_id": ShopId(talk.shop_id),
            "conversation_id": ConversationId(talk.id),
            "buyer_id": PersonId(talk.buyer_id),
            "version": version,
        }

    def assigned(self, talk: Conversation, agent: str, version: int) -> ConversationAssigned:
        """Return the event that gives the conversation to an agent."""
        return ConversationAssigned(
            **self.base(talk, version),
            agent_id=PersonId(agent),
            previous_agent_id=PersonId(talk.agent_id) if talk.agent_id else None,
            skill_group_id=SkillGroupId("pre"),
            reason="least_loaded",
        )

    def transferred(self, talk: Conversation, to: str, version: int) -> ConversationTransferred:
        """Return the event that hands the conversation over, with a note for staff alone."""
        return ConversationTransferred(
            **self.base(talk, version),
            from_agent_id=PersonId(talk.agent_id or ""),
            to_agent_id=PersonId(to),
            to_skill_group_id=SkillGroupId("pre"),
            note="careful: canary-note",
            by=PersonId(talk.agent_id or ""),
        )

    def listed(self, subject: str, version: int, **change: Any) -> PersonListed:
        """Return a directory entry."""
        clock = self.service.clock
        fields: dict[str, Any] = {
            "id": Uuid7Ids(clock).new(),
            "time": clock.now(),
            "shop_id": SHOP,
            "subject": PersonId(subject),
            "name": "",
            "role": Role.AGENT,
            "active": True,
            "not_before": clock.now(),
            "version": version,
        }
        return PersonListed(**(fields | change))


@cache
def lexicon() -> LiveEngine:
    """Return the shipped lexicon, loaded once: it takes a second."""
    return LiveEngine()


KEYS: KeyPair = generate_keypair()


def settings(**own: Any) -> Settings:
    """Return settings with short drains; the rest as in production."""
    quick: dict[str, Any] = {
        "token_public_key": KEYS.public,
        "drain_notice_s": 0.05,
        "drain_spread_s": 0.1,
        "drain_flush_s": 3.0,
        "allowed_origins": "https://desk.example",
    }
    return Settings(**(quick | own))


def memory_bus() -> MemoryBus:
    """Return a bus whose acks can be withheld, with the topics of a small installation."""
    bus = MemoryBus()
    for topic in TOPICS:
        bus.add_topic(topic.name, 3 if topic.name == "chat" else 1)
    return bus


def held(bus: MemoryBus) -> int:
    """Return how many chat messages wait for their ack."""
    waiting = bus._withheld or []
    return len([message for message, *_ in waiting if message.topic == "chat"])


@asynccontextmanager
async def opened(
    bus: Bus, *, clock: Clock | None = None, history: PaperHistory | None = None, **own: Any
) -> AsyncIterator[Desk]:
    """Run a gateway on a bus; `own` are settings."""
    producer = bus.producer()
    await producer.start()
    # The producer learns a topic's partitions by sending to it. The record is no event: skipped.
    await producer.send(Message("chat", b"warm-up", b"{}"))
    if history is None:
        history = PaperHistory(producer)
    service = Gateway(
        settings(**own), bus, clock=clock or SystemClock(), history=history, lexicon=lexicon()
    )
    issuer = TokenIssuer(KEYS.private, SystemClock())
    async with running(service.app()) as addresses:
        desk = Desk(addresses.http, addresses.admin, service, history, issuer, bus, producer)
        await eventually(service.ready, what="the directory and the ring")
        yield desk
    for phone in desk.phones:
        await phone.close()
    await producer.stop(0.1)
