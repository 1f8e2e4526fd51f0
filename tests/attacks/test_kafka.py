"""Row 63: records that nobody of us wrote."""

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.gateway import ChatMessage
from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from contracts.topics import CHAT, DIRECTORY, ORDERS, WORK
from kit.bus.deadletter import letters
from kit.bus.kafka import KafkaBus
from kit.bus.ports import Message, message_of
from kit.ids import derived_id
from tests.attacks import watching
from tests.attacks.cast import Cast
from tests.platform import Platform
from tests.waiting import eventually
from tests.world import World

pytestmark = pytest.mark.journey

HUGE = 200_000


@pytest.fixture
async def bus(platform: Platform) -> AsyncIterator[KafkaBus]:
    """The platform's broker as somebody reaches it who got into its network."""
    made = KafkaBus(platform.known.bootstrap_servers, client_id="attack")
    yield made
    await made.close()


def forged(shop: str, conversation: str) -> Message:
    """Return a record that is right in everything: a buyer's message."""
    client_id, sender = str(uuid.uuid4()), str(uuid.uuid4())
    return message_of(
        ChatMessage(
            id=derived_id("message", conversation, sender, client_id),
            time=datetime.now(UTC),
            shop_id=ShopId(shop),
            conversation_id=ConversationId(conversation),
            sender_id=PersonId(sender),
            sender_kind=SenderKind.BUYER,
            client_id=client_id,
            kind="text",
            d={"text": "毒"},
            body_hash="0" * 32,
        )
    )


def changed(record: Message, **change: Any) -> Message:
    """Return the record with another field or other headers."""
    headers: Mapping[str, bytes] = change.pop("headers", dict(record.headers))
    fields = {"topic": record.topic, "key": record.key, "value": record.value} | change
    return Message(headers=tuple(headers.items()), **fields)


def poison(shop: str, conversation: str) -> list[Message]:
    """Return records that the archive can only set aside."""
    good = forged(shop, conversation)
    headers = dict(good.headers)
    return [
        changed(good, headers=headers | {"ce_type": b"order.paid.v1"}),
        changed(good, headers=headers | {"ce_shop": str(uuid.uuid4()).encode()}),
        changed(good, headers={}),
        changed(good, headers={f"h{n}": b"x" for n in range(10_000)}),
        changed(good, key=b"k" * HUGE),
        changed(good, value=None),
        changed(good, value=b"[" * 100_000),
        changed(good, value=b"\xff" * 100),
    ]


async def test_attack_63_records_of_nobody_are_set_aside_and_change_nothing(
    bus: KafkaBus, platform: Platform, cast: Cast, world: World
) -> None:
    buyer = await world.buyer(cast.ours.shop(world))
    talk = await world.talk(buyer)
    producer = bus.producer()
    await producer.start()
    try:
        places = set()
        for record in poison(cast.ours.id, talk):
            sent = await producer.send(record)
            places.add((sent.partition, sent.offset))
        # A type that nobody knows could be of a newer release: kept, and shown to nobody.
        good = forged(cast.ours.id, talk)
        unknown = dict(good.headers) | {"ce_type": b"evil.thing.v1"}
        kept = await producer.send(changed(good, headers=unknown))
        for topic in (WORK, ORDERS, DIRECTORY):
            for value in (b"{", None, b"\xff"):
                headers = (("ce_type", b"evil.thing.v1"),)
                await producer.send(Message(topic.name, b"evil", value, headers))
    finally:
        await producer.stop()
    await buyer.say(talk, "还在吗")

    async def dead() -> set[tuple[int, int]]:
        found = await letters(bus, "conversation.archive")
        return {(one.partition, one.offset) for one in found if one.topic == CHAT.name}

    async def aside() -> bool:
        return places <= await dead()

    await eventually(aside, within=60, what="the dead letters of the archive")
    assert (kept.partition, kept.offset) not in await dead()

    async def archived() -> list[str]:
        path = f"/v1/conversations/{talk}/messages"
        items = (await buyer.call("GET", path))["items"]
        assert "evil.thing.v1" not in {one["type"] for one in items}
        return [one["d"]["d"]["text"] for one in items if one["type"] == "chat.message.v1"]

    assert await eventually(archived, within=30, what="the honest message") == ["还在吗"]
    assert buyer.texts(talk) == ["还在吗"]
    await eventually(
        lambda: all(map(platform.is_ready, watching.NAMES)), within=60, what="every service ready"
    )
