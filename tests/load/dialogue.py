"""The chat that consumers catch up on: dialogues of real turns, written to a topic of their own.

Texts come from `wording_messages.txt`, as they stand or joined to the 400 bytes that every bench
sends. What agents say carries the verdict that a gateway's gate writes. Must not know who reads the
topic.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contracts.base import Event, Headers
from contracts.conversation import ConversationAssigned, ConversationOpened, ShopListed
from contracts.gateway import WORDING, ChatMessage, cleared
from contracts.people import ConversationId, PersonId, SenderKind, ShopId, SkillGroupId
from kit.bus.kafka import KafkaBus
from kit.bus.ports import message_of
from kit.ids import derived_id
from wording import Engine, Speaker, policy_of

SHOP: Final = ShopId("bench")
GROUP: Final = SkillGroupId(derived_id("group", SHOP))
CONVERSATIONS: Final = 200
LONG_CHARACTERS: Final = 133
"""Characters of a text of 400 bytes in UTF-8."""

RUN: Final = 2
"""Messages that one side writes in a row, at most; half of the turns are so long."""

FLAGGED: Final = 100
"""One agent's text in so many ends in words that the wording engine reports."""

OFFENCE: Final = "加我微信 lele_2026 再聊"
START: Final = datetime(2026, 11, 11, 2, tzinfo=UTC)
"""Ten o'clock in Shanghai: inside every profile's window."""

LISTED: Final = ShopListed(id=SHOP, time=START, shop_id=SHOP, name="旗舰店", version=1)
"""The shop's entry, by whose wording policy gate and monitor judge."""

SEED: Final = 11
HANDED_AT_ONCE: Final = 500
TURNS: Final = tuple(
    (Path(__file__).parent / "wording_messages.txt").read_text(encoding="utf-8").splitlines()
)


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation's people."""

    id: ConversationId
    buyer: PersonId
    agent: PersonId


def talks() -> Sequence[Talk]:
    """Return the conversations that the dialogues are held in."""
    return [
        Talk(
            ConversationId(derived_id("talk", str(number))),
            PersonId(derived_id("buyer", str(number))),
            PersonId(derived_id("agent", str(number % 40))),
        )
        for number in range(CONVERSATIONS)
    ]


def facts(messages: int, *, long: bool) -> Iterator[Event]:
    """Yield `messages` chat messages and the beginning of each conversation before them."""
    rng = random.Random(SEED)
    everyone = talks()
    for talk in everyone:
        yield from _opened(talk)
    left = dict.fromkeys(everyone, (SenderKind.BUYER, 1))
    for number in range(messages):
        talk = everyone[rng.randrange(CONVERSATIONS)]
        kind, more = left[talk]
        yield _message(talk, kind, number, _text(rng, kind, long=long))
        other = SenderKind.AGENT if kind is SenderKind.BUYER else SenderKind.BUYER
        left[talk] = (kind, more - 1) if more > 1 else (other, rng.randint(1, RUN))


async def write(bus: KafkaBus, messages: int, *, long: bool) -> int:
    """Write the dialogues to the topic `chat`; return how many records there are."""
    producer = bus.producer()
    await producer.start()
    written = 0
    try:
        engine = Engine.load()
        waiting = [
            message_of(fact, extra=_verdict(fact, engine)) for fact in facts(messages, long=long)
        ]
        for start in range(0, len(waiting), HANDED_AT_ONCE):
            sent = await producer.send_all(waiting[start : start + HANDED_AT_ONCE])
            for ack in sent:
                await ack
            written += len(sent)
    finally:
        await producer.stop()
    return written


def _verdict(fact: Event, engine: Engine) -> Headers:
    """Return the header by which the gate clears what an agent says."""
    if not isinstance(fact, ChatMessage) or fact.sender_kind is not SenderKind.AGENT:
        return ()
    policy = policy_of(LISTED)
    verdict = engine.check(fact.d["text"], speaker=Speaker.AGENT, policy=policy)
    rules = verdict.lexicon_version, policy.version
    return () if verdict.hits else ((WORDING, cleared(*rules)),)


def _opened(talk: Talk) -> Iterator[Event]:
    fact = {"shop_id": SHOP, "conversation_id": talk.id, "buyer_id": talk.buyer, "time": START}
    yield ConversationOpened(
        id=derived_id("opened", talk.id), version=1, skill_group_id=GROUP, **fact
    )
    yield ConversationAssigned(
        id=derived_id("assigned", talk.id),
        version=2,
        agent_id=talk.agent,
        skill_group_id=GROUP,
        reason="least_loaded",
        **fact,
    )


def _message(talk: Talk, kind: SenderKind, number: int, text: str) -> ChatMessage:
    sender = talk.buyer if kind is SenderKind.BUYER else talk.agent
    return ChatMessage(
        id=derived_id("message", talk.id, sender, str(number)),
        time=START + timedelta(milliseconds=100 * number),
        shop_id=SHOP,
        conversation_id=talk.id,
        sender_id=sender,
        sender_kind=kind,
        client_id=str(number),
        kind="text",
        d={"text": text},
        body_hash="0" * 32,
        assignment_version=2 if kind is SenderKind.AGENT else None,
    )


def _text(rng: random.Random, kind: SenderKind, *, long: bool) -> str:
    text = rng.choice(TURNS)
    while long and len(text) < LONG_CHARACTERS:
        text += "，" + rng.choice(TURNS)
    if long:
        text = text[:LONG_CHARACTERS]
    if kind is SenderKind.AGENT and rng.randrange(FLAGGED) == 0:
        return text[: -len(OFFENCE)] + OFFENCE
    return text
